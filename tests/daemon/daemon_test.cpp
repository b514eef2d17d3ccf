// Tests the duties of a process: drain, a second signal, the watchdog, and the example daemon.
#include <wharf/daemon.hpp>

#include "process.hpp"
#include "waiting_commands.hpp"

#include "calculator.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <set>
#include <thread>

using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

/// The test's daemon on a unix socket in a directory of its own.
struct running {
    explicit running(const std::string& program, std::vector<std::string> words = {},
                     std::map<std::string, std::string> environment = {})
        : where("unix:" + directory.path() + "/s")
    {
        environment["NOTIFY_SOCKET"] = manager.name();
        std::vector<std::string> command{program, "--listen", where, "--threads", "2"};
        command.insert(command.end(), words.begin(), words.end());
        process::options how;
        how.environment = environment;
        child.emplace(command, how);
        BOOST_REQUIRE(!manager.wait_for("READY=1").empty());
    }
    scratch directory;
    notify_socket manager;
    std::string where;
    std::optional<process> child;
};

} // namespace

BOOST_AUTO_TEST_CASE(sigterm_with_100_calls_in_flight_answers_all_then_exits_0)
{
    running d(WAITING_DAEMON);
    boost::asio::io_context context;
    wharf::client client(context, d.where);
    std::set<std::uint64_t> answered;
    int failed = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
        const wait_for_drain command{i};
        client.async_call(command, [&](wharf::error_code ec, std::uint64_t number) {
            if (ec)
                ++failed;
            else
                answered.insert(number);
        });
    }
    std::thread work([&] { context.run(); });
    while (d.child->read_line() != "in flight: 100") {}
    d.child->signal(SIGTERM);
    BOOST_TEST(d.manager.wait_for("STOPPING=1").find("EXTEND_TIMEOUT_USEC=") != std::string::npos);
    BOOST_TEST(d.child->wait() == 0);
    work.join();
    BOOST_TEST(answered.size() == 100u);
    BOOST_TEST(failed == 0);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_the_process_at_once)
{
    // A call that never ends, and a drain that would wait for it for an hour.
    running d(WAITING_DAEMON, {"--set", "server.drain_timeout=1h"});
    boost::asio::io_context context;
    wharf::client client(context, d.where);
    const hang command{1};
    client.async_call(command, wharf::call_options{.timeout = 60s}, [](wharf::error_code) {});
    std::thread work([&] { context.run(); });
    BOOST_TEST(d.child->read_line() == "hanging");
    d.child->signal(SIGTERM);
    BOOST_REQUIRE(!d.manager.wait_for("STOPPING=1").empty());
    BOOST_TEST(d.child->wait(0ms) == -1);
    d.child->signal(SIGTERM);
    BOOST_TEST(d.child->wait(10s) == 1);
    client.close();
    work.join();
    BOOST_TEST(d.child->errors().find("a second signal") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(sighup_reloads_and_the_daemon_goes_on)
{
    running d(WAITING_DAEMON);
    d.child->signal(SIGHUP);
    BOOST_TEST(!d.manager.wait_for("READY=1").empty());
    d.child->signal(SIGTERM);
    BOOST_TEST(d.child->wait() == 0);
    BOOST_TEST(d.child->errors().find("<5>reload: applied nothing operator=SIGHUP") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_watchdog_starves_when_one_worker_hangs)
{
    running d(WAITING_DAEMON, {}, {{"WATCHDOG_USEC", "200000"}});
    BOOST_REQUIRE(!d.manager.wait_for("WATCHDOG=1").empty());
    BOOST_REQUIRE(!d.manager.wait_for("WATCHDOG=1").empty());
    boost::asio::io_context context;
    wharf::client client(context, d.where);
    const hang command{1};
    client.async_call(command, wharf::call_options{.timeout = 60s}, [](wharf::error_code) {});
    std::thread work([&] { context.run(); });
    // Some may be on their way; then there are no more, at ten times the interval.
    bool starved = false;
    for (int i = 0; i < 200 && !starved; ++i)
        starved = d.manager.wait_for("WATCHDOG=1", 1000ms).empty();
    BOOST_TEST(starved);
    client.close();
    work.join();
}

BOOST_AUTO_TEST_CASE(the_status_tells_of_sessions_and_calls)
{
    running d(CALCULATORD);
    wharf::blocking_client client(d.where);
    BOOST_TEST(client.call(add{1, 2}) == 3);
    BOOST_TEST(d.manager.wait_for("1 sessions, 1 calls, 0 errors")
                   .starts_with("STATUS=serving 1 endpoint: unix:"));
}

BOOST_AUTO_TEST_CASE(the_example_daemon_of_twelve_lines_serves_its_command_row_92)
{
    running d(CALCULATORD);
    wharf::blocking_client client(d.where);
    BOOST_TEST(client.call(add{40, 2}) == 42);
    d.child->signal(SIGINT);
    BOOST_TEST(d.child->wait() == 0);
}
