// Handlers that outlast their turn: cancelled, late, blocking, in number.
#include "session_partner.hpp"

#include <wharf/endpoint.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

using namespace wharf;
using namespace wharf::test;
namespace asio = boost::asio;

namespace {

/// Waits until it is cancelled or the gate opens; says what it saw.
struct wait_long {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.wait_long";
    std::int32_t how{}; ///< 0: end when cancelled; 1: note it and wait for the gate all the same
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& how;
    }
};
struct block {
    using reply = std::string;
    static constexpr std::string_view name = "test.block";
    std::uint64_t bytes{};
    std::int32_t how{}; ///< 1: throw, 2: wait until it is cancelled, 3: do not wait
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& bytes& how;
    }
};
struct remainder_left {
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.remainder_left";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

/// Threads wait here.
class barrier {
public:
    void pass()
    {
        std::unique_lock lock(mutex_);
        ++inside_;
        threads_.insert(std::this_thread::get_id());
        changed_.notify_all();
        changed_.wait(lock, [this] { return is_open_; });
    }
    bool eventually_inside(int count)
    {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return inside_ == count; });
    }
    int inside()
    {
        const std::lock_guard lock(mutex_);
        return inside_;
    }
    std::size_t threads()
    {
        const std::lock_guard lock(mutex_);
        return threads_.size();
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
    std::set<std::thread::id> threads_;
    int inside_ = 0;
    bool is_open_ = false;
};

struct notes {
    gate door;
    barrier pool;
    std::atomic<int> begun{0}, cancelled{0}, ended{0}, blocked{0};
};

struct late_service {
    std::shared_ptr<notes> seen;
    void serve(router& commands)
    {
        commands.on<wait_long>([n = seen](wait_long c, call& current) -> awaitable<std::int32_t> {
            ++n->begun;
            asio::steady_timer never(current.get_executor(), clock::time_point::max());
            // Whatever ends the handler is counted.
            const std::shared_ptr<void> at_end(nullptr, [n](void*) { ++n->ended; });
            error_code why;
            co_await never.async_wait(asio::redirect_error(asio::use_awaitable, why));
            n->cancelled += current.is_cancelled() && why == asio::error::operation_aborted;
            if (c.how == 1) {
                co_await asio::this_coro::throw_if_cancelled(false);
                co_await n->door.pass(current.get_executor());
            }
            co_return 7;
        });
        commands.on<block>(blocking, [n = seen](const block& c, call& current) {
            ++n->blocked;
            if (c.how == 1)
                throw error(errc::conflict, "no");
            if (c.how == 2)
                while (!current.is_cancelled())
                    std::this_thread::yield();
            else if (c.how != 3)
                n->pool.pass();
            return std::string(c.bytes, 'b');
        });
        commands.on<remainder_left>([](const remainder_left&, call& current) {
            return std::int64_t(
                std::chrono::duration_cast<std::chrono::milliseconds>(*current.options().timeout)
                    .count());
        });
        commands.on<add>([](const add& c) { return c.a + c.b; });
    }
};

struct late_scene {
    explicit late_scene(server_options o = open_options()) : s(std::move(o))
    {
        s.serve(late_service{n});
        s.start();
    }
    ~late_scene()
    {
        n->door.open();
        n->pool.open();
    }
    std::shared_ptr<notes> n = std::make_shared<notes>();
    server s;
};

} // namespace

