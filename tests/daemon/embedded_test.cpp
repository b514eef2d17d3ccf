// A server on the program's own context: no thread of its own, over a socketpair, beside a client.
#include "services/system.hpp"
#include "support.hpp"

#include <wharf/client.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <future>
#include <thread>

using namespace wharf;
using namespace wharf::test;
namespace asio = boost::asio;

namespace {

std::size_t threads_of_this_process()
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/task"))
        ++count;
    return count;
}

server_options embedded_options()
{
    server_options o = open_options();
    o.listeners.clear();
    return o;
}

/// Lives as long as the server needs it, which the count of its owners tells.
struct counting {
    std::shared_ptr<int> served;
    void serve(router& commands)
    {
        commands.on<add>([this](const add&) { return ++*served; });
    }
};

struct pair_of_sockets {
    pair_of_sockets()
    {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
            throw std::runtime_error("socketpair failed");
        ours = owned_fd(fds[0]);
        theirs = owned_fd(fds[1]);
    }
    owned_fd ours, theirs;
};

/// A conversation on the same context as the server.
class async_peer {
public:
    async_peer(asio::io_context& context, owned_fd fd)
        : stream_(context, asio::generic::stream_protocol(AF_UNIX, 0), fd.release()),
          words_(side::client, {}, "test", clock::now())
    {}
    awaitable<void> open()
    {
        while (!words_.is_open())
            co_await exchange();
    }
    template <class C>
    awaitable<answer> ask(C command)
    {
        co_await open();
        const auto number = words_.declare(C::name);
        words_.call(number, encode(command).view(), std::nullopt, clock::now());
        while (answers_.empty() && !ended_)
            co_await exchange();
        if (answers_.empty())
            throw error(goaway_, "no answer");
        answer a = std::move(answers_.front());
        answers_.erase(answers_.begin());
        co_return a;
    }
    awaitable<void> until_end()
    {
        while (!ended_)
            co_await exchange();
    }
    errc goaway() const { return goaway_; }

private:
    awaitable<void> exchange()
    {
        while (!words_.unsent().empty()) {
            const auto bytes = words_.unsent();
            words_.sent(co_await stream_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                                          asio::use_awaitable));
        }
        const auto room = words_.prepare();
        const auto [failed, n] = co_await stream_.async_read_some(
            asio::buffer(room.data(), room.size()), asio::as_tuple(asio::use_awaitable));
        if (failed)
            ended_ = true;
        else
            words_.commit(n);
        for (;;) {
            const event e = words_.next();
            if (const auto* ok = std::get_if<events::replied>(&e))
                answers_.push_back({ok->id, {}, {}, {ok->message.begin(), ok->message.end()}, {}});
            else if (const auto* bad = std::get_if<events::failed>(&e))
                answers_.push_back({bad->id, bad->code, std::string(bad->text), {}, {}});
            else if (const auto* away = std::get_if<events::going_away>(&e))
                goaway_ = away->code;
            else if (std::holds_alternative<events::nothing>(e) ||
                     std::holds_alternative<events::ended>(e))
                break;
        }
    }

    transport stream_;
    conversation words_;
    std::vector<answer> answers_;
    errc goaway_{};
    bool ended_ = false;
};

/// Runs the coroutine to its end on the context, with everything else that is there.
template <class F>
void run(asio::io_context& context, F&& body)
{
    std::exception_ptr thrown;
    bool done = false;
    context.restart(); // it may have run out of work
    asio::co_spawn(context, std::forward<F>(body), [&](const std::exception_ptr& e) {
        thrown = e;
        done = true;
    });
    const auto until = clock::now() + patience;
    while (!done && clock::now() < until)
        if (context.run_one_for(patience) == 0)
            break;
    if (thrown)
        std::rethrow_exception(thrown);
    BOOST_REQUIRE(done);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_server_and_its_client_share_one_context_and_one_thread)
{
    const std::size_t threads = threads_of_this_process();
    asio::io_context context(1);
    server s(embedded_options(), context);
    s.serve(basic_service{});
    s.start();
    pair_of_sockets ends;
    s.adopt(ends.theirs.release(), "pair");
    async_peer p(context, std::move(ends.ours));
    run(context, [&]() -> awaitable<void> {
        const answer sum = co_await p.ask(add{1, 2});
        BOOST_TEST(sum.as<std::int64_t>() == 3);
        const auto all = co_await s.sessions(10);
        BOOST_TEST(all.sessions.size() == 1u);
        BOOST_TEST(all.unanswered == 0u);
    });
    BOOST_TEST(threads_of_this_process() == threads);
    BOOST_TEST(s.status().sessions == 1u);
    run(context, [&]() -> awaitable<void> { co_await s.async_stop(); });
    BOOST_TEST(s.status().sessions == 0u);
    run(context, [&]() -> awaitable<void> { co_await p.until_end(); });
    BOOST_CHECK(p.goaway() == errc::going_away);
    // Nothing is left that would keep the context running.
    context.restart();
    BOOST_TEST(context.run_for(patience) < 100u);
    BOOST_TEST(context.stopped());
}

