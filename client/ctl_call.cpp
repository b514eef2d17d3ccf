// Calls in JSON from a shell: what the daemon says of a command decides how it is called.
#include "ctl_call.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_program.hpp"
#include "ctl_text.hpp"

#include <wharf/client.hpp>
#include <wharf/detail/near_names.hpp>
#include <wharf/json.hpp>
#include <wharf/json_call.hpp>
#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace wharf::ctl {
namespace asio = boost::asio;

namespace {

/// What `wharfctl call` was told.
struct call_arguments {
    std::string command;
    std::string argument = "{}"; ///< JSON; "-": standard input
    bool one_line = false;
};

/// Runs a coroutine that uses a client to its end.
template <class Work>
void run(const context& c, Work work)
{
    asio::io_context loop(1);
    client through(loop, c.endpoint, c.options);
    std::exception_ptr failed;
    asio::co_spawn(loop, work(through), [&](std::exception_ptr thrown) {
        failed = std::move(thrown);
        through.close();
    });
    loop.run();
    if (failed)
        std::rethrow_exception(failed);
}

/// The daemon does not tell commands that are not there from those that may not be called; the list
/// of those that may be does.
asio::awaitable<system::description> look_up(client& through, const std::string& command)
{
    const system::describe what{command};
    std::exception_ptr refused;
    try {
        co_return co_await through.async_call(what);
    }
    catch (const error& e) {
        if (e.code() != errc::permission_denied)
            throw;
        refused = std::current_exception();
    }
    const system::list all;
    const std::vector<std::string> names = co_await through.async_call(all);
    if (std::find(names.begin(), names.end(), command) != names.end())
        std::rethrow_exception(refused);
    const std::string meant = wharf::detail::suggest_name(command, names);
    throw local_error{
        "no command that you may call has the name " + command +
        (meant.empty() ? ": `wharfctl list` shows those that you may call; for others, ask for an "
                         "[[allow]] line or a role in wharfd.conf"
                       : meant + " `wharfctl list` shows those that you may call")};
}

asio::awaitable<void> receive_all(json_stream& from, bool one_line)
{
    for (;;) {
        const std::optional<json_text> item = co_await from.async_next();
        if (!item)
            co_return;
        print_json(item->text, one_line);
    }
}

asio::awaitable<std::optional<json_text>> read_line()
{
    json_text line;
    while (std::getline(std::cin, line.text))
        if (line.text.find_first_not_of(" \t\r") != std::string::npos)
            co_return line;
    co_return std::nullopt;
}

/// `reader` waits for the lines, so that what arrives meanwhile is printed.
asio::awaitable<void> send_lines(json_stream& to, asio::thread_pool& reader)
{
    for (;;) {
        auto pending = asio::co_spawn(reader, read_line(), asio::use_awaitable);
        const std::optional<json_text> line = co_await std::move(pending);
        if (!line)
            break;
        co_await to.async_send(*line);
    }
    to.end_upload();
}

asio::awaitable<void> call_once(client& through, const call_arguments& what)
{
    const system::description known = co_await look_up(through, what.command);
    if (known.items.empty() && known.upload.empty()) {
        auto pending = async_call_json(through, what.command, what.argument);
        const json_text reply = co_await std::move(pending);
        // A void command has nothing to print.
        if (reply.text != "null")
            print_json(reply.text, what.one_line);
        co_return;
    }
    json_stream talk(through, what.command, what.argument);
    asio::thread_pool reader(1);
    if (!known.items.empty()) {
        // An upload that fails ends the call, and so what is received.
        if (!known.upload.empty())
            asio::co_spawn(through.get_executor(), send_lines(talk, reader), asio::detached);
        co_await receive_all(talk, what.one_line);
        co_return;
    }
    co_await send_lines(talk, reader);
    const json_text reply = co_await talk.async_result();
    if (reply.text != "null")
        print_json(reply.text, what.one_line);
}

/// A type in a line of which it is a part; the rest is left to the command's own page.
std::string short_line(const schema& type)
{
    constexpr std::size_t characters_max = 120;
    std::string line = type.to_line();
    if (line.size() > characters_max)
        line.replace(characters_max - 3, std::string::npos, "...");
    return line;
}

/// "calculator.add {a: i32, b: i32} -> i64"
std::string line_of(const system::description& d)
{
    std::string text = d.command + " " + short_line(d.argument);
    if (!d.upload.empty())
        text += " <- stream of " + short_line(d.upload.front());
    if (!d.items.empty())
        return text + " -> stream of " + short_line(d.items.front());
    return text + " -> " + short_line(d.reply);
}

std::string page_of(const system::description& d, const style& look)
{
    std::string text = look.bold(escape(d.command)) + "\n";
    const auto add = [&](const char* title, const schema& type) {
        text += "\n" + look.bold(title) + "\n" + escape_lines(type.to_text()) + "\n";
    };
    add("argument", d.argument);
    if (!d.upload.empty())
        add("upload, a stream of", d.upload.front());
    if (!d.items.empty())
        add("reply, a stream of", d.items.front());
    else
        add("reply", d.reply);
    return text;
}

asio::awaitable<void> describe_all(client& through, bool as_json)
{
    const system::list all;
    for (const std::string& name : co_await through.async_call(all)) {
        const system::describe what{name};
        const system::description d = co_await through.async_call(what);
        print(as_json ? json_of(d) + "\n" : escape(line_of(d)) + "\n");
    }
}

/// Calls, and prints the reply, or each item of a stream, as it comes; on a terminal indented. The
/// lines of standard input are the items of an upload.
int call_command(context& c, call_arguments what)
{
    what.one_line = c.as_json;
    if (what.argument == "-")
        what.argument = read_text("");
    try {
        run(c, [&](client& through) { return call_once(through, what); });
    }
    catch (const error& e) {
        if (e.code() != errc::bad_json)
            throw;
        throw local_error{"the argument does not fit " + what.command + ": " + e.text() +
                          ": see `wharfctl describe " + what.command + "`"};
    }
    return 0;
}

/// What a command takes and answers with; without one, a line for each of all, with long types cut.
int describe(context& c, const std::string& command)
{
    run(c, [&](client& through) -> asio::awaitable<void> {
        if (command.empty()) {
            co_await describe_all(through, c.as_json);
            co_return;
        }
        const system::description d = co_await look_up(through, command);
        print(c.as_json ? json_of(d) + "\n" : page_of(d, c.out));
    });
    return 0;
}

} // namespace

void add_call(CLI::App& app, program& to)
{
    auto* about = app.add_subcommand("describe", "What a command takes and answers with");
    const auto name = std::make_shared<std::string>();
    about->add_option("COMMAND", *name, "Its name; without one, a line for each");
    about->callback([&to, name] { to.run = [name](context& c) { return describe(c, *name); }; });

    auto* call = app.add_subcommand("call", "Call any command, in JSON");
    const auto what = std::make_shared<call_arguments>();
    call->add_option("COMMAND", what->command, "Its name")->required();
    call->add_option("ARGUMENT", what->argument,
                     "Its argument in JSON, {} by default; -: standard input")
        ->default_str("{}");
    call->callback([&to, what] { to.run = [what](context& c) { return call_command(c, *what); }; });
}

} // namespace wharf::ctl
