// Threads that share one blocking client, each with streams of its own, against a real server.
#include <wharf/blocking_client.hpp>
#include <wharf/server.hpp>
#include <wharf/service.hpp>

#include "fake_daemon.hpp"
#include "stream_commands.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using wharf::errc;

namespace {

struct service {
    std::atomic<std::int64_t> produced{0};
    std::atomic<std::int64_t> running{0};

    void serve(wharf::router& router)
    {
        router.on<twice>([](const twice& c) { return c.number * 2; });
        router.on<ticks>([this](ticks c, wharf::sink<std::int64_t>& out) -> wharf::awaitable<void> {
            const counted here(running);
            for (std::int64_t i = 0; c.count < 0 || i != c.count; ++i) {
                co_await out.async_send(i);
                ++produced;
            }
        });
        router.on<pour>([](pour, wharf::source<std::string>& in) -> wharf::awaitable<std::int64_t> {
            std::int64_t bytes = 0;
            while (const auto text = co_await in.async_next())
                bytes += static_cast<std::int64_t>(text->size());
            co_return bytes;
        });
        router.on<mirror>([](mirror, wharf::source<std::string>& in,
                             wharf::sink<std::string>& out) -> wharf::awaitable<void> {
            while (const auto text = co_await in.async_next())
                co_await out.async_send(*text);
        });
    }

private:
    struct counted {
        explicit counted(std::atomic<std::int64_t>& of) : all(of) { ++all; }
        ~counted() { --all; }
        std::atomic<std::int64_t>& all;
    };
};

struct fixture {
    fake::directory directory;
    service served;
    wharf::server server{options(directory)};
    std::optional<wharf::blocking_client> client;

    static wharf::server_options options(const fake::directory& in)
    {
        wharf::server_options all;
        all.threads = 2;
        all.listeners.emplace_back();
        all.listeners.back().name = "local";
        all.listeners.back().where = in.socket();
        all.allow.push_back({"*", "unix", "*", "all"});
        all.roles.push_back({"all", {"*"}});
        return all;
    }
    fixture()
    {
        server.serve(served);
        server.start();
        client.emplace(to_string(directory.socket()));
    }
};

/// What one thread does; returns how many things went wrong.
int use(wharf::blocking_client& client, std::int64_t which)
{
    int wrong = 0;
    for (std::int64_t round = 0; round != 20; ++round) {
        std::int64_t expected = 0;
        for (const std::int64_t number : client.stream(ticks{500})) {
            wrong += number != expected++;
            if (number % 100 == 0)
                wrong += client.call(twice{number + which}) != 2 * (number + which);
        }
        wrong += expected != 500;
        for (const std::int64_t number : client.stream(ticks{-1}))
            if (number == 1000)
                break;
        auto up = client.stream(pour{});
        auto both = client.stream(mirror{});
        const std::string text(static_cast<std::size_t>(which + 1) * 1000, 'x');
        for (int i = 0; i != 50; ++i) {
            up.send(text);
            both.send(text);
            wrong += both.next() != text;
        }
        both.end_upload();
        wrong += both.next().has_value();
        wrong += up.finish() != static_cast<std::int64_t>(text.size()) * 50;
    }
    return wrong;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_threads_suite, fixture)

BOOST_AUTO_TEST_CASE(four_threads_have_streams_and_calls_in_one_client)
{
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (std::int64_t which = 0; which != 4; ++which)
        threads.emplace_back([&, which] {
            try {
                wrong += use(*client, which);
            }
            catch (const std::exception&) {
                ++wrong;
            }
        });
    for (auto& each : threads)
        each.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(client->in_flight() == 0u);
    BOOST_TEST(server.status().sessions_total == 1u);
}

BOOST_AUTO_TEST_CASE(one_thread_receives_while_another_sends)
{
    auto both = client->stream(mirror{});
    std::atomic<int> received{0};
    std::thread reader([&] {
        while (const auto text = both.next())
            received += *text == std::to_string(received.load());
    });
    for (int i = 0; i != 20000; ++i)
        both.send(std::to_string(i));
    both.end_upload();
    reader.join();
    BOOST_TEST(received == 20000);
}

BOOST_AUTO_TEST_CASE(a_thread_that_takes_no_items_suspends_the_handler)
{
    auto numbers = client->stream(ticks{-1});
    BOOST_TEST((numbers.next() == 0));
    // Others read the connection meanwhile, and so what holds the handler back is the window.
    for (std::int64_t i = 0; i != 2000; ++i)
        BOOST_REQUIRE(client->call<twice>(i) == 2 * i);
    const std::int64_t before = served.produced;
    BOOST_TEST(before <= wharf::conversation_limits{}.stream_window_bytes / 2);
    for (std::int64_t i = 1; i != 2 * before; ++i)
        BOOST_REQUIRE((numbers.next() == i));
    BOOST_TEST(served.produced > before);
}

BOOST_AUTO_TEST_CASE(dropping_a_stream_ends_the_handler)
{
    for (int i = 0; i != 10; ++i)
        for (const std::int64_t number : client->stream(ticks{-1}))
            if (number == 100)
                break;
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (served.running != 0 && std::chrono::steady_clock::now() < until)
        client->call<twice>(1);
    BOOST_TEST(served.running == 0);
}

BOOST_AUTO_TEST_SUITE_END()
