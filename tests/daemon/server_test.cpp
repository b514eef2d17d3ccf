// The server over real sockets: start, refusals, an orderly stop, and what it says of itself.
#include "support.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

using namespace wharf;
using namespace wharf::test;
namespace asio = boost::asio;

namespace {

std::string start_refusal(const server_options& o)
{
    server s(o);
    try {
        s.start();
    }
    catch (const error& e) {
        return std::string(to_name(e.code())) + ": " + e.text();
    }
    return "started";
}

/// Answers each call after a while, and counts those that began.
struct slow_service {
    std::atomic<int>* begun;
    std::chrono::milliseconds takes;
    void serve(router& commands)
    {
        commands.on<add>([this](add c, call& current) -> awaitable<std::int64_t> {
            asio::steady_timer timer(current.get_executor(), takes);
            ++*begun;
            co_await timer.async_wait(asio::use_awaitable);
            co_return c.a + c.b;
        });
    }
};

} // namespace

// Row 91: the reply is the acknowledgement.
BOOST_AUTO_TEST_CASE(row_91_a_call_is_answered_end_to_end)
{
    server s(open_options());
    s.serve(basic_service{});
    s.start();
    peer p(s.endpoints().at(0));
    BOOST_TEST(p.ask(add{1, 2}).as<std::int64_t>() == 3);
    BOOST_TEST(p.ask(echo{"hello"}).as<std::string>() == "hello");
}

// Row 3: port 0 is resolved, and two servers get two ports.
BOOST_AUTO_TEST_CASE(row_3_port_0_is_reported_as_it_really_is)
{
    server one(open_options()), two(open_options());
    for (server* s : {&one, &two}) {
        s->serve(basic_service{});
        s->start();
    }
    const auto port_of = [](const server& s) {
        return std::get<tcp_endpoint>(s.endpoints().at(0)).port;
    };
    BOOST_TEST(port_of(one) != 0);
    BOOST_TEST(port_of(one) != port_of(two));
    BOOST_CHECK(one.status().listeners.at(0).where == one.endpoints().at(0));
    BOOST_TEST(peer(one.endpoints().at(0)).ask(add{1, 1}).as<std::int64_t>() == 2);
    BOOST_TEST(peer(two.endpoints().at(0)).ask(add{2, 2}).as<std::int64_t>() == 4);
}