BOOST_AUTO_TEST_CASE(a_real_client_may_have_the_other_end_of_the_pair)
{
    asio::io_context context(1);
    server s(embedded_options(), context);
    s.serve(basic_service{});
    s.start();
    pair_of_sockets ends;
    s.adopt(ends.theirs.release(), "pair");
    client c(context, "fd:" + std::to_string(ends.ours.release()));
    run(context, [&]() -> awaitable<void> {
        for (std::int64_t i = 0; i < 100; ++i)
            BOOST_TEST(co_await c.async_call<add>(i, 1) == i + 1);
        co_await s.async_stop();
    });
    BOOST_TEST(s.status().calls == 100u);
}

BOOST_AUTO_TEST_CASE(a_listener_and_a_real_client_on_one_context)
{
    const scratch_directory dir;
    server_options o = open_options();
    o.listeners[0].where = unix_endpoint{dir / "s"};
    asio::io_context context(1);
    server s(o, context);
    system_service about(s, {.software = "embedded", .counters = {}, .store = {}});
    s.serve(basic_service{});
    s.serve(about);
    s.start();
    client c(context, "unix:" + (dir / "s"));
    run(context, [&]() -> awaitable<void> {
        BOOST_TEST(co_await c.async_call<add>(20, 22) == 42);
        BOOST_TEST(co_await c.async_call<system::ping>(5u) == 5u);
        const auto all = co_await c.async_call<system::sessions>();
        BOOST_TEST(all.total == 1u);
        co_await s.async_stop();
    });
    c.close();
    context.restart();
    BOOST_TEST(context.run_for(patience) < 100u);
    BOOST_TEST(context.stopped());
    BOOST_TEST(!std::filesystem::exists(dir / "s"));
}

BOOST_AUTO_TEST_CASE(run_returns_when_every_session_has_ended)
{
    asio::io_context context(1);
    server s(embedded_options(), context);
    asio::steady_timer gate(context, clock::time_point::max());
    struct waiting_service {
        asio::steady_timer* gate;
        void serve(router& commands)
        {
            commands.on<add>([gate = gate](add c) -> awaitable<std::int64_t> {
                co_await gate->async_wait(asio::as_tuple(asio::use_awaitable));
                co_return c.a;
            });
        }
    };
    s.serve(waiting_service{&gate});
    s.start();
    pair_of_sockets ends;
    s.adopt(ends.theirs.release(), "pair");
    async_peer p(context, std::move(ends.ours));
    bool answered = false;
    asio::co_spawn(
        context,
        [&]() -> awaitable<void> {
            const answer a = co_await p.ask(add{7, 0});
            answered = a.as<std::int64_t>() == 7;
            co_await p.until_end();
        },
        asio::detached);
    while (s.status().calls == 0)
        context.run_one_for(patience);
    bool stopped = false;
    s.async_stop([&] { stopped = true; });
    // The call that was accepted is answered first.
    context.poll();
    BOOST_TEST(!stopped);
    gate.cancel();
    context.run_for(patience);
    BOOST_TEST(context.stopped());
    BOOST_TEST(stopped);
    BOOST_TEST(answered);
    BOOST_TEST(s.status().sessions == 0u);
}

