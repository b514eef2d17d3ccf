// The pool of threads for handlers that block: what it runs, what it refuses, how it stops.
#include "blocking_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using namespace wharf;

namespace {

/// Work waits here until the test lets it go.
class gate {
public:
    void pass()
    {
        std::unique_lock lock(mutex_);
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return is_open_; });
    }
    void wait_for_inside(int count)
    {
        std::unique_lock lock(mutex_);
        BOOST_REQUIRE(
            changed_.wait_for(lock, std::chrono::seconds(20), [&] { return inside_ == count; }));
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

} // namespace

BOOST_AUTO_TEST_CASE(everything_runs_once_on_threads_of_the_pool)
{
    std::atomic<int> ran{0}, here{0};
    const auto self = std::this_thread::get_id();
    {
        gate last;
        blocking_pool pool(3, 1000);
        for (int i = 0; i < 1000; ++i)
            BOOST_REQUIRE(pool.try_run([&, i] {
                ++ran;
                here += std::this_thread::get_id() == self;
                if (i == 999)
                    last.pass();
            }));
        last.wait_for_inside(1);
        last.open();
    }
    BOOST_TEST(ran == 1000);
    BOOST_TEST(here == 0);
}

BOOST_AUTO_TEST_CASE(as_many_run_at_once_as_there_are_threads_and_one_more_than_may_wait_is_refused)
{
    gate door;
    blocking_pool pool(2, 3);
    for (int i = 0; i < 5; ++i)
        BOOST_REQUIRE(pool.try_run([&] { door.pass(); }));
    door.wait_for_inside(2);
    BOOST_TEST(pool.running() == 2u);
    BOOST_TEST(pool.waiting() == 3u);
    BOOST_TEST(!pool.try_run([] {}));
    door.open();
}

BOOST_AUTO_TEST_CASE(a_single_thread_keeps_the_order)
{
    std::vector<int> order;
    gate last;
    blocking_pool pool(1, 100);
    for (int i = 0; i < 100; ++i)
        BOOST_REQUIRE(pool.try_run([&order, i] { order.push_back(i); }));
    BOOST_REQUIRE(pool.try_run([&] { last.pass(); }));
    last.wait_for_inside(1);
    last.open();
    pool.stop();
    BOOST_TEST(order.size() == 100u);
    BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_what_runs_and_drops_what_waits)
{
    gate door;
    std::atomic<bool> ended{false}, ran{false};
    const auto kept = std::make_shared<int>(1);
    blocking_pool pool(1, 10);
    BOOST_REQUIRE(pool.try_run([&] {
        door.pass();
        ended = true;
    }));
    door.wait_for_inside(1);
    BOOST_REQUIRE(pool.try_run([&ran, kept] { ran = true; }));
    std::thread stopping([&] { pool.stop(); });
    // What waited is dropped at once, while the other still runs.
    while (pool.waiting() != 0)
        std::this_thread::yield();
    BOOST_TEST(!pool.try_run([] {}));
    BOOST_TEST(!ended);
    door.open();
    stopping.join();
    BOOST_TEST(ended);
    BOOST_TEST(!ran);
    BOOST_TEST(kept.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(what_a_function_holds_is_gone_when_it_no_longer_counts_as_running)
{
    gate door;
    blocking_pool pool(1, 1);
    auto held = std::make_shared<int>(1);
    BOOST_REQUIRE(pool.try_run([held, &door] { door.pass(); }));
    door.wait_for_inside(1);
    door.open();
    while (pool.running() != 0)
        std::this_thread::yield();
    BOOST_TEST(held.use_count() == 1);
}
