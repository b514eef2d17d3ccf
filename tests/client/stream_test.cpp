// The client's streams against a daemon that the test controls: order, back-pressure, ends.
#include <wharf/client.hpp>

#include "client_fixture.hpp"
#include "stream_daemon.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <optional>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run;
using client_test::run_until;
using wharf::errc;
using wharf::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct fixture : stream_daemon {
    asio::io_context context;
    wharf::client client{context, daemon->endpoint()};

    /// Runs until the daemon holds a call.
    void await_held()
    {
        BOOST_REQUIRE(run_until(context, [&] { return holds(); }));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(stream_suite, fixture)

BOOST_AUTO_TEST_CASE(items_come_in_order_and_then_the_end_again_and_again)
{
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        auto numbers = c.stream(ticks{1000});
        for (std::int64_t i = 0; i != 1000; ++i) {
            const std::optional<std::int64_t> got = co_await numbers.async_next();
            BOOST_REQUIRE(got.has_value());
            BOOST_REQUIRE(*got == i);
        }
        BOOST_TEST(!(co_await numbers.async_next()).has_value());
        BOOST_TEST(!(co_await numbers.async_next()).has_value());
        BOOST_TEST(co_await c.async_call<twice>(1) == 2);
    }(client));
    BOOST_TEST(daemon->accepted() == 1);
    BOOST_TEST(client.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(an_error_comes_after_the_items_that_were_sent_before_it)
{
    auto numbers = client.stream(ticks{-1});
    await_held();
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.front();
        for (std::int64_t i = 0; i != 3; ++i)
            with.send(with.held.front(), i);
        with.talk.reply_error(with.held.front(), errc::not_found, "the spring is dry");
    });
    run(context, [](wharf::stream<ticks> from) -> asio::awaitable<void> {
        for (std::int64_t i = 0; i != 3; ++i)
            BOOST_TEST((co_await from.async_next()).value() == i);
        for (int again = 0; again != 2; ++again) {
            try {
                co_await from.async_next();
                BOOST_ERROR("no exception");
            }
            catch (const wharf::error& e) {
                BOOST_TEST(e.code() == errc::not_found);
                BOOST_TEST(e.text() == "the spring is dry");
            }
        }
    }(std::move(numbers)));
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_suspends_the_producer)
{
    wharf::client_options narrow;
    narrow.conversation.stream_window_bytes = 16u << 10;
    wharf::client c(context, daemon->endpoint(), narrow);
    auto numbers = c.stream(ticks{-1});
    await_held();
    std::int64_t sent = 0;
    const auto send_all = [&] {
        daemon->run([&](auto& sessions) {
            fake::session& with = *sessions.front();
            while (sent < 1000000 && with.send(with.held.front(), sent))
                ++sent;
        });
    };
    send_all();
    const std::int64_t before = sent;
    BOOST_TEST(before > 100);
    BOOST_TEST(before <= (16 << 10) / 16 + 1); // each costs its header at least
    // Nobody takes an item: the client gives no credit, whatever arrives meanwhile.
    run(context, [](wharf::client& with) -> asio::awaitable<void> {
        for (int i = 0; i != 10; ++i)
            co_await with.async_call<twice>(i);
    }(c));
    send_all();
    BOOST_TEST(sent == before);
    std::int64_t taken = 0;
    run(context,
        [](wharf::stream<ticks>& from, std::int64_t& next,
           std::int64_t until) -> asio::awaitable<void> {
            while (next != until) {
                const auto got = co_await from.async_next();
                BOOST_REQUIRE(got.value() == next);
                ++next;
            }
        }(numbers, taken, before));
    BOOST_TEST(run_until(context, [&] {
        send_all();
        return sent > before;
    }));
}

