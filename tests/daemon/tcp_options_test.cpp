// What the configuration says of TCP is what the sockets have, and dead peers are noticed by it.
#include "session_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>

#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

using namespace wharf;
using namespace wharf::test;

namespace {

int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    BOOST_REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

using name_function = int (*)(int, sockaddr*, socklen_t*);

std::optional<std::uint16_t> port_of(int fd, name_function name)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (name(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        address.sin_family != AF_INET)
        return std::nullopt;
    return ntohs(address.sin_port);
}

/// The descriptor of this process that fits.
template <class Fits>
int find_descriptor(Fits&& fits)
{
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int fd = std::stoi(entry.path().filename().string());
        if (fits(fd))
            return fd;
    }
    BOOST_FAIL("no such descriptor");
    return -1;
}

server_options options_with(const tcp_options& tcp)
{
    server_options o = open_options();
    o.listeners[0].tcp = tcp;
    return o;
}

/// The server's end of a peer's connection.
int other_end(const peer& p)
{
    const auto port = port_of(p.fd(), &::getsockname);
    return find_descriptor([&](int fd) { return port_of(fd, &::getpeername) == port; });
}

void check_options(const tcp_options& tcp)
{
    server s(options_with(tcp));
    s.serve(basic_service{});
    s.start();
    peer p(s.endpoints().at(0));
    p.ask(add{1, 1});
    const int fd = other_end(p);
    BOOST_TEST((option(fd, IPPROTO_TCP, TCP_NODELAY) != 0) == tcp.no_delay);
    BOOST_TEST((option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0) == (tcp.keepalive_idle.count() != 0));
    if (tcp.keepalive_idle.count() != 0) {
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == tcp.keepalive_idle.count());
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == tcp.keepalive_interval.count());
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == static_cast<int>(tcp.keepalive_probes));
    }
    BOOST_TEST(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == tcp.user_timeout.count());
    if (tcp.notsent_lowat_bytes != 0)
        BOOST_TEST(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT) ==
                   static_cast<int>(tcp.notsent_lowat_bytes));
    // Linux doubles what it is asked for.
    if (tcp.send_buffer_bytes != 0)
        BOOST_TEST(option(fd, SOL_SOCKET, SO_SNDBUF) ==
                   2 * static_cast<int>(tcp.send_buffer_bytes));
    if (tcp.receive_buffer_bytes != 0)
        BOOST_TEST(option(fd, SOL_SOCKET, SO_RCVBUF) ==
                   2 * static_cast<int>(tcp.receive_buffer_bytes));
    // Ours are timers, not the socket's.
    timeval timeout{1, 1};
    socklen_t size = sizeof timeout;
    ::getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size);
    BOOST_TEST(timeout.tv_sec + timeout.tv_usec == 0);
}

// ---- A network of its own ---------------------------------------------------------------------

constexpr int exit_skipped = 77;

/// Leaves the machine's network for an empty one; says what is missing where it cannot.
std::optional<std::string> leave_network()
{
    if (std::system("command -v nft >/dev/null 2>&1") != 0)
        return "there is no nft";
    const int kind = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET;
    if (::unshare(kind) != 0)
        return "a network namespace takes CAP_SYS_ADMIN";
    const owned_fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(control.get(), SIOCSIFFLAGS, &loopback) != 0)
        return "lo cannot be brought up: CAP_NET_ADMIN";
    return std::nullopt;
}

/// From here on no packet arrives anywhere in this namespace.
bool cut_network()
{
    return std::system("nft 'add table inet cut; add chain inet cut drops "
                       "{ type filter hook input priority 0; policy drop; }'") == 0;
}

/// Runs in a child with a network of its own: did the server notice within `bound` that its peer
/// is gone? `owes` leaves bytes of ours unacknowledged.
int watch_a_peer_die(const tcp_options& tcp, bool owes, std::chrono::milliseconds bound)
{
    if (const auto missing = leave_network()) {
        std::fprintf(stderr, "skipped: %s\n", missing->c_str());
        return exit_skipped;
    }
    gated_scene at(options_with(tcp));
    peer p(at.s.endpoints().at(0));
    p.ask(echo{});
    if (owes) {
        p.send(add{1, 1});
        if (!eventually([&] { return at.door->waiting() == 1; }))
            return 2;
    }
    // Keepalive asks only where nothing is unacknowledged, and an acknowledgement may be delayed.
    const int ours = other_end(p);
    int unacknowledged = 0;
    if (!eventually(
            [&] { return ::ioctl(ours, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0; }))
        return 5;
    if (!cut_network()) {
        std::fprintf(stderr, "skipped: nft cannot cut the network: CAP_NET_ADMIN\n");
        return exit_skipped;
    }
    const auto begun = clock::now();
    at.door->open();
    if (!eventually([&] { return at.s.status().sessions == 0; }))
        return 3;
    return clock::now() - begun <= bound ? 0 : 4;
}

void check_in_child(const tcp_options& tcp, bool owes, std::chrono::milliseconds bound)
{
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0)
        ::_exit(watch_a_peer_die(tcp, owes, bound));
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == exit_skipped)
        BOOST_TEST_MESSAGE("skipped: see standard error for the missing capability");
    else
        BOOST_TEST(WEXITSTATUS(status) == 0);
}

} // namespace

// Row 19: what getsockopt tells is what was configured.
BOOST_AUTO_TEST_CASE(row_19_the_options_of_a_connection_are_those_of_the_configuration)
{
    check_options({});
    check_options({.no_delay = false,
                   .keepalive_idle = 17s,
                   .keepalive_interval = 5s,
                   .keepalive_probes = 3,
                   .user_timeout = 12345ms,
                   .notsent_lowat_bytes = 40000,
                   .send_buffer_bytes = 50000,
                   .receive_buffer_bytes = 60000});
    check_options({.keepalive_idle = 0s, .user_timeout = 0ms, .notsent_lowat_bytes = 0});
}

BOOST_AUTO_TEST_CASE(row_19_a_listener_may_reuse_its_address)
{
    server s(open_options());
    s.start();
    const auto port = std::get<tcp_endpoint>(s.endpoints().at(0)).port;
    const int fd = find_descriptor([&](int each) { return port_of(each, &::getsockname) == port; });
    BOOST_TEST(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1);
    BOOST_TEST(option(fd, SOL_SOCKET, SO_REUSEADDR) == 1);
}

// Row 19: a peer that vanished without a word is noticed in the configured time: by keepalive ...
BOOST_AUTO_TEST_CASE(row_19_a_dead_peer_is_noticed_by_keepalive)
{
    check_in_child({.keepalive_idle = 1s,
                    .keepalive_interval = 1s,
                    .keepalive_probes = 2,
                    .user_timeout = 0ms},
                   false, 3500ms);
}

// ... and by what it does not acknowledge.
BOOST_AUTO_TEST_CASE(row_19_a_dead_peer_is_noticed_by_what_it_does_not_acknowledge)
{
    check_in_child({.keepalive_idle = 0s, .user_timeout = 1000ms}, true, 3000ms);
}
