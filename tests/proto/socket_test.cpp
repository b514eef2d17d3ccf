// The blocking socket: its sequence of operations, what it refuses, who owns what, how it ends.
#include "socket_support.hpp"

#include <wharf/socket.hpp>

#include <fcntl.h>
#include <future>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>
#include <vector>

// Inside, so that socket is not the system's function.
namespace wharf {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

struct connected_pair {
    connected_pair()
    {
        socket server;
        server.create(0);
        server.listen();
        client.create();
        client.connect("127.0.0.1", server.port());
        server.accept(peer);
    }
    socket client, peer;
};

void say(socket& to, std::string_view text)
{
    to.send(bytes_of(text));
}

std::string hear(socket& from, std::size_t n)
{
    std::string text(n, '\0');
    std::size_t got = 0;
    while (got < n) {
        std::size_t more = from.receive(std::as_writable_bytes(std::span(text).subspan(got)));
        if (more == 0)
            break;
        got += more;
    }
    text.resize(got);
    return text;
}

bool sees_end(socket& s)
{
    std::byte byte;
    return s.receive({&byte, 1}) == 0;
}

void reset(socket& s)
{
    linger at_once{1, 0};
    ::setsockopt(s.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    s.close();
}

} // namespace

BOOST_AUTO_TEST_SUITE(sockets)

// Row 30: a socket is of use without a file or an archive.
BOOST_AUTO_TEST_CASE(bytes_travel_both_ways_without_an_archive_row_30)
{
    connected_pair pair;
    say(pair.client, "question");
    BOOST_TEST(hear(pair.peer, 8) == "question");
    say(pair.peer, "answer");
    BOOST_TEST(hear(pair.client, 6) == "answer");
}

// Row 1: a half-made object refuses by name.
BOOST_AUTO_TEST_CASE(an_unconnected_socket_answers_not_connected)
{
    std::byte byte{};
    socket empty, created, bound;
    created.create();
    bound.create(0);
    for (socket* s : {&empty, &created, &bound}) {
        BOOST_TEST(code_of([&] { s->send({&byte, 1}); }) == errc::not_connected);
        BOOST_TEST(code_of([&] { s->receive({&byte, 1}); }) == errc::not_connected);
        BOOST_TEST(code_of([&] { s->shutdown(); }) == errc::not_connected);
        BOOST_TEST(code_of([&] { s->peer(); }) == errc::not_connected);
        socket peer;
        BOOST_TEST(code_of([&] { s->accept(peer); }) == errc::not_connected);
        BOOST_TEST(!peer.is_open());
    }
    BOOST_TEST(code_of([&] { empty.local(); }) == errc::not_connected);
    BOOST_TEST(code_of([&] { empty.connect("127.0.0.1", 1); }) == errc::not_connected);
    BOOST_TEST(code_of([&] { empty.listen(); }) == errc::not_connected);
    BOOST_TEST(empty.port() == 0);
    BOOST_TEST(empty.native_handle() == -1);
}

// The seeds: the server must always specify a port.
BOOST_AUTO_TEST_CASE(a_socket_that_listens_names_its_port)
{
    socket s;
    s.create();
    error e = error_of([&] { s.listen(); });
    BOOST_TEST(e.code() == errc::not_connected);
    BOOST_TEST(contains(e.text(), "names its port"), e.text());
}

// Row 11: accept() fills a new, empty socket.
BOOST_AUTO_TEST_CASE(accepting_into_a_socket_that_is_not_empty_is_refused)
{
    socket server = socket::listen_on(parse_endpoint("127.0.0.1:0"));
    socket client = socket::connect_to(parse_endpoint(server.local().address));
    socket created;
    created.create();
    connected_pair other;
    for (socket* s : {&created, &other.peer, &server}) {
        error e = error_of([&] { server.accept(*s); });
        BOOST_TEST(e.code() == errc::bad_argument);
        BOOST_TEST(contains(e.text(), "empty socket"), e.text());
    }
    socket peer;
    server.accept(peer); // the connection that waited is still there
    BOOST_TEST(peer.is_connected());
}

// Row 11: the accepted socket has the connection's options and cannot accept; the listener goes on.
BOOST_AUTO_TEST_CASE(an_accepted_socket_stands_on_its_own)
{
    socket server;
    server.create(0);
    server.listen();
    for (int round = 0; round < 100; ++round) {
        socket client, peer;
        client.create();
        client.connect("127.0.0.1", server.port());
        server.accept(peer);
        int no_delay = 0;
        socklen_t size = sizeof no_delay;
        ::getsockopt(peer.native_handle(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
        BOOST_TEST(no_delay == 1);
        BOOST_TEST((::fcntl(peer.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
        socket another;
        BOOST_TEST(code_of([&] { peer.accept(another); }) == errc::not_connected);
        reset(round % 2 == 0 ? peer : client); // what happens to it is nothing to the listener
        BOOST_TEST(server.is_listening());
    }
}

BOOST_AUTO_TEST_CASE(calls_out_of_sequence_are_refused)
{
    connected_pair pair;
    socket listening = socket::listen_on(parse_endpoint("127.0.0.1:0"));
    for (socket* s : {&pair.client, &listening}) {
        BOOST_TEST(code_of([&] { s->create(); }) == errc::bad_argument);
        BOOST_TEST(code_of([&] { s->create(0); }) == errc::bad_argument);
        BOOST_TEST(code_of([&] { s->listen(); }) == errc::bad_argument);
        BOOST_TEST(code_of([&] { s->connect("127.0.0.1", 1); }) == errc::bad_argument);
        BOOST_TEST(code_of([&] { s->attach(0); }) == errc::bad_argument);
    }
    BOOST_TEST(code_of([&] { pair.client.receive({}); }) == errc::bad_argument);
}

// Row 4: nothing is opened to the network unless it is written out.
BOOST_AUTO_TEST_CASE(a_port_alone_is_bound_on_loopback)
{
    socket server, everywhere, everywhere_v6, named;
    server.create(0);
    BOOST_TEST(server.local().address == "127.0.0.1:" + std::to_string(server.port()));
    everywhere.create("0.0.0.0", 0);
    BOOST_TEST(everywhere.local().address.starts_with("0.0.0.0:"));
    everywhere_v6.create("::", 0); // row 5: both can be bound
    BOOST_TEST(everywhere_v6.local().address.starts_with("[::]:"));
    named.create("localhost", 0);
    BOOST_TEST(named.port() != 0);
}

BOOST_AUTO_TEST_CASE(a_port_out_of_range_or_a_bad_address_is_refused)
{
    socket s;
    for (int port : {-1, 65536, 70000})
        BOOST_TEST(code_of([&] { s.create(port); }) == errc::bad_endpoint);
    for (const char* address : {"", "1.2.3.4.5", "unix:/tmp/x", "fd:3", "udp:h"})
        BOOST_TEST(code_of([&] { s.create(address, 1); }) == errc::bad_endpoint, address);
    BOOST_TEST(!s.is_open());
    s.create();
    BOOST_TEST(code_of([&] { s.connect("127.0.0.1", 70000); }) == errc::bad_endpoint);
    BOOST_TEST(code_of([&] { s.connect("udp:127.0.0.1:1"); }) == errc::bad_endpoint);
    BOOST_TEST(code_of([&] { s.connect("0.0.0.0", 1); }) == errc::bad_endpoint); // row 8
    BOOST_TEST(code_of([&] { s.connect("::", 1); }) == errc::bad_endpoint);
}

// Row 3: a client has any free port, or the one that it asked for.
BOOST_AUTO_TEST_CASE(a_client_connects_from_a_free_port_or_from_its_own)
{
    socket server = socket::listen_on(parse_endpoint("127.0.0.1:0"));
    socket any, own, peer;
    any.create();
    any.connect("127.0.0.1", server.port());
    BOOST_TEST(any.port() > 1024);
    server.accept(peer);
    BOOST_TEST(peer.peer().address == any.local().address);

    own.create(0);
    std::uint16_t port = own.port();
    own.connect("127.0.0.1", server.port());
    BOOST_TEST(own.port() == port);
    BOOST_TEST(own.peer().address == server.local().address);
}

BOOST_AUTO_TEST_CASE(every_form_of_address_connects)
{
    scratch_directory directory;
    socket v4 = socket::listen_on(parse_endpoint("127.0.0.1:0"));
    socket v6 = socket::listen_on(parse_endpoint("[::1]:0"));
    socket local;
    local.create(parse_endpoint("unix:" + (directory / "s")));
    local.listen(5);
    auto connects = [](auto... where) {
        socket s;
        s.create();
        s.connect(where...);
        return s.is_connected();
    };
    BOOST_TEST(connects("127.0.0.1", v4.port()));
    BOOST_TEST(connects("localhost", v4.port()));
    BOOST_TEST(connects("::1", v6.port()));
    BOOST_TEST(connects("[::1]", v6.port()));
    BOOST_TEST(connects(v4.local().address));
    BOOST_TEST(connects("unix:" + (directory / "s")));
    BOOST_TEST(connects(parse_endpoint("unix:" + (directory / "s"))));
    socket peer;
    local.accept(peer);
    BOOST_TEST((peer.peer().pid == ::getpid())); // row 18
}

// The seeds: if the server is not ready, try connecting again later.
BOOST_AUTO_TEST_CASE(a_failed_connect_can_be_tried_again)
{
    socket server, client;
    server.create(0); // nobody listens yet
    client.create();
    std::size_t before = open_descriptors();
    BOOST_TEST(code_of([&] { client.connect("127.0.0.1", server.port()); }) ==
               errc::connection_refused);
    BOOST_TEST(open_descriptors() == before);
    server.listen();
    client.connect("127.0.0.1", server.port());
    BOOST_TEST(client.is_connected());
}

// Row 84 by its sense: no wait is without an end.
BOOST_AUTO_TEST_CASE(waits_end_at_their_deadline)
{
    connected_pair pair;
    socket server = socket::listen_on(parse_endpoint("127.0.0.1:0")), nobody;
    std::byte byte;
    BOOST_TEST(code_of([&] { server.accept(nobody, 20ms); }) == errc::deadline_exceeded);
    BOOST_TEST(code_of([&] { pair.client.receive({&byte, 1}, 20ms); }) == errc::deadline_exceeded);
    std::vector<std::byte> much(64 << 20);
    BOOST_TEST(code_of([&] { pair.client.send(much, 20ms); }) == errc::deadline_exceeded);
    // Neither end of the scale is special.
    BOOST_TEST(code_of([&] { server.accept(nobody, -5ms); }) == errc::deadline_exceeded);
    socket client = socket::connect_to(parse_endpoint(server.local().address));
    server.accept(nobody, std::chrono::milliseconds::max());
    BOOST_TEST(nobody.is_connected());
}

// Row 1: whatever fails, no descriptor stays behind; socket() and bind() among it.
BOOST_AUTO_TEST_CASE(failed_factories_leak_no_descriptor)
{
    socket taken = socket::listen_on(parse_endpoint("127.0.0.1:0"));
    std::size_t before = open_descriptors();
    BOOST_TEST(code_of([&] {
                   std::ignore = socket::listen_on(parse_endpoint(taken.local().address));
               }) == errc::address_in_use);
    BOOST_TEST(code_of([] { std::ignore = socket::listen_on(parse_endpoint("192.0.2.1:0")); }) ==
               errc::bad_endpoint);
    BOOST_TEST(code_of([] {
                   std::ignore = socket::connect_to(parse_endpoint("unix:/nonexistent/s"));
               }) == errc::connection_refused);
    rlimit saved{};
    ::getrlimit(RLIMIT_NOFILE, &saved);
    rlimit none{0, saved.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    errc listening =
        code_of([] { std::ignore = socket::listen_on(parse_endpoint("127.0.0.1:0")); });
    ::setrlimit(RLIMIT_NOFILE, &saved);
    BOOST_TEST(listening == errc::io_error);
    BOOST_TEST(open_descriptors() == before);
}

// Row 12: the end of a scope is the end of the connection.
BOOST_AUTO_TEST_CASE(leaving_the_scope_closes_the_connection)
{
    std::size_t before = open_descriptors();
    {
        connected_pair pair;
        {
            socket going = std::move(pair.peer);
        }
        BOOST_TEST(sees_end(pair.client));
    }
    BOOST_TEST(open_descriptors() == before);
}

// Row 13: on the stack or on the heap, and moved between them.
BOOST_AUTO_TEST_CASE(sockets_are_moved_with_their_connection)
{
    connected_pair pair;
    auto heap = std::make_unique<socket>(std::move(pair.client));
    BOOST_TEST(!pair.client.is_open());
    BOOST_TEST(pair.client.native_handle() == -1);
    socket assigned;
    assigned = std::move(*heap);
    heap.reset();
    std::vector<socket> many;
    many.push_back(std::move(assigned));
    many.resize(100);
    say(many.front(), "moved");
    BOOST_TEST(hear(pair.peer, 5) == "moved");

    connected_pair other; // assigning closes what was there
    many.front() = std::move(other.client);
    BOOST_TEST(sees_end(pair.peer));
    socket& self = many.front();
    many.front() = std::move(self);
    BOOST_TEST(many.front().is_connected());
    static_assert(std::is_nothrow_move_constructible_v<socket> &&
                  std::is_nothrow_move_assignable_v<socket> &&
                  std::is_nothrow_destructible_v<socket> && !std::is_copy_constructible_v<socket>);
}

// Row 15.
BOOST_AUTO_TEST_CASE(closing_twice_is_closing_once)
{
    connected_pair pair;
    int number = pair.client.native_handle();
    pair.client.close();
    BOOST_TEST(::fcntl(number, F_GETFD) == -1);
    int reused = ::fcntl(pair.peer.native_handle(), F_DUPFD, number);
    BOOST_TEST(reused == number);
    pair.client.close(); // the number is another's now
    BOOST_TEST(::fcntl(number, F_GETFD) != -1);
    ::close(reused);
    std::byte byte{};
    BOOST_TEST(code_of([&] { pair.client.send({&byte, 1}); }) == errc::not_connected);
    pair.client.create(); // and it can be used anew
    BOOST_TEST(pair.client.is_open());
}

// Row 15: bytes that the server never read do not cost the client its last reply.
BOOST_AUTO_TEST_CASE(a_graceful_close_delivers_the_last_reply)
{
    const std::string reply(50000, 'r');
    for (int round = 0; round < 100; ++round) {
        connected_pair pair;
        say(pair.client, std::string(3000, 'u'));
        say(pair.peer, reply);
        auto closing = std::async(std::launch::async, [&] { pair.peer.close_gracefully(10s); });
        BOOST_REQUIRE_EQUAL(hear(pair.client, reply.size()), reply);
        BOOST_REQUIRE(sees_end(pair.client));
        pair.client.close();
        closing.get();
        BOOST_REQUIRE(!pair.peer.is_open());
    }
}

BOOST_AUTO_TEST_CASE(a_graceful_close_waits_no_longer_than_told)
{
    connected_pair pair;
    auto began = clock_type::now();
    pair.peer.close_gracefully(50ms); // the client never ends
    BOOST_TEST((clock_type::now() - began < 5s));
    BOOST_TEST(!pair.peer.is_open());
    socket empty;
    empty.close_gracefully();
}

// Row 16: a half-close ends one way only.
BOOST_AUTO_TEST_CASE(a_half_closed_connection_still_receives)
{
    connected_pair pair;
    say(pair.client, "last words");
    pair.client.shutdown(direction::send);
    BOOST_TEST(hear(pair.peer, 10) == "last words");
    BOOST_TEST(sees_end(pair.peer));
    say(pair.peer, "understood");
    BOOST_TEST(hear(pair.client, 10) == "understood");
    std::byte byte{};
    BOOST_TEST(code_of([&] { pair.client.send({&byte, 1}); }) == errc::connection_reset);
}

BOOST_AUTO_TEST_CASE(shutting_down_receiving_ends_it_and_both_ends_both)
{
    connected_pair pair;
    pair.client.shutdown(direction::receive);
    BOOST_TEST(sees_end(pair.client));
    say(pair.client, "x");
    BOOST_TEST(hear(pair.peer, 1) == "x");
    pair.peer.shutdown(direction::both);
    BOOST_TEST(sees_end(pair.peer));
}

// Row 83: an end in order is no error, a broken connection is one.
BOOST_AUTO_TEST_CASE(a_reset_is_not_an_end_in_order)
{
    std::byte byte;
    connected_pair ended, broken;
    ended.client.close();
    BOOST_TEST(ended.peer.receive({&byte, 1}) == 0u);
    reset(broken.client);
    BOOST_TEST(code_of([&] { broken.peer.receive({&byte, 1}); }) == errc::connection_reset);
}

// Row 17 for a program's own descriptors.
BOOST_AUTO_TEST_CASE(descriptors_are_attached_and_detached)
{
    int ends[2];
    BOOST_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    socket one, two;
    one.attach(ends[0]);
    two.attach(ends[1]);
    say(one, "hello");
    BOOST_TEST(hear(two, 5) == "hello");
    int fd = one.detach();
    BOOST_TEST(fd == ends[0]);
    BOOST_TEST(!one.is_open());
    BOOST_TEST(one.detach() == -1);
    one.close();
    BOOST_TEST(::fcntl(fd, F_GETFD) != -1);
    ::close(fd);
    BOOST_TEST(sees_end(two));

    socket listening = socket::listen_on(parse_endpoint("127.0.0.1:0")), adopted;
    adopted.attach(listening.detach());
    BOOST_TEST(adopted.is_listening());
    int datagrams = ::socket(AF_INET, SOCK_DGRAM, 0);
    socket refused;
    BOOST_TEST(code_of([&] { refused.attach(datagrams); }) == errc::bad_endpoint); // row 22
    BOOST_TEST(code_of([&] { refused.attach(-1); }) == errc::bad_endpoint);
    BOOST_TEST(::close(datagrams) == 0);
}

// Row 10 for this layer: out of descriptors is an error of one accept, not of the listener.
BOOST_AUTO_TEST_CASE(accepting_without_descriptors_fails_and_recovers)
{
    socket server = socket::listen_on(parse_endpoint("127.0.0.1:0")), peer;
    socket client = socket::connect_to(parse_endpoint(server.local().address));
    rlimit saved{};
    ::getrlimit(RLIMIT_NOFILE, &saved);
    rlimit none{0, saved.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    errc failed = code_of([&] { server.accept(peer); });
    ::setrlimit(RLIMIT_NOFILE, &saved);
    BOOST_TEST(failed == errc::io_error);
    server.accept(peer);
    BOOST_TEST(peer.is_connected());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace wharf
