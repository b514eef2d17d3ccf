// Pending calls of a client: queueing, admission to the connection, deadlines, endings.
#include "core.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdlib>

namespace wharf::detail {

namespace {

/// What is queued before the kernel has taken it; more waits, where it can be withdrawn at no cost.
constexpr std::size_t unsent_bytes_max = 256u << 10;

} // namespace

endpoint endpoint_of(std::string_view where)
{
    if (!where.empty())
        return parse_endpoint(where);
    const char* named = std::getenv("WHARF_ENDPOINT");
    return parse_endpoint(named && *named ? std::string_view(named) : default_endpoint);
}

message_bytes::message_bytes(byte_buffer& scratch) : size_(scratch.size())
{
    if (size_ <= few_) {
        if (size_ != 0)
            std::memcpy(few_bytes_.data(), scratch.data(), size_);
        scratch.clear();
    }
    else {
        many_bytes_ = std::move(scratch);
        scratch = byte_buffer();
    }
}

client_core::client_core(const boost::asio::any_io_executor& executor, endpoint where,
                         const client_options& options, driver who)
    : executor_(executor),
      where_(std::move(where)),
      where_text_(to_string(where_)),
      options_(options),
      driver_(who),
      timer_(executor),
      strand_(boost::asio::make_strand(executor)),
      backoff_(options.reconnect_delay_min, options.reconnect_delay_max),
      random_(std::random_device{}())
{}

void client_core::start(call_record& record, std::uint64_t ticket)
{
    record.ticket_ = ticket;
    const encoded_call& call = record.call_;
    lock held(mutex_);
    if (driver_ == driver::callers)
        check_idle(held);
    bytes_held_ += call.message.size();
    if (closed_)
        finish(&record, errc::cancelled, "the client is closed");
    else if (call.failure)
        finish(&record, call.failure->code(), call.failure->text());
    else if (waiting_.size() >= options_.calls_waiting_max)
        finish(&record, errc::overloaded, "too many calls wait in this client");
    else if (bytes_held_ > options_.calls_bytes_max)
        finish(&record, errc::overloaded, "the calls of this client hold too many bytes");
    else {
        waiting_.push_back(&record);
        note_deadline(call.deadline);
        if (link_)
            schedule_flush();
        else
            want_connection();
    }
    release(held);
}

bool client_core::withdraw(std::uint64_t ticket, errc code)
{
    lock held(mutex_);
    const auto ours = [&](const call_record* record) { return record->ticket_ == ticket; };
    bool found = false;
    if (auto it = std::find_if(waiting_.begin(), waiting_.end(), ours); it != waiting_.end()) {
        call_record* record = *it;
        waiting_.erase(it);
        finish(record, code, code == errc::deadline_exceeded ? deadline_text(false) : "");
        found = true;
    }
    const auto look_in = [&](link& in) {
        auto it = std::find_if(in.calls.begin(), in.calls.end(),
                               [&](const auto& entry) { return ours(entry.second); });
        if (found || it == in.calls.end())
            return;
        call_record* record = it->second;
        in.talk.forget(it->first);
        in.calls.erase(it);
        finish(record, code, code == errc::deadline_exceeded ? deadline_text(true) : "");
        found = true;
    };
    if (link_)
        look_in(*link_);
    for (const link_ptr& old : retired_)
        look_in(*old);
    if (found && link_ && !link_->talk.unsent().empty())
        schedule_flush(); // a call that was queued behind this one may leave now
    if (found)
        settle();
    release(held);
    return found;
}

void client_core::close() noexcept
{
    lock held(mutex_);
    closed_ = true;
    finish_waiting(errc::cancelled, "the client was closed");
    const auto end = [&](link& which) {
        for (auto& [id, record] : which.calls)
            finish(record, errc::cancelled, "the client was closed");
        which.calls.clear();
        shut(which);
    };
    if (link_)
        end(*link_);
    for (const link_ptr& old : retired_)
        end(*old);
    link_.reset();
    retired_.clear();
    settle();
    if (driver_ == driver::callers)
        boost::asio::post(executor_, [] {}); // wakes the thread that drives
    release(held);
}

// ---- Endings ----------------------------------------------------------------------------------

void client_core::finish(call_record* record, errc code, std::string text,
                         std::chrono::milliseconds retry_after)
{
    bytes_held_ -= record->call_.message.size();
    endings_.push_back({record, code, std::move(text), retry_after});
}

void client_core::finish_waiting(errc code, const std::string& text)
{
    for (call_record* record : waiting_)
        finish(record, code, text);
    waiting_.clear();
}

void client_core::release(lock& held)
{
    std::vector<ending> endings;
    endings.swap(endings_);
    held.unlock();
    for (const ending& e : endings)
        e.record->finish({e.code, e.text, e.retry_after, {}}, false);
}

std::string client_core::deadline_text(bool sent) const
{
    if (sent)
        return where_text_ + " did not reply in time";
    if (link_ && link_->talk.is_open())
        return "not sent to " + where_text_ + " in time: too many calls are in flight";
    std::string text = "no connection to " + where_text_;
    if (last_connect_error_)
        text.append(": ").append(last_connect_error_->what());
    return text;
}

bool client_core::is_pending() const noexcept
{
    return !waiting_.empty() || (link_ && !link_->calls.empty()) || !retired_.empty();
}

// ---- From waiting to sent -----------------------------------------------------------------------

void client_core::admit()
{
    if (!link_ || !link_->talk.is_open() || waiting_.empty())
        return;
    link& to = *link_;
    const time_point now = clock::now();
    while (!waiting_.empty() && to.calls.size() < options_.calls_in_flight_max &&
           to.talk.unsent().size() < unsent_bytes_max) {
        call_record* record = waiting_.front();
        waiting_.pop_front();
        if (record->call_.deadline <= now)
            finish(record, errc::deadline_exceeded, deadline_text(false));
        else
            admit_one(to, record, now);
    }
}

void client_core::admit_one(link& to, call_record* record, time_point now)
{
    const encoded_call& call = record->call_;
    try {
        const std::uint16_t number = to.talk.declare(call.name);
        record->sent_before_ = to.bytes_sent + to.talk.unsent().size();
        to.calls.emplace(to.talk.call(number, call.message.view(), call.deadline, now), record);
    }
    catch (const error& e) {
        finish(record, e.code(), e.text());
    }
}

void client_core::take_back(link& from,
                            const std::function<bool(std::uint64_t id, const call_record&)>& which)
{
    std::vector<std::pair<std::uint64_t, call_record*>> back;
    for (const auto& [id, record] : from.calls)
        if (which(id, *record))
            back.emplace_back(id, record);
    std::sort(back.begin(), back.end());
    for (const auto& entry : back)
        from.calls.erase(entry.first);
    for (auto it = back.rbegin(); it != back.rend(); ++it)
        waiting_.push_front(it->second);
}

// ---- Time ---------------------------------------------------------------------------------------

void client_core::note_deadline(time_point deadline)
{
    // Deadlines of ten seconds follow each other: the timer is armed once, and looks when it fires.
    if (driver_ == driver::callers || (timer_at_ && *timer_at_ <= deadline))
        return;
    timer_at_ = deadline;
    timer_.expires_at(deadline);
    timer_.async_wait([self = shared_from_this(), generation = ++timer_generation_](error_code) {
        self->on_timer(generation);
    });
}

void client_core::on_timer(std::uint32_t generation)
{
    lock held(mutex_);
    if (generation != timer_generation_)
        return;
    timer_at_.reset();
    expire(clock::now());
    rearm_timer();
    settle();
    release(held);
}

void client_core::rearm_timer()
{
    std::optional<time_point> first;
    const auto consider = [&](std::optional<time_point> t) {
        if (t && (!first || *t < *first))
            first = t;
    };
    for (const call_record* record : waiting_)
        consider(record->call_.deadline);
    if (link_)
        consider(link_->talk.next_deadline());
    for (const link_ptr& old : retired_)
        consider(old->talk.next_deadline());
    if (first)
        note_deadline(*first);
}

void client_core::expire(time_point now)
{
    const auto late = [&](call_record* record) {
        if (record->call_.deadline > now)
            return false;
        finish(record, errc::deadline_exceeded, deadline_text(false));
        return true;
    };
    std::erase_if(waiting_, late);
    if (const link_ptr current = link_)
        expire(current, now);
    const std::vector<link_ptr> retired = retired_;
    for (const link_ptr& old : retired)
        expire(old, now);
    admit();
    if (link_)
        flush(*link_);
}

void client_core::expire(const link_ptr& from, time_point now)
{
    if (from->in_turn) {
        from->expire_after_turn = true; // its events point into its buffers
        return;
    }
    for (;;) {
        event what = from->talk.expire(now);
        if (auto* late = std::get_if<events::expired>(&what)) {
            if (auto it = from->calls.find(late->id); it != from->calls.end()) {
                call_record* record = it->second;
                from->calls.erase(it);
                finish(record, errc::deadline_exceeded, deadline_text(true));
            }
        }
        else if (auto* end = std::get_if<events::ended>(&what)) {
            lose(from, end->code, std::move(end->text));
            return;
        }
        else
            return;
    }
}

// ---- What the templates call --------------------------------------------------------------------

std::shared_ptr<client_core> make_core(const boost::asio::any_io_executor& executor,
                                       std::string_view where, const client_options& options)
{
    return std::make_shared<client_core>(executor, endpoint_of(where), options, driver::executor);
}

std::uint64_t next_ticket(client_core& core) noexcept
{
    return core.next_ticket();
}

void start_call(client_core& core, call_record& record, std::uint64_t ticket)
{
    core.start(record, ticket);
}

bool withdraw_call(client_core& core, std::uint64_t ticket, errc code)
{
    return core.withdraw(ticket, code);
}

void close_core(client_core& core) noexcept
{
    core.close();
}

const client_options& options_of(const client_core& core) noexcept
{
    return core.options();
}

namespace {
constexpr std::size_t scratch_bytes_kept_max = 256u << 10;
thread_local byte_buffer scratch_of_thread;
} // namespace

byte_buffer take_scratch() noexcept
{
    return std::move(scratch_of_thread);
}

void put_scratch(byte_buffer&& scratch) noexcept
{
    scratch.clear();
    scratch.shrink(scratch_bytes_kept_max);
    scratch_of_thread = std::move(scratch);
}

std::chrono::steady_clock::time_point deadline_of(const client_core& core,
                                                  const call_options& options) noexcept
{
    // A year is as good as for ever, and keeps the sum within the clock.
    constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 365);
    const std::chrono::nanoseconds timeout = options.timeout.value_or(core.options().timeout);
    return std::chrono::steady_clock::now() +
           std::clamp(timeout, std::chrono::nanoseconds(0), longest);
}

} // namespace wharf::detail
