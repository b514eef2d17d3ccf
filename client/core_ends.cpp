// How a client's connection ends, and what it waits for until then.
#include "core.hpp"

#include "served_call.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace wharf::detail {

/// Will another try meet the same refusal?
bool is_permanent(errc code) noexcept
{
    switch (code) {
    case errc::permission_denied:
    case errc::bad_protocol:
    case errc::unsupported_protocol:
    case errc::bad_frame:
    case errc::frame_limit:
    case errc::bad_endpoint:
    case errc::access_denied: return true;
    default: return false;
    }
}

/// It takes no more calls, and answers those up to `last_call`.
void client_core::retire(const link_ptr& from, std::uint64_t last_call, const error& why)
{
    take_back(*from, why, [&](std::uint64_t id, const call_record&) { return id > last_call; });
    if (from != link_)
        return;
    retired_.push_back(from);
    link_.reset();
    pause_before_next();
    tell_state(client_state::backoff, &why);
    want_connection();
}

void client_core::lose(const link_ptr& lost, errc code, std::string text)
{
    const link_ptr from = lost; // which may be an element of retired_
    if (from->gone)
        return;
    if (from->refusal) {
        code = from->refusal->code();
        text = from->refusal->text();
    }
    const error why(code, text);
    shut(*from, why);
    const std::string reason =
        "the connection to " + where_text_ + " was lost (" + why.what() + ")";
    // No byte of these has left, or the peer refuses them for their version: they are as good as
    // never sent.
    const error unsent(errc::not_connected, reason + " before the stream was sent");
    take_back(*from, unsent, [&](std::uint64_t, const call_record& record) {
        return record.sent_before >= from->bytes_sent || record.is_too_new;
    });
    for (auto& [id, record] : from->calls)
        finish(record, errc::outcome_unknown, reason);
    from->calls.clear();
    from->streams.clear();
    finish_all(from->waiting, errc::not_connected, reason);
    if (from != link_) {
        std::erase(retired_, from);
        return;
    }
    link_.reset();
    pause_before_next();
    tell_state(client_state::backoff, &why);
    if (!from->talk.is_open()) {
        last_connect_error_ = why;
        if (is_permanent(code) || !options_.wait_for_ready)
            finish_all(waiting_, code, text.empty() ? where_text_ : where_text_ + ": " + text);
    }
    want_connection();
}

/// Closes it, and ends what it serves. Its calls are the caller's to finish.
void client_core::shut(link& which, const error& why)
{
    which.gone = true;
    which.end = why;
    error_code ignored;
    which.stream.cancel(ignored);
    // A thread may be waiting for the descriptor in poll(): the number is given back by the last
    // owner, not here.
    which.stream.shutdown(transport::shutdown_both, ignored);
    const link_ptr self = which.shared_from_this();
    for (const auto& one : which.unanswered)
        forget_served(*one);
    which.unanswered.clear();
    for (const auto& [id, one] : which.served)
        cancel_served(one, errc::cancelled, "the connection ended");
    // From here on its handlers alone own what they serve, and with it this connection.
    which.handlers_left = which.served.size();
    which.served.clear();
    if (which.hooks_running)
        boost::asio::post(
            handlers_, [self] { self->stop_hooks.emit(boost::asio::cancellation_type::terminal); });
    close_hooks_when_due(self);
}

// ---- Waiting ------------------------------------------------------------------------------------

/// Waits for what pending calls need, and for nothing else: without calls, run() can return.
void client_core::settle()
{
    const auto watch_for = [&](const link_ptr& which, bool wanted) {
        if (wanted) {
            arm_read(which);
            return;
        }
        disarm(*which);
        if (!which->idle_since)
            which->idle_since = coarse_now();
    };
    const auto is_busy = [](const link& each) {
        return !each.calls.empty() || !each.waiting.empty() || !each.served.empty() ||
               !each.unanswered.empty() || each.hooks_running;
    };
    std::vector<link_ptr> idle;
    std::erase_if(retired_, [&](const link_ptr& old) {
        if (is_busy(*old) || (keeps_ && !old->talk.unsent().empty() && !old->write_broken)) {
            watch_for(old, true);
            return false;
        }
        idle.push_back(old);
        return true;
    });
    for (const link_ptr& old : idle)
        shut(*old, error(errc::going_away));
    if (link_) {
        const bool wanted = keeps_ || !waiting_.empty() || is_busy(*link_);
        if (driver_ == driver::executor)
            watch_for(link_, wanted);
        else if (!wanted && !link_->idle_since)
            link_->idle_since = coarse_now();
    }
    if (is_pending())
        return;
    if (timer_at_) {
        timer_at_.reset();
        ++timer_generation_;
        timer_.cancel();
    }
    if (connecting_)
        boost::asio::post(strand_, [self = shared_from_this()] { self->stop_connecting(); });
}

void client_core::arm_read(const link_ptr& on)
{
    if (on->read_armed || on->gone || on->in_turn)
        return;
    on->read_armed = true;
    on->stream.async_wait(
        transport::wait_read,
        boost::asio::bind_executor(executor_, [self = shared_from_this(), on,
                                               generation = ++on->read_generation](error_code) {
            guard held(self->mutex_);
            if (on->gone || generation != on->read_generation)
                return;
            on->read_armed = false;
            if (!on->in_turn) // else the thread that reads it already waits again afterwards
                self->turn(held, on);
            self->settle();
            self->release(held);
        }));
}

void client_core::arm_write(link& on)
{
    const link_ptr owner = on.shared_from_this();
    if (driver_ == driver::callers)
        return; // who drives polls for it
    on.write_armed = true;
    on.stream.async_wait(
        transport::wait_write,
        boost::asio::bind_executor(executor_, [self = shared_from_this(), owner,
                                               generation = ++on.write_generation](error_code) {
            guard held(self->mutex_);
            if (owner->gone || generation != owner->write_generation)
                return;
            owner->write_armed = false;
            self->flush(*owner);
            self->settle();
            self->release(held);
        }));
}

void client_core::disarm(link& which) noexcept
{
    if (!which.read_armed && !which.write_armed)
        return;
    which.read_armed = which.write_armed = false;
    ++which.read_generation;
    ++which.write_generation;
    error_code ignored;
    which.stream.cancel(ignored);
}

} // namespace wharf::detail
