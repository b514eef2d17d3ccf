// What operators do to a daemon that runs: reload its configuration, set its log's level, drain it.
#include "daemon_impl.hpp"

#include "config_reload.hpp"
#include "log_events.hpp"
#include "log_format.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace wharf {
namespace asio = boost::asio;

namespace {

std::string join(const std::vector<std::string>& names)
{
    std::string out;
    for (const std::string& name : names)
        out.append(out.empty() ? "" : ", ").append(name);
    return out.empty() ? "nothing" : out;
}

void log_action(log::level how, const log::event& what, const std::string& text,
                const system_controls::operator_name& who)
{
    if (who.session == 0)
        log::write(how, what, text, {{"WHARF_OPERATOR", who.name}});
    else
        log::write(how, what, text,
                   {{"WHARF_OPERATOR", who.name}, {"WHARF_SESSION", std::to_string(who.session)}});
}

/// Runs on the main thread what a session's thread was asked for.
template <class Reply, class Work>
asio::awaitable<Reply> here(Work work)
{
    co_return work();
}

template <class Reply, class Work>
asio::awaitable<Reply> on_main_thread(asio::io_context& events, Work work)
{
    auto task = here<Reply>(std::move(work));
    auto done = asio::co_spawn(events, std::move(task), asio::use_awaitable);
    co_return co_await std::move(done);
}

} // namespace

system_controls daemon::impl::controls()
{
    system_controls out;
    out.log_level = [this](system::log_level what, operator_name who) {
        return on_main_thread<system::log_level_reply>(
            events, [this, what = std::move(what), who = std::move(who)] {
                return set_log_level(what, who);
            });
    };
    out.reload = [this](operator_name who) {
        return on_main_thread<system::reload_reply>(
            events, [this, who = std::move(who)] { return reload(who); });
    };
    out.drain = [this](system::drain what, operator_name who) {
        return on_main_thread<system::drain_reply>(
            events, [this, what, who = std::move(who)] { return begin_drain(what, who); });
    };
    return out;
}

/// The manager is told READY again whatever comes of it: it would wait for that.
system::reload_reply daemon::impl::reload(const operator_name& who)
{
    if (draining)
        throw error(errc::going_away, "the daemon is stopping");
    systemd::notify_reloading();
    try {
        config::reload_plan plan = config::plan_reload(all, read_configuration());
        serving.change(plan.now.server);
        put_in_force(std::move(plan.now));
        reload_refused.clear();
        log_action(log::level::notice, log::reloaded,
                   "reload: applied " + join(plan.applied) +
                       (plan.restart.empty() ? "" : "; restart needed for " + join(plan.restart)),
                   who);
        last_status = status_text();
        systemd::notify_ready(last_status);
        return {std::move(plan.applied), std::move(plan.restart)};
    }
    catch (const std::exception& e) {
        reload_refused = e.what();
        log_action(log::level::error, log::reload_refused,
                   "reload refused, nothing changes: " + reload_refused, who);
        last_status = status_text();
        systemd::notify_ready(last_status);
        throw error(errc::bad_argument, reload_refused);
    }
}

void daemon::impl::put_in_force(config::configuration to)
{
    all = std::move(to);
    log_level_timer.cancel();
    log::set_threshold(all.log.threshold);
    log::set_queue_records_max(all.log.queue_records_max);
}

system::log_level_reply daemon::impl::set_log_level(const system::log_level& what,
                                                    const operator_name& who)
{
    const log::levels current = log::threshold();
    const std::string before = to_text(current);
    const std::string configured = to_text(all.log.threshold);
    if (what.level.empty()) {
        if (what.for_ms != 0)
            throw error(errc::bad_argument, "for_ms without a level");
        return {before, before, 0, configured};
    }
    const auto wanted = log::levels_of(what.level, current);
    if (!wanted)
        throw error(
            errc::bad_argument,
            "level is \"" + log::escape(what.level) +
                "\"; expected critical, error, warning, notice, info or debug, or a channel's: "
                "session=debug");
    if (what.for_ms > system::log_level_ms_max)
        throw error(errc::bad_argument, "for_ms is " + std::to_string(what.for_ms) + ", at most " +
                                            std::to_string(system::log_level_ms_max) +
                                            " are allowed");
    log_level_timer.cancel();
    const std::string text =
        "the log's level is " + to_text(*wanted) + ", it was " + before +
        (what.for_ms == 0 ? ""
                          : "; " + configured + " again in " + std::to_string(what.for_ms) + " ms");
    // Whichever of the two levels shows more lets it through.
    const bool shows_more = (*wanted)[log::channel::daemon] > current[log::channel::daemon];
    if (shows_more)
        log::set_threshold(*wanted);
    log_action(log::level::notice, log::level_changed, text, who);
    log::set_threshold(*wanted);
    if (what.for_ms != 0) {
        log_level_timer.expires_after(std::chrono::milliseconds(what.for_ms));
        log_level_timer.async_wait([this](const error_code& failed) {
            if (failed)
                return;
            const std::string now = to_text(all.log.threshold);
            log::write(log::level::notice, log::level_changed,
                       "the log's level is " + now + " again");
            log::set_threshold(all.log.threshold);
        });
    }
    return {before, to_text(*wanted), what.for_ms, configured};
}

system::drain_reply daemon::impl::begin_drain(const system::drain& what, const operator_name& who)
{
    if (draining)
        throw error(errc::going_away, "the daemon is stopping");
    if (what.timeout_ms && *what.timeout_ms > system::drain_ms_max)
        throw error(errc::bad_argument, "timeout_ms is " + std::to_string(*what.timeout_ms) +
                                            ", at most " + std::to_string(system::drain_ms_max) +
                                            " are allowed");
    const std::chrono::milliseconds timeout =
        what.timeout_ms ? std::chrono::milliseconds(static_cast<std::int64_t>(*what.timeout_ms))
                        : all.server.drain_timeout;
    const std::uint64_t sessions = serving.status().sessions;
    log_action(log::level::notice, log::drain_asked, "drain: the daemon was asked to stop", who);
    drain(timeout);
    return {static_cast<std::uint64_t>(timeout.count()), sessions};
}

} // namespace wharf
