// What tests of the asynchronous client share: a context, and coroutines run to their end on it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <functional>

namespace client_test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// No test waits longer for anything that must come.
constexpr auto patience = 60s;

/// Runs a coroutine to its end; its exception is the test's. The context goes on to be usable.
inline void run(boost::asio::io_context& context, boost::asio::awaitable<void> body)
{
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(context, std::move(body), [&](std::exception_ptr e) {
        failure = e;
        done = true;
    });
    context.restart();
    for (const auto until = clock::now() + patience; !done && clock::now() < until;)
        context.run_one_until(until);
    BOOST_REQUIRE(done);
    if (failure)
        std::rethrow_exception(failure);
}

/// Runs the context until the condition holds.
inline bool run_until(boost::asio::io_context& context, const std::function<bool()>& holds)
{
    // A timer looks again, because what the condition asks may change in another thread.
    const auto until = clock::now() + patience;
    while (!holds() && clock::now() < until) {
        boost::asio::steady_timer again(context, 1ms);
        again.async_wait([](const boost::system::error_code&) {});
        context.restart();
        context.run_one_until(until);
    }
    return holds();
}

} // namespace client_test