// ---- Cancelling -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_call_that_is_cancelled_ends_its_handler_and_the_session_goes_on)
{
    late_scene at;
    partner p(at.s);
    const auto id = p.call(wait_long{0});
    p.flush();
    BOOST_REQUIRE(eventually([&] { return at.s.status().calls == 1; }));
    p.words().cancel(id);
    p.flush();
    BOOST_TEST(eventually([&] { return at.n->ended == 1; }));
    BOOST_TEST(at.n->cancelled == 1);
    const auto sum = p.call(add{20, 22});
    const seen e = p.expect("replied");
    BOOST_TEST(e.id == sum);
    BOOST_TEST(e.as<std::int64_t>() == 42);
    BOOST_TEST(p.words().own_calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_keeps_its_place_in_flight_until_its_handler_has_ended)
{
    server_options o = open_options();
    o.conversation.calls_in_flight_max = 1;
    late_scene at(o);
    partner p(at.s);
    p.words().cancel(p.call(wait_long{1}));
    p.flush();
    BOOST_REQUIRE(eventually([&] { return at.n->cancelled == 1; }));
    p.call(add{1, 1});
    BOOST_TEST((p.expect("failed").code == errc::overloaded));
    at.n->door.open();
    BOOST_REQUIRE(eventually([&] { return at.n->ended == 1; }));
    for (;;) {
        p.call(add{1, 1});
        const seen e = p.next();
        if (e.what == "replied")
            break;
        BOOST_REQUIRE((e.code == errc::overloaded));
    }
}

BOOST_AUTO_TEST_CASE(
    a_call_past_its_deadline_is_cancelled_and_answered_though_its_peer_says_nothing)
{
    late_scene at;
    partner p(at.s);
    // The deadline travels, but this end never looks at it.
    p.call(wait_long{0}, 30ms);
    p.flush();
    const seen e = p.expect("replied");
    BOOST_TEST(e.as<std::int32_t>() == 7); // the handler ended well, though it was told to stop
    BOOST_TEST(at.n->cancelled == 1);
    p.call(block{0, 2}, 30ms);
    BOOST_TEST(p.expect("replied").as<std::string>().empty());
}

BOOST_AUTO_TEST_CASE(many_deadlines_pass_at_once)
{
    late_scene at;
    partner p(at.s);
    for (int i = 0; i < 500; ++i)
        p.call(wait_long{0}, std::chrono::milliseconds(10 + i % 20));
    for (int i = 0; i < 500; ++i)
        p.expect("replied");
    BOOST_TEST(at.n->cancelled == 500);
}

BOOST_AUTO_TEST_CASE(a_handler_sees_what_is_left_of_the_deadline)
{
    late_scene at;
    partner p(at.s);
    p.call(remainder_left{}, 5000ms);
    const auto left = p.expect("replied").as<std::int64_t>();
    BOOST_TEST(left > 1000);
    BOOST_TEST(left <= 5000);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_session_cancels_its_handlers_and_waits_for_them)
{
    late_scene at;
    {
        partner p(at.s);
        p.call(wait_long{1});
        p.call(wait_long{1});
        p.flush();
        BOOST_REQUIRE(eventually([&] { return at.s.status().calls == 2; }));
        p.reset();
    }
    BOOST_REQUIRE(eventually([&] { return at.n->cancelled == 2; }));
    BOOST_TEST(at.s.status().sessions == 1u);
    at.n->door.open();
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
    BOOST_TEST(at.n->ended == 2);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_gone_ends_a_session_that_does_not_read_from_it)
{
    server_options o = open_options();
    o.session_memory_bytes_max = 1; // one call is enough to stop reading
    late_scene at(o);
    for (const int family : {AF_UNIX, AF_INET}) {
        at.n->begun = at.n->ended = 0;
        partner p(at.s, {}, family);
        p.call(wait_long{0});
        p.flush();
        BOOST_REQUIRE(eventually([&] { return at.n->begun == 1; }));
        p.reset();
        BOOST_TEST(eventually([&] { return at.n->ended == 1; }));
        BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
    }
}

BOOST_AUTO_TEST_CASE(a_peer_that_closed_both_directions_after_its_call_ends_the_session)
{
    late_scene at;
    partner p(at.s);
    p.call(wait_long{0});
    p.half_close();
    // Half a close is none: the handler goes on.
    BOOST_REQUIRE(eventually([&] { return at.s.status().calls == 1; }));
    BOOST_TEST(p.is_quiet());
    BOOST_TEST(at.n->ended == 0);
    p.reset();
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
    BOOST_TEST(at.n->ended == 1);
}

// ---- Handlers that block ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(blocking_handlers_run_on_threads_of_their_own_and_the_session_goes_on)
{
    server_options o = open_options();
    o.blocking_threads = 3;
    late_scene at(o);
    partner p(at.s);
    std::set<std::uint64_t> ids;
    for (int i = 0; i < 3; ++i)
        ids.insert(p.call(block{10, 0}));
    p.flush();
    BOOST_REQUIRE(at.n->pool.eventually_inside(3));
    BOOST_TEST(at.n->pool.threads() == 3u);
    p.call(add{1, 2});
    BOOST_TEST(p.expect("replied").as<std::int64_t>() == 3);
    at.n->pool.open();
    for (int i = 0; i < 3; ++i) {
        const seen e = p.expect("replied");
        BOOST_TEST(ids.erase(e.id) == 1u);
        BOOST_TEST(e.as<std::string>() == std::string(10, 'b'));
    }
    p.call(block{0, 1});
    const seen failed = p.expect("failed");
    BOOST_TEST((failed.code == errc::conflict));
    BOOST_TEST(failed.text == "no");
}

BOOST_AUTO_TEST_CASE(one_call_more_than_may_wait_for_a_thread_is_overloaded)
{
    server_options o = open_options();
    o.blocking_threads = 1;
    o.blocking_queue_max = 2;
    late_scene at(o);
    partner p(at.s);
    for (int i = 0; i < 3; ++i)
        p.call(block{1, 0});
    p.flush();
    BOOST_REQUIRE(at.n->pool.eventually_inside(1));
    const auto over = p.call(block{1, 0});
    const seen refused = p.expect("failed");
    BOOST_TEST(refused.id == over);
    BOOST_TEST((refused.code == errc::overloaded));
    BOOST_TEST((refused.retry_after == 100ms));
    at.n->pool.open();
    for (int i = 0; i < 3; ++i)
        p.expect("replied");
}

BOOST_AUTO_TEST_CASE(a_blocking_call_that_is_cancelled_before_its_turn_does_not_run)
{
    server_options o = open_options();
    o.blocking_threads = 1;
    late_scene at(o);
    partner p(at.s);
    p.call(block{1, 0});
    p.flush();
    BOOST_REQUIRE(at.n->pool.eventually_inside(1));
    const auto second = p.call(block{1, 3});
    p.call(add{1, 1});
    p.expect("replied"); // so the second has been taken
    p.words().cancel(second);
    p.call(add{1, 1});
    p.expect("replied"); // and the cancel
    at.n->pool.open();
    p.expect("replied");
    const auto last = p.call(block{1, 3});
    BOOST_TEST(p.expect("replied").id == last);
    BOOST_TEST(at.n->blocked == 2);
}

BOOST_AUTO_TEST_CASE(a_blocking_handler_learns_that_its_peer_is_gone)
{
    late_scene at;
    partner p(at.s);
    p.call(block{1, 2});
    p.flush();
    BOOST_REQUIRE(eventually([&] { return at.n->blocked == 1; }));
    p.reset();
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
}

// Replies of blocking handlers wait as those of awaitable ones do, and are not lost.
BOOST_AUTO_TEST_CASE(blocking_replies_wait_for_a_reader_that_is_slow)
{
    late_scene at;
    partner p(at.s);
    constexpr int calls = 40;
    for (int i = 0; i < calls; ++i)
        p.call(block{1u << 20, 3});
    p.flush();
    BOOST_REQUIRE(eventually([&] { return at.n->blocked >= 4; }));
    for (int i = 0; i < calls; ++i)
        BOOST_REQUIRE(p.expect("replied").as<std::string>().size() == 1u << 20);
}

BOOST_AUTO_TEST_CASE(a_stop_answers_blocking_calls_that_were_accepted)
{
    late_scene at;
    partner p(at.s);
    p.call(block{1, 0});
    p.flush();
    BOOST_REQUIRE(at.n->pool.eventually_inside(1));
    std::thread stopping([&] { at.s.stop(); });
    BOOST_TEST((p.expect("going_away").code == errc::going_away));
    at.n->pool.open();
    BOOST_TEST(p.expect("replied").as<std::string>() == "b");
    p.half_close();
    stopping.join();
}
