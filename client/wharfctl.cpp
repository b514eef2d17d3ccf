// wharfctl: a daemon's commands from a shell.
#include "ctl_call.hpp"
#include "ctl_complete.hpp"
#include "ctl_control.hpp"
#include "ctl_objects.hpp"
#include "ctl_options.hpp"
#include "ctl_program.hpp"
#include "ctl_schema.hpp"
#include "ctl_status.hpp"
#include "ctl_text.hpp"
#include "ctl_top.hpp"
#include "ctl_watch.hpp"

#include <wharf/detail/near_names.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

namespace {

using namespace wharf;
using namespace wharf::ctl;

/// Each adds the subcommands of its file, in the order of --help.
// clang-format off
constexpr void (*groups[])(CLI::App&, program&) = {
    add_status,
    add_call,
    add_objects,
    add_watch,
    add_top,
    add_control,
    add_schema,
    add_completion,
};
// clang-format on

void describe(CLI::App& app, shared_options& options, program& to)
{
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", std::string("wharfctl " WHARF_VERSION));
    add_shared_options(app, options);
    app.footer(
        "wharfctl SUBCOMMAND --help tells more of one. Exit codes: 0 done, 1 not found, "
        "2 usage,\n3 conflict, 4 denied, 5 no daemon or no answer, 6 failed; see wharfctl(1).");
    for (const auto add : groups)
        add(app, to);
    for (CLI::App* subcommand : app.get_subcommands({}))
        subcommand->footer("--endpoint, --timeout, --wait, --json and --colour may stand here too: "
                           "wharfctl --help.");
}

/// The subcommand that was named last: its help knows best.
const CLI::App& innermost(const CLI::App& app)
{
    const auto named = app.get_subcommands();
    return named.empty() ? app : innermost(*named.front());
}

std::string path_of(const CLI::App& app)
{
    return app.get_parent() == nullptr ? "wharfctl"
                                       : path_of(*app.get_parent()) + " " + app.get_name();
}

void add_option_names(const CLI::App& app, std::vector<std::string>& to)
{
    for (const CLI::Option* option : app.get_options({}))
        for (const std::string& name : option->get_lnames())
            to.push_back("--" + name);
    if (app.get_parent() != nullptr)
        add_option_names(*app.get_parent(), to);
}

/// What CLI11 says of an option or a positional whose value is missing or wrong, in other words.
std::string explain_value(const CLI::ParseError& e)
{
    const std::string text = e.what();
    if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch))
        return text.substr(0, text.find(':')) + " needs a value";
    constexpr std::string_view unreadable = "Could not convert: ";
    if (text.starts_with(unreadable)) {
        const std::size_t is = text.find(" = ");
        return text.substr(unreadable.size(), is - unreadable.size()) +
               ": expected a number, found " + (is == text.npos ? "" : text.substr(is + 3));
    }
    return text;
}

/// What is wrong with the command line. CLI11 says only that a subcommand is missing where the word
/// that should be one is unknown.
std::string explain_usage(const CLI::App& app, const CLI::ParseError& e)
{
    const CLI::App& at = innermost(app);
    const std::string see = ": see " + path_of(at) + " --help";
    const std::vector<std::string> unread = app.remaining(true);
    const auto option = std::find_if(unread.begin(), unread.end(),
                                     [](const std::string& word) { return word.starts_with('-'); });
    const bool is_option = option != unread.end();
    if (unread.empty())
        return explain_value(e) + see;
    const std::string& word = is_option ? *option : unread.front();
    std::vector<std::string> known;
    if (is_option)
        add_option_names(at, known);
    else
        for (const CLI::App* each : at.get_subcommands({}))
            known.push_back(each->get_name());
    if (!is_option && known.empty())
        return "one word too many: " + word + see;
    const std::string meant = detail::suggest_name(word, known);
    return (is_option ? "unknown option " : "unknown subcommand ") + word +
           (meant.empty() ? see : meant);
}

int fail(const style& look, exit_code code, const std::string& text)
{
    std::fprintf(stderr, "%s %s\n", look.red("wharfctl:").c_str(), text.c_str());
    return static_cast<int>(code);
}

int run(const program& chosen, const shared_options& options)
{
    context c;
    c.err = error_style(options);
    try {
        decide(c, options);
        const int code = chosen.run(c);
        if (std::fflush(stdout) != 0)
            return fail(c.err, exit_code::failed, "cannot write standard output");
        return code;
    }
    catch (const error& e) {
        return fail(c.err, exit_code_of(e.code()), explain(e, c.endpoint, c.endpoint_origin));
    }
    catch (const usage_error& e) {
        return fail(c.err, exit_code::usage, escape(e.text));
    }
    catch (const local_error& e) {
        return fail(c.err, exit_code::failed, escape(e.text));
    }
    catch (const std::exception& e) {
        return fail(c.err, exit_code::failed, escape(e.what()));
    }
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Calls a wharf daemon.", "wharfctl");
    shared_options options;
    program chosen;
    describe(app, options, chosen);
    if (argc > 1 && std::string_view(argv[1]) == "__complete")
        return run_complete(app, argc, argv);
    try {
        app.parse(argc, argv);
    }
    catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
            return app.exit(e);
        return fail(error_style(options), exit_code::usage, escape(explain_usage(app, e)));
    }
    return run(chosen, options);
}
