// Pending calls of a client: queueing, withdrawal, endings.
#include "core.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdlib>

#include <sys/eventfd.h>
#include <unistd.h>

namespace wharf::detail {

endpoint endpoint_of(std::string_view where)
{
    if (!where.empty())
        return parse_endpoint(where);
    const char* named = std::getenv("WHARF_ENDPOINT");
    return parse_endpoint(named && *named ? std::string_view(named) : default_endpoint);
}

std::shared_ptr<client_core> make_core(const boost::asio::any_io_executor& executor,
                                       std::string_view where, const client_options& options)
{
    auto core =
        std::make_shared<client_core>(executor, endpoint_of(where), options, driver::executor);
    core->begin();
    return core;
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
      random_(std::random_device{}()),
      handlers_(boost::asio::make_strand(executor))
{
    if (who == driver::executor)
        return;
    wake_file_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_file_ < 0)
        throw error(errc::io_error, "no descriptor is left to wake a waiting thread by");
}

client_core::~client_core()
{
    if (wake_file_ >= 0)
        ::close(wake_file_);
}

void client_core::begin()
{
    if (!options_.keep_connected)
        return;
    const guard held(mutex_);
    keep_connected();
}

void client_core::start(call_record& record, std::uint64_t ticket)
{
    record.ticket = ticket;
    guard held(mutex_);
    if (driver_ == driver::callers)
        check_idle(held);
    if (!is_refused(record, waiting_.size())) {
        waiting_.push_back(&record);
        note_deadline(record.call().deadline);
        if (link_)
            schedule_flush();
        else
            want_connection();
    }
    release(held);
}

/// A call by a session_handle: it goes over this connection or not at all.
void client_core::start_on(link& on, call_record& record)
{
    guard held(mutex_);
    if (!is_refused(record, on.waiting.size())) {
        if (on.gone) {
            finish(&record, errc::not_connected, "the connection is over");
        }
        else {
            on.waiting.push_back(&record);
            note_deadline(record.call().deadline);
            schedule_flush();
        }
    }
    release(held);
}

/// Accounts for the call, and finishes it where it may not even wait.
bool client_core::is_refused(call_record& record, std::size_t waiting)
{
    const encoded_call& call = record.call();
    bytes_held_ += call.message.size();
    if (closed_)
        finish(&record, errc::cancelled, "the client is closed");
    else if (call.failure)
        finish(&record, call.failure->code(), call.failure->text());
    else if (waiting >= options_.calls_waiting_max)
        finish(&record, errc::overloaded, "too many calls wait in this client");
    else if (bytes_held_ > options_.calls_bytes_max)
        finish(&record, errc::overloaded, "the calls of this client hold too many bytes");
    else
        return false;
    return true;
}

std::string client_core::withdrawn_text(errc code, bool sent) const
{
    return code == errc::deadline_exceeded ? deadline_text(sent) : std::string();
}

bool client_core::withdraw_from(std::deque<call_record*>& waiting, std::uint64_t ticket, errc code)
{
    const auto it = std::find_if(waiting.begin(), waiting.end(),
                                 [&](const call_record* each) { return each->ticket == ticket; });
    if (it == waiting.end())
        return false;
    call_record* record = *it;
    waiting.erase(it);
    finish(record, code, withdrawn_text(code, false));
    return true;
}

std::string_view client_core::keep_name(std::string name)
{
    // As many as a connection could declare.
    constexpr std::size_t names_max = 65535;
    const guard held(mutex_);
    if (names_.size() >= names_max && !names_.contains(name))
        throw error(errc::session_limit, "too many names of commands");
    return *names_.insert(std::move(name)).first;
}

bool client_core::withdraw(std::uint64_t ticket, errc code)
{
    guard held(mutex_);
    bool found = withdraw_from(waiting_, ticket, code);
    for (const link_ptr& each : links()) {
        found = found || withdraw_from(each->waiting, ticket, code);
        const auto it = std::find_if(each->calls.begin(), each->calls.end(),
                                     [&](const auto& e) { return e.second->ticket == ticket; });
        if (found || it == each->calls.end())
            continue;
        const std::uint64_t id = it->first;
        call_record* record = take_sent(*each, id);
        finish(record, code, withdrawn_text(code, true));
        each->talk.cancel(id); // the channel, which finish() has told, must find its call no more
        found = true;
    }
    if (found) {
        schedule_flush(); // the daemon is told; and a call behind this one may leave now
        settle();
    }
    release(held);
    return found;
}

void client_core::withdraw_unsent(std::uint64_t ticket)
{
    guard held(mutex_);
    if (withdraw_from(waiting_, ticket, errc::deadline_exceeded))
        settle();
    release(held);
}

void client_core::close() noexcept
{
    guard held(mutex_);
    if (!closed_)
        tell_state(client_state::closed);
    closed_ = true;
    const std::string text = "the client was closed";
    finish_all(waiting_, errc::cancelled, text);
    const error why(errc::cancelled, text);
    for (const link_ptr& each : links()) {
        finish_all(each->waiting, errc::cancelled, text);
        for (auto& [id, record] : each->calls)
            finish(record, errc::cancelled, text);
        each->calls.clear();
        each->streams.clear();
        shut(*each, why);
    }
    link_.reset();
    retired_.clear();
    settle();
    if (driver_ == driver::callers)
        interrupt();
    release(held);
}

std::size_t client_core::in_flight() noexcept
{
    const guard held(mutex_);
    std::size_t all = waiting_.size();
    for (const link_ptr& each : links())
        all += each->waiting.size() + each->calls.size();
    return all;
}

std::vector<link_ptr> client_core::links() const
{
    std::vector<link_ptr> all = retired_;
    if (link_)
        all.push_back(link_);
    return all;
}

// ---- Endings ----------------------------------------------------------------------------------

void client_core::finish(call_record* record, errc code, std::string text,
                         std::chrono::milliseconds retry_after)
{
    bytes_held_ -= record->call().message.size();
    if (record->channel())
        record->channel()->on_failed(code, text, retry_after);
    endings_.push_back({record, code, std::move(text), retry_after});
}

void client_core::finish_all(std::deque<call_record*>& waiting, errc code, const std::string& text)
{
    for (call_record* record : waiting)
        finish(record, code, text);
    waiting.clear();
}

void client_core::release(guard& held)
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
    return (keeps_ && !closed_) || !waiting_.empty() ||
           (link_ && (!link_->calls.empty() || !link_->waiting.empty())) || !retired_.empty();
}

} // namespace wharf::detail
