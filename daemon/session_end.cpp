// session: time, and how it ends: answering the rest, closing in order, waiting for its handlers.
#include "session_calls.hpp"

#include "log_events.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

/// How long a peer may take to close its side, and to read the last replies, once we closed ours.
constexpr auto linger_time = 1000ms;

} // namespace

// ---- Time -------------------------------------------------------------------------------------

void session::arm(time_point when)
{
    if (armed_for_ && *armed_for_ <= when)
        return;
    armed_for_ = when;
    timer_.expires_at(when);
    timer_.async_wait([self = shared_from_this()](const error_code& failed) {
        if (!failed && !self->left_)
            self->on_timer();
    });
}

void session::on_timer()
{
    armed_for_.reset();
    now_ = std::chrono::steady_clock::now();
    if (linger_until_) {
        if (now_ >= *linger_until_) {
            broken_ = true;
            wake();
        }
        else {
            arm(*linger_until_);
        }
        return;
    }
    // Without room it is we who do not receive: a frame that waits is not the peer's fault, and the
    // next receive asks for the deadline again.
    if (may_take())
        expire_deadlines();
    if (calls_due_) {
        if (now_ >= *calls_due_)
            expire_calls();
        else
            arm(*calls_due_);
    }
    if (blocked_since_) {
        const auto limit = *blocked_since_ + host_.options.send_timeout;
        if (now_ >= limit) {
            broken_ = true;
            end(errc::slow_reader, "the peer took no byte before the send timeout");
        }
        else {
            arm(limit);
        }
    }
    if (lobby_until_) {
        if (now_ >= *lobby_until_) {
            leaving_ = true;
            wake();
        }
        else {
            arm(*lobby_until_);
        }
    }
    if (host_.options.idle_timeout > 0ms) {
        if (conversation_.calls_in_flight() != 0 || conversation_.own_calls_in_flight() != 0)
            last_call_ = now_;
        if (now_ - last_call_ >= host_.options.idle_timeout)
            end(errc::going_away, "no call before the idle timeout");
        else
            arm(last_call_ + host_.options.idle_timeout);
    }
}

void session::expire_deadlines()
{
    for (;;) {
        const event e = conversation_.expire(now_);
        if (std::holds_alternative<events::nothing>(e))
            break;
        take(e);
        if (end_)
            break;
    }
    if (const auto deadline = conversation_.next_deadline())
        arm(*deadline);
    if (conversation_.unsent_bytes() != 0)
        flush_soon(); // the peer is told of calls that expired
}

asio::awaitable<void> session::wait_for_change()
{
    change_awaited_ = true;
    co_await change_.async_wait(no_throw);
    now_ = std::chrono::steady_clock::now();
}

/// The same where nothing is received meanwhile: a connection that is gone in both directions ends
/// the session at once, whatever its handlers wait for.
asio::awaitable<void> session::wait_for_change_or_hangup()
{
    asio::cancellation_signal stop_watching;
    stream_.async_wait(
        transport::wait_error,
        asio::bind_cancellation_slot(stop_watching.slot(),
                                     [self = shared_from_this()](const error_code& failed) {
                                         if (failed)
                                             return;
                                         self->broken_ = true;
                                         self->end(errc::connection_reset, "the peer is gone");
                                     }));
    co_await wait_for_change();
    stop_watching.emit(asio::cancellation_type::terminal);
}

/// After writing: a coroutine that waits for room looks again, and a reader that waits for the last
/// reply to leave. Cancelling while something is unsent would only wake the write that waits.
void session::tell_change()
{
    if (std::exchange(change_awaited_, false))
        change_.cancel();
    if (going_away_ && !left_ && conversation_.unsent_bytes() == 0)
        wake();
}

/// Lets the coroutine look again, whatever it waits for.
void session::wake()
{
    change_.cancel();
    error_code ignored;
    stream_.cancel(ignored);
}

// ---- The end ----------------------------------------------------------------------------------

void session::end(errc code, std::string text)
{
    if (end_)
        return;
    end_ = session_end{code, std::move(text)};
    wake();
}

void session::close(errc why, std::string text)
{
    asio::post(facts_.executor, [self = shared_from_this(), why, text = std::move(text)]() mutable {
        self->end(why, std::move(text));
    });
}

