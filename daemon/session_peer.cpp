// session: calls to the peer, which handlers and hooks make.
#include "session_calls.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <string>
#include <utility>

namespace wharf {
namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds retry_time{100};
/// Of a call without options that is not made in the course of another.
constexpr std::chrono::seconds call_timeout{10};

/// A call on its way to the session's thread. Where it does not get there, as the thread's loop is
/// gone, it ends all the same.
class travelling_call {
public:
    travelling_call(detail::call_record& record, std::uint64_t ticket) noexcept
        : record_(&record), ticket_(ticket)
    {}
    travelling_call(travelling_call&& other) noexcept
        : record_(std::exchange(other.record_, nullptr)), ticket_(other.ticket_)
    {}
    travelling_call& operator=(travelling_call&&) = delete;
    ~travelling_call()
    {
        if (record_ != nullptr)
            record_->finish({errc::not_connected, "the session is over", {}, {}}, false);
    }
    detail::call_record& arrive() noexcept { return *std::exchange(record_, nullptr); }
    std::uint64_t ticket() const noexcept { return ticket_; }

private:
    detail::call_record* record_;
    std::uint64_t ticket_;
};

} // namespace

std::chrono::nanoseconds session::default_timeout() const noexcept
{
    return call_timeout;
}

void session::start(detail::call_record& record, std::uint64_t ticket)
{
    asio::dispatch(facts_.executor, [self = shared_from_this(),
                                     travelling = travelling_call(record, ticket)]() mutable {
        self->call_peer(travelling.arrive(), travelling.ticket());
    });
}

/// Always posted: a call that another thread started is on its way, and must not be overtaken.
bool session::withdraw(std::uint64_t ticket, errc code)
{
    asio::post(facts_.executor,
               [self = shared_from_this(), ticket, code] { self->withdraw_now(ticket, code); });
    return true;
}

session::channel_ptr session::make_channel(bool receives, bool sends)
{
    return std::make_shared<detail::stream_channel>(
        shared_from_this(), detail::stream_channel::role::caller, receives, sends);
}

void session::call_peer(detail::call_record& record, std::uint64_t ticket)
{
    const detail::encoded_call& call = record.call();
    const auto refuse = [&record](errc code, std::string_view text,
                                  std::chrono::milliseconds retry_after = {}) {
        record.finish({code, text, retry_after, {}}, false);
    };
    if (call.failure) {
        refuse(call.failure->code(), call.failure->text());
        return;
    }
    if (end_ || left_ || input_ended_) {
        refuse(errc::not_connected, "the session is over");
        return;
    }
    const time_point now = std::chrono::steady_clock::now();
    if (call.deadline <= now) {
        refuse(errc::deadline_exceeded, "the deadline passed before the call was sent");
        return;
    }
    if (conversation_.own_calls_in_flight() >= host_.options.peer_calls_max) {
        refuse(errc::overloaded, "too many calls to the peer are in flight", retry_time);
        return;
    }
    if (conversation_.unsent_bytes() + call.message.size() >
        host_.options.send_queue_bytes_max + host_.options.conversation.message_bytes_max) {
        refuse(errc::overloaded, "too much waits for the peer to read", retry_time);
        return;
    }
    try {
        record.ticket = ticket;
        send_to_peer(record, now);
    }
    catch (const error& e) {
        refuse(e.code(), e.text());
        return;
    }
    flush_soon();
}

/// Throws what it cannot be sent for.
void session::send_to_peer(detail::call_record& record, time_point now)
{
    const detail::encoded_call& call = record.call();
    const std::uint16_t number = versions_.declare(conversation_, call);
    const std::uint64_t id = versions_.send(conversation_, number, call, now);
    peer_calls_.emplace(id, &record);
    if (!call.is_open_ended)
        look_at_calls(call.deadline);
    if (detail::stream_channel* channel = record.channel().get()) {
        versions_.prepare(*channel, number, call);
        channel->attach(conversation_, id);
    }
}

void session::on_versions(const events::versions& e)
{
    versions_.on_versions(e);
    for (const auto& [id, record] : peer_calls_)
        record->is_too_new = versions_.is_refused(e, *record);
}

/// The peer refused a call of a version that it does not know: no handler has run. False where that
/// is not so.
bool session::call_peer_again(std::uint64_t id)
{
    const auto found = peer_calls_.find(id);
    if (found == peer_calls_.end() || !found->second->is_too_new)
        return false;
    detail::call_record& record = *found->second;
    record.is_too_new = false;
    peer_calls_.erase(found);
    try {
        send_to_peer(record, std::chrono::steady_clock::now());
    }
    catch (const error& e) {
        record.finish({e.code(), e.text(), e.retry_after(), {}}, false);
    }
    flush_soon();
    return true;
}

void session::withdraw_now(std::uint64_t ticket, errc code)
{
    for (const auto& [id, record] : peer_calls_)
        if (record->ticket == ticket) {
            const std::uint64_t withdrawn = id;
            conversation_.cancel(withdrawn);
            finish_peer_call(withdrawn, {code, {}, {}, {}});
            flush_soon();
            return;
        }
}

void session::give_up(detail::stream_channel& dropped)
{
    const auto found = peer_calls_.find(dropped.id());
    if (found == peer_calls_.end() || found->second->channel().get() != &dropped)
        return;
    conversation_.cancel(dropped.id());
    finish_peer_call(dropped.id(), {errc::cancelled, {}, {}, {}});
    flush_soon();
}

void session::finish_peer_call(std::uint64_t id, const detail::outcome& how)
{
    const auto found = peer_calls_.find(id);
    if (found == peer_calls_.end())
        return;
    detail::call_record& record = *found->second;
    peer_calls_.erase(found);
    record.finish(how, false);
}

/// Those with a number above `after_id`.
void session::fail_peer_calls(errc code, std::string_view text, std::uint64_t after_id)
{
    std::vector<std::uint64_t> failed;
    for (const auto& [id, record] : peer_calls_)
        if (id > after_id)
            failed.push_back(id);
    for (const std::uint64_t id : failed)
        finish_peer_call(id, {code, text, {}, {}});
}

} // namespace wharf
