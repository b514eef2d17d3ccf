// How a client's connection comes into being: pauses, attempts, refusals.
#include "core.hpp"

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
    if (connecting_ || link_ || closed_ || waiting_.empty())
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
        lock held(self->mutex_);
        start = self->connect_not_before_;
        for (const call_record* record : self->waiting_)
            latest = std::max(latest, record->call_.deadline);
    }
    if (start > clock::now()) {
        asio::steady_timer pause(self->strand_, start);
        co_await pause.async_wait(asio::use_awaitable);
    }
    const time_point deadline = std::min(latest, clock::now() + attempt_max);
    const endpoint where = self->where_;
    const tcp_options tcp = self->options_.tcp;
    transport stream = co_await async_connect(where, deadline, tcp);
    self->established(std::move(stream));
}

void client_core::established(transport&& stream)
{
    lock held(mutex_);
    if (closed_)
        return;
    const time_point now = clock::now();
    link_ =
        std::make_shared<link>(std::move(stream), conversation(side::client, options_.conversation,
                                                               options_.software, now));
    if (auto deadline = link_->talk.next_deadline())
        note_deadline(*deadline);
    flush(*link_);
}

void client_core::connecting_ended(std::exception_ptr why)
{
    lock held(mutex_);
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
    if (!options_.wait_for_ready || why.code() == errc::bad_endpoint)
        finish_waiting(why.code(), why.text());
}

void client_core::stop_connecting()
{
    {
        lock held(mutex_);
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
