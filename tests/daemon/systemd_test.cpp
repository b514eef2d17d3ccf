// Tests the service manager's side: passed sockets and the notifications.
#include "systemd.hpp"

#include "process.hpp"

#include <wharf/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

namespace systemd = wharf::systemd;
using wharf::test::notify_socket;
using namespace std::chrono_literals;

namespace {

wharf::listener_options listener(const std::string& name, const std::string& where)
{
    wharf::listener_options l;
    l.name = name;
    l.where = wharf::parse_endpoint(where);
    return l;
}

systemd::passed_socket socket_at(int fd, const std::string& name, const std::string& where)
{
    return {fd, name, wharf::parse_endpoint(where)};
}

struct variable {
    variable(const char* name, const std::string& text) : name_(name)
    {
        ::setenv(name, text.c_str(), 1);
    }
    ~variable() { ::unsetenv(name_); }
    const char* name_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_passed_socket_takes_the_place_of_its_endpoint_then_of_its_name)
{
    wharf::server_options options;
    options.listeners = {listener("", "127.0.0.1:7040"), listener("local", "unix:/run/a"),
                         listener("other", "unix:/run/b")};
    options.listeners[1].unix_group = "wharf";
    const auto of = systemd::adopt(
        options, {socket_at(3, "local", "unix:@elsewhere"), socket_at(4, "x", "127.0.0.1:7040"),
                  socket_at(5, "x", "[::1]:1"), socket_at(6, "x", "[::1]:2")});
    BOOST_REQUIRE(options.listeners.size() == 5u);
    BOOST_CHECK(options.listeners[0].where == wharf::endpoint(wharf::fd_endpoint{4}));
    BOOST_TEST(options.listeners[0].name == "127.0.0.1:7040"); // as allow lines call it
    BOOST_CHECK(options.listeners[1].where == wharf::endpoint(wharf::fd_endpoint{3}));
    BOOST_TEST(options.listeners[1].name == "local");
    BOOST_TEST(options.listeners[1].unix_group == "");
    BOOST_CHECK(options.listeners[2].where == wharf::parse_endpoint("unix:/run/b"));
    BOOST_TEST(options.listeners[3].name == "x");
    BOOST_TEST(options.listeners[4].name == "x-2");
    BOOST_CHECK(options.listeners[4].where == wharf::endpoint(wharf::fd_endpoint{6}));
    BOOST_TEST(!of[2].has_value());
    BOOST_TEST(*of[0] == 1u);
}

BOOST_AUTO_TEST_CASE(without_a_manager_there_are_no_sockets_and_no_watchdog)
{
    BOOST_TEST(systemd::take_passed_sockets().empty());
    BOOST_TEST(!systemd::watchdog_interval().has_value());
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_does_not_listen_is_refused)
{
    int pair[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    // The manager's descriptors begin at 3, which this process may have in use.
    const int saved = ::dup(3);
    BOOST_REQUIRE(::dup2(pair[0], 3) == 3);
    {
        const variable pid("LISTEN_PID", std::to_string(::getpid()));
        const variable count("LISTEN_FDS", "1");
        BOOST_CHECK_EXCEPTION(systemd::take_passed_sockets(), wharf::error,
                              [](const wharf::error& e) {
                                  return e.code() == wharf::errc::bad_endpoint &&
                                         e.text().find("not a listening") != std::string::npos;
                              });
    }
    ::close(3);
    if (saved >= 0) {
        ::dup2(saved, 3);
        ::close(saved);
    }
    ::close(pair[1]);
    if (pair[0] != 3)
        ::close(pair[0]);
}

BOOST_AUTO_TEST_CASE(notifications_reach_the_manager)
{
    notify_socket manager;
    const variable where("NOTIFY_SOCKET", manager.name());
    systemd::notify_ready("serving\n2 endpoints");
    BOOST_TEST(manager.receive() == "READY=1\nSTATUS=serving 2 endpoints");
    systemd::notify_status("7 sessions\nREADY=1");
    BOOST_TEST(manager.receive() == "STATUS=7 sessions READY=1");
    systemd::notify_stopping("stopping", 30s);
    BOOST_TEST(manager.receive() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=stopping");
    systemd::notify_watchdog();
    BOOST_TEST(manager.receive() == "WATCHDOG=1");
}

BOOST_AUTO_TEST_CASE(the_watchdog_is_fed_twice_as_often_as_it_must_be)
{
    const variable interval("WATCHDOG_USEC", "20000000");
    BOOST_CHECK(systemd::watchdog_interval() == std::optional(10000000us));
    // Meant for another process.
    const variable pid("WATCHDOG_PID", "1");
    BOOST_TEST(!systemd::watchdog_interval().has_value());
}
