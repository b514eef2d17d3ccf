// The listener: bursts, exhausted descriptors, peers that die early, and paths.
#include "support.hpp"

#include "listener.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <ctime>

using namespace wharf;
using namespace wharf::test;

namespace {

std::chrono::nanoseconds cpu_time()
{
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// A connection of a client that does not wait for anything.
owned_fd connect_at_once(const endpoint& where)
{
    owned_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::get<tcp_endpoint>(where).port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    const int failed = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (failed != 0 && errno != EINPROGRESS)
        return owned_fd();
    return fd;
}

server_options unix_options(const std::string& path)
{
    server_options o = open_options();
    o.listeners[0].name = "local";
    o.listeners[0].where = unix_endpoint{path};
    return o;
}

} // namespace

// Row 9: the backlog is the one that was asked for, and by default what the system allows.
BOOST_AUTO_TEST_CASE(row_9_the_backlog_is_what_the_options_say)
{
    boost::asio::io_context context;
    const auto backlog_of = [&](int asked) {
        listener_options o = open_options().listeners[0];
        o.backlog = asked;
        // Nobody accepts here, so connections stay in the queue until it is full.
        listener l(context.get_executor(), o, [](const listener&, int fd) { ::close(fd); });
        l.open();
        std::vector<owned_fd> peers;
        std::size_t connected = 0;
        for (int i = 0; i < 64; ++i) {
            peers.push_back(connect_at_once(l.where()));
            if (wait_ready(peers.back().get(), POLLOUT, clock::now() + 20ms))
                ++connected;
            else
                break;
        }
        return connected;
    };
    BOOST_TEST(backlog_of(4) == 5u); // Linux takes one more than the backlog
    BOOST_TEST(backlog_of(0) == 64u);
}

// Row 9: a burst of connections is not refused. 10 000 of them, as many at a time as the
// descriptors of one process allow.
BOOST_AUTO_TEST_CASE(row_9_ten_thousand_connections_in_bursts_are_all_served)
{
    server s(open_options(2));
    s.serve(basic_service{});
    s.start();
    constexpr int burst = 400;
    int refused = 0;
    for (int round = 0; round < 25; ++round) {
        std::vector<owned_fd> peers;
        for (int i = 0; i < burst; ++i) {
            peers.push_back(connect_at_once(s.endpoints().at(0)));
            refused += peers.back().get() < 0;
        }
        for (const owned_fd& fd : peers) {
            BOOST_REQUIRE(wait_ready(fd.get(), POLLIN, clock::now() + patience));
            char byte = 0;
            refused += ::recv(fd.get(), &byte, 1, 0) != 1; // the server's opening
        }
        peers.clear();
    }
    BOOST_TEST(refused == 0);
    BOOST_TEST(s.status().listeners.at(0).accepted == 10000u);
    BOOST_TEST(eventually([&] { return s.status().sessions == 0; }));
}

// Row 10: without descriptors the server stays calm, tells whom it can, and recovers.
BOOST_AUTO_TEST_CASE(row_10_running_out_of_descriptors_is_survived)
{
    server s(open_options());
    s.serve(basic_service{});
    s.start();
    std::optional<peer> early(s.endpoints().at(0));
    // A first call: UBSan looks at a type for the first time through a pipe, which needs
    // descriptors.
    BOOST_TEST(early->ask(add{1, 1}).as<std::int64_t>() == 2);
    // The clients' descriptors are made first, then the limit falls to what is open by now.
    std::vector<owned_fd> sockets;
    for (int i = 0; i < 100; ++i)
        sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int probe = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(probe);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(probe) + 5; // five sessions fit
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    struct restore {
        rlimit was;
        ~restore() { ::setrlimit(RLIMIT_NOFILE, &was); }
    } guard{before};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::get<tcp_endpoint>(s.endpoints().at(0)).port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (const owned_fd& fd : sockets)
        BOOST_REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                      0);
    BOOST_REQUIRE(eventually([&] { return s.status().listeners.at(0).exhausted >= 3; }));
    // Three more pauses of the loop: a listener that spins would burn them.
    const auto used_before = cpu_time();
    const auto begun = clock::now();
    const auto seen = s.status().listeners.at(0).exhausted;
    BOOST_REQUIRE(wait_ready(early->fd(), POLLIN, clock::now() + 400ms) == false);
    const auto used = cpu_time() - used_before;
    BOOST_TEST(s.status().listeners.at(0).exhausted <= seen + 8);
    BOOST_TEST(used * 10 < clock::now() - begun);
    // The session that was there first is served all the time.
    BOOST_TEST(early->ask(add{1, 2}).as<std::int64_t>() == 3);
    // Peers leave, descriptors come back, and who waits is served or was told.
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    int served = 0, told = 0;
    for (owned_fd& fd : sockets) {
        peer p(std::move(fd));
        try {
            served += p.ask(add{2, 2}).as<std::int64_t>() == 4;
        }
        catch (const error&) {
            told += p.goaway() == errc::overloaded;
        }
    }
    BOOST_TEST(served + told == 100);
    BOOST_TEST(served >= 80);
    BOOST_TEST(told >= 1); // by the descriptor kept for it
}