void session::drain()
{
    drain_asked_ = true;
    wake();
}

void session::close_now(errc why)
{
    broken_ = true;
    end(why, {});
    wake();
    error_code ignored;
    stream_.close(ignored);
}

void session::begin_going_away()
{
    // What the peer sent before we stop is answered, not refused; but not for ever.
    while (last_reads_left_ > 0) {
        --last_reads_left_;
        const auto room = conversation_.prepare();
        error_code failed;
        const std::size_t n = stream_.read_some(asio::buffer(room.data(), room.size()), failed);
        if (failed)
            break;
        now_ = received_at_ = std::chrono::steady_clock::now();
        bytes_in_ += n;
        conversation_.commit(n);
        if (take_events() != turn::drained || end_)
            return;
    }
    going_away_ = true;
    conversation_.go_away(errc::going_away, "the server is stopping");
}

/// The peer closed its sending side: it still gets the replies that are under way, and what its
/// credit allows of its streams.
asio::awaitable<void> session::answer_the_rest()
{
    const event last = conversation_.end_of_input();
    const events::ended& over = std::get<events::ended>(last);
    input_ended_ = true;
    fail_peer_calls(errc::outcome_unknown, "the peer closed the connection before it answered", 0);
    if (over.code == errc::connection_closed)
        while (!end_ &&
               (conversation_.calls_in_flight() != 0 || conversation_.unsent_bytes() != 0)) {
            flush();
            cancel_starved_calls();
            if (!end_ &&
                (conversation_.calls_in_flight() != 0 || conversation_.unsent_bytes() != 0))
                co_await wait_for_change_or_hangup();
        }
    end(over.code, over.text);
}

/// Streams that wait for credit which can no longer come.
void session::cancel_starved_calls()
{
    std::vector<std::uint64_t> starved;
    for (const auto& [id, running] : running_)
        if (running->channel && running->channel->is_blocked() &&
            !conversation_.can_send(id, flow::reply))
            starved.push_back(id);
    for (const std::uint64_t id : starved)
        if (const auto found = running_.find(id); found != running_.end())
            cancel(*found->second, errc::connection_closed);
}

/// Sends what is left, closes our side, waits for the peer's: a close with unread bytes would reset
/// the connection, and the peer would lose the last replies.
asio::awaitable<void> session::finish()
{
    cancel_all(end_->code);
    fail_peer_calls(errc::outcome_unknown, "the session ended before the peer answered", 0);
    linger_until_ = std::chrono::steady_clock::now() + linger_time;
    armed_for_.reset();
    arm(*linger_until_);
    const bool is_news = end_->code != errc::connection_closed && !going_away_ && !broken_;
    if (is_news && !conversation_.has_ended())
        conversation_.go_away(end_->code, end_->text);
    blocked_since_.reset();
    flush();
    while (!broken_ && conversation_.unsent_bytes() != 0)
        co_await wait_for_change();
    if (!broken_)
        co_await async_close_gracefully(stream_, *linger_until_);
    broken_ = true;
    timer_.cancel();
    error_code ignored;
    stream_.close(ignored);
}

/// They have been told to stop; one that does not listen keeps its session, and its place among
/// those that there may be, as it keeps its memory.
asio::awaitable<void> session::wait_for_handlers()
{
    while (!running_.empty())
        co_await wait_for_change();
}

void session::log_end() const
{
    const auto level = refused_                                ? log::level::notice
                       : end_->code == errc::connection_closed ? log::level::debug
                                                               : log::level::info;
    if (!log::enabled(level, log::channel::session))
        return;
    std::string text = refused_ ? "peer refused: " : "session ends: ";
    text += to_sentence(end_->code);
    if (!end_->text.empty())
        text += ": " + end_->text;
    std::string who = facts_.peer.address;
    if (facts_.peer.uid)
        who += " uid " + std::to_string(*facts_.peer.uid);
    log::write(level, refused_ ? log::peer_refused : log::session_ends, text,
               {{"WHARF_SESSION", std::to_string(facts_.id)},
                {"WHARF_PEER", who},
                {"WHARF_ERRC", std::string(to_name(end_->code))}});
}

} // namespace wharf
