// The log's queue and its thread: a Boost.Log asynchronous sink with a bound and a count of drops.
#include "log.hpp"

#include "log_events.hpp"
#include "log_sink.hpp"

#include <boost/log/attributes/attribute_set.hpp>
#include <boost/log/attributes/constant.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/sinks/async_frontend.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/unbounded_fifo_queue.hpp>
#include <boost/smart_ptr/make_shared_object.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace wharf::log {

namespace {

namespace sinks = boost::log::sinks;
using std::chrono::system_clock;
using shared_entry = std::shared_ptr<const entry>; ///< between the writer and the queue's copies

constexpr const char* attribute_name = "WharfEntry";
/// What a reader of our output that has stopped reading costs a daemon that stops.
constexpr std::chrono::seconds stop_time_max{2};

/// A process has one log: its thresholds and its sink are the state of the process.
std::array<std::atomic<level>, channel_count> thresholds{level::info, level::info, level::info,
                                                         level::info, level::info};
std::atomic<std::uint64_t> drops{0};
std::atomic<std::size_t> queued{0};
std::atomic<std::size_t> queued_max{0}; ///< 0: no sink runs
/// When stop() gives up, as a count of the steady clock; 0 while the log runs.
std::atomic<std::chrono::steady_clock::rep> give_up_at{0};

bool gave_up() noexcept
{
    const auto at = give_up_at.load(std::memory_order_relaxed);
    return at != 0 && std::chrono::steady_clock::now().time_since_epoch().count() >= at;
}

/// Writes all of it, or gives up when the log is being stopped. At most PIPE_BUF at a time, which
/// a pipe that polls writable takes without waiting.
void write_line(int fd, std::string_view line) noexcept
{
    constexpr std::size_t step = 4096;
    while (!line.empty() && !gave_up()) {
        pollfd ready{fd, POLLOUT, 0};
        const int polled = ::poll(&ready, 1, 100);
        if (polled == 0 || (polled < 0 && errno == EINTR))
            continue;
        const ssize_t n = ::write(fd, line.data(), std::min(line.size(), step));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return; // Nobody can be told.
        if (n > 0)
            line.remove_prefix(static_cast<std::size_t>(n));
    }
}

void write_entry(const entry& e, format how, int fd)
{
    if (how == format::journal && send_to_journal(journal_fields(e)))
        return;
    write_line(fd, how == format::plain ? plain_line(e) : prefixed_line(e));
}

class backend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
public:
    backend(format how, int fd) : how_(how), fd_(fd) {}

    void consume(const boost::log::record_view& record)
    {
        report_drops();
        const auto found = boost::log::extract<shared_entry>(attribute_name, record);
        if (found)
            write_entry(**found, how_, fd_);
        queued.fetch_sub(1, std::memory_order_relaxed);
    }

    /// One record for all that were dropped since the last one.
    void report_drops()
    {
        const std::uint64_t now = drops.load(std::memory_order_relaxed);
        if (now == reported_)
            return;
        const std::string count = std::to_string(now - reported_);
        reported_ = now;
        write_entry(make_entry(level::warning, log::records_dropped, system_clock::now(),
                               "log records were dropped because the queue was full",
                               {{"WHARF_DROPPED", count}}),
                    how_, fd_);
    }

private:
    const format how_;
    const int fd_;
    std::uint64_t reported_ = drops.load();
};

using sink = sinks::asynchronous_sink<backend, sinks::unbounded_fifo_queue>;

std::mutex running_mutex; ///< start() and stop() only
boost::shared_ptr<sink> running;

void write_now(level l, const event& what, std::string_view message,
               std::initializer_list<field> fields)
{
    // Without a sink there is no thread that may wait for a slow reader, and hardly a record.
    write_entry(make_entry(l, what, system_clock::now(), message, fields), format::plain,
                STDERR_FILENO);
}

void write_queued(level l, const event& what, std::string_view message,
                  std::initializer_list<field> fields)
{
    auto e =
        std::make_shared<const entry>(make_entry(l, what, system_clock::now(), message, fields));
    boost::log::attribute_set attributes;
    attributes[attribute_name] = boost::log::attributes::make_constant(shared_entry(std::move(e)));
    const auto core = boost::log::core::get();
    boost::log::record record = core->open_record(attributes);
    if (record)
        core->push_record(std::move(record));
    else
        queued.fetch_sub(1, std::memory_order_relaxed);
}

/// Takes a place in the queue; false when it is full.
bool take_place(std::size_t max) noexcept
{
    if (queued.fetch_add(1, std::memory_order_relaxed) < max)
        return true;
    queued.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

} // namespace

void start(const options& how)
{
    start(how, STDERR_FILENO);
}

void start(const options& how, int fd)
{
    stop();
    const std::scoped_lock lock(running_mutex);
    set_threshold(how.threshold);
    give_up_at = 0;
    queued = 0;
    running = boost::make_shared<sink>(boost::make_shared<backend>(resolve(how.how, fd), fd));
    // Other records of the process's Boost.Log are not ours.
    running->set_filter([](const boost::log::attribute_value_set& values) {
        return values.count(attribute_name) != 0;
    });
    boost::log::core::get()->add_sink(running);
    queued_max = std::max<std::size_t>(how.queue_records_max, 1);
}

void stop()
{
    const std::scoped_lock lock(running_mutex);
    if (!running)
        return;
    queued_max = 0;
    const auto at = std::chrono::steady_clock::now() + stop_time_max;
    give_up_at = at.time_since_epoch().count();
    boost::log::core::get()->remove_sink(running);
    running->stop();
    running->flush();
    running->locked_backend()->report_drops();
    running.reset();
    give_up_at = 0;
}

bool enabled(level l, channel c) noexcept
{
    return l <= thresholds[static_cast<std::size_t>(c)].load(std::memory_order_relaxed);
}

levels threshold() noexcept
{
    levels now = level::info;
    for (std::size_t i = 0; i < channel_count; ++i)
        now[static_cast<channel>(i)] = thresholds[i].load(std::memory_order_relaxed);
    return now;
}

void set_threshold(const levels& to) noexcept
{
    for (std::size_t i = 0; i < channel_count; ++i)
        thresholds[i].store(to[static_cast<channel>(i)], std::memory_order_relaxed);
}

void set_queue_records_max(std::size_t count) noexcept
{
    const std::scoped_lock lock(running_mutex);
    if (running)
        queued_max = std::max<std::size_t>(count, 1);
}

void write(level l, const event& what, std::string_view message,
           std::initializer_list<field> fields) noexcept
{
    if (!enabled(l, what.where))
        return;
    const std::size_t max = queued_max.load(std::memory_order_relaxed);
    const bool has_place = max != 0 && take_place(max);
    if (max != 0 && !has_place) {
        drops.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    try {
        if (has_place)
            write_queued(l, what, message, fields);
        else
            write_now(l, what, message, fields);
    }
    catch (...) { // No memory: the record is lost, the caller is not.
        if (has_place)
            queued.fetch_sub(1, std::memory_order_relaxed);
        drops.fetch_add(1, std::memory_order_relaxed);
    }
}

std::uint64_t dropped() noexcept
{
    return drops.load(std::memory_order_relaxed);
}

} // namespace wharf::log
