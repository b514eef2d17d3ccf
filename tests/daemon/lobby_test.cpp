// The lobby: where sessions begin, who answers while everybody else is stuck, and where they go.
#include "metrics_support.hpp"
#include "services/system.hpp"
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace wharf;
using namespace wharf::test;

namespace {

/// Threads wait here, really, until the test lets them go.
class trap {
public:
    void wait()
    {
        std::unique_lock lock(mutex_);
        ++inside_;
        changed_.notify_all();
        changed_.wait_for(lock, patience, [this] { return is_open_; });
        --inside_;
    }
    bool holds(int count, std::chrono::milliseconds within = patience)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, within, [&] { return inside_ == count; });
    }
    void open()
    {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_ = 0;
    bool is_open_ = false;
};

/// poke sticks in the trap on its worker, echo sticks there on a blocking thread; the others are
/// answered at once, an empty fill by the name of the thread.
struct sticky_service {
    trap* in;
    void serve(router& commands)
    {
        commands.on<poke>([in = in](const poke&) { in->wait(); });
        commands.on<echo>(blocking, [in = in](const echo& c) {
            in->wait();
            return c.text;
        });
        commands.on<add>([](const add& c) { return c.a + c.b; });
        commands.on<fill>([](const fill& c) {
            if (c.bytes != 0)
                return std::string(c.bytes, 'x');
            char name[16] = {};
            ::pthread_getname_np(::pthread_self(), name, sizeof name);
            return std::string(name);
        });
    }
};

struct scene {
    explicit scene(server_options o)
        : s(std::move(o)), about(s, {.software = "test", .counters = {}, .store = {}})
    {
        s.serve(sticky_service{&in});
        s.serve(about);
        s.start();
    }
    ~scene() { in.open(); }
    endpoint where() const { return s.endpoints().at(0); }
    prometheus_text metrics() const { return prometheus_text(s.metrics()); }

    trap in;
    server s;
    system_service about;
};

server_options options_of(std::uint32_t threads)
{
    server_options o = open_options(threads);
    o.blocking_threads = 2;
    o.blocking_queue_max = 3;
    return o;
}

} // namespace

BOOST_AUTO_TEST_CASE(an_operator_is_answered_while_every_other_thread_is_stuck)
{
    scene at(options_of(2));
    // All blocking threads, and all calls that may wait for one.
    peer blocker(at.where());
    for (int i = 0; i < 5; ++i)
        blocker.send(echo{"x"});
    BOOST_REQUIRE(at.in.holds(2));
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_limit_level", {{"limit", "blocking_queue_max"}}) == 3;
    }));
    const answer one_more = blocker.ask(echo{"y"});
    BOOST_CHECK(one_more.failed == errc::overloaded);
    BOOST_TEST((one_more.retry_after > 0ms));
    // Then every worker. One that is stuck may get another call before that shows.
    std::vector<std::unique_ptr<peer>> stuck;
    do {
        stuck.push_back(std::make_unique<peer>(at.where()));
        stuck.back()->send(poke{});
    } while (!at.in.holds(4, 200ms) && stuck.size() < 50);
    BOOST_REQUIRE(at.in.holds(4));
    peer operator_(at.where());
    for (int i = 0; i < 3; ++i) {
        const auto begun = clock::now();
        BOOST_TEST(operator_.ask(system::ping{7}).as<std::uint64_t>() == 7u);
        BOOST_TEST((clock::now() - begun < 500ms));
    }
    const auto status = operator_.ask(system::status{}).as<system::status_reply>();
    BOOST_TEST(status.software == "test");
    const auto text = operator_.ask(system::metrics{}).as<std::string>();
    BOOST_TEST(prometheus_text(text).value("wharf_limit_level", {{"limit", "blocking_threads"}}) ==
               2);
    // A ping of the protocol.
    operator_.words().ping(99);
    operator_.flush();
    BOOST_TEST(operator_.ask(system::ping{8}).as<std::uint64_t>() == 8u);
    at.in.open();
    for (const auto& p : stuck)
        BOOST_TEST(p->expect().failed.has_value() == false);
}

