// wharfctl: a daemon's commands from a shell.
#include "ctl_call.hpp"
#include "ctl_commands.hpp"
#include "ctl_text.hpp"

#include <wharf/objects.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>

namespace {

using namespace wharf;
using namespace wharf::ctl;

/// What the command line says.
struct arguments {
    std::string endpoint;
    double timeout_s = 10;
    bool wait = false;
    std::string key, prefix;
    value_source value;
    std::uint64_t expected = 0;
    std::optional<std::uint64_t> revision;
    std::uint64_t limit = 0;
    call_arguments call;
    get_arguments get;
    bool as_json = false;
    std::function<void(blocking_client&)> run;
    /// Instead of `run`, for what needs another client.
    std::function<void(std::string_view endpoint, const client_options&)> run_alone;
};

void add_value(CLI::App* to, arguments& a)
{
    to->add_option("KEY", a.key, "The object's key")->required();
    if (to->get_name() == "cas")
        to->add_option("REVISION", a.expected, "The revision it must have; 0: it must not exist")
            ->required();
    auto* text =
        to->add_option("VALUE", a.value.text, "The value; else --file, else standard input");
    to->add_option("-f,--file", a.value.file, "Read the value from a file; -: standard input")
        ->excludes(text);
}

void describe(CLI::App& app, arguments& a)
{
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", std::string("wharfctl " WHARF_VERSION));
    app.add_option("-e,--endpoint", a.endpoint,
                   "unix:/path, host:port or [address]:port of the daemon")
        ->envname("WHARF_ENDPOINT");
    app.add_option("-t,--timeout", a.timeout_s, "Seconds that each call may take; 10 by default")
        ->option_text("SECONDS")
        ->check(CLI::Range(0.001, 86400.0));
    app.add_flag("-w,--wait", a.wait, "Wait for a daemon that is not there yet, until the timeout");

    app.footer(
        "wharfctl SUBCOMMAND --help tells more of one. Exit codes: 0 done, 1 not found, "
        "2 usage,\n3 conflict, 4 denied, 5 no daemon or no answer, 6 failed; see wharfctl(1).");

    app.add_subcommand("ping", "Is the daemon there, and how fast does it answer?")->callback([&] {
        a.run = [&](blocking_client& c) { show_ping(c, a.endpoint); };
    });
    app.add_subcommand("status", "What the daemon says of itself")->callback([&] {
        a.run = show_status;
    });
    app.add_subcommand("list", "The commands that you may call")->callback([&] {
        a.run = show_commands;
    });

    auto* describe = app.add_subcommand("describe", "What a command takes and answers with");
    describe->add_option("COMMAND", a.call.command, "Its name; without one, a line for each");
    describe->add_flag("--json", a.as_json, "Print schemas as JSON, a line for each command");
    describe->callback([&] {
        a.run_alone = [&](std::string_view endpoint, const client_options& options) {
            describe_commands(endpoint, options, a.call.command, a.as_json);
        };
    });
    auto* call = app.add_subcommand("call", "Call any command, in JSON");
    call->add_option("COMMAND", a.call.command, "Its name")->required();
    call->add_option("ARGUMENT", a.call.argument,
                     "Its argument in JSON, {} by default; -: standard input")
        ->default_str("{}");
    call->add_flag("--json", a.call.one_line, "Print each reply on one line, on a terminal too");
    call->callback([&] {
        a.run_alone = [&](std::string_view endpoint, const client_options& options) {
            call_command(endpoint, options, a.call);
        };
    });

    app.add_subcommand("limits", "Every limit of the daemon, and how much of it is taken")
        ->callback([&] { a.run = show_limits; });
    auto* sessions = app.add_subcommand("sessions", "Who is connected, and what each does");
    sessions->add_option("-n,--limit", a.limit, "At most so many; 0: all")->capture_default_str();
    sessions->callback([&] { a.run = [&](blocking_client& c) { show_sessions(c, a.limit); }; });
    app.add_subcommand("metrics", "What the daemon counts, as text for Prometheus")->callback([&] {
        a.run = show_metrics;
    });

    auto* get = app.add_subcommand("get", "Write an object's value to standard output");
    get->add_option("KEY", a.get.key, "The object's key")->required();
    get->add_option("-o,--output", a.get.file, "Write it to a file instead");
    auto* raw = get->add_flag("--raw", a.get.raw, "Its bytes, on a terminal too");
    get->add_flag("--json", a.get.as_json, "Always as JSON, on one line")->excludes(raw);
    get->callback([&] { a.run = [&](blocking_client& c) { show_object(c, a.get); }; });

    auto* put = app.add_subcommand("put", "Store a value under a key; prints its revision");
    add_value(put, a);
    put->callback([&] {
        a.run = [&](blocking_client& c) {
            const objects::put command{a.key, read_value(a.value)};
            std::printf("%ju\n", std::uintmax_t{c.call(command).revision});
        };
    });

    auto* cas = app.add_subcommand("cas", "Store a value if the object is at a revision");
    add_value(cas, a);
    cas->callback([&] {
        a.run = [&](blocking_client& c) {
            const objects::cas command{a.key, a.expected, read_value(a.value)};
            std::printf("%ju\n", std::uintmax_t{c.call(command).revision});
        };
    });

    auto* erase = app.add_subcommand("erase", "Remove an object");
    erase->add_option("KEY", a.key, "The object's key")->required();
    erase->add_option("-r,--revision", a.revision, "Only if the object is at this revision");
    erase->callback([&] {
        a.run = [&](blocking_client& c) { c.call(objects::erase{a.key, a.revision}); };
    });

    auto* ls = app.add_subcommand("ls", "Keys, revisions, sizes and types of objects");
    ls->add_option("PREFIX", a.prefix, "Only keys that begin so");
    ls->add_option("-n,--limit", a.limit, "At most so many; 0: all")->capture_default_str();
    ls->callback([&] { a.run = [&](blocking_client& c) { show_objects(c, a.prefix, a.limit); }; });
    for (CLI::App* subcommand : app.get_subcommands({}))
        subcommand->footer("--endpoint, --timeout and --wait may stand here too: wharfctl --help.");
}

/// What is wrong with the command line. CLI11 says only that a subcommand is missing where the word
/// that should be one is unknown.
std::string explain(const CLI::App& app, const CLI::ParseError& e)
{
    const std::vector<std::string> unread = app.remaining();
    if (!app.get_subcommands().empty() || unread.empty())
        return e.what();
    const bool is_option = unread.front().starts_with('-');
    return (is_option ? "unknown option " : "unknown subcommand ") + unread.front();
}

int fail(exit_code code, const std::string& text)
{
    std::fprintf(stderr, "wharfctl: %s\n", text.c_str());
    return static_cast<int>(code);
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Calls a wharf daemon.", "wharfctl");
    arguments a;
    describe(app, a);
    try {
        app.parse(argc, argv);
    }
    catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
            return app.exit(e);
        return fail(exit_code::usage, escape(explain(app, e)) + ": see wharfctl --help");
    }
    if (a.endpoint.empty())
        a.endpoint = default_endpoint;
    try {
        client_options options;
        options.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(a.timeout_s * 1e9));
        options.wait_for_ready = a.wait;
        options.software = "wharfctl " WHARF_VERSION;
        if (a.run_alone) {
            a.run_alone(a.endpoint, options);
        }
        else {
            blocking_client client(a.endpoint, options);
            a.run(client);
        }
        if (std::fflush(stdout) != 0)
            return fail(exit_code::failed, "cannot write standard output");
    }
    catch (const error& e) {
        return fail(exit_code_of(e.code()), explain(e, a.endpoint));
    }
    catch (const local_error& e) {
        return fail(exit_code::failed, escape(e.text));
    }
    catch (const std::exception& e) {
        return fail(exit_code::failed, escape(e.what()));
    }
    return static_cast<int>(exit_code::ok);
}
