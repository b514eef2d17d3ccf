// Endpoint, deadline and colours: who has the last word.
#include "ctl_options.hpp"

#include <wharf/endpoint.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdlib>

namespace wharf::ctl {

namespace {

/// A value, and who named it.
template <class T>
struct named {
    T value;
    std::string origin;
};

std::string environment(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

named<std::string> endpoint_of(const std::string& option, const settings& user,
                               const std::string& user_file, const settings& system,
                               const std::string& system_file)
{
    if (!option.empty())
        return {option, "--endpoint"};
    if (std::string value = environment("WHARF_ENDPOINT"); !value.empty())
        return {value, "WHARF_ENDPOINT"};
    if (user.endpoint)
        return {*user.endpoint, user_file};
    if (system.endpoint)
        return {*system.endpoint, system_file};
    return {std::string(default_endpoint), "wharfctl's defaults"};
}

double timeout_of(const std::string& option, const settings& user, const settings& system)
{
    const auto read = [](const std::string& text, const char* origin) {
        const std::optional<double> seconds = parse_timeout(text);
        if (!seconds)
            throw usage_error{std::string(origin) +
                              ": expected seconds from 0.001 to 86400, found " + text};
        return *seconds;
    };
    if (!option.empty())
        return read(option, "--timeout");
    if (const std::string value = environment("WHARF_TIMEOUT"); !value.empty())
        return read(value, "WHARF_TIMEOUT");
    return user.timeout_s.value_or(system.timeout_s.value_or(10));
}

} // namespace

void add_shared_options(CLI::App& app, shared_options& from)
{
    app.add_option("-e,--endpoint", from.endpoint,
                   "unix:/path, unix:@name, host:port or [address]:port of the daemon")
        ->option_text("ENDPOINT");
    app.add_option("-t,--timeout", from.timeout, "Seconds that each call may take; 10 by default")
        ->option_text("SECONDS");
    app.add_flag("-w,--wait", from.wait,
                 "Wait for a daemon that is not there yet, until the timeout");
    app.add_flag("--json", from.as_json, "Print JSON, a line for each fact");
    app.add_option("--colour", from.colour, "auto, always or never")->option_text("WHEN");
}

style error_style(const shared_options& from) noexcept
{
    return style_of(parse_colour(from.colour).value_or(colour_choice::automatic), STDERR_FILENO);
}

void decide(context& to, const shared_options& from, const std::string& user_file,
            const std::string& system_file)
{
    const settings user = user_file.empty() ? settings{} : read_settings(user_file);
    const settings system = read_settings(system_file);

    const auto endpoint = endpoint_of(from.endpoint, user, user_file, system, system_file);
    to.endpoint = endpoint.value;
    to.endpoint_origin = endpoint.origin;
    const double seconds = timeout_of(from.timeout, user, system);
    to.options.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    to.options.wait_for_ready = from.wait;
    to.options.software = "wharfctl " WHARF_VERSION;
    to.as_json = from.as_json;

    if (!from.colour.empty() && !parse_colour(from.colour))
        throw usage_error{"--colour: expected auto, always or never, found " + from.colour};
    const auto automatic = colour_choice::automatic;
    const colour_choice colour =
        parse_colour(from.colour).value_or(user.colour.value_or(system.colour.value_or(automatic)));
    to.out = style_of(colour, STDOUT_FILENO);
    to.err = style_of(colour, STDERR_FILENO);
}

} // namespace wharf::ctl
