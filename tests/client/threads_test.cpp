// One asynchronous client used by many threads at once.
#include <wharf/client.hpp>

#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <thread>

using wharf::errc;
using wharf::error_code;

namespace {

// 10^5 calls in all; 10^6 where the environment says WHARF_LOAD=full.
const bool is_full = std::getenv("WHARF_LOAD") && std::getenv("WHARF_LOAD") == std::string("full");
const int calls_per_thread = is_full ? 62500 : 6250;
constexpr int threads_calling = 16;
constexpr int calls_in_flight = 50;

} // namespace

// Row 23: nothing is needed per thread, and no call of any thread is lost.
BOOST_AUTO_TEST_CASE(row_23_16_threads_share_one_client)
{
    fake::directory directory;
    fake::daemon daemon(directory.socket(),
                        {fake::on<twice>([](const twice& c) { return c.number * 2; })});
    boost::asio::io_context context;
    auto work = boost::asio::make_work_guard(context);
    wharf::client client(context, daemon.endpoint());
    std::thread runners[2] = {std::thread([&] { context.run(); }),
                              std::thread([&] { context.run(); })};
    std::atomic<int> right{0};
    std::mutex wrong_mutex;
    std::string wrong; // what went wrong first
    std::vector<std::thread> callers;
    for (int t = 0; t != threads_calling; ++t)
        callers.emplace_back([&, t] {
            std::atomic<int> left{0};
            for (int done = 0; done != calls_per_thread; done += calls_in_flight) {
                left = calls_in_flight;
                for (int i = 0; i != calls_in_flight; ++i) {
                    const std::int64_t n = std::int64_t(t) << 32 | (done + i);
                    client.async_call(twice{n}, [&, n](error_code ec, std::int64_t reply) {
                        if (!ec && reply == 2 * n) {
                            ++right;
                        }
                        else {
                            const std::lock_guard lock(wrong_mutex);
                            if (wrong.empty())
                                wrong = ec ? ec.message()
                                           : std::to_string(n) + " gave " + std::to_string(reply);
                        }
                        if (--left == 0)
                            left.notify_one();
                    });
                }
                for (int now; (now = left) != 0;)
                    left.wait(now);
            }
        });
    for (auto& each : callers)
        each.join();
    BOOST_TEST(right == threads_calling * calls_per_thread, wrong);
    BOOST_TEST(daemon.accepted() == 1);
    work.reset();
    for (auto& each : runners)
        each.join();
}

// A connection that was idle is looked at before it is used. Two threads once read it at the same
// time: one looked, the other was told of the replies; and a call got what was left of another's.
BOOST_AUTO_TEST_CASE(a_connection_is_read_by_one_thread_at_a_time)
{
    using clock = std::chrono::steady_clock;
    const auto spin = [](std::chrono::microseconds time) {
        for (const auto until = clock::now() + time; clock::now() < until;) {}
    };
    fake::directory directory;
    fake::daemon daemon(directory.socket(), {fake::on<twice>([&](const twice& c) {
                            if (c.number == 0)
                                spin(std::chrono::microseconds(1200));
                            return c.number * 2;
                        })});
    boost::asio::io_context context;
    auto work = boost::asio::make_work_guard(context);
    wharf::client client(context, daemon.endpoint());
    std::thread runners[2] = {std::thread([&] { context.run(); }),
                              std::thread([&] { context.run(); })};
    constexpr int calls_in_burst = 900;
    const int bursts = calls_per_thread / 60;
    std::atomic<int> right{0};
    for (int burst = 0; burst != bursts; ++burst) {
        std::atomic<int> left{calls_in_burst + 1};
        const auto call = [&](std::int64_t n) {
            client.async_call(twice{n}, [&, n](error_code ec, std::int64_t reply) {
                right += !ec && reply == 2 * n;
                --left;
            });
        };
        for (int i = 0; i != calls_in_burst; ++i)
            call(i);
        // About when the replies come, and longer than the pause that asks for a look.
        spin(std::chrono::microseconds(1000 + burst % 40 * 10));
        call(burst + 1);
        while (left != 0)
            std::this_thread::yield();
    }
    BOOST_TEST(right == bursts * (calls_in_burst + 1));
    work.reset();
    for (auto& each : runners)
        each.join();
}

BOOST_AUTO_TEST_CASE(a_client_is_closed_while_threads_call)
{
    for (int round = 0; round != 20; ++round) {
        fake::directory directory;
        fake::daemon daemon(directory.socket(),
                            {fake::on<twice>([](const twice& c) { return c.number * 2; })});
        boost::asio::io_context context;
        auto work = boost::asio::make_work_guard(context);
        std::thread runner([&] { context.run(); });
        std::atomic<int> ended{0};
        std::atomic<bool> some{false}; // outlives the handlers, as `ended` does
        {
            wharf::client client(context, daemon.endpoint());
            std::vector<std::thread> callers;
            for (int t = 0; t != 4; ++t)
                callers.emplace_back([&] {
                    for (int i = 0; i != 200; ++i)
                        client.async_call(twice{i}, [&](error_code ec, std::int64_t) {
                            ended += !ec || ec == errc::cancelled;
                            some = true;
                            some.notify_one();
                        });
                });
            some.wait(false);
            client.close();
            for (auto& each : callers)
                each.join();
        }
        work.reset();
        runner.join();
        BOOST_TEST(ended == 800);
    }
}
