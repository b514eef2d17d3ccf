// Candidates for the shell's completion.
#include "ctl_complete.hpp"

#include "ctl_complete_json.hpp"
#include "ctl_io.hpp"
#include "ctl_options.hpp"
#include "ctl_program.hpp"
#include "ctl_shell_line.hpp"
#include "ctl_text.hpp"

#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace wharf::ctl {

namespace {

constexpr char bash_script[] =
#include "completion/wharfctl.bash.inc"
    ;
constexpr char zsh_script[] =
#include "completion/_wharfctl.inc"
    ;

/// What the words before the cursor say.
struct position {
    const CLI::App* at = nullptr;         ///< the innermost subcommand
    const CLI::Option* awaited = nullptr; ///< the option whose value is typed
    std::vector<std::string> values;      ///< of positionals
    shared_options shared;
};

const CLI::Option* find_option(const CLI::App* at, const std::string& name)
{
    for (; at != nullptr; at = at->get_parent())
        for (const CLI::Option* option : at->get_options({}))
            if (!option->get_positional() && option->check_name(name))
                return option;
    return nullptr;
}

const CLI::App* find_subcommand(const CLI::App& in, const std::string& name)
{
    for (const CLI::App* each : in.get_subcommands({}))
        if (each->check_name(name))
            return each;
    return nullptr;
}

position read_position(const CLI::App& app, const std::vector<std::string>& words)
{
    position made{&app, nullptr, {}, {}};
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string& word = words[i];
        const auto take_value = [&](const CLI::Option& option, const std::string& value) {
            if (option.check_name("--endpoint"))
                made.shared.endpoint = value;
        };
        if (made.awaited != nullptr) {
            take_value(*made.awaited, word);
            made.awaited = nullptr;
        }
        else if (word.size() > 1 && word.front() == '-') {
            const std::size_t equals = word.find('=');
            const CLI::Option* option = find_option(made.at, word.substr(0, equals));
            if (option == nullptr || option->get_items_expected_max() == 0)
                continue;
            if (equals != word.npos)
                take_value(*option, word.substr(equals + 1));
            else
                made.awaited = option;
        }
        else if (const CLI::App* sub = find_subcommand(*made.at, word))
            made.at = sub;
        else
            made.values.push_back(word);
    }
    return made;
}

const CLI::Option* positional_at(const CLI::App& of, std::size_t place)
{
    for (const CLI::Option* option : of.get_options({})) {
        if (!option->get_positional())
            continue;
        const bool takes_all = option->get_items_expected_max() > 1;
        if (place == 0 || takes_all)
            return option;
        --place;
    }
    return nullptr;
}

/// Asks the daemon, shortly.
class oracle {
public:
    explicit oracle(const shared_options& shared)
    {
        decide(context_, shared);
        context_.options.timeout = std::chrono::milliseconds(250);
        context_.options.wait_for_ready = false;
    }

    std::vector<std::string> commands() { return context_.client().call(system::list{}); }

    std::vector<std::string> keys(const std::string& prefix)
    {
        std::vector<std::string> made;
        constexpr std::uint32_t shown_max = 200;
        for (objects::entry& each :
             context_.client().call(objects::list{prefix, "", shown_max}).entries)
            made.push_back(std::move(each.key));
        return made;
    }

    schema argument_of(const std::string& command)
    {
        return context_.client().call(system::describe{command}).argument;
    }

private:
    context context_;
};

std::vector<std::string> words_for_option(const CLI::Option& option)
{
    if (option.check_name("--colour"))
        return {"auto", "always", "never"};
    if (option.check_name("--sort"))
        return {"name", "calls", "errors", "p50", "p99", "in-flight", "bytes"};
    if (option.check_name("--endpoint"))
        return {"unix:/run/wharf/wharf.sock"};
    return {}; // files are the shell's
}

/// "info,session=debug": a level for all, and others for channels.
std::vector<std::string> levels(const std::string& typed)
{
    const std::size_t comma = typed.rfind(',') + 1; // 0 where there is none
    const std::size_t equals = typed.find('=', comma);
    std::vector<std::string> made;
    if (comma == 0 || equals != typed.npos)
        for (const char* level : {"critical", "error", "warning", "notice", "info", "debug"})
            made.push_back(typed.substr(0, equals == typed.npos ? 0 : equals + 1) + level);
    if (equals == typed.npos)
        for (const char* channel : {"daemon", "listener", "session", "call", "store"})
            made.push_back(typed.substr(0, comma) + channel + "=");
    return made;
}

