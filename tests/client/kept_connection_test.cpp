// A client that keeps its connection: hooks, states, reconnects, signs of life.
#include <wharf/client.hpp>
#include <wharf/service.hpp>

#include "client_fixture.hpp"
#include "fake_daemon.hpp"
#include "stream_commands.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run_until;
using wharf::client_state;
using wharf::errc;
using wharf::error_code;

namespace {

/// A daemon that notes in which order it was called.
struct fixture {
    fake::directory directory;
    std::vector<std::string> called; ///< guarded by daemon::run
    std::map<std::string, fake::handler> handlers{fake::on<twice>([this](const twice& c) {
                                                      called.push_back("twice " +
                                                                       std::to_string(c.number));
                                                      return c.number * 2;
                                                  }),
                                                  fake::on<echo>([this](const echo& c) {
                                                      called.push_back("echo " + c.text);
                                                      return c.text;
                                                  }),
                                                  fake::hold<wait_for_ever>()};
    const wharf::endpoint where = directory.socket();
    asio::io_context context;
    std::optional<wharf::client> client;

    fixture() { client.emplace(context, to_string(where), quick()); }

    static wharf::client_options quick()
    {
        wharf::client_options options;
        options.reconnect_delay_min = 1ms;
        options.reconnect_delay_max = 50ms;
        return options;
    }
    std::vector<std::string> calls_of(fake::daemon& daemon)
    {
        std::vector<std::string> all;
        daemon.run([&](auto&) { all = called; });
        return all;
    }
};

std::string name_of(client_state state)
{
    switch (state) {
    case client_state::connecting: return "connecting";
    case client_state::ready: return "ready";
    case client_state::backoff: return "backoff";
    case client_state::closed: return "closed";
    }
    return "?";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(kept_connection_suite, fixture)

BOOST_AUTO_TEST_CASE(a_client_that_keeps_its_connection_connects_without_a_call)
{
    auto options = quick();
    options.keep_connected = true;
    client.emplace(context, to_string(where), options);
    for (int i = 0; i != 3; ++i) {
        fake::daemon daemon(where, handlers);
        BOOST_TEST(run_until(context, [&] { return daemon.accepted() == 1; }));
    }
    client->close();
    context.restart();
    context.run(); // ends: nothing is left to keep
}

// Row 81: connect is an operation that completes, and each change of state is told.
BOOST_AUTO_TEST_CASE(row_81_the_states_of_a_client_over_a_restart_of_its_daemon)
{
    std::vector<std::string> trace;
    std::vector<errc> reasons;
    client->on_state([&](client_state state, const wharf::error* why) {
        // How often it tries meanwhile is a matter of time: the pairs of it count once.
        if (state == client_state::connecting && !trace.empty() && trace.back() == "backoff")
            trace.pop_back();
        if (trace.empty() || trace.back() != name_of(state))
            trace.push_back(name_of(state));
        BOOST_TEST((why != nullptr) == (state == client_state::backoff));
        if (why)
            reasons.push_back(why->code());
    });
    std::optional<fake::daemon> daemon(std::in_place, where, handlers);
    BOOST_TEST(run_until(context, [&] { return !trace.empty() && trace.back() == "ready"; }));
    daemon.reset();
    BOOST_TEST(run_until(
        context, [&] { return !reasons.empty() && reasons.back() == errc::connection_refused; }));
    daemon.emplace(where, handlers);
    BOOST_TEST(run_until(context, [&] { return trace.back() == "ready"; }));
    client->close();
    context.restart();
    context.run();
    const std::vector<std::string> expected{"connecting", "ready", "connecting", "ready", "closed"};
    BOOST_TEST(trace == expected, boost::test_tools::per_element());
    BOOST_TEST(reasons.front() == errc::connection_closed);
}

BOOST_AUTO_TEST_CASE(the_hook_runs_on_each_connection_before_the_calls_that_wait)
{
    client->on_connect([](wharf::session_handle on) -> asio::awaitable<void> {
        const echo subscribe{"subscribe " + std::to_string(on.id())};
        co_await on.async_call(subscribe);
        asio::steady_timer pause(co_await asio::this_coro::executor, 20ms);
        co_await pause.async_wait(asio::use_awaitable);
        co_await on.async_call(subscribe);
    });
    for (int i = 1; i != 3; ++i) {
        called.clear();
        std::int64_t got = 0;
        client->async_call(twice{i}, [&](error_code, std::int64_t n) { got = n; });
        fake::daemon daemon(where, handlers);
        BOOST_TEST(run_until(context, [&] { return got == 2 * i; }));
        const std::string subscribed = "echo subscribe " + std::to_string(i);
        const std::vector<std::string> expected{subscribed, subscribed,
                                                "twice " + std::to_string(i)};
        BOOST_TEST(calls_of(daemon) == expected, boost::test_tools::per_element());
        daemon.stop();
        // The client has seen the end, so that its next call waits for the next daemon.
        BOOST_TEST(run_until(context, [&] { return context.poll_one() == 0; }));
    }
}

BOOST_AUTO_TEST_CASE(a_hook_that_throws_ends_the_connection_and_is_tried_again)
{
    int tries = 0;
    std::vector<std::string> reasons;
    client->on_connect([&](wharf::session_handle) -> asio::awaitable<void> {
        if (++tries < 3)
            throw wharf::error(errc::conflict, "try " + std::to_string(tries));
        co_return;
    });
    client->on_state([&](client_state, const wharf::error* why) {
        if (why)
            reasons.push_back(why->text());
    });
    fake::daemon daemon(where, handlers);
    std::int64_t got = 0;
    client->async_call(twice{4}, [&](error_code ec, std::int64_t n) {
        BOOST_TEST(!ec, ec.message());
        got = n;
    });
    BOOST_TEST(run_until(context, [&] { return got == 8; }));
    const std::vector<std::string> expected{"try 1", "try 2"};
    BOOST_TEST(reasons == expected, boost::test_tools::per_element());
    BOOST_TEST(daemon.accepted() == 3);
}

BOOST_AUTO_TEST_CASE(a_hook_ends_with_its_connection)
{
    bool waiting = false;
    std::string ended;
    client->on_connect([&](wharf::session_handle) -> asio::awaitable<void> {
        waiting = true;
        asio::steady_timer for_ever(co_await asio::this_coro::executor, 1h);
        auto [ec] = co_await for_ever.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ended.empty())
            ended = ec.message();
    });
    fake::daemon daemon(where, handlers);
    BOOST_TEST(run_until(context, [&] { return waiting; }));
    daemon.close_connections();
    BOOST_TEST(run_until(context, [&] { return !ended.empty(); }));
    BOOST_TEST(ended == error_code(asio::error::operation_aborted).message());
}

BOOST_AUTO_TEST_CASE(calls_by_a_handle_end_with_its_connection)
{
    std::optional<wharf::session_handle> kept;
    client->on_connect([&](wharf::session_handle on) -> asio::awaitable<void> {
        if (!kept)
            kept = on;
        co_return;
    });
    fake::daemon daemon(where, handlers);
    BOOST_TEST(run_until(context, [&] { return kept.has_value(); }));
    BOOST_TEST(kept->caller().name == "daemon");
    BOOST_TEST(kept->is_open());
    error_code sent, later;
    kept->async_call(wait_for_ever{}, [&](error_code ec, std::string) { sent = ec; });
    BOOST_TEST(run_until(context, [&] {
        bool held = false;
        daemon.run([&](auto& sessions) { held = !sessions.front()->held.empty(); });
        return held;
    }));
    BOOST_TEST(client->in_flight() == 1u);
    daemon.close_connections();
    BOOST_TEST(run_until(context, [&] { return sent == errc::outcome_unknown; }));
    BOOST_TEST(run_until(context, [&] { return daemon.accepted() == 2 && !kept->is_open(); }));
    kept->async_call(twice{1}, [&](error_code ec, std::int64_t) { later = ec; });
    BOOST_TEST(run_until(context, [&] { return later == errc::not_connected; }));
}

BOOST_AUTO_TEST_CASE(a_handle_cancels_its_own_calls_and_not_those_of_the_client)
{
    std::optional<wharf::session_handle> kept;
    client->on_connect([&](wharf::session_handle on) -> asio::awaitable<void> {
        kept = on;
        co_return;
    });
    fake::daemon daemon(where, handlers);
    BOOST_TEST(run_until(context, [&] { return kept.has_value(); }));
    // Both number their calls from one.
    asio::cancellation_signal stop;
    error_code first, second;
    bool first_done = false;
    client->async_call(wait_for_ever{}, [&](error_code ec, std::string) {
        first = ec;
        first_done = true;
    });
    kept->async_call(wait_for_ever{},
                     asio::bind_cancellation_slot(
                         stop.slot(), [&](error_code ec, std::string) { second = ec; }));
    stop.emit(asio::cancellation_type::all);
    BOOST_TEST(run_until(context, [&] { return second == errc::cancelled; }));
    BOOST_TEST(!first_done);
    BOOST_TEST(client->in_flight() == 1u);
}

BOOST_AUTO_TEST_CASE(a_handle_closes_its_connection_and_the_client_makes_another)
{
    std::optional<wharf::session_handle> kept;
    std::vector<std::string> reasons;
    client->on_connect([&](wharf::session_handle on) -> asio::awaitable<void> {
        if (!kept)
            kept = on;
        co_return;
    });
    client->on_state([&](client_state, const wharf::error* why) {
        if (why)
            reasons.push_back(why->text());
    });
    fake::daemon daemon(where, handlers);
    BOOST_TEST(run_until(context, [&] { return kept.has_value(); }));
    kept->close(errc::session_limit, "enough");
    BOOST_TEST(run_until(context, [&] { return daemon.accepted() == 2 && !reasons.empty(); }));
    const std::vector<std::string> expected{"enough"};
    BOOST_TEST(reasons == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_daemon_that_says_nothing_any_more_is_left)
{
    std::vector<errc> reasons;
    client.emplace(context, to_string(where), [] {
        auto options = quick();
        options.ping_interval = 20ms;
        options.ping_timeout = 20ms;
        return options;
    }());
    client->on_state([&](client_state, const wharf::error* why) {
        if (why && why->text() == "no sign of life")
            reasons.push_back(why->code());
    });
    asio::io_context silent;
    auto listener = wharf::open_listener(silent.get_executor(), where);
    std::vector<wharf::transport> peers;
    BOOST_TEST(run_until(context, [&] {
        error_code ec;
        listener.non_blocking(true);
        wharf::transport peer(silent);
        listener.accept(peer, ec);
        if (!ec) { // says hello, and then no more
            wharf::conversation talk(wharf::side::server, {}, "silent", client_test::clock::now());
            peer.write_some(asio::buffer(talk.unsent().data(), talk.unsent().size()));
            peers.push_back(std::move(peer));
        }
        return reasons.size() == 2;
    }));
    BOOST_TEST(reasons.front() == errc::connection_reset);
}

BOOST_AUTO_TEST_SUITE_END()
