// How a client's connection comes into being: pauses, attempts, refusals.
#include "core.hpp"

#include <wharf/detail/transport_io.hpp>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace wharf::detail {

namespace asio = boost::asio;

namespace {
/// One attempt; a longer deadline makes more attempts, which find an address that has moved.
constexpr auto attempt_max = std::chrono::seconds(10);
} // namespace

void client_core::want_connection()
{
    if (connecting_ || link_ || closed_ || (waiting_.empty() && !keeps_))
        return;
    connecting_ = true;
    // Posted: co_spawn may begin at once, and the mutex is held here.
    asio::post(strand_, [self = shared_from_this()] {
        auto ended = [self](std::exception_ptr why) { self->connecting_ended(why); };
        asio::co_spawn(self->strand_, establish(self),
                       asio::bind_cancellation_slot(self->stop_connecting_.slot(), ended));
    });
}

/// One pause and one attempt. Cancelling it ends either.
asio::awaitable<void> client_core::establish(std::shared_ptr<client_core> self)
{
    time_point start, latest{};
    {
        guard held(self->mutex_);
        start = self->connect_not_before_;
        if (self->keeps_)
            latest = time_point::max();
        for (const call_record* record : self->waiting_)
            latest = std::max(latest, record->call().deadline);
    }
    if (start > clock::now()) {
        asio::steady_timer pause(self->strand_, start);
        co_await pause.async_wait(asio::use_awaitable);
    }
    {
        guard held(self->mutex_);
        self->tell_state(client_state::connecting);
    }
    const time_point deadline = std::min(latest, clock::now() + attempt_max);
    const endpoint where = self->where_;
    const tcp_options tcp = self->options_.tcp;
    transport stream = co_await async_connect(where, deadline, tcp);
    self->established(std::move(stream));
}

void client_core::established(transport&& stream)
{
    guard held(mutex_);
    if (closed_)
        return;
    was_connected_ = true;
    const time_point now = clock::now();
    session_facts facts;
    facts.id = ++last_link_;
    facts.caller = {"daemon", "", ""};
    facts.peer = remote_address(stream);
    facts.local = local_address(stream);
    facts.executor = handlers_;
    facts.commands = &commands_;
    link_ = std::make_shared<link>(
        shared_from_this(), std::move(stream),
        conversation(side::client, options_.conversation, options_.software, now),
        std::move(facts));
    link_->waits_to_receive =
        driver_ == driver::callers && let_receives_wait(link_->stream, receive_wait);
    if (auto deadline = link_->talk.next_deadline())
        note_deadline(*deadline);
    if (keeps_)
        watch(*link_);
    flush(*link_);
}

void client_core::connecting_ended(std::exception_ptr why)
{
    guard held(mutex_);
    connecting_ = false;
    try {
        if (why)
            std::rethrow_exception(why);
    }
    catch (const error& e) {
        connect_failed(e);
    }
    catch (const boost::system::system_error&) {
        // Cancelled, because nobody waited any more. Somebody may again.
    }
    catch (const std::exception& e) {
        connect_failed(error(errc::io_error, e.what()));
    }
    want_connection();
    settle();
    release(held);
}

void client_core::connect_failed(const error& why)
{
    if (why.code() == errc::cancelled)
        return;
    last_connect_error_ = why;
    pause_before_next();
    tell_state(client_state::backoff, &why);
    if (!options_.wait_for_ready || why.code() == errc::bad_endpoint)
        finish_all(waiting_, why.code(), why.text());
}

void client_core::stop_connecting()
{
    {
        guard held(mutex_);
        if (!connecting_ || is_pending())
            return;
    }
    stop_connecting_.emit(asio::cancellation_type::terminal);
}

void client_core::pause_before_next()
{
    const std::uint32_t chance = random_();
    connect_not_before_ = clock::now() + backoff_.next(chance);
}

} // namespace wharf::detail