BOOST_AUTO_TEST_CASE(sessions_are_listed_in_a_second_without_those_of_a_stuck_thread)
{
    scene at(options_of(1));
    peer operator_(at.where());
    const auto all = operator_.ask(system::sessions{}).as<system::sessions_reply>();
    BOOST_TEST(all.total == 1u);
    BOOST_TEST(all.unanswered == 0u);
    BOOST_REQUIRE(all.sessions.size() == 1u);
    BOOST_TEST(all.sessions[0].role == "all");
    BOOST_TEST(all.sessions[0].name == "anonymous");
    BOOST_TEST(all.sessions[0].peer.starts_with("127.0.0.1:"));
    BOOST_TEST(all.sessions[0].calls == 1u);
    BOOST_TEST(all.sessions[0].in_flight == 1u);
    BOOST_TEST(all.sessions[0].bytes_in > 0u);
    BOOST_TEST(
        std::abs(all.sessions[0].since_ms - std::chrono::duration_cast<std::chrono::milliseconds>(
                                                std::chrono::system_clock::now().time_since_epoch())
                                                .count()) < 60000);
    peer other(at.where()), stuck(at.where());
    other.ask(add{1, 1});
    const auto three = operator_.ask(system::sessions{}).as<system::sessions_reply>();
    BOOST_TEST(three.sessions.size() == 3u);
    // A page, then the rest.
    const auto page = operator_.ask(system::sessions{0, 2}).as<system::sessions_reply>();
    BOOST_REQUIRE(page.sessions.size() == 2u);
    BOOST_TEST(page.total == 3u);
    const auto rest =
        operator_.ask(system::sessions{page.sessions[1].id, 2}).as<system::sessions_reply>();
    BOOST_TEST(rest.sessions.size() == 1u);
    stuck.send(poke{});
    BOOST_REQUIRE(at.in.holds(1));
    const auto begun = clock::now();
    const auto some = operator_.ask(system::sessions{}).as<system::sessions_reply>();
    BOOST_TEST((clock::now() - begun < 1s));
    BOOST_TEST(some.sessions.size() == 1u);
    BOOST_TEST(some.total == 3u);
    BOOST_TEST(some.unanswered == 2u);
}

BOOST_AUTO_TEST_CASE(a_session_leaves_the_lobby_with_its_first_call_of_a_service)
{
    scene at(options_of(1));
    peer p(at.where());
    p.ask(system::ping{1});
    BOOST_TEST(at.metrics().value("wharf_thread_sessions", {{"thread", "lobby"}}) == 1);
    // In one write, so that the session leaves with calls that are buffered.
    p.send(system::ping{2}, false);
    p.send(fill{}, false);
    p.send(system::ping{3}, false);
    p.send(add{1, 2});
    BOOST_TEST(p.expect().as<std::uint64_t>() == 2u);
    BOOST_TEST(p.expect().as<std::string>() == "wharf-worker0");
    BOOST_TEST(p.expect().as<std::uint64_t>() == 3u);
    BOOST_TEST(p.expect().as<std::int64_t>() == 3);
    BOOST_TEST(at.metrics().value("wharf_thread_sessions", {{"thread", "lobby"}}) == 0);
    BOOST_TEST(at.metrics().value("wharf_thread_sessions", {{"thread", "0"}}) == 1);
    BOOST_TEST(at.s.status().sessions == 1u);
    BOOST_TEST(at.s.status().sessions_total == 1u);
    BOOST_TEST(at.s.status().calls == 5u);
}

BOOST_AUTO_TEST_CASE(sessions_of_the_lobby_count_in_sessions_max)
{
    server_options o = options_of(1);
    o.sessions_max = 2;
    scene at(o);
    peer one(at.where()), two(at.where());
    one.ask(system::ping{1});
    two.ask(add{1, 1});
    peer three(at.where());
    BOOST_CHECK_THROW(three.ask(system::ping{1}), error);
    BOOST_CHECK(three.goaway() == errc::overloaded);
}

BOOST_AUTO_TEST_CASE(a_late_worker_gets_no_session)
{
    scene at(options_of(2));
    peer stuck(at.where());
    stuck.send(poke{});
    BOOST_REQUIRE(at.in.holds(1));
    // Until it is known to be late, it may get some, which wait.
    BOOST_REQUIRE(eventually([&] {
        const auto now = at.metrics();
        return now.value("wharf_thread_delay_seconds", {{"thread", "0"}}) > 0.5 ||
               now.value("wharf_thread_delay_seconds", {{"thread", "1"}}) > 0.5;
    }));
    std::vector<std::unique_ptr<peer>> others;
    for (int i = 0; i < 8; ++i) {
        others.push_back(std::make_unique<peer>(at.where()));
        BOOST_TEST(others.back()->ask(add{i, 1}).as<std::int64_t>() == i + 1);
    }
}

BOOST_AUTO_TEST_CASE(a_session_waits_in_the_lobby_while_every_worker_is_late)
{
    scene at(options_of(1));
    peer stuck(at.where());
    stuck.send(poke{});
    BOOST_REQUIRE(at.in.holds(1));
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_thread_delay_seconds", {{"thread", "0"}}) > 1;
    }));
    peer other(at.where());
    other.send(add{1, 1});
    // It has left the lobby's list, and no worker has it yet.
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_thread_sessions", {{"thread", "lobby"}}) == 0;
    }));
    BOOST_TEST(at.metrics().value("wharf_thread_sessions", {{"thread", "0"}}) == 1);
    at.in.open();
    BOOST_TEST(other.expect().as<std::int64_t>() == 2);
    BOOST_TEST(at.metrics().value("wharf_thread_sessions", {{"thread", "0"}}) == 2);
}