BOOST_AUTO_TEST_CASE(dropping_a_stream_cancels_its_call_and_keeps_the_connection)
{
    {
        auto numbers = client.stream(ticks{-1});
        await_held();
        BOOST_TEST(client.in_flight() == 1u);
    }
    BOOST_TEST(client.in_flight() == 0u);
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<twice>(4) == 8);
    }(client));
    daemon->run([&](auto& sessions) { BOOST_TEST((saw.cancelled == sessions.front()->held)); });
    BOOST_TEST(daemon->accepted() == 1);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_dropped_before_it_was_sent_is_never_sent)
{
    daemon->stop();
    client.stream(ticks{3});
    BOOST_TEST(client.in_flight() == 0u);
    context.run(); // ends: nothing is left that would connect
    BOOST_TEST(daemon->accepted() == 0);
}

BOOST_AUTO_TEST_CASE(an_upload_arrives_whole_and_is_answered)
{
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        auto up = c.stream(pour{});
        const std::string chunk(100000, 'x');
        for (int i = 0; i != 50; ++i)
            co_await up.async_send(chunk);
        up.end_upload();
        BOOST_TEST(co_await up.async_result() == 5000000);
    }(client));
    BOOST_TEST(saw.uploads == 50u);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_consumes_nothing_suspends_the_upload)
{
    saw.consumes = false;
    auto up = client.stream(pour{});
    await_held();
    std::size_t sent = 0;
    asio::co_spawn(
        context,
        [](wharf::stream<pour>& to, std::size_t& count) -> asio::awaitable<void> {
            const std::string chunk(10000, 'x');
            for (;;) {
                co_await to.async_send(chunk);
                ++count;
            }
        }(up, sent),
        [](std::exception_ptr) {});
    const std::size_t window = wharf::conversation_limits{}.stream_window_bytes;
    BOOST_TEST(run_until(context, [&] {
        bool all = false;
        daemon->run([&](auto&) { all = saw.upload_bytes >= window - 10016; });
        return all;
    }));
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        for (int i = 0; i != 10; ++i)
            co_await c.async_call<twice>(i); // calls go on
    }(client));
    BOOST_TEST(sent <= window / 10016 + 1);
    up.close();
    context.restart();
    context.run();
}

BOOST_AUTO_TEST_CASE(items_travel_both_ways_at_once)
{
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        auto both = c.stream(mirror{});
        for (int i = 0; i != 200; ++i) {
            const std::string text = std::to_string(i);
            co_await both.async_send(text);
            BOOST_TEST((co_await both.async_next()).value() == text);
        }
        both.end_upload();
        BOOST_TEST(!(co_await both.async_next()).has_value());
    }(client));
}

BOOST_AUTO_TEST_CASE(a_lost_connection_ends_a_stream_with_its_outcome_unknown)
{
    auto numbers = client.stream(ticks{-1});
    await_held();
    daemon->close_connections();
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        const auto [ec, item] = co_await from.async_next(as_result);
        BOOST_TEST(ec == errc::outcome_unknown);
    }(numbers));
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<twice>(4) == 8);
    }(client));
    BOOST_TEST(daemon->accepted() == 2); // and the stream was not repeated
    daemon->run([](auto& sessions) { BOOST_TEST(sessions.front()->held.empty()); });
}

BOOST_AUTO_TEST_CASE(a_stream_waits_for_a_daemon_that_starts_later)
{
    const auto where = directory.socket("later");
    wharf::client early(context, to_string(where), {.reconnect_delay_max = 100ms});
    auto numbers = early.stream(ticks{5});
    context.run_for(50ms);
    fake::daemon later(where, handlers, how);
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        for (std::int64_t i = 0; i != 5; ++i)
            BOOST_TEST((co_await from.async_next()).value() == i);
    }(numbers));
}