BOOST_AUTO_TEST_CASE(a_stop_on_a_context_waits_no_longer_than_the_drain_timeout)
{
    server_options o = embedded_options();
    o.drain_timeout = 20ms;
    asio::io_context context(1);
    server s(o, context);
    struct endless {
        void serve(router& commands)
        {
            commands.on<add>([](add, call& current) -> awaitable<std::int64_t> {
                asio::steady_timer never(current.get_executor(), clock::time_point::max());
                co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
                co_return 0;
            });
        }
    };
    s.serve(endless{});
    s.start();
    pair_of_sockets ends;
    s.adopt(ends.theirs.release(), "pair");
    peer p(std::move(ends.ours));
    std::thread asking([&] {
        p.send(add{1, 1});
        BOOST_TEST(!p.receive().has_value());
    });
    while (s.status().calls == 0)
        context.run_one_for(patience);
    const auto begun = clock::now();
    s.begin_stop();
    context.run_for(patience);
    BOOST_TEST(context.stopped());
    BOOST_TEST((clock::now() - begun < 5s));
    BOOST_TEST(s.status().sessions == 0u);
    asking.join();
}

BOOST_AUTO_TEST_CASE(a_server_may_go_before_its_sessions_have_noticed)
{
    asio::io_context context(1);
    pair_of_sockets ends;
    auto served = std::make_shared<int>(0);
    {
        server s(embedded_options(), context);
        s.serve(counting{served});
        s.start();
        s.adopt(ends.theirs.release(), "pair");
        context.poll();
    }
    BOOST_TEST(served.use_count() == 2); // the session keeps the service, until it has ended
    peer p(std::move(ends.ours));
    context.run_for(patience);
    BOOST_TEST(context.stopped());
    BOOST_TEST(served.use_count() == 1);
    BOOST_CHECK_THROW(p.ask(add{1, 1}), error);
}

BOOST_AUTO_TEST_CASE(a_context_may_go_with_what_a_server_left_in_it)
{
    auto served = std::make_shared<int>(0);
    {
        asio::io_context context(1);
        pair_of_sockets ends;
        {
            server s(embedded_options(), context);
            s.serve(counting{served});
            s.start();
            s.adopt(ends.theirs.release(), "pair");
            peer p(std::move(ends.ours));
            p.flush();
            context.poll();
        }
        BOOST_TEST(served.use_count() == 2);
    }
    BOOST_TEST(served.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_strand_of_a_pool_is_an_executor_too)
{
    asio::thread_pool pool(4);
    server s(embedded_options(), asio::any_io_executor(asio::make_strand(pool)));
    s.serve(basic_service{});
    s.start();
    std::vector<std::unique_ptr<peer>> peers;
    for (int i = 0; i < 8; ++i) {
        pair_of_sockets ends;
        asio::post(s.get_executor(),
                   asio::use_future([&] { s.adopt(ends.theirs.release(), "pair"); }))
            .get();
        peers.push_back(std::make_unique<peer>(std::move(ends.ours)));
    }
    for (int round = 0; round < 20; ++round) {
        for (const auto& p : peers)
            p->send(add{round, 1});
        for (const auto& p : peers)
            BOOST_TEST(p->expect().as<std::int64_t>() == round + 1);
    }
    std::promise<void> stopped;
    asio::post(s.get_executor(), [&] { s.async_stop([&] { stopped.set_value(); }); });
    BOOST_CHECK(stopped.get_future().wait_for(patience) == std::future_status::ready);
    pool.join();
}

BOOST_AUTO_TEST_CASE(each_kind_of_server_is_stopped_in_its_own_way)
{
    asio::io_context context(1);
    server embedded(embedded_options(), context), threaded(embedded_options());
    embedded.start();
    threaded.start();
    BOOST_CHECK_THROW(embedded.stop(), error);
    BOOST_CHECK_THROW(threaded.begin_stop(), error);
    threaded.stop();
    embedded.begin_stop();
    bool stopped = false;
    embedded.async_stop([&] { stopped = true; }); // again, and after the end
    context.run_for(patience);
    BOOST_TEST(stopped);
    BOOST_CHECK_THROW(embedded.adopt(-1, "pair"), error);
}
