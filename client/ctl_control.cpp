// What an operator does to a daemon that runs.
#include "ctl_control.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_program.hpp"
#include "ctl_text.hpp"

#include <wharf/json.hpp>
#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wharf::ctl {

namespace {

/// Beyond what the drain may take: closing sessions and the store.
constexpr std::chrono::seconds stop_reserve{15};

/// "500ms", "60s", "10min", "1h", as in wharfd.conf.
std::uint64_t parse_ms(const std::string& text, const char* option)
{
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
        {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}}};
    constexpr std::uint64_t year_h = 24 * 366;
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [unit, failed] = std::from_chars(text.data(), end, number);
    for (const auto& [name, factor] : units)
        if (failed == std::errc{} && std::string_view(unit, end) == name &&
            number <= year_h * units.back().second / factor)
            return number * factor;
    throw usage_error{std::string(option) + ": \"" + text +
                      "\" is no duration; write it as 500ms, 60s, 10min or 1h"};
}

std::string format_ms(std::uint64_t ms)
{
    if (ms % 1000 != 0 || ms == 0)
        return std::to_string(ms) + "ms";
    const std::uint64_t s = ms / 1000;
    return s % 3600 == 0 ? std::to_string(s / 3600) + "h"
           : s % 60 == 0 ? std::to_string(s / 60) + "min"
                         : std::to_string(s) + "s";
}

template <class Reply>
std::string json_of(const Reply& reply)
{
    return json_line(to_json(schema_of<Reply>(), to_bytes(reply))) + "\n";
}

std::string lines_of(const char* title, const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += title + escape(name) + "\n";
    return text;
}

int reload(context& c)
{
    system::reload_reply reply;
    try {
        reply = c.client().call(system::reload{});
    }
    catch (const error& e) {
        if (e.code() != errc::bad_argument)
            throw;
        throw local_error{"the daemon refuses its configuration and goes on with the one it has: " +
                          e.text()};
    }
    if (c.as_json)
        print(json_of(reply));
    else if (reply.applied.empty() && reply.restart.empty())
        print("nothing has changed\n");
    else
        print(lines_of("applied  ", reply.applied) +
              lines_of("restart needed for  ", reply.restart));
    return 0;
}

int set_log_level(context& c, const std::string& level, const std::string& duration)
{
    if (level.empty() && !duration.empty())
        throw usage_error{"--for needs a LEVEL"};
    const system::log_level what{level, duration.empty() ? 0 : parse_ms(duration, "--for")};
    const system::log_level_reply reply = c.client().call(what);
    if (c.as_json) {
        print(json_of(reply));
        return 0;
    }
    std::string text = escape(reply.now);
    if (!level.empty())
        text += " (it was " + escape(reply.before) + ")";
    if (reply.for_ms != 0)
        text += ", " + escape(reply.then) + " again in " + format_ms(reply.for_ms);
    else if (reply.now != reply.then)
        text += ", " + escape(reply.then) + " again at the next reload or start";
    print(text + "\n");
    return 0;
}

/// A process of this machine, from before it may end until it has.
class watched_process {
public:
    explicit watched_process(std::uint64_t pid)
        : fd_(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)))
    {}
    watched_process(const watched_process&) = delete;
    watched_process& operator=(const watched_process&) = delete;
    ~watched_process()
    {
        if (fd_ >= 0)
            ::close(fd_);
    }
    bool is_known() const { return fd_ >= 0; }
    bool ends_within(std::chrono::milliseconds time) const
    {
        const auto until = std::chrono::steady_clock::now() + time;
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            pollfd over{fd_, POLLIN, 0};
            const int n = ::poll(&over, 1, static_cast<int>(std::max<long>(left.count(), 0)));
            if (n >= 0 || errno != EINTR)
                return n > 0;
        }
    }

private:
    const int fd_;
};

int drain(context& c, const std::string& duration)
{
    // --wait is for the daemon's end here, not for its beginning.
    const bool waits = std::exchange(c.options.wait_for_ready, false);
    system::drain what;
    if (!duration.empty())
        what.timeout_ms = parse_ms(duration, "--for");
    std::optional<watched_process> daemon;
    if (waits) {
        if (!c.endpoint.starts_with("unix:"))
            throw usage_error{"drain --wait is for a daemon of this machine, at a unix: endpoint"};
        daemon.emplace(c.client().call(system::status{}).pid);
        if (!daemon->is_known())
            throw local_error{"drain --wait: the daemon's process is not to be seen from here; "
                              "nothing was drained"};
    }
    const system::drain_reply reply = c.client().call(what);
    const std::chrono::milliseconds time(static_cast<std::int64_t>(reply.timeout_ms));
    if (daemon)
        c.client().close(); // the daemon waits a second for who does not
    if (daemon && !daemon->ends_within(time + stop_reserve))
        throw local_error{"the daemon still runs after " + format_ms(reply.timeout_ms) +
                          ": look at its log"};
    if (c.as_json)
        print(json_of(reply));
    else
        print(std::string(waits ? "stopped" : "stopping") + ": " + std::to_string(reply.sessions) +
              " sessions" +
              (waits ? " were open" : ", calls in flight have " + format_ms(reply.timeout_ms)) +
              "\n");
    return 0;
}

} // namespace

void add_control(CLI::App& app, program& to)
{
    app.add_subcommand("reload", "Let the daemon read its configuration again")->callback([&to] {
        to.run = reload;
    });

    auto* level = app.add_subcommand("log-level", "How much the daemon logs; sets it, for a time");
    const auto word = std::make_shared<std::string>(), time = std::make_shared<std::string>();
    level->add_option("LEVEL", *word,
                      "critical, error, warning, notice, info or debug; or session=debug");
    level->add_option("--for", *time, "Then it goes back: 60s, 10min, 1h")->option_text("DURATION");
    level->callback([&to, word, time] {
        to.run = [word, time](context& c) { return set_log_level(c, *word, *time); };
    });

    auto* drain_it = app.add_subcommand(
        "drain", "Stop the daemon once all calls are answered; with --wait, return when it has");
    const auto patience = std::make_shared<std::string>();
    drain_it->add_option("--for", *patience, "How long calls may take: 10s; else drain_timeout")
        ->option_text("DURATION");
    drain_it->callback(
        [&to, patience] { to.run = [patience](context& c) { return drain(c, *patience); }; });
}

} // namespace wharf::ctl