std::vector<std::string> words_for_positional(const position& here, const CLI::Option& positional,
                                              const std::string& typed)
{
    const std::string name = positional.get_name(true);
    if (name == "COMMAND")
        return oracle(here.shared).commands();
    if (name == "KEY" || name == "PREFIX")
        return oracle(here.shared).keys(typed);
    if (name == "ARGUMENT" && !here.values.empty()) {
        if (typed.empty())
            return {"{"};
        return complete_json(oracle(here.shared).argument_of(here.values.front()), typed);
    }
    if (name == "LEVEL")
        return levels(typed);
    if (name == "SHELL")
        return {"bash", "zsh"};
    return {};
}

void add_options(const CLI::App* at, std::vector<std::string>& to)
{
    for (; at != nullptr; at = at->get_parent())
        for (const CLI::Option* option : at->get_options({}))
            for (const std::string& name : option->get_lnames())
                to.push_back("--" + name);
}

std::vector<std::string> candidates(const CLI::App& app, const std::vector<std::string>& words)
{
    const std::string& typed = words.back();
    const position here = read_position(app, words);
    if (here.awaited != nullptr)
        return words_for_option(*here.awaited);
    std::vector<std::string> made;
    if (typed.starts_with('-')) {
        add_options(here.at, made);
        return made;
    }
    for (const CLI::App* each : here.at->get_subcommands({}))
        made.push_back(each->get_name());
    if (const CLI::Option* positional = positional_at(*here.at, here.values.size()))
        for (std::string& each : words_for_positional(here, *positional, typed))
            made.push_back(std::move(each));
    return made;
}

/// A text of JSON is not done where a candidate ends.
bool is_json(std::string_view word)
{
    return !word.empty() && std::string_view("{[\"").find(word.front()) != std::string_view::npos;
}

void print_line(const CLI::App& app, const std::string& line)
{
    const char* breaks = std::getenv("WHARFCTL_BREAKS");
    shell_line at = read_shell_line(line, breaks == nullptr ? "" : breaks);
    if (at.words.size() < 2)
        return;
    at.words.erase(at.words.begin());
    std::string text;
    const std::vector<std::string> words = complete(app, at.words);
    for (const std::string& word : words) {
        // JSON is typed in quotes: they begin with it.
        const bool opens_json = word == "{" && at.words.back().empty() && at.quote == 0;
        const std::string shown =
            opens_json ? "'{" : quote_for(at, std::string_view(word).substr(at.kept));
        if (shown.empty())
            continue;
        // What is complete gets the space that the shell was told not to add.
        const bool is_done = at.quote == 0 && !is_json(word) && !word.ends_with('=');
        text += shown + (is_done ? " \n" : "\n");
        // Readline closes the quotes behind the only candidate; behind what two have in common it
        // does not.
        if (at.quote != 0 && is_json(word) && words.size() == 1 && breaks != nullptr)
            text += shown + "...\n";
    }
    print(text);
}

} // namespace

void add_completion(CLI::App& app, program& to)
{
    auto* add = app.add_subcommand("completion", "The script that lets a shell complete wharfctl");
    const auto shell = std::make_shared<std::string>();
    add->add_option("SHELL", *shell, "bash or zsh")->required();
    add->callback([&to, shell] {
        to.run = [shell](context&) {
            if (*shell != "bash" && *shell != "zsh")
                throw usage_error{"completion: expected bash or zsh, found " + *shell};
            print(*shell == "bash" ? bash_script : zsh_script);
            return 0;
        };
    });
}

std::vector<std::string> complete(const CLI::App& app, std::vector<std::string> words) noexcept
try {
    if (words.empty())
        words.emplace_back();
    std::vector<std::string> made = candidates(app, words);
    std::erase_if(made, [&](const std::string& word) {
        // A newline would be two candidates, and what steers a terminal none at all.
        return !word.starts_with(words.back()) ||
               !is_plain_text(std::as_bytes(std::span(word.data(), word.size()))) ||
               word.find_first_of("\n\t") != word.npos;
    });
    std::sort(made.begin(), made.end());
    made.erase(std::unique(made.begin(), made.end()), made.end());
    return made;
}
catch (...) {
    return {};
}

int run_complete(const CLI::App& app, int argc, char** argv)
{
    try {
        std::vector<std::string> words(argv + 2, argv + argc);
        if (words.size() == 2 && words.front() == "--line") {
            print_line(app, words.back());
            return 0;
        }
        std::string text;
        for (const std::string& word : complete(app, std::move(words)))
            text += word + "\n";
        print(text);
    }
    catch (...) {
        // Nobody wants to read about it while typing.
    }
    return 0;
}

} // namespace wharf::ctl
