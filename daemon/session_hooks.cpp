// session: the hooks and the state of its user, and its way out of the lobby.
#include "session.hpp"

#include "log_events.hpp"

#include <wharf/detail/answer.hpp>

#include <string>

#include <unistd.h>

namespace wharf {
using namespace std::chrono_literals;

namespace {

/// A session whose open hooks wait leaves the lobby at the latest after this: long enough for an
/// operator's question, which the lobby answers whatever the workers do.
constexpr auto lobby_time = 100ms;

} // namespace

loose_descriptor::~loose_descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

void session::on_opened()
{
    opened_ = true;
    if (!is_lobby()) {
        run_open_hooks();
    }
    else if (!host_.commands.open_hooks().empty()) {
        lobby_until_ = now_ + lobby_time;
        arm(*lobby_until_);
    }
}

std::shared_ptr<void>& session::state(std::type_index type)
{
    for (auto& [known, kept] : states_)
        if (known == type)
            return kept;
    return states_.emplace_back(type, nullptr).second;
}

/// A hook that throws refuses the session. Those before it have opened it, and so it is closed for
/// them; where there is none, it was never open.
void session::run_open_hooks()
{
    open_hooks_run_ = true;
    const session_handle handle(self_);
    const auto& hooks = host_.commands.open_hooks();
    close_hooks_due_ = hooks.empty();
    for (const auto& hook : hooks) {
        try {
            hook(handle);
            close_hooks_due_ = true;
        }
        catch (...) {
            const auto failure = detail::to_failure(std::current_exception());
            log::write(log::level::warning, log::hook_refused,
                       "a hook refuses the session: " +
                           (failure.cause.empty() ? failure.text : failure.cause),
                       {{"WHARF_SESSION", std::to_string(facts_.id)},
                        {"WHARF_PEER", facts_.peer.address},
                        {"WHARF_ERRC", std::string(to_name(failure.code))}});
            end(failure.code, failure.text);
            return;
        }
    }
}

void session::run_close_hooks() noexcept
{
    if (std::exchange(close_hooks_due_, false)) {
        try {
            const session_handle handle(self_);
            const error why(end_ ? end_->code : errc::going_away, end_ ? end_->text : "");
            for (const auto& hook : host_.commands.close_hooks()) {
                try {
                    hook(handle, why);
                }
                catch (...) {
                    log::write(log::level::error, log::close_hook_failed,
                               "a close hook failed: " +
                                   detail::to_failure(std::current_exception()).cause,
                               {{"WHARF_SESSION", std::to_string(facts_.id)}});
                }
            }
        }
        catch (const std::bad_alloc&) { // there is nobody left to tell
        }
    }
    while (!states_.empty())
        states_.pop_back();
}

/// Gives everything away: what is left of this only waits for its own handlers to be called off.
void session::leave_lobby()
{
    left_ = true;
    timer_.cancel();
    change_.cancel();
    const int family = stream_.local_endpoint().protocol().family();
    session_seed seed{loose_descriptor(stream_.release()),
                      family,
                      std::move(conversation_),
                      facts_,
                      std::move(declared_),
                      std::move(versions_),
                      since_,
                      calls_,
                      bytes_in_,
                      bytes_out_};
    host_.leave_lobby(std::move(seed));
}

} // namespace wharf
