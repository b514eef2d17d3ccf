// A client's connection at work: turns of reading, writing what is queued, ends of every kind.
#include "core.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cassert>

namespace wharf::detail {

namespace {

/// Receives of one turn, so that a fast daemon does not keep others from this thread.
constexpr int receives_per_turn_max = 16;
/// A connection that was idle for longer is looked at before it is used: nothing waited for its
/// end.
constexpr auto idle_unwatched_max = std::chrono::milliseconds(1);

bool would_wait(const error_code& ec)
{
    return ec == boost::asio::error::would_block || ec == boost::asio::error::try_again ||
           ec == boost::asio::error::interrupted;
}

/// Will another try meet the same refusal?
bool is_permanent(errc code)
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

timespec until_poll(client_core::time_point until)
{
    const auto left = std::max(until - client_core::clock::now(), std::chrono::nanoseconds(0));
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(whole.count()),
            static_cast<long>(std::chrono::nanoseconds(left - whole).count())};
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
    if (flush_posted_ ||
        (link_ && link_->in_turn && link_->turn_thread == std::this_thread::get_id()))
        return;
    flush_posted_ = true;
    boost::asio::post(executor_, [self = shared_from_this()] { self->on_flush(); });
}

void client_core::on_flush()
{
    lock held(mutex_);
    flush_posted_ = false;
    check_idle(held);
    flush_current();
    settle();
    release(held);
}

/// Nothing watched the connection while no call was pending: has it ended, or said goodbye?
void client_core::check_idle(lock& held)
{
    if (!link_ || !link_->idle_since || link_->in_turn)
        return;
    const bool is_stale = clock::now() - *link_->idle_since > idle_unwatched_max;
    link_->idle_since.reset();
    if (is_stale)
        turn(held, link_ptr(link_));
}

void client_core::flush_current()
{
    if (!link_)
        return;
    admit();
    flush(*link_);
}

void client_core::flush(link& to)
{
    while (!to.gone && !to.write_broken && !to.write_armed) {
        const std::span<const std::byte> bytes = to.talk.unsent();
        if (bytes.empty())
            return;
        error_code ec;
        const std::size_t n =
            to.stream.write_some(boost::asio::buffer(bytes.data(), bytes.size()), ec);
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
        if (&to == link_.get())
            admit();
    }
}

// ---- Reading ------------------------------------------------------------------------------------

void client_core::turn(lock& held, const link_ptr& from)
{
    // What a turn hands out lies in the connection's buffer while the lock is not held.
    assert(!from->in_turn);
    from->in_turn = true;
    from->turn_thread = std::this_thread::get_id();
    from->idle_since.reset();
    for (int i = 0; i < receives_per_turn_max && !from->gone; ++i) {
        const std::span<std::byte> room = from->talk.prepare();
        error_code ec;
        const std::size_t n =
            from->stream.read_some(boost::asio::buffer(room.data(), room.size()), ec);
        if (would_wait(ec))
            break;
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
        while (!from->gone && handle(held, from, from->talk.next())) {}
        if (n < room.size())
            break;
    }
    from->in_turn = false;
    if (std::exchange(from->expire_after_turn, false) && !from->gone)
        expire(from, clock::now());
    if (link_ && !link_->in_turn) {
        admit();
        flush(*link_);
    }
    if (from != link_ && !from->gone)
        flush(*from);
}

bool client_core::handle(lock& held, const link_ptr& from, event&& what)
{
    if (auto* reply = std::get_if<events::replied>(&what)) {
        if (auto it = from->calls.find(reply->id); it != from->calls.end()) {
            call_record* record = it->second;
            from->calls.erase(it);
            bytes_held_ -= record->call_.message.size();
            backoff_.reset();
            held.unlock();
            record->finish({{}, {}, {}, reply->message}, true);
            held.lock();
        }
    }
    else if (auto* failure = std::get_if<events::failed>(&what)) {
        on_failed(from, *failure);
    }
    else if (auto* call = std::get_if<events::called>(&what)) {
        from->talk.reply_error(call->id, errc::unknown_command, "this client serves no commands");
    }
    else if (std::holds_alternative<events::opened>(what)) {
        last_connect_error_.reset();
        admit();
    }
    else if (auto* leaving = std::get_if<events::going_away>(&what)) {
        on_going_away(from, *leaving);
    }
    else if (auto* end = std::get_if<events::ended>(&what)) {
        flush(*from); // the goaway that tells the peer why
        lose(from, end->code, std::move(end->text));
        return false;
    }
    else if (std::holds_alternative<events::nothing>(what)) {
        return false;
    }
    return true; // declared, ponged, expired: nothing to do
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
    retire(from, what.last_call);
    if (is_permanent(why.code()) || (refused && !options_.wait_for_ready))
        finish_waiting(why.code(), why.text());
}

void client_core::on_failed(const link_ptr& from, const events::failed& what)
{
    auto it = from->calls.find(what.id);
    if (it == from->calls.end())
        return;
    if (what.code == errc::going_away) {
        // Not accepted: it goes out on the next connection.
        const std::uint64_t id = what.id;
        take_back(*from, [&](std::uint64_t other, const call_record&) { return other == id; });
        retire(from, UINT64_MAX);
        return;
    }
    call_record* record = it->second;
    from->calls.erase(it);
    backoff_.reset();
    finish(record, what.code, std::string(what.text), what.retry_after);
}

// ---- Ends ---------------------------------------------------------------------------------------

void client_core::retire(const link_ptr& from, std::uint64_t last_call)
{
    take_back(*from, [&](std::uint64_t id, const call_record&) { return id > last_call; });
    if (from != link_)
        return;
    link_.reset();
    retired_.push_back(from);
    pause_before_next();
    want_connection();
}

void client_core::lose(const link_ptr& from, errc code, std::string text)
{
    if (from->gone)
        return;
    shut(*from);
    if (from->refusal) {
        code = from->refusal->code();
        text = from->refusal->text();
    }
    // No byte of these has left: they are as good as never sent.
    take_back(*from, [&](std::uint64_t, const call_record& record) {
        return record.sent_before_ >= from->bytes_sent;
    });
    for (auto& [id, record] : from->calls)
        finish(record, errc::outcome_unknown,
               "the connection to " + where_text_ + " was lost (" + std::string(to_sentence(code)) +
                   ")");
    from->calls.clear();
    if (from != link_) {
        std::erase(retired_, from);
        return;
    }
    link_.reset();
    pause_before_next();
    if (!from->talk.is_open()) {
        const error why(code, text);
        last_connect_error_ = why;
        if (is_permanent(code) || !options_.wait_for_ready)
            finish_waiting(code, text.empty() ? where_text_ : where_text_ + ": " + text);
    }
    want_connection();
}

void client_core::shut(link& which) noexcept
{
    which.gone = true;
    error_code ignored;
    which.stream.cancel(ignored);
    // A thread may be waiting for the descriptor in poll(): the number is given back by the last
    // owner, not here.
    which.stream.shutdown(transport::shutdown_both, ignored);
}

// ---- Waiting ------------------------------------------------------------------------------------

/// Waits for what pending calls need, and for nothing else: without calls, run() can return.
void client_core::settle()
{
    const auto watch = [&](const link_ptr& which, bool wanted) {
        if (wanted) {
            arm_read(which);
            return;
        }
        disarm(*which);
        if (!which->idle_since)
            which->idle_since = clock::now();
    };
    std::erase_if(retired_, [&](const link_ptr& old) {
        if (!old->calls.empty()) {
            watch(old, true);
            return false;
        }
        shut(*old);
        return true;
    });
    if (link_ && driver_ == driver::executor)
        watch(link_, !waiting_.empty() || !link_->calls.empty());
    else if (link_ && waiting_.empty() && link_->calls.empty() && !link_->idle_since)
        link_->idle_since = clock::now();
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
            lock held(self->mutex_);
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
            lock held(self->mutex_);
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

// ---- Driven by callers -------------------------------------------------------------------

void client_core::drive(boost::asio::io_context& context, time_point until)
{
    lock held(mutex_);
    if (!link_) {
        held.unlock();
        context.restart();
        context.run_one_until(until);
        return;
    }
    std::vector<link_ptr>& links = drive_links_;
    std::vector<pollfd>& files = drive_files_;
    links.assign(1, link_);
    links.insert(links.end(), retired_.begin(), retired_.end());
    files.clear();
    for (const link_ptr& each : links) {
        const bool writes = !each->talk.unsent().empty() && !each->write_broken;
        files.push_back({each->stream.native_handle(),
                         static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
        if (auto deadline = each->talk.next_deadline())
            until = std::min(until, *deadline);
    }
    held.unlock();
    const timespec timeout = until_poll(until);
    const int ready = ::ppoll(files.data(), files.size(), &timeout, nullptr);
    held.lock();
    for (std::size_t i = 0; ready > 0 && i != files.size(); ++i) {
        if ((files[i].revents & ~POLLOUT) != 0 && !links[i]->gone && !links[i]->in_turn)
            turn(held, links[i]);
        else if (files[i].revents != 0)
            flush(*links[i]);
    }
    links.clear();
    if (ready <= 0)
        expire(clock::now());
    settle();
    release(held);
}

void client_core::send_all(time_point until)
{
    lock held(mutex_);
    while (const link_ptr on = link_) {
        flush(*on);
        if (on->talk.unsent().empty() || on->write_broken || clock::now() >= until)
            return;
        pollfd file{on->stream.native_handle(), POLLOUT, 0};
        held.unlock();
        const timespec timeout = until_poll(until);
        ::ppoll(&file, 1, &timeout, nullptr);
        held.lock();
    }
}

} // namespace wharf::detail
