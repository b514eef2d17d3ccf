// A client of version VERSION: prints what each kind of call shows it, or what it reads of stored
// objects, or calls until it is told to end.
#include "commands.hpp"

#include <wharf/client.hpp>
#include <wharf/service.hpp>
#include <wharf/stored_objects.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <iostream>

#include <unistd.h>

BOOST_CLASS_EXPORT_IMPLEMENT(circle)
#if VERSION >= 3
BOOST_CLASS_EXPORT_IMPLEMENT(square)
#endif

namespace asio = boost::asio;

namespace {

void print(const std::string& what, const std::string& value)
{
    std::cout << what << ": " << value << std::endl;
}

std::string show_answer(const measured& answer)
{
    return answer.seen + " / " + show(answer.most) + " " + show_rest(answer);
}

template <class C>
asio::awaitable<void> show_call(wharf::client& client, std::string what)
{
    const C command = full_measure<C>();
    const measured answer = co_await client.async_call(command);
    print(what, show_answer(answer));
}

template <class Call>
asio::awaitable<void> show_error(std::string what, Call call)
{
    try {
        co_await call();
        print(what, "answered");
    }
    catch (const wharf::error& e) {
        print(what, std::string(wharf::to_name(e.code())) + ": " + e.text());
    }
}

asio::awaitable<void> show_streams(wharf::client& client)
{
    const collect first;
    auto up = client.stream(first);
    for (const char* name : {"x", "y"}) {
        const part sent = full_part(name);
        co_await up.async_send(sent);
    }
    up.end_upload();
    std::string seen;
    for (const std::string& each : co_await up.async_result())
        seen += "[" + each + "]";
    print("upload", seen);

    const turn_around both{full_part("first")};
    auto stream = client.stream(both);
    const part sent = full_part("second");
    co_await stream.async_send(sent);
    stream.end_upload();
    std::string back;
    while (auto item = co_await stream.async_next())
        back += "[" + show(*item) + "]";
    print("both ways", back);
}

asio::awaitable<void> show_all(wharf::client& client)
{
    co_await show_call<measure>(client, "inline");
    co_await show_call<measure>(client, "again");
    co_await show_call<measure_later>(client, "awaiting");
    co_await show_call<measure_slowly>(client, "blocking");
    co_await show_call<measure_at_client>(client, "by the server");
    co_await show_streams(client);
    co_await show_error("stubborn argument", [&]() -> asio::awaitable<void> {
        const stubborn command;
        co_await client.async_call(command);
    });
    co_await show_error("stubborn reply", [&]() -> asio::awaitable<void> {
        const ask_stubborn command;
        co_await client.async_call(command);
    });
#if VERSION >= 3
    co_await show_error("unknown class", [&]() -> asio::awaitable<void> {
        measure command = full_measure<measure>();
        command.outline = std::make_shared<square>();
        co_await client.async_call(command);
    });
#endif
}

/// Of a client that does not exchange versions.
asio::awaitable<void> show_alone(wharf::client& client)
{
    co_await show_error("alone", [&]() -> asio::awaitable<void> {
        const measure command = full_measure<measure>();
        co_await client.async_call(command);
    });
}

// ---- Stored objects -----------------------------------------------------------------------------

std::string key_of(int version)
{
    return "measure of version " + std::to_string(version);
}

asio::awaitable<void> write_object(wharf::client& client)
{
    const auto what = wharf::objects::make_put(key_of(VERSION), full_measure<measure>());
    co_await wharf::objects::async_write<measure>(client, what);
    print("written", key_of(VERSION));
}

asio::awaitable<void> read_objects(wharf::client& client)
{
    for (int version = 1; version <= 3; ++version)
        try {
            const auto found =
                co_await wharf::objects::async_read<measure>(client, key_of(version));
            print(std::to_string(version), answer_measure(found.record).seen);
        }
        catch (const wharf::error& e) {
            print(std::to_string(version), std::string(wharf::to_name(e.code())) + ": " + e.text());
        }
}

// ---- Load ---------------------------------------------------------------------------------------

struct counts {
    std::uint64_t calls = 0, wrong = 0, errors = 0;
    bool ends = false;
    std::string first_error;
};

/// The client sends calls that a stopping server did not accept to the next one by itself. What a
/// stream has sent it does not keep, and says that nothing of it was taken: so it is sent again
/// here.
asio::awaitable<std::vector<std::string>> upload_part(wharf::client& client)
{
    for (;;) {
        try {
            const collect what;
            auto up = client.stream(what);
            const part sent = full_part("x");
            co_await up.async_send(sent);
            up.end_upload();
            co_return co_await up.async_result();
        }
        catch (const wharf::error& e) {
            if (e.code() != wharf::errc::going_away && e.code() != wharf::errc::not_connected)
                throw;
        }
    }
}

asio::awaitable<void> call_until_told(wharf::client& client, counts& all)
{
    const measure command = full_measure<measure>();
    const measure_later later = full_measure<measure_later>();
    while (!all.ends) {
        try {
            const measured answer = co_await client.async_call(command);
            const measured other = co_await client.async_call(later);
            const std::vector<std::string> seen = co_await upload_part(client);
            all.calls += 3;
            all.wrong += answer.most.name != "most" || other.most.name != "most" ||
                         !answer.seen.starts_with("[a") || seen.size() != 1 ||
                         !seen[0].starts_with("x");
        }
        catch (const wharf::error& e) {
            ++all.errors;
            if (all.first_error.empty())
                all.first_error = e.what();
        }
    }
}

/// Each line that says "count" is answered with the calls so far; any other ends the load.
asio::awaitable<void> answer_input(asio::io_context& context, counts& all)
{
    asio::posix::stream_descriptor input(context, ::dup(0));
    std::string lines;
    while (!all.ends) {
        const std::size_t n = co_await asio::async_read_until(input, asio::dynamic_buffer(lines),
                                                              '\n', asio::use_awaitable);
        all.ends = lines.substr(0, n) != "count\n";
        lines.erase(0, n);
        if (!all.ends)
            std::cout << all.calls << std::endl;
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3)
        return 2;
    const std::string_view mode = argv[2];
    asio::io_context context;
    wharf::client_options options;
    options.timeout = std::chrono::seconds(60);
    if (mode == "alone")
        options.conversation.classes_max = 0;
    wharf::client client(context, argv[1], options);
    if (mode != "load") {
        struct service {
            void serve(wharf::router& router)
            {
                router.on<measure>([](const measure& c) { return answer_measure(c); });
            }
        };
        client.serve(service{});
        std::exception_ptr failed;
        const auto what = mode == "pair"    ? &show_all
                          : mode == "alone" ? &show_alone
                          : mode == "write" ? &write_object
                                            : &read_objects;
        asio::co_spawn(context, what(client), [&](std::exception_ptr why) {
            failed = why;
            client.close();
        });
        context.run();
        if (failed)
            std::rethrow_exception(failed);
        return 0;
    }
    counts all;
    for (int i = 0; i < 8; ++i)
        asio::co_spawn(context, call_until_told(client, all), asio::detached);
    asio::co_spawn(context, answer_input(context, all), asio::detached);
    context.run();
    std::cout << all.calls << " calls, " << all.wrong << " wrong, " << all.errors << " errors "
              << all.first_error << "\n";
    return 0;
}
