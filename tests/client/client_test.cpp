// The asynchronous client against a daemon that the test controls: calls of every form.
#include <wharf/client.hpp>

#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using wharf::errc;
using wharf::error_code;

namespace {

struct unheard {
    using reply = int;
    static constexpr std::string_view name = "test.unheard";
    int number{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
    }
};

std::map<std::string, fake::handler> handlers()
{
    return {fake::on<echo>([](const echo& c) { return c.text; }),
            fake::on<twice>([](const twice& c) {
                if (c.number < 0)
                    throw wharf::error(errc::bad_argument, "not a negative one");
                return c.number * 2;
            }),
            {std::string(touch::name),
             [](fake::session& with, const fake::request& call) {
                 with.talk.end_reply(with.talk.begin_reply(call.id));
             }},
            fake::hold<wait_for_ever>()};
}

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(), handlers()};
    asio::io_context context;
    wharf::client client{context, daemon.endpoint()};

    /// Runs a coroutine to its end; its exception is the test's.
    void run(asio::awaitable<void> body)
    {
        std::exception_ptr failure;
        bool done = false;
        asio::co_spawn(context, std::move(body), [&](std::exception_ptr e) {
            failure = e;
            done = true;
        });
        context.restart();
        context.run_for(60s);
        BOOST_REQUIRE(done);
        if (failure)
            std::rethrow_exception(failure);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(client_suite, fixture)

BOOST_AUTO_TEST_CASE(a_call_with_a_handler_gives_the_reply_and_then_the_context_has_nothing_to_do)
{
    std::int64_t got = 0;
    client.async_call(twice{21}, [&](error_code ec, std::int64_t reply) {
        BOOST_TEST(!ec);
        got = reply;
    });
    BOOST_TEST(got == 0);
    const auto before = std::chrono::steady_clock::now();
    context.run();
    BOOST_TEST(got == 42);
    BOOST_TEST((std::chrono::steady_clock::now() - before < 5s)); // not the deadline's ten
}

BOOST_AUTO_TEST_CASE(a_call_is_awaited_by_default)
{
    run([](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<echo>("hello") == "hello");
        const echo named{std::string(100000, 'x')};
        BOOST_TEST(co_await c.async_call(named) == named.text);
        BOOST_TEST(co_await c.async_call(named, {.timeout = 2s}) == named.text);
        co_await c.async_call<touch>(1);
        BOOST_TEST(co_await c.async_call(twice{4}) == 8); // trivially destructible: safe in place
    }(client));
}

BOOST_AUTO_TEST_CASE(an_awaited_call_throws_the_daemons_code_and_text)
{
    run([](wharf::client& c) -> asio::awaitable<void> {
        try {
            co_await c.async_call<twice>(-1);
            BOOST_ERROR("no exception");
        }
        catch (const wharf::error& e) {
            BOOST_TEST((e.code() == errc::bad_argument));
            BOOST_TEST(e.text() == "not a negative one");
        }
    }(client));
}