// Row 11: a session's death is its own.
BOOST_AUTO_TEST_CASE(row_11_a_thousand_peers_that_die_in_the_handshake_harm_nobody)
{
    server s(open_options(2));
    s.serve(basic_service{});
    s.start();
    peer healthy(s.endpoints().at(0));
    const linger hard{1, 0};
    for (int i = 0; i < 1000; ++i) {
        owned_fd fd = connect_to(s.endpoints().at(0));
        BOOST_REQUIRE(fd.get() >= 0);
        ::send(fd.get(), "WHARF", static_cast<std::size_t>(i % 6), MSG_NOSIGNAL);
        if (i % 2 == 0)
            ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        fd.reset();
        if (i % 100 == 0)
            BOOST_REQUIRE(healthy.ask(add{i, 1}).as<std::int64_t>() == i + 1);
    }
    BOOST_TEST(peer(s.endpoints().at(0)).ask(add{1, 1}).as<std::int64_t>() == 2);
    healthy.ask(add{1, 1});
    BOOST_TEST(eventually([&] { return s.status().sessions == 1; }));
}

// Row 11: a new connection has its listener's options.
BOOST_AUTO_TEST_CASE(row_11_a_connection_inherits_the_options_of_its_listener)
{
    boost::asio::io_context context;
    int taken = -1;
    const auto l = std::make_shared<listener>(context.get_executor(), open_options().listeners[0],
                                              [&](const listener&, int fd) { taken = fd; });
    l->open();
    l->start();
    const owned_fd client = connect_to(l->where());
    while (taken < 0)
        context.run_one();
    const owned_fd accepted(taken);
    BOOST_TEST((::fcntl(taken, F_GETFL) & O_NONBLOCK) != 0);
    BOOST_TEST((::fcntl(taken, F_GETFD) & FD_CLOEXEC) != 0);
    l->close();
    context.run();
}

BOOST_AUTO_TEST_CASE(a_unix_path_is_there_while_the_server_listens)
{
    const scratch_directory dir;
    const std::string path = dir / "wharf.sock";
    {
        server s(unix_options(path));
        s.serve(basic_service{});
        s.start();
        BOOST_TEST(peer(s.endpoints().at(0)).ask(add{1, 1}).as<std::int64_t>() == 2);
        struct stat file {};
        BOOST_REQUIRE(::stat(path.c_str(), &file) == 0);
        BOOST_TEST((file.st_mode & 0777) == 0660);
    }
    BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_path_that_another_server_took_over_stays)
{
    const scratch_directory dir;
    const std::string path = dir / "wharf.sock";
    boost::asio::io_context context;
    listener first(context.get_executor(), unix_options(path).listeners[0],
                   [](const listener&, int fd) { ::close(fd); });
    first.open();
    std::filesystem::remove(path);
    listener second(context.get_executor(), unix_options(path).listeners[0],
                    [](const listener&, int fd) { ::close(fd); });
    second.open();
    first.close();
    BOOST_TEST(std::filesystem::exists(path));
    second.close();
    BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_an_opening_and_a_goaway)
{
    conversation client(side::client, {}, "test", clock::now());
    const std::string bytes = refusal_bytes(errc::overloaded, "no descriptor is left");
    const auto room = client.prepare();
    BOOST_REQUIRE(bytes.size() <= room.size());
    std::memcpy(room.data(), bytes.data(), bytes.size());
    client.commit(bytes.size());
    bool told = false;
    for (event e = client.next(); !std::holds_alternative<events::nothing>(e); e = client.next())
        if (const auto* away = std::get_if<events::going_away>(&e))
            told = away->code == errc::overloaded && away->text == "no descriptor is left";
    BOOST_TEST(told);
}