BOOST_AUTO_TEST_CASE(a_stream_outlives_the_default_deadline_but_not_one_of_its_own)
{
    wharf::client brief(context, daemon->endpoint(), {.timeout = 300ms});
    run(context, [](wharf::client& c) -> asio::awaitable<void> { // so that it is connected
        BOOST_TEST(co_await c.async_call(twice{1}, {.timeout = 20s}) == 2);
    }(brief));
    auto open_ended = brief.stream(ticks{-1});
    auto bounded = brief.stream(ticks{-1}, {.timeout = 600ms});
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        const auto before = client_test::clock::now();
        const auto [ec, item] = co_await from.async_next(as_result);
        BOOST_TEST(ec == errc::deadline_exceeded);
        BOOST_TEST((client_test::clock::now() - before >= 500ms));
    }(bounded));
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.front();
        with.send(with.held.front(), std::int64_t(7));
    });
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        BOOST_TEST((co_await from.async_next()).value() == 7);
    }(open_ended));
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_for_an_item_loses_none)
{
    auto numbers = client.stream(ticks{-1});
    await_held();
    asio::cancellation_signal stop;
    error_code got;
    numbers.async_next(asio::bind_cancellation_slot(
        stop.slot(), [&](error_code ec, std::optional<std::int64_t>) { got = ec; }));
    stop.emit(asio::cancellation_type::total);
    BOOST_TEST(run_until(context, [&] { return got == errc::cancelled; }));
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.front();
        with.send(with.held.front(), std::int64_t(9));
    });
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        BOOST_TEST((co_await from.async_next()).value() == 9);
    }(numbers));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_knows_no_streams_is_said_so)
{
    fake::daemon::options old = how;
    old.limits.stream_window_bytes = 0;
    old.limits.session_window_bytes = 0;
    fake::daemon other(directory.socket("old"), handlers, old);
    wharf::client c(context, other.endpoint());
    auto numbers = c.stream(ticks{1});
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        const auto [ec, item] = co_await from.async_next(as_result);
        BOOST_TEST(ec == errc::unsupported_protocol);
    }(numbers));
}

// ---- Signs of life ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_silent_connection_is_given_up_while_a_stream_is_open)
{
    // It accepts, completes the handshake and then neither reads nor writes.
    asio::io_context silent_context;
    const auto where = directory.socket("silent");
    auto listener = wharf::open_listener(silent_context.get_executor(), where);
    wharf::client c(context, to_string(where), {.ping_interval = 50ms, .ping_timeout = 50ms});
    auto numbers = c.stream(ticks{-1});
    context.run_for(20ms);
    auto peer = listener.accept();
    wharf::conversation talk(wharf::side::server, {}, "silent", client_test::clock::now());
    peer.write_some(asio::buffer(talk.unsent().data(), talk.unsent().size()));
    std::string text;
    const auto before = client_test::clock::now();
    run(context, [](wharf::stream<ticks>& from, std::string& why) -> asio::awaitable<void> {
        try {
            co_await from.async_next();
        }
        catch (const wharf::error& e) {
            BOOST_TEST(e.code() == errc::outcome_unknown);
            why = e.text();
        }
    }(numbers, text));
    BOOST_TEST(text.find("no sign of life") != std::string::npos, text);
    BOOST_TEST((client_test::clock::now() - before < 2s));
}

BOOST_AUTO_TEST_CASE(a_daemon_that_answers_pings_is_waited_for)
{
    wharf::client c(context, daemon->endpoint(), {.ping_interval = 5ms, .ping_timeout = 1s});
    auto numbers = c.stream(ticks{-1});
    await_held();
    int receives = daemon->receives();
    BOOST_TEST(run_until(context, [&] { return daemon->receives() >= receives + 20; })); // pings
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.front();
        with.send(with.held.front(), std::int64_t(1));
        with.end(with.held.front());
    });
    run(context, [](wharf::stream<ticks>& from) -> asio::awaitable<void> {
        BOOST_TEST((co_await from.async_next()).value() == 1);
        BOOST_TEST(!(co_await from.async_next()).has_value());
    }(numbers));
    BOOST_TEST(daemon->accepted() == 1);
    context.restart();
    context.run(); // ends: without streams nothing is watched
}

BOOST_AUTO_TEST_SUITE_END()