BOOST_AUTO_TEST_CASE(a_stop_reaches_sessions_that_wait_for_a_worker)
{
    server_options o = options_of(1);
    scene at(o);
    peer stuck(at.where());
    stuck.send(poke{});
    BOOST_REQUIRE(at.in.holds(1));
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_thread_delay_seconds", {{"thread", "0"}}) > 1;
    }));
    peer other(at.where());
    other.send(add{1, 1});
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_thread_sessions", {{"thread", "lobby"}}) == 0;
    }));
    std::thread stopper([&] { at.s.stop(); });
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_thread_sessions", {{"thread", "0"}}) == 2;
    }));
    at.in.open();
    stopper.join();
    BOOST_TEST(other.expect().as<std::int64_t>() == 2);
    BOOST_TEST(other.wait_for_end());
    BOOST_CHECK(other.goaway() == errc::going_away);
    BOOST_TEST(at.s.status().sessions == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_counts_by_command_and_code)
{
    scene at(options_of(1));
    peer p(at.where());
    p.ask(add{1, 1});
    p.ask(add{2, 2});
    p.ask_raw("test.unheard_of", {});
    p.ask_raw("calculator.add", {});
    p.ask(system::ping{1});
    // A call is counted after its answer has left.
    BOOST_REQUIRE(eventually([&] {
        return at.metrics().value("wharf_calls_total", {{"command", "system.ping"}}) == 1;
    }));
    const auto now = at.metrics();
    BOOST_TEST(now.value("wharf_calls_total", {{"command", "calculator.add"}}) == 3);
    BOOST_TEST(now.value("wharf_call_errors_total",
                         {{"command", "calculator.add"}, {"code", "truncated"}}) == 1);
    BOOST_TEST(now.value("wharf_call_errors_total",
                         {{"command", "(other)"}, {"code", "unknown_command"}}) == 1);
    BOOST_TEST(now.value("wharf_calls_in_flight", {{"command", "calculator.add"}}) == 0);
    BOOST_TEST(now.value("wharf_call_duration_seconds_count", {{"command", "system.ping"}}) == 1);
    BOOST_TEST(now.value("wharf_call_received_bytes_total", {{"command", "calculator.add"}}) > 0);
    BOOST_TEST(now.value("wharf_limit", {{"limit", "sessions_max"}}) == 10000);
    BOOST_TEST(now.value("wharf_limit_level", {{"limit", "sessions_max"}}) == 1);
    BOOST_TEST(now.value("wharf_accepted_total", {{"listener", "tcp"}}) == 1);
    // As long as a call is under way it says so. Row 88.
    p.send(echo{"x"});
    BOOST_REQUIRE(at.in.holds(1));
    BOOST_TEST(at.metrics().value("wharf_calls_in_flight", {{"command", "test.echo"}}) == 1);
}

// One total for all queues: what many slow readers let pile up refuses new work, not the operator.
BOOST_AUTO_TEST_CASE(full_send_queues_of_all_sessions_refuse_new_work_until_they_are_read)
{
    const scratch_directory dir;
    server_options o = options_of(1);
    o.listeners[0].where = unix_endpoint{dir / "s"};
    o.calls_memory_bytes_max = 2u << 20;
    scene at(o);
    const auto taken = [&] {
        return at.metrics().value("wharf_limit_level", {{"limit", "calls_memory_bytes_max"}});
    };
    peer healthy(at.where());
    BOOST_TEST(healthy.ask(add{1, 1}).as<std::int64_t>() == 2);
    BOOST_TEST(taken() == 0);
    std::vector<std::unique_ptr<peer>> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(std::make_unique<peer>(at.where()));
        slow.back()->send(fill{1u << 20});
    }
    BOOST_REQUIRE(eventually([&] { return taken() > (2u << 20); }));
    const answer refused = healthy.ask(add{1, 1});
    BOOST_CHECK(refused.failed == errc::overloaded);
    BOOST_TEST((refused.retry_after > 0ms));
    BOOST_TEST(healthy.ask(system::ping{5}).as<std::uint64_t>() == 5u);
    // One reads, another goes.
    BOOST_TEST(slow[0]->expect().as<std::string>().size() == 1u << 20);
    slow[1].reset();
    BOOST_REQUIRE(eventually([&] { return taken() < (2u << 20); }));
    BOOST_TEST(healthy.ask(add{2, 2}).as<std::int64_t>() == 4);
    slow.clear();
    BOOST_REQUIRE(eventually([&] { return taken() == 0; }));
}