BOOST_AUTO_TEST_CASE(a_tcp_listener_without_an_allow_line_is_refused_with_the_line_to_add)
{
    server_options o = open_options();
    o.allow.clear();
    BOOST_TEST(start_refusal(o).find("allow = [{ listener = \"tcp\", method = \"anonymous\"") !=
               std::string::npos);
    o.allow = {{"*", "unix", "*", "all"}};
    BOOST_TEST(start_refusal(o).find("no allow line") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_allow_line_that_means_nothing_refuses_the_start)
{
    server_options o = open_options();
    o.allow[0].role = "boss";
    BOOST_TEST(start_refusal(o) == "bad_argument: allow line 1: there is no role \"boss\"");
}

BOOST_AUTO_TEST_CASE(a_port_in_use_refuses_the_start_and_leaves_nothing_open)
{
    const scratch_directory dir;
    server first(open_options());
    first.start();
    server_options o = open_options();
    listener_options local;
    local.where = unix_endpoint{dir / "a.sock"};
    o.listeners.insert(o.listeners.begin(), local);
    o.listeners[1].where = first.endpoints().at(0);
    BOOST_TEST(start_refusal(o).starts_with("address_in_use: "));
    BOOST_TEST(!std::filesystem::exists(dir / "a.sock"));
}

// Row 22: a datagram endpoint does not exist for a server either.
BOOST_AUTO_TEST_CASE(row_22_a_udp_endpoint_is_refused_by_name)
{
    BOOST_CHECK_EXCEPTION(parse_endpoint("udp:127.0.0.1:7040"), error, [](const error& e) {
        return e.code() == errc::bad_endpoint && e.text().find("udp") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_command_that_is_served_twice_refuses_the_second_service)
{
    server s(open_options());
    s.serve(basic_service{});
    BOOST_CHECK_THROW(s.serve(basic_service{}), error);
}

BOOST_AUTO_TEST_CASE(a_service_that_is_an_lvalue_is_used_where_it_stands)
{
    struct counting {
        int calls = 0;
        void serve(router& commands)
        {
            commands.on<add>([this](const add& c) {
                ++calls;
                return c.a;
            });
        }
    } service;
    server s(open_options());
    s.serve(service);
    s.start();
    peer(s.endpoints().at(0)).ask(add{1, 1});
    s.stop();
    BOOST_TEST(service.calls == 1);
}

BOOST_AUTO_TEST_CASE(a_connected_descriptor_can_be_adopted)
{
    server_options o;
    o.roles.push_back({"all", {"*"}});
    o.allow.push_back({"*", "unix", "self", "all"});
    o.threads = 1;
    server s(o);
    s.serve(basic_service{});
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    BOOST_CHECK_THROW(s.adopt(ends[0], "pair"), error);
    ::close(ends[1]);
    s.start();
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    s.adopt(ends[0], "pair");
    BOOST_TEST(peer(owned_fd(ends[1])).ask(add{4, 5}).as<std::int64_t>() == 9);
}

BOOST_AUTO_TEST_CASE(one_session_too_many_is_told_that_the_server_is_overloaded)
{
    server_options o = open_options();
    o.sessions_max = 2;
    server s(o);
    s.serve(basic_service{});
    s.start();
    std::optional<peer> one(s.endpoints().at(0)), two(s.endpoints().at(0));
    one->open();
    two->open();
    {
        peer three(s.endpoints().at(0));
        BOOST_TEST(three.wait_for_end());
        BOOST_CHECK(three.goaway() == errc::overloaded);
    }
    BOOST_TEST(one->ask(add{1, 1}).as<std::int64_t>() == 2);
    two.reset();
    BOOST_REQUIRE(eventually([&] { return s.status().sessions == 1; }));
    BOOST_TEST(peer(s.endpoints().at(0)).ask(add{1, 1}).as<std::int64_t>() == 2);
}

BOOST_AUTO_TEST_CASE(a_stop_answers_a_hundred_calls_in_flight)
{
    std::atomic<int> begun = 0;
    server s(open_options(2));
    s.serve(slow_service{&begun, 100ms});
    s.start();
    std::vector<peer> peers;
    for (int i = 0; i < 10; ++i)
        peers.emplace_back(s.endpoints().at(0));
    for (peer& p : peers) {
        for (int i = 0; i < 10; ++i)
            p.send(add{i, 1}, false);
        p.flush();
    }
    BOOST_REQUIRE(eventually([&] { return begun == 100; }));
    std::thread stopper([&] { s.stop(); });
    int answered = 0;
    for (peer& p : peers) {
        for (int i = 0; i < 10; ++i) {
            const auto a = p.receive();
            answered += a && !a->failed;
        }
        BOOST_CHECK(p.wait_for_end());
        BOOST_CHECK(p.goaway() == errc::going_away);
    }
    stopper.join();
    BOOST_TEST(answered == 100);
    BOOST_TEST(connect_to(s.endpoints().at(0)).get() < 0);
    BOOST_TEST(s.status().draining);
}

BOOST_AUTO_TEST_CASE(a_stop_answers_what_had_arrived_and_refuses_what_comes_later)
{
    std::atomic<int> begun = 0;
    server s(open_options());
    s.serve(slow_service{&begun, 100ms});
    s.start();
    peer p(s.endpoints().at(0));
    p.send(add{1, 1});
    BOOST_REQUIRE(eventually([&] { return begun == 1; }));
    std::thread stopper([&] { s.stop(); });
    BOOST_REQUIRE(eventually([&] { return s.status().draining; }));
    while (!p.goaway())
        p.exchange_once();
    BOOST_CHECK_THROW(p.send(add{2, 2}), error); // the conversation knows
    BOOST_TEST(p.expect().as<std::int64_t>() == 2);
    BOOST_TEST(p.wait_for_end());
    stopper.join();
}

BOOST_AUTO_TEST_CASE(a_stop_waits_no_longer_than_the_drain_timeout)
{
    std::atomic<int> begun = 0;
    server_options o = open_options();
    o.drain_timeout = 50ms;
    server s(o);
    s.serve(slow_service{&begun, 1h});
    s.start();
    peer p(s.endpoints().at(0));
    p.send(add{1, 1});
    BOOST_REQUIRE(eventually([&] { return begun == 1; }));
    const auto before = clock::now();
    s.stop();
    BOOST_TEST((clock::now() - before < 2s));
    BOOST_TEST(s.status().sessions == 0u);
}

BOOST_AUTO_TEST_CASE(a_stop_with_nothing_to_do_is_quick_and_may_be_repeated)
{
    server never(open_options());
    never.stop();
    server s(open_options());
    s.start();
    peer idle(s.endpoints().at(0));
    idle.open();
    std::thread reader([&] {
        idle.wait_for_end();
        idle.take();
    });
    s.stop();
    s.stop();
    reader.join();
    BOOST_CHECK(idle.goaway() == errc::going_away);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_a_thread_that_is_still_inside_the_post_that_answered_a_call)
{
    // As a store's thread is: the call has its answer, and the thread still touches the worker's
    // loop.
    using guard = boost::asio::executor_work_guard<boost::asio::any_io_executor>;
    std::promise<guard> held;
    auto guarded = held.get_future();
    std::promise<void> stopping;
    std::atomic<bool> released{false};
    std::thread other([&] {
        guard g = guarded.get();
        stopping.get_future().wait();
        // Long enough for a stop that does not wait, which takes about a millisecond.
        std::promise<void>().get_future().wait_for(100ms);
        released = true;
        g.reset();
    });
    server s(open_options());
    struct holding {
        std::promise<guard>& held;
        void serve(router& commands)
        {
            commands.on<poke>([this](const poke&, call& current) {
                held.set_value(guard(current.get_executor()));
            });
        }
    } service{held};
    s.serve(service);
    s.start();
    {
        peer client(s.endpoints().at(0));
        BOOST_TEST(!client.ask(poke{}).failed);
    }
    stopping.set_value();
    s.stop();
    BOOST_TEST(released.load());
    other.join();
}

BOOST_AUTO_TEST_CASE(every_worker_answers_a_ping)
{
    server s(open_options(3));
    s.start();
    std::promise<void> answered;
    s.ping_workers([&] { answered.set_value(); });
    BOOST_CHECK(answered.get_future().wait_for(patience) == std::future_status::ready);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_stuck_does_not_answer_a_ping)
{
    std::promise<void> release;
    auto released = release.get_future().share();
    std::atomic<bool> stuck = false;
    struct blocking {
        std::shared_future<void> released;
        std::atomic<bool>* stuck;
        void serve(router& commands)
        {
            commands.on<poke>([this](const poke&) {
                *stuck = true;
                released.wait();
            });
        }
    };
    server s(open_options(2));
    s.serve(blocking{released, &stuck});
    s.start();
    peer p(s.endpoints().at(0));
    p.send(poke{});
    BOOST_REQUIRE(eventually([&] { return stuck.load(); }));
    std::promise<void> answered;
    auto future = answered.get_future();
    s.ping_workers([&] { answered.set_value(); });
    BOOST_CHECK(future.wait_for(50ms) == std::future_status::timeout);
    release.set_value();
    BOOST_CHECK(future.wait_for(patience) == std::future_status::ready);
    BOOST_TEST(!p.expect().failed.has_value());
}

BOOST_AUTO_TEST_CASE(sessions_are_spread_over_the_workers)
{
    std::mutex mutex;
    std::vector<std::thread::id> seen;
    struct who {
        std::mutex* mutex;
        std::vector<std::thread::id>* seen;
        void serve(router& commands)
        {
            commands.on<poke>([this](const poke&) {
                const std::lock_guard lock(*mutex);
                if (std::find(seen->begin(), seen->end(), std::this_thread::get_id()) ==
                    seen->end())
                    seen->push_back(std::this_thread::get_id());
            });
        }
    };
    server s(open_options(3));
    s.serve(who{&mutex, &seen});
    s.start();
    std::vector<peer> peers;
    for (int i = 0; i < 6; ++i) {
        peers.emplace_back(s.endpoints().at(0));
        BOOST_TEST(!peers.back().ask(poke{}).failed.has_value());
    }
    BOOST_TEST(seen.size() == 3u);
}

BOOST_AUTO_TEST_CASE(the_status_counts_what_happened)
{
    server s(open_options(2));
    s.serve(basic_service{});
    s.start();
    peer p(s.endpoints().at(0));
    p.ask(add{1, 1});
    p.ask_raw("no.such", {});
    const server_status now = s.status();
    BOOST_TEST(now.sessions == 1u);
    BOOST_TEST(now.sessions_total == 1u);
    BOOST_TEST(now.calls == 2u);
    BOOST_TEST(now.errors == 1u);
    BOOST_TEST(now.threads == 2u);
    BOOST_TEST(now.listeners.at(0).accepted == 1u);
    BOOST_TEST(!now.draining);
    BOOST_TEST(s.command_names().size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_handler_learns_which_commands_its_caller_may_call)
{
    struct asking {
        void serve(router& commands)
        {
            commands.on<echo>([](const echo&, call& current) {
                std::string all;
                for (const std::string& name : current.commands())
                    all += name + " ";
                return all + "as " + current.caller().role;
            });
            commands.on<add>([](const add& c) { return c.a; });
        }
    };
    server_options o = open_options();
    o.roles = {{"some", {"test.*"}}};
    o.allow[0].role = "some";
    server s(o);
    s.serve(asking{});
    s.start();
    BOOST_TEST(peer(s.endpoints().at(0)).ask(echo{}).as<std::string>() == "test.echo as some");
}