BOOST_AUTO_TEST_CASE(other_tokens_get_a_code_and_find_the_text_by_diagnostics)
{
    run([](wharf::client& c) -> asio::awaitable<void> {
        std::string text;
        auto [ec, reply] = co_await c.async_call(twice{-1}, {.diagnostics = &text},
                                                 asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(ec == errc::bad_argument);
        BOOST_TEST(reply == 0);
        BOOST_TEST(text == "not a negative one");
        error_code redirected;
        co_await c.async_call(touch{1}, asio::redirect_error(asio::use_awaitable, redirected));
        BOOST_TEST(!redirected);
        auto operation = c.async_call(twice{5}, asio::deferred);
        BOOST_TEST(co_await std::move(operation)(asio::use_awaitable) == 10);
    }(client));
}

BOOST_AUTO_TEST_CASE(a_future_throws_the_daemons_code_and_text)
{
    auto good = client.async_call(twice{3}, asio::use_future);
    auto bad = client.async_call(twice{-3}, asio::use_future);
    context.run();
    BOOST_TEST(good.get() == 6);
#ifndef __SANITIZE_THREAD__ // it does not see how libstdc++ counts references to an exception
    BOOST_CHECK_EXCEPTION(bad.get(), wharf::error, [](const wharf::error& e) {
        return e.code() == errc::bad_argument && e.text() == "not a negative one";
    });
#endif
}

BOOST_AUTO_TEST_CASE(a_move_only_handler_is_moved)
{
    auto got = std::make_unique<int>(0);
    int* seen = got.get();
    int result = 0;
    client.async_call(twice{1}, [got = std::move(got), seen, &result](error_code, std::int64_t n) {
        result = got.get() == seen ? static_cast<int>(n) : -1;
    });
    context.run();
    BOOST_TEST(result == 2);
}

BOOST_AUTO_TEST_CASE(a_command_need_not_outlive_the_call)
{
    std::string got;
    {
        auto command = std::make_unique<echo>(echo{std::string(1000, 'a')});
        client.async_call(*command, [&](error_code, std::string reply) { got = reply; });
        command->text.assign(1000, 'b');
    }
    context.run();
    BOOST_TEST(got == std::string(1000, 'a'));
}

BOOST_AUTO_TEST_CASE(an_unknown_command_is_the_daemons_answer)
{
    client.async_call(unheard{},
                      [&](error_code ec, int) { BOOST_TEST(ec == errc::unknown_command); });
    BOOST_TEST(context.run() > 0u);
}

// Row 33: many calls over one connection at once, each with its own pair of archives.
BOOST_AUTO_TEST_CASE(row_33_64_interleaved_calls_get_each_its_own_reply)
{
    int right = 0;
    for (int i = 0; i != 64; ++i) {
        const std::string text(static_cast<std::size_t>(i) * 997, static_cast<char>('!' + i));
        client.async_call(echo{text}, [&right, text](error_code ec, std::string reply) {
            right += !ec && reply == text;
        });
    }
    context.run();
    BOOST_TEST(right == 64);
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(calls_of_one_turn_leave_in_one_send)
{
    client.async_call(twice{1}, [](error_code, std::int64_t) {});
    context.run();
    context.restart();
    const int before = daemon.receives();
    int replies = 0;
    for (int i = 0; i != 100; ++i)
        client.async_call(twice{i}, [&](error_code, std::int64_t) { ++replies; });
    context.run();
    BOOST_TEST(replies == 100);
    BOOST_TEST(daemon.receives() == before + 1);
}

// Row 84: a call that names no deadline has one; and each of its stages is inside of it.
BOOST_AUTO_TEST_CASE(row_84_a_call_without_a_timeout_has_the_clients_deadline)
{
    BOOST_TEST((wharf::client_options{}.timeout == 10s));
    wharf::client hasty(context, daemon.endpoint(), {.timeout = 50ms});
    std::string text;
    error_code got;
    const auto before = std::chrono::steady_clock::now();
    hasty.async_call(wait_for_ever{}, {.diagnostics = &text},
                     [&](error_code ec, std::string) { got = ec; });
    context.run();
    BOOST_TEST(got == errc::deadline_exceeded);
    BOOST_TEST(text == daemon.endpoint() + " did not reply in time");
    BOOST_TEST((std::chrono::steady_clock::now() - before >= 50ms));
}

BOOST_AUTO_TEST_CASE(row_84_what_is_left_of_the_deadline_travels)
{
    std::atomic<std::int64_t> left{-1};
    fake::daemon other(
        directory.socket("other"),
        {{std::string(twice::name), [&](fake::session& with, const fake::request& c) {
              left = c.timeout ? c.timeout->count() : 0;
              with.reply(c.id, std::int64_t(1));
          }}});
    wharf::client c(context, other.endpoint());
    c.async_call(twice{1}, {.timeout = 5s}, [](error_code ec, std::int64_t) { BOOST_TEST(!ec); });
    context.run();
    BOOST_TEST(left > 3000);
    BOOST_TEST(left <= 5000);
}

BOOST_AUTO_TEST_CASE(a_timeout_of_zero_has_passed)
{
    error_code got;
    client.async_call(twice{1}, {.timeout = 0s}, [&](error_code ec, std::int64_t) { got = ec; });
    context.run();
    BOOST_TEST(got == errc::deadline_exceeded);
}

BOOST_AUTO_TEST_CASE(a_timed_out_call_does_not_cost_the_connection)
{
    run([](wharf::client& c) -> asio::awaitable<void> {
        auto [ec, text] = co_await c.async_call(wait_for_ever{}, {.timeout = 20ms},
                                                asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(ec == errc::deadline_exceeded);
        BOOST_TEST(co_await c.async_call<twice>(1) == 2);
    }(client));
    // The late reply is dropped.
    daemon.run([](auto& sessions) {
        sessions.front()->reply(sessions.front()->held.front(), std::string("late"));
    });
    run([](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<twice>(2) == 4);
    }(client));
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(a_short_deadline_after_a_long_one_is_kept)
{
    const auto before = std::chrono::steady_clock::now();
    std::chrono::steady_clock::duration took_short{}, took_long{};
    client.async_call(wait_for_ever{1}, {.timeout = 2s}, [&](error_code, std::string) {
        took_long = std::chrono::steady_clock::now() - before;
    });
    client.async_call(wait_for_ever{2}, {.timeout = 30ms}, [&](error_code ec, std::string) {
        BOOST_TEST(ec == errc::deadline_exceeded);
        took_short = std::chrono::steady_clock::now() - before;
    });
    context.run();
    BOOST_TEST((took_short >= 30ms && took_short < 1s));
    BOOST_TEST((took_long >= 2s));
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_ends_and_keeps_the_connection)
{
    asio::cancellation_signal stop;
    error_code got;
    client.async_call(
        wait_for_ever{},
        asio::bind_cancellation_slot(stop.slot(), [&](error_code ec, std::string) { got = ec; }));
    client.async_call(twice{1},
                      [&](error_code, std::int64_t) { stop.emit(asio::cancellation_type::total); });
    context.run();
    BOOST_TEST(got == errc::cancelled);
    run([](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<twice>(1) == 2);
    }(client));
    BOOST_TEST(daemon.accepted() == 1);
    stop.emit(asio::cancellation_type::all); // nothing is left to cancel
}

BOOST_AUTO_TEST_CASE(the_end_of_a_client_ends_its_calls)
{
    std::vector<error_code> got;
    {
        wharf::client brief(context, daemon.endpoint());
        brief.async_call(wait_for_ever{}, [&](error_code ec, std::string) { got.push_back(ec); });
        context.run_for(50ms);
        brief.async_call(twice{1}, [&](error_code ec, std::int64_t) { got.push_back(ec); });
        BOOST_TEST(got.empty());
    }
    BOOST_TEST(got.empty()); // never inside the destructor
    context.restart();
    context.run();
    BOOST_TEST(got.size() == 2u);
    for (const error_code& ec : got)
        BOOST_TEST(ec == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(a_closed_client_cancels_later_calls)
{
    client.close();
    error_code got;
    client.async_call(twice{1}, [&](error_code ec, std::int64_t) { got = ec; });
    context.run();
    BOOST_TEST(got == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(a_client_may_be_closed_by_a_handler)
{
    std::vector<error_code> got;
    client.async_call(twice{1}, [&](error_code, std::int64_t) { client.close(); });
    for (int i = 0; i != 10; ++i)
        client.async_call(twice{i}, [&](error_code ec, std::int64_t) { got.push_back(ec); });
    context.run();
    BOOST_TEST(got.size() == 10u);
    for (const error_code& ec : got)
        BOOST_TEST(ec == errc::cancelled);
}

BOOST_AUTO_TEST_CASE(more_calls_than_may_be_in_flight_wait_their_turn)
{
    wharf::client narrow(context, daemon.endpoint(), {.calls_in_flight_max = 2});
    int replies = 0;
    for (int i = 0; i != 50; ++i)
        narrow.async_call(twice{i}, [&, i](error_code ec, std::int64_t n) {
            BOOST_TEST(!ec);
            BOOST_TEST(n == 2 * i);
            ++replies;
        });
    context.run();
    BOOST_TEST(replies == 50);
}

BOOST_AUTO_TEST_CASE(what_a_client_queues_has_limits)
{
    wharf::client few(context, daemon.endpoint(), {.calls_waiting_max = 3});
    wharf::client small(context, daemon.endpoint(), {.calls_bytes_max = 1000});
    int refused = 0;
    const auto count = [&](error_code ec, auto&&) { refused += ec == errc::overloaded; };
    for (int i = 0; i != 5; ++i)
        few.async_call(twice{i}, count);
    small.async_call(echo{std::string(600, 'x')}, count);
    small.async_call(echo{std::string(600, 'x')}, count);
    context.run();
    BOOST_TEST(refused == 3);
}

BOOST_AUTO_TEST_CASE(a_reply_that_cannot_be_loaded_is_an_error_of_its_call)
{
    fake::daemon other(directory.socket("other"),
                       {{std::string(twice::name),
                         [](fake::session& with, const fake::request& c) {
                             with.reply(c.id, std::string("not a number at all"));
                         }},
                        fake::on<echo>([](const echo& c) { return c.text; })});
    wharf::client c(context, other.endpoint());
    error_code got;
    std::string good;
    c.async_call(twice{1}, [&](error_code ec, std::int64_t) { got = ec; });
    c.async_call(echo{"fine"}, [&](error_code, std::string reply) { good = reply; });
    context.run();
    BOOST_TEST(got == errc::trailing_data);
    BOOST_TEST(good == "fine");
}

BOOST_AUTO_TEST_CASE(a_reply_is_decoded_within_the_clients_limits)
{
    wharf::client_options tight;
    tight.decode.memory_base_bytes = 100;
    tight.decode.memory_factor = 0;
    wharf::client c(context, daemon.endpoint(), tight);
    error_code got;
    c.async_call(echo{std::string(1000, 'x')}, [&](error_code ec, std::string) { got = ec; });
    context.run();
    BOOST_TEST(got == errc::memory_limit);
}

BOOST_AUTO_TEST_CASE(a_command_larger_than_the_daemon_takes_fails_alone)
{
    wharf::conversation_limits small;
    small.message_bytes_max = 1000;
    fake::daemon other(directory.socket("other"), handlers(),
                       {.on_open = {}, .on_accept = {}, .limits = small});
    wharf::client c(context, other.endpoint());
    error_code got;
    c.async_call(echo{std::string(2000, 'x')}, [&](error_code ec, std::string) { got = ec; });
    std::int64_t good = 0;
    c.async_call(twice{1}, [&](error_code, std::int64_t n) { good = n; });
    context.run();
    BOOST_TEST(got == errc::message_limit);
    BOOST_TEST(good == 2);
}

BOOST_AUTO_TEST_CASE(completions_run_on_the_handlers_own_executor)
{
    asio::io_context other;
    std::thread::id seen;
    client.async_call(twice{1}, asio::bind_executor(other, [&](error_code, std::int64_t) {
                          seen = std::this_thread::get_id();
                      }));
    std::thread thread([&] { other.run(); }); // has work: the handler's
    const auto expected = thread.get_id();
    context.run();
    thread.join();
    BOOST_TEST((seen == expected));
}

BOOST_AUTO_TEST_SUITE_END()
