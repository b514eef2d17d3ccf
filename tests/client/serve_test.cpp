// Commands that a client serves to its daemon: forms of handlers, cancelling, streams, ends.
#include <wharf/client.hpp>
#include <wharf/service.hpp>

#include "client_fixture.hpp"
#include "fake_daemon.hpp"
#include "stream_commands.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run_until;
using wharf::errc;

namespace {

/// The answer that the daemon got.
struct answer {
    errc code{};
    std::string text;
    std::vector<std::byte> message;
    template <class T>
    T as() const
    {
        return fake::decode<T>(std::span(message.data(), message.size()));
    }
};

struct fixture {
    fake::directory directory;
    std::mutex mutex;
    std::map<std::uint64_t, answer> answers;
    std::map<std::uint64_t, std::vector<std::string>> items;
    bool consumes = true;

    fake::daemon::options how{.on_open = {},
                              .on_accept = {},
                              .limits = {},
                              .on_event = [this](fake::session& with, const wharf::event& what) {
                                  on_event(with, what);
                              }};
    fake::daemon daemon{
        directory.socket(), {fake::on<twice>([](const twice& c) { return c.number * 2; })}, how};
    asio::io_context context;
    wharf::client client{context, daemon.endpoint()};

    void on_event(fake::session& with, const wharf::event& what)
    {
        const std::lock_guard lock(mutex);
        if (auto* reply = std::get_if<wharf::events::replied>(&what))
            answers[reply->id] = {{}, {}, {reply->message.begin(), reply->message.end()}};
        else if (auto* failure = std::get_if<wharf::events::failed>(&what))
            answers[failure->id] = {failure->code, std::string(failure->text), {}};
        else if (auto* item = std::get_if<wharf::events::item>(&what)) {
            items[item->id].push_back(fake::decode<std::string>(item->message));
            if (consumes)
                with.talk.consumed(item->id, item->which, item->message.size());
        }
    }
    /// Waits for the connection that a client which serves makes by itself.
    void await_connection()
    {
        BOOST_REQUIRE(run_until(context, [&] {
            bool open = false;
            daemon.run([&](auto& sessions) {
                open = !sessions.empty() && sessions.front()->talk.is_open();
            });
            return open;
        }));
    }
    template <class C>
    std::uint64_t start(const C& what, std::optional<std::chrono::milliseconds> timeout = {})
    {
        std::uint64_t id = 0;
        daemon.run([&](auto& sessions) { id = sessions.front()->call(what, timeout); });
        return id;
    }
    bool is_answered(std::uint64_t id)
    {
        const std::lock_guard lock(mutex);
        return answers.count(id) != 0;
    }
    answer await_answer(std::uint64_t id)
    {
        BOOST_REQUIRE(run_until(context, [&] { return is_answered(id); }));
        const std::lock_guard lock(mutex);
        return answers[id];
    }
    template <class C>
    answer ask(const C& what, std::optional<std::chrono::milliseconds> timeout = {})
    {
        return await_answer(start(what, timeout));
    }
    std::size_t items_of(std::uint64_t id)
    {
        const std::lock_guard lock(mutex);
        return items[id].size();
    }
    void cancel(std::uint64_t id)
    {
        daemon.run([&](auto& sessions) { sessions.front()->talk.cancel(id); });
    }
};

/// Answered inline, where nothing but its message is held.
struct note {
    using reply = void;
    static constexpr std::string_view name = "test.note";
    std::string text;
};

/// A service out of a function that fills the router.
template <class F>
struct filling {
    F fill;
    void serve(wharf::router& router) { fill(router); }
};
template <class F>
filling(F) -> filling<F>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(serve_suite, fixture)

BOOST_AUTO_TEST_CASE(a_client_answers_by_handlers_of_every_form)
{
    std::atomic<std::thread::id> blocking_ran_on{};
    client.serve(filling{[&](wharf::router& router) {
        router.on<twice>([](const twice& c) { return c.number * 2; });
        router.on<echo>([](echo c, wharf::call& current) -> wharf::awaitable<std::string> {
            asio::steady_timer timer(current.get_executor(), 1ms);
            co_await timer.async_wait(asio::use_awaitable);
            co_return c.text + " from " + current.caller().name;
        });
        router.on<touch>(wharf::blocking,
                         [&](const touch&) { blocking_ran_on = std::this_thread::get_id(); });
    }});
    await_connection();
    BOOST_TEST(ask(twice{21}).as<std::int64_t>() == 42);
    BOOST_TEST(ask(echo{"hello"}).as<std::string>() == "hello from daemon");
    const answer touched = ask(touch{1});
    BOOST_TEST(touched.code == errc{});
    BOOST_TEST(touched.message.empty());
    BOOST_TEST((blocking_ran_on.load() != std::thread::id()));
    BOOST_TEST((blocking_ran_on.load() != std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(what_a_handler_throws_is_answered)
{
    client.serve(filling{[](wharf::router& router) {
        router.on<twice>(
            [](const twice&) -> std::int64_t { throw wharf::error(errc::not_found, "no number"); });
        router.on<echo>([](echo) -> wharf::awaitable<std::string> {
            throw std::runtime_error("a secret");
            co_return "";
        });
    }});
    await_connection();
    const answer named = ask(twice{1});
    BOOST_TEST(named.code == errc::not_found);
    BOOST_TEST(named.text == "no number");
    const answer hidden = ask(echo{"x"});
    BOOST_TEST(hidden.code == errc::internal);
    BOOST_TEST(hidden.text.empty());
    BOOST_TEST(ask(touch{1}).code == errc::unknown_command);
}

BOOST_AUTO_TEST_CASE(a_client_that_serves_nothing_answers_unknown_command)
{
    client.async_call(wait_for_ever{}, [](wharf::error_code, std::string) {});
    await_connection();
    const answer r = ask(twice{1});
    BOOST_TEST(r.code == errc::unknown_command);
    BOOST_TEST(r.text == "this client serves no commands");
}

BOOST_AUTO_TEST_CASE(handlers_start_one_after_the_other_and_never_inside_a_call_of_ours)
{
    int depth = 0, deepest = 0, handled = 0;
    bool in_call = false;
    client.serve(filling{[&](wharf::router& router) {
        router.on<twice>([&](const twice& c) {
            deepest = std::max(deepest, ++depth);
            BOOST_TEST(!in_call);
            in_call = true;
            client.async_call(twice{1}, [&](wharf::error_code ec, std::int64_t) {
                BOOST_TEST(!ec);
                ++handled;
            });
            in_call = false;
            --depth;
            return c.number;
        });
    }});
    await_connection();
    daemon.run([](auto& sessions) {
        for (int i = 0; i != 100; ++i)
            sessions.front()->call(twice{i});
    });
    BOOST_TEST(run_until(context, [&] { return handled == 100; }));
    BOOST_TEST(deepest == 1);
}

BOOST_AUTO_TEST_CASE(a_handler_sees_what_is_left_of_the_deadline)
{
    client.serve(filling{[](wharf::router& router) {
        router.on<twice>([](const twice&, wharf::call& current) {
            const auto left = current.deadline() - std::chrono::steady_clock::now();
            return static_cast<std::int64_t>(left / 1ms);
        });
    }});
    await_connection();
    const auto left = ask(twice{1}, 5000ms).as<std::int64_t>();
    BOOST_TEST(left > 2000);
    BOOST_TEST(left <= 5000);
}

BOOST_AUTO_TEST_CASE(a_call_that_the_daemon_gives_up_stops_its_handler)
{
    bool aborted = false;
    std::atomic<bool> started{false}, saw_flag{false};
    client.serve(filling{[&](wharf::router& router) {
        router.on<echo>([&](echo, wharf::call& current) -> wharf::awaitable<std::string> {
            asio::steady_timer timer(current.get_executor(), 1h);
            started = true;
            try {
                co_await timer.async_wait(asio::use_awaitable);
            }
            catch (const boost::system::system_error& e) {
                aborted = e.code() == asio::error::operation_aborted && current.is_cancelled();
                throw;
            }
            co_return "";
        });
        router.on<touch>(wharf::blocking, [&](const touch&, wharf::call& current) {
            started = true;
            while (!current.is_cancelled())
                std::this_thread::yield();
            saw_flag = true;
        });
    }});
    await_connection();
    const std::uint64_t late = start(echo{"x"});
    BOOST_TEST(run_until(context, [&] { return started.load(); }));
    cancel(late);
    BOOST_TEST(run_until(context, [&] { return aborted; }));
    started = false;
    const std::uint64_t blocked = start(touch{});
    BOOST_TEST(run_until(context, [&] { return started.load(); }));
    cancel(blocked);
    BOOST_TEST(run_until(context, [&] { return saw_flag.load(); }));
    // Their answers are acknowledgements: nothing stays in flight at the daemon, and it is one
    // connection all the same.
    BOOST_TEST(run_until(context, [&] {
        std::size_t left = 1;
        daemon.run([&](auto& sessions) { left = sessions.front()->talk.own_calls_in_flight(); });
        return left == 0;
    }));
    BOOST_TEST(daemon.accepted() == 1);
}

// The daemon here never says that it gave a call up.
BOOST_AUTO_TEST_CASE(a_handler_ends_at_the_deadline_of_its_call)
{
    bool aborted = false;
    client.serve(filling{[&](wharf::router& router) {
        router.on<echo>([&](echo, wharf::call& current) -> wharf::awaitable<std::string> {
            asio::steady_timer timer(current.get_executor(), 1h);
            try {
                co_await timer.async_wait(asio::use_awaitable);
            }
            catch (const boost::system::system_error& e) {
                aborted = e.code() == asio::error::operation_aborted && current.is_cancelled();
                throw wharf::error(errc::conflict, "what it throws then is not news");
            }
            co_return "";
        });
        router.on<mirror>(
            [](mirror, wharf::source<std::string>& in,
               wharf::sink<std::string>&) -> wharf::awaitable<void> { co_await in.async_next(); });
    }});
    await_connection();
    const std::uint64_t without = start(echo{"no deadline"});
    const std::uint64_t second = start(echo{"b"}, 150ms);
    const std::uint64_t first = start(echo{"a"}, 50ms);
    const answer a = await_answer(first);
    BOOST_TEST(a.code == errc::deadline_exceeded);
    BOOST_TEST(a.text == "");
    BOOST_TEST(aborted);
    BOOST_TEST(!is_answered(second));
    BOOST_TEST(await_answer(second).code == errc::deadline_exceeded);
    BOOST_TEST(ask(mirror{}, 50ms).code == errc::deadline_exceeded);
    BOOST_TEST(!is_answered(without));
    BOOST_TEST(daemon.accepted() == 1);
    cancel(without);
}

BOOST_AUTO_TEST_CASE(a_handler_that_blocks_sees_its_deadline_and_one_behind_it_never_starts)
{
    std::atomic<int> started{0};
    client.serve(filling{[&](wharf::router& router) {
        router.on<touch>(wharf::blocking, [&](const touch&, wharf::call& current) {
            ++started;
            while (!current.is_cancelled())
                std::this_thread::yield();
            throw wharf::error(errc::conflict, "late");
        });
    }});
    await_connection();
    const std::uint64_t first = start(touch{1}, 100ms);
    BOOST_TEST(run_until(context, [&] { return started == 1; }));
    const std::uint64_t behind = start(touch{2}, 10ms);
    BOOST_TEST(await_answer(first).code == errc::deadline_exceeded);
    BOOST_TEST(await_answer(behind).code == errc::deadline_exceeded);
    BOOST_TEST(started == 1);
}

BOOST_AUTO_TEST_CASE(the_calls_of_the_daemon_have_a_memory_limit_together)
{
    wharf::client_options tight;
    tight.decode.memory_bytes_max = 100000;
    fake::daemon other(directory.socket("other"), {}, how);
    wharf::client c(context, other.endpoint(), tight);
    c.serve(filling{[](wharf::router& router) {
        router.on<echo>([](echo, wharf::call& current) -> wharf::awaitable<std::string> {
            asio::steady_timer timer(current.get_executor(), 1h);
            co_await timer.async_wait(asio::use_awaitable);
            co_return "";
        });
        router.on<twice>([](const twice& t) { return t.number; });
        router.on<note>([](const note&) {});
    }});
    BOOST_REQUIRE(run_until(context, [&] {
        bool open = false;
        other.run([&](auto& sessions) { open = !sessions.empty() && sessions[0]->talk.is_open(); });
        return open;
    }));
    std::vector<std::uint64_t> ids;
    other.run([&](auto& sessions) {
        for (int i = 0; i != 5; ++i)
            ids.push_back(sessions.front()->call(echo{std::string(30000, 'x')}));
    });
    BOOST_TEST(await_answer(ids.back()).code == errc::overloaded);
    other.run([&](auto& sessions) {
        for (const auto id : ids)
            sessions.front()->talk.cancel(id);
        ids.assign(1, sessions.front()->call(twice{5}));
    });
    BOOST_TEST(await_answer(ids.front()).as<std::int64_t>() == 5); // what was held is given back
    other.run([&](auto& sessions) {
        ids.assign(1, sessions.front()->call(note{std::string(120000, 'x')}));
    });
    BOOST_TEST(await_answer(ids.front()).code == errc::overloaded);
}

// ---- Streams ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_client_answers_with_a_stream_and_waits_for_credit)
{
    consumes = false;
    int sent = 0;
    client.serve(filling{[&](wharf::router& router) {
        router.on<mirror>([&](mirror, wharf::source<std::string>&,
                              wharf::sink<std::string>& out) -> wharf::awaitable<void> {
            const std::string text(10000, 'x');
            for (; sent != 100; ++sent)
                co_await out.async_send(text);
        });
    }});
    await_connection();
    const std::uint64_t id = start(mirror{});
    const std::size_t window = wharf::conversation_limits{}.stream_window_bytes;
    BOOST_TEST(run_until(context, [&] { return items_of(id) >= window / 10020; }));
    BOOST_TEST(!is_answered(id));
    BOOST_TEST(sent < 30);
    daemon.run([&](auto& sessions) {
        consumes = true;
        for (int i = 0; i != sent; ++i)
            sessions.front()->talk.consumed(id, wharf::flow::reply, 10003);
    });
    BOOST_TEST(await_answer(id).code == errc{});
    BOOST_TEST(items_of(id) == 100u);
}

BOOST_AUTO_TEST_CASE(an_upload_of_the_daemon_is_received_from_its_first_item)
{
    client.serve(filling{[](wharf::router& router) {
        router.on<pour>([](pour, wharf::call&,
                           wharf::source<std::string>& in) -> wharf::awaitable<std::int64_t> {
            std::int64_t bytes = 0;
            while (const auto item = co_await in.async_next())
                bytes += static_cast<std::int64_t>(item->size());
            co_return bytes;
        });
    }});
    await_connection();
    std::uint64_t id = 0;
    daemon.run([&](auto& sessions) { // all in one receive: before the handler has begun
        id = sessions.front()->call(pour{});
        for (int i = 0; i != 10; ++i)
            sessions.front()->upload(id, std::string(100, 'x'));
        sessions.front()->talk.end_upload(id);
    });
    BOOST_TEST(await_answer(id).as<std::int64_t>() == 1000);
}

BOOST_AUTO_TEST_CASE(a_stream_that_the_daemon_gives_up_ends_its_handler)
{
    consumes = false;
    errc ended{};
    client.serve(filling{[&](wharf::router& router) {
        router.on<mirror>([&](mirror, wharf::source<std::string>&,
                              wharf::sink<std::string>& out) -> wharf::awaitable<void> {
            const std::string text(10000, 'x');
            try {
                for (;;)
                    co_await out.async_send(text);
            }
            catch (const wharf::error& e) {
                ended = e.code();
            }
        });
    }});
    await_connection();
    const std::uint64_t id = start(mirror{});
    BOOST_TEST(run_until(context, [&] { return items_of(id) >= 20; }));
    cancel(id);
    BOOST_TEST(run_until(context, [&] { return ended == errc::cancelled; }));
}

// ---- Ends ---------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_end_of_a_connection_cancels_its_handlers_and_runs_the_close_hooks_once)
{
    std::vector<std::string> trace;
    client.serve(filling{[&](wharf::router& router) {
        router.on_open([&](const wharf::session_handle& on) {
            trace.push_back("open " + std::to_string(on.id()));
            on.state<std::string>() = "kept";
        });
        router.on_close([&](const wharf::session_handle& on, const wharf::error&) {
            trace.push_back("close " + std::to_string(on.id()) + " " + on.state<std::string>());
        });
        router.on<echo>([&](echo, wharf::call& current) -> wharf::awaitable<std::string> {
            trace.push_back("handler");
            asio::steady_timer timer(current.get_executor(), 1h);
            try {
                co_await timer.async_wait(asio::use_awaitable);
            }
            catch (const boost::system::system_error&) {
                trace.push_back("cancelled");
            }
            co_return "";
        });
    }});
    await_connection();
    start(echo{"x"});
    BOOST_TEST(run_until(context, [&] { return trace.size() == 2; }));
    daemon.close_connections();
    BOOST_TEST(run_until(context, [&] { return trace.size() >= 5; })); // with the next one's open
    client.close();
    context.restart();
    context.run();
    // The next connection may be opened before the handler of the last one has ended.
    std::erase(trace, "open 2");
    std::erase(trace, "close 2 kept");
    const std::vector<std::string> expected{"open 1", "handler", "cancelled", "close 1 kept"};
    BOOST_TEST(trace == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_client_may_be_destroyed_while_handlers_run)
{
    std::atomic<bool> started{false}, ended{false};
    {
        wharf::client brief(context, daemon.endpoint());
        brief.serve(filling{[&](wharf::router& router) {
            router.on<touch>(wharf::blocking, [&](const touch&, wharf::call& current) {
                started = true;
                while (!current.is_cancelled())
                    std::this_thread::yield();
                ended = true;
            });
        }});
        await_connection();
        for (int i = 0; i != 3; ++i)
            start(touch{});
        BOOST_TEST(run_until(context, [&] { return started.load(); }));
    }
    BOOST_TEST(ended); // the destructor waited for it; the others did not begin
    context.restart();
    context.run();
}

BOOST_AUTO_TEST_CASE(what_is_served_is_given_before_the_connection)
{
    client.serve(filling{[](wharf::router&) {}});
    await_connection();
    const auto is_late = [](const wharf::error& e) { return e.code() == errc::bad_argument; };
    BOOST_CHECK_EXCEPTION(client.serve(filling{[](wharf::router&) {}}), wharf::error, is_late);
    BOOST_CHECK_EXCEPTION(client.on_state({}), wharf::error, is_late);
}

BOOST_AUTO_TEST_SUITE_END()
