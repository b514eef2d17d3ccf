// A client's connection at work: writing what is queued, turns of reading, what the daemon says.
#include "core.hpp"

#include "served_call.hpp"

#include <wharf/detail/transport_io.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cassert>

#include <time.h>

namespace wharf::detail {

namespace {

/// Receives of one turn, so that a fast daemon does not keep others from this thread.
constexpr int receives_per_turn_max = 16;
/// A connection that was idle for longer, by a clock of some milliseconds, is looked at before it
/// is used: nothing waited for its end.
constexpr auto idle_unwatched_max = std::chrono::milliseconds(1);
/// Parts of one gathered write.
constexpr std::size_t parts_max = 16;

bool would_wait(const error_code& ec)
{
    return ec == boost::asio::error::would_block || ec == boost::asio::error::try_again ||
           ec == boost::asio::error::interrupted;
}

std::size_t write_parts(transport& stream, const conversation& talk, error_code& ec)
{
    std::array<std::span<const std::byte>, parts_max> parts;
    return send_at_once(stream, std::span(parts).first(talk.unsent_parts(parts)), ec);
}

} // namespace

// ---- Writing ------------------------------------------------------------------------------------

void client_core::schedule_flush()
{
    if (driver_ == driver::callers) {
        flush_current();
        return;
    }
    // The end of a turn flushes; and what other handlers of this round queue leaves in the same
    // send.
    if (link_ && link_->in_turn && link_->turn_thread == std::this_thread::get_id())
        return;
    post_flush();
}

/// The time of the last tick: a quarter of what the exact one costs, which a call would pay twice.
client_core::time_point client_core::coarse_now() noexcept
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

void client_core::post_flush()
{
    if (flush_posted_)
        return;
    flush_posted_ = true;
    boost::asio::post(executor_, [self = shared_from_this()] { self->on_flush(); });
}

void client_core::on_flush()
{
    guard held(mutex_);
    flush_posted_ = false;
    check_idle(held);
    flush_current();
    settle();
    release(held);
}

/// Nothing watched the connection while no call was pending: has it ended, or said goodbye?
void client_core::check_idle(guard& held)
{
    if (!link_ || !link_->idle_since || link_->in_turn)
        return;
    const bool is_stale = coarse_now() - *link_->idle_since > idle_unwatched_max;
    link_->idle_since.reset();
    if (is_stale)
        turn(held, link_ptr(link_));
}

void client_core::flush_current()
{
    for (std::size_t i = 0; i != retired_.size(); ++i) {
        admit(*retired_[i]);
        flush(*retired_[i]);
    }
    if (!link_)
        return;
    admit(*link_);
    flush(*link_);
}

void client_core::flush(link& to)
{
    while (!to.gone && !to.write_broken && !to.write_armed) {
        if (to.talk.unsent().empty())
            return;
        error_code ec;
        const std::size_t n = write_parts(to.stream, to.talk, ec);
        if (would_wait(ec)) {
            arm_write(to);
            return;
        }
        if (ec) {
            // What the peer said before it left is still to be read, and its end after that.
            to.write_broken = true;
            return;
        }
        to.talk.sent(n);
        to.bytes_sent += n;
        use_room(to);
    }
}

/// Less is unsent than before: whatever waits for that may write.
void client_core::use_room(link& to)
{
    admit(to);
    const bool was_short = std::exchange(to.room_was_short, false);
    answer_waiting(to);
    if (!was_short || !has_room())
        return;
    for (const auto& [id, channel] : to.streams)
        channel->on_writable();
    for (const auto& [id, one] : to.served)
        if (one->streams)
            one->streams->on_writable();
}

// ---- Reading ------------------------------------------------------------------------------------

/// False: nothing was there. With `waits` the first receive waits, see let_receives_wait().
bool client_core::turn(guard& held, const link_ptr& from, bool waits)
{
    // What a turn hands out lies in the connection's buffer while the lock is not held.
    assert(!from->in_turn);
    from->in_turn = true;
    from->turn_thread = std::this_thread::get_id();
    from->idle_since.reset();
    bool is_news = false;
    for (int i = 0; i < receives_per_turn_max && !from->gone; ++i) {
        const std::span<std::byte> room = from->talk.prepare();
        error_code ec;
        std::size_t n = 0;
        if (waits && i == 0) {
            held.unlock();
            n = receive(from->stream, room, receive_mode::waits, ec);
            held.lock();
            if (from->gone)
                break;
        }
        else {
            n = receive(from->stream, room, receive_mode::at_once, ec);
        }
        if (would_wait(ec))
            break;
        is_news = true;
        if (ec == boost::asio::error::eof) {
            handle(held, from, from->talk.end_of_input());
            lose(from, errc::connection_closed, "");
            break;
        }
        if (ec) {
            lose(from, to_errc(ec), ec.message());
            break;
        }
        from->talk.commit(n);
        if (from->is_watched) {
            from->heard_at = clock::now();
            if (std::exchange(from->pinged_at, std::nullopt))
                note_deadline(from->heard_at + options_.ping_interval);
        }
        while (!from->gone && handle(held, from, from->talk.next())) {}
        if (n < room.size())
            break;
    }
    from->in_turn = false;
    if (std::exchange(from->expire_after_turn, false)) {
        expire(clock::now());
        rearm_timer();
    }
    if (link_ && !link_->in_turn) {
        admit(*link_);
        flush(*link_);
    }
    if (from != link_ && !from->gone) {
        admit(*from);
        flush(*from);
    }
    return is_news;
}

bool client_core::handle(guard& held, const link_ptr& from, event&& what)
{
    if (auto* reply = std::get_if<events::replied>(&what)) {
        on_replied(held, from, *reply);
    }
    else if (auto* failure = std::get_if<events::failed>(&what)) {
        on_failed(from, *failure);
    }
    else if (std::holds_alternative<events::nothing>(what)) {
        return false;
    }
    else if (auto* name = std::get_if<events::declared>(&what)) {
        on_declared(*from, *name);
    }
    else if (auto* known = std::get_if<events::versions>(&what)) {
        on_versions(*from, *known);
    }
    else if (auto* call = std::get_if<events::called>(&what)) {
        on_called(from, *call);
    }
    else if (std::holds_alternative<events::opened>(what)) {
        on_opened(from);
    }
    else if (auto* leaving = std::get_if<events::going_away>(&what)) {
        on_going_away(from, *leaving);
    }
    else if (auto* end = std::get_if<events::ended>(&what)) {
        flush(*from); // the goaway that tells the peer why
        lose(from, end->code, std::move(end->text));
        return false;
    }
    else {
        handle_stream(from, what);
    }
    return true;
}

void client_core::on_replied(guard& held, const link_ptr& from, const events::replied& what)
{
    call_record* record = take_sent(*from, what.id);
    if (!record)
        return;
    bytes_held_ -= record->call().message.size();
    backoff_.reset();
    if (record->channel())
        record->channel()->on_end();
    held.unlock();
    // Only this turn touches the memory of what it reads, so that it needs no lock.
    record->finish({{}, {}, {}, what.message, from->talk.owner_of(what.message)}, true);
    held.lock();
}

void client_core::handle_stream(const link_ptr& from, const event& what)
{
    if (auto* item = std::get_if<events::item>(&what)) {
        if (item->which == flow::upload)
            on_upload(*from, *item);
        else if (auto it = from->streams.find(item->id); it != from->streams.end())
            it->second->on_item(item->message);
        else
            from->talk.consumed(item->id, item->which, item->message.size());
    }
    else if (auto* window = std::get_if<events::window_opened>(&what)) {
        for (const auto& [id, channel] : from->streams)
            if (window->id == 0 || (window->id == id && window->which == flow::upload))
                channel->on_writable();
        for (const auto& [id, one] : from->served)
            if (one->streams &&
                (window->id == 0 || (window->id == id && window->which == flow::reply)))
                one->streams->on_writable();
    }
    else if (auto* ended = std::get_if<events::upload_ended>(&what)) {
        on_upload_ended(*from, *ended);
    }
    else if (auto* cancelled = std::get_if<events::cancelled>(&what)) {
        if (auto it = from->served.find(cancelled->id); it != from->served.end())
            cancel_served(it->second, errc::cancelled, "the daemon gave up the call");
    } // ponged: that something came is what counts
}

void client_core::on_going_away(const link_ptr& from, const events::going_away& what)
{
    const error why(what.code, std::string(what.text));
    // A daemon that takes no call at all has refused us; another try may be welcome, or not.
    const bool refused = what.last_call == 0;
    if (refused)
        last_connect_error_ = why;
    if (!from->talk.is_open()) {
        from->refusal = why;
        return;
    }
    retire(from, what.last_call, why);
    if (is_permanent(why.code()) || (refused && !options_.wait_for_ready))
        finish_all(waiting_, why.code(), why.text());
}

void client_core::on_failed(const link_ptr& from, const events::failed& what)
{
    const auto it = from->calls.find(what.id);
    if (it == from->calls.end())
        return;
    if (what.code == errc::going_away) {
        // Not accepted: it goes out on the next connection.
        const std::uint64_t id = what.id;
        const error why(what.code, std::string(what.text));
        take_back(*from, why, [&](std::uint64_t other, const call_record&) { return other == id; });
        retire(from, UINT64_MAX, why);
        return;
    }
    call_record* record = take_sent(*from, what.id);
    backoff_.reset();
    if (what.code == errc::newer_version && std::exchange(record->is_too_new, false)) {
        send_again(*from, record, what.id);
        return;
    }
    finish(record, what.code, std::string(what.text), what.retry_after);
}

void client_core::on_versions(link& from, const events::versions& what)
{
    from.versions.on_versions(what);
    for (const auto& [id, record] : from.calls)
        record->is_too_new = from.versions.is_refused(what, *record);
}

/// The daemon refused a call of a version that it does not know, so that no handler has run. It
/// goes out again, in a version that it knows, before all that waits and behind those before it.
void client_core::send_again(link& from, call_record* record, std::uint64_t refused)
{
    std::deque<call_record*>& waiting = from.is_own(record->ticket) ? from.waiting : waiting_;
    const auto place = std::find_if(waiting.begin(), waiting.end(), [&](const call_record* each) {
        return each->refused_as == 0 || each->refused_as > refused;
    });
    record->refused_as = refused;
    waiting.insert(place, record);
}

} // namespace wharf::detail
