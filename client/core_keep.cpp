// A client that keeps its connection: services, hooks, states.
#include "core.hpp"

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wharf::detail {

namespace asio = boost::asio;

void client_core::keep_connected()
{
    if (was_connected_)
        throw error(errc::bad_argument, "services and hooks are given before the first call");
    keeps_ = true;
    want_connection();
}

router& client_core::commands()
{
    const guard held(mutex_);
    keep_connected();
    return commands_;
}

void client_core::keep(std::shared_ptr<void> service)
{
    const guard held(mutex_);
    services_.push_back(std::move(service));
}

void client_core::on_connect(client::connect_hook hook)
{
    const guard held(mutex_);
    keep_connected();
    on_connect_ = std::move(hook);
}

void client_core::on_state(client::state_hook hook)
{
    const guard held(mutex_);
    keep_connected();
    on_state_ = std::make_shared<const client::state_hook>(std::move(hook));
}

void client_core::tell_state(client_state now, const error* why)
{
    if (!on_state_ || !*on_state_)
        return;
    std::optional<error> reason;
    if (why)
        reason = *why;
    asio::post(handlers_,
               [self = shared_from_this(), hook = on_state_, now, reason = std::move(reason)] {
                   if (!self->is_quiet_)
                       (*hook)(now, reason ? &*reason : nullptr);
               });
}

/// The handshake is complete. Calls that wait go out once the hooks are done.
void client_core::on_opened(const link_ptr& on)
{
    last_connect_error_.reset();
    if (!on_connect_ && commands_.open_hooks().empty()) {
        on->open_hooks_done = true;
        tell_state(client_state::ready);
        return;
    }
    on->hooks_running = true;
    asio::post(handlers_, [self = shared_from_this(), on] {
        auto ended = [self, on](std::exception_ptr why) { self->hooks_ended(on, why); };
        asio::co_spawn(self->handlers_, run_hooks(self, on),
                       asio::bind_cancellation_slot(on->stop_hooks.slot(), ended));
    });
}

asio::awaitable<void> client_core::run_hooks(std::shared_ptr<client_core> self, link_ptr on)
{
    if (self->is_quiet_)
        co_return;
    const session_handle here(on);
    for (const auto& hook : self->commands_.open_hooks())
        hook(here);
    on->open_hooks_done = true; // read when hooks_running is over
    if (self->on_connect_) {
        // Named before it is awaited: g++ 12 destroys temporaries of a co_await twice.
        asio::awaitable<void> hook = self->on_connect_(here);
        co_await std::move(hook);
    }
}

void client_core::hooks_ended(const link_ptr& on, std::exception_ptr why)
{
    guard held(mutex_);
    on->hooks_running = false;
    std::optional<error> failed;
    try {
        if (why)
            std::rethrow_exception(why);
    }
    catch (const error& e) {
        failed = e;
    }
    catch (const std::exception& e) {
        failed.emplace(errc::internal, std::string("a hook of the client failed: ") + e.what());
    }
    catch (...) {
        failed.emplace(errc::internal, "a hook of the client failed");
    }
    if (on->gone) {
        close_hooks_when_due(on);
    }
    else if (failed) {
        leave(on, *failed);
    }
    else {
        if (on == link_)
            tell_state(client_state::ready);
        schedule_flush();
    }
    settle();
    release(held);
}

/// Once, when the connection is over and the last of its handlers has ended.
void client_core::close_hooks_when_due(const link_ptr& on)
{
    if (!on->gone || on->hooks_running || !on->open_hooks_done || on->handlers_left != 0 ||
        commands_.close_hooks().empty())
        return;
    on->open_hooks_done = false;
    asio::post(handlers_, [self = shared_from_this(), on] {
        if (self->is_quiet_)
            return;
        const session_handle here(on);
        for (const auto& hook : self->commands_.close_hooks())
            hook(here, *on->end);
    });
}

void client_core::close_link(const link_ptr& which, errc why, std::string text)
{
    guard held(mutex_);
    if (!which->gone) {
        leave(which, error(why, std::move(text)));
        settle();
    }
    release(held);
}

/// Ends it and tells the daemon why, as far as that can be sent at once.
void client_core::leave(const link_ptr& which, const error& why)
{
    which->leaving = true;
    which->talk.go_away(why.code(), why.text());
    flush(*which);
    lose(which, why.code(), why.text());
}

} // namespace wharf::detail
