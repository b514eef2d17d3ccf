// Connecting: who is asked for names, which address is tried when, what each failure is called.
#include "transport_support.hpp"

#include <atomic>
#include <future>
#include <sched.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace wharf;

namespace {

// A resolver that counts who asks it.
struct fake_resolver {
    std::vector<socket_address> addresses;
    std::shared_ptr<std::atomic<int>> queries = std::make_shared<std::atomic<int>>(0);

    connect_settings settings() const
    {
        connect_settings s;
        s.look = [found = addresses, n = queries](const std::string&, std::uint16_t) {
            ++*n;
            resolution out;
            out.addresses = found;
            out.text = "no such name";
            return out;
        };
        return s;
    }
};

// A resolver that answers when the test lets it.
struct stuck_resolver {
    std::shared_ptr<std::promise<void>> release = std::make_shared<std::promise<void>>();
    std::shared_ptr<std::promise<void>> asked = std::make_shared<std::promise<void>>();

    connect_settings settings() const
    {
        connect_settings s;
        s.look = [released = release->get_future().share(), a = asked](const std::string&,
                                                                       std::uint16_t) {
            a->set_value();
            released.wait();
            return resolution();
        };
        return s;
    }
};

// A port that is taken, so that nobody else gets it, and on which nobody listens.
struct closed_port {
    closed_port() : fd(open_stream(AF_INET, "test"))
    {
        socket_address any = address_of(parse_endpoint("127.0.0.1:0"));
        BOOST_REQUIRE_EQUAL(::bind(fd.get(), any.get(), any.size), 0);
    }
    endpoint where() const { return to_endpoint(local_name(fd.get())); }
    unique_fd fd;
};

asio::awaitable<void> seek_cancellable(connecting& out, endpoint where,
                                       const connect_settings& settings)
{
    asio::awaitable<void> op = seek(out, where, clock::now() + 60s, settings);
    co_await std::move(op);
}

} // namespace

BOOST_AUTO_TEST_SUITE(connecting_to)

// Row 6: a number is no name.
BOOST_AUTO_TEST_CASE(numeric_addresses_ask_no_resolver)
{
    asio::io_context io;
    fake_resolver resolver;
    auto v4 = listen_at(io, "127.0.0.1:0");
    BOOST_TEST(connect_now(io, bound_text(v4), 5s, resolver.settings()).stream.has_value());
    connect_now(io, "[::1]:" + std::to_string(port_of(v4)), 5s, resolver.settings());
    connect_now(io, "[fe80::1%lo]:9", 100ms, resolver.settings());
    BOOST_TEST(*resolver.queries == 0);
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_once_and_connected_to)
{
    asio::io_context io;
    auto listener = listen_at(io, "127.0.0.1:0");
    fake_resolver resolver{{address_of(bound_endpoint(listener))}};
    connecting c = connect_now(io, "db.example:7040", 5s, resolver.settings());
    BOOST_REQUIRE(c.stream);
    BOOST_TEST(remote_address(*c.stream).address == bound_text(listener));
    BOOST_TEST(*resolver.queries == 1);
}

// Row 6: the address that does not answer costs 250 ms, not its time-out.
BOOST_AUTO_TEST_CASE(a_name_with_a_silent_and_a_live_address_connects_within_500_ms)
{
    asio::io_context io;
    auto silent = listen_at(io, "127.0.0.1:0"), live = listen_at(io, "127.0.0.1:0");
    drop_packets(silent.native_handle());
    fake_resolver resolver{{address_of(bound_endpoint(silent)), address_of(bound_endpoint(live))}};
    connecting c = connect_now(io, "db.example:7040", 5s, resolver.settings());
    BOOST_REQUIRE(c.stream);
    BOOST_TEST(remote_address(*c.stream).address == bound_text(live));
    BOOST_TEST((c.took >= 250ms && c.took < 500ms), c.took.count());
}

BOOST_AUTO_TEST_CASE(a_refused_address_passes_the_turn_at_once)
{
    asio::io_context io;
    closed_port closed;
    auto live = listen_at(io, "127.0.0.1:0");
    fake_resolver resolver{{address_of(closed.where()), address_of(bound_endpoint(live))}};
    connecting c = connect_now(io, "db.example:7040", 5s, resolver.settings());
    BOOST_REQUIRE(c.stream);
    BOOST_TEST((c.took < 250ms), c.took.count());
}

BOOST_AUTO_TEST_CASE(losing_attempts_are_closed)
{
    asio::io_context io;
    auto silent = listen_at(io, "127.0.0.1:0"), live = listen_at(io, "127.0.0.1:0");
    drop_packets(silent.native_handle());
    fake_resolver resolver{{address_of(bound_endpoint(silent)), address_of(bound_endpoint(live))}};
    std::size_t before = open_descriptors();
    connecting c = connect_now(io, "db.example:7040", 5s, resolver.settings());
    BOOST_REQUIRE(c.stream);
    BOOST_TEST(open_descriptors() == before + 1);
}

// Row 7: refused, silent, unreachable and unknown are four different things.
BOOST_AUTO_TEST_CASE(a_closed_port_is_refused)
{
    asio::io_context io;
    closed_port closed;
    connecting c = connect_now(io, closed.where());
    BOOST_TEST(c.code() == errc::connection_refused);
    BOOST_TEST(contains(c.failure->text(), to_string(closed.where())));
}

// Row 7.
BOOST_AUTO_TEST_CASE(an_address_that_drops_packets_ends_at_the_deadline)
{
    asio::io_context io;
    auto silent = listen_at(io, "127.0.0.1:0");
    drop_packets(silent.native_handle());
    connecting c = connect_now(io, bound_text(silent), 200ms);
    BOOST_TEST(c.code() == errc::deadline_exceeded);
    BOOST_TEST((c.took >= 200ms && c.took < 700ms), c.took.count());
}

// Row 7.
BOOST_AUTO_TEST_CASE(an_unknown_name_does_not_resolve)
{
    asio::io_context io;
    connecting c = connect_now(io, "nowhere.example:1", 5s, fake_resolver().settings());
    BOOST_TEST(c.code() == errc::host_not_found);
    BOOST_TEST(contains(c.failure->text(), "nowhere.example:1"));
}

// Row 7: a network of its own, without an interface that is up, has no routes.
BOOST_AUTO_TEST_CASE(an_address_without_a_route_is_unreachable)
{
    std::optional<connecting> c;
    bool permitted = false;
    std::thread([&] {
        permitted = ::unshare(CLONE_NEWNET) == 0; // of this thread only
        if (!permitted)
            return;
        asio::io_context io;
        c = connect_now(io, "192.0.2.1:7040");
    }).join();
    if (!permitted) {
        BOOST_TEST_MESSAGE("skipped: a network namespace needs CAP_SYS_ADMIN");
        return;
    }
    BOOST_TEST(c->code() == errc::unreachable);
    BOOST_TEST(contains(c->failure->text(), "192.0.2.1:7040"));
}

BOOST_AUTO_TEST_CASE(of_several_failures_all_are_named)
{
    asio::io_context io;
    closed_port one, two;
    fake_resolver resolver{{address_of(one.where()), address_of(two.where())}};
    connecting c = connect_now(io, "db.example:7040", 5s, resolver.settings());
    BOOST_TEST(c.code() == errc::connection_refused);
    for (const endpoint& tried : {one.where(), two.where()})
        BOOST_TEST(contains(c.failure->text(), to_string(tried)), c.failure->text());
}

// Row 8: Linux would take them for this machine.
BOOST_AUTO_TEST_CASE(all_zero_addresses_are_no_target)
{
    asio::io_context io;
    auto listener = listen_at(io, "0.0.0.0:0");
    std::string port = std::to_string(port_of(listener));
    for (std::string host : {"0.0.0.0:", "[::]:", "[::ffff:0.0.0.0]:"})
        BOOST_TEST(connect_now(io, host + port).code() == errc::bad_endpoint);
    BOOST_TEST(connect_now(io, "127.0.0.1:0").code() == errc::bad_endpoint);
    BOOST_TEST(connect_now(io, "localhost:0").code() == errc::bad_endpoint);
    // Nor do they become one behind a name.
    fake_resolver resolver{{address_of(parse_endpoint("0.0.0.0:" + port))}};
    BOOST_TEST(connect_now(io, "zero.example:1", 5s, resolver.settings()).failure.has_value());
}

// A free port of the ephemeral range can meet itself: that is nobody who listens.
BOOST_AUTO_TEST_CASE(a_connection_to_itself_is_refused)
{
    asio::io_context io;
    closed_port own;
    set_option(own.fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    connect_settings settings;
    settings.from = local_name(own.fd.get());
    BOOST_TEST(connect_now(io, own.where(), 5s, settings).code() == errc::connection_refused);
}

BOOST_AUTO_TEST_CASE(a_missing_unix_path_is_refused)
{
    asio::io_context io;
    scratch_directory directory;
    connecting c = connect_now(io, "unix:" + (directory / "none"));
    BOOST_TEST(c.code() == errc::connection_refused);
}

// Linux answers EAGAIN there, which Asio takes for success.
BOOST_AUTO_TEST_CASE(a_full_unix_queue_ends_at_the_deadline_or_when_there_is_room)
{
    asio::io_context io;
    scratch_directory directory;
    std::string where = "unix:" + (directory / "s");
    listen_settings settings;
    settings.backlog = 1;
    auto listener = listen_at(io, where, settings);
    std::vector<connecting> queued;
    while (queued.empty() || queued.back().stream)
        queued.push_back(connect_now(io, where, 50ms));
    BOOST_TEST(queued.back().code() == errc::deadline_exceeded);

    connecting late;
    connect_settings defaults;
    asio::co_spawn(io, seek(late, parse_endpoint(where), clock::now() + 10s, defaults),
                   [](std::exception_ptr) {});
    io.restart();
    while (io.poll() != 0) {}
    BOOST_TEST(!late.done);
    transport accepted = listener.accept();
    io.run();
    BOOST_TEST(late.stream.has_value());
}

BOOST_AUTO_TEST_CASE(an_inherited_connected_socket_is_adopted_and_others_are_refused)
{
    asio::io_context io;
    int pair[2];
    BOOST_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    unique_fd other(pair[1]);
    connecting c = connect_now(io, endpoint(fd_endpoint{pair[0]}));
    BOOST_REQUIRE(c.stream);
    BOOST_TEST(c.stream->write_some(asio::buffer("x", 1)) == 1u);
    char byte = 0;
    BOOST_TEST(::read(other.get(), &byte, 1) == 1);

    auto listener = listen_at(io, "127.0.0.1:0");
    unique_fd alone = open_stream(AF_INET, "test");
    std::size_t before = open_descriptors();
    for (int fd : {listener.native_handle(), alone.get(), 1 << 20})
        BOOST_TEST(connect_now(io, endpoint(fd_endpoint{fd})).code() == errc::bad_endpoint);
    BOOST_TEST(open_descriptors() == before);
}

// Row 87 by its sense: a cancelled connect holds nothing.
BOOST_AUTO_TEST_CASE(cancelling_a_connect_closes_its_descriptor_at_once)
{
    asio::io_context io;
    auto silent = listen_at(io, "127.0.0.1:0");
    drop_packets(silent.native_handle());
    connecting c;
    connect_settings settings;
    asio::cancellation_signal cancel;
    std::size_t before = open_descriptors();
    asio::co_spawn(io, seek_cancellable(c, bound_endpoint(silent), settings),
                   asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
    while (io.poll() != 0) {}
    BOOST_TEST(open_descriptors() == before + 1);
    cancel.emit(asio::cancellation_type::terminal);
    while (io.poll() != 0) {}
    BOOST_TEST(c.code() == errc::cancelled);
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(destroying_the_context_closes_a_connect_in_progress)
{
    std::size_t before = open_descriptors();
    {
        connecting c;
        connect_settings settings;
        asio::io_context io;
        auto silent = listen_at(io, "127.0.0.1:0");
        drop_packets(silent.native_handle());
        asio::co_spawn(io, seek(c, bound_endpoint(silent), clock::now() + 60s, settings),
                       [](std::exception_ptr) {});
        while (io.poll() != 0) {}
        BOOST_TEST(!c.done);
    }
    BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(a_stuck_resolver_holds_up_neither_a_deadline_nor_a_destructor)
{
    stuck_resolver first, second;
    clock::time_point began = clock::now();
    {
        asio::io_context io;
        connecting c = connect_now(io, "stuck.example:1", 50ms, first.settings());
        BOOST_TEST(c.code() == errc::deadline_exceeded);
        connecting abandoned;
        connect_settings settings = second.settings();
        asio::co_spawn(
            io, seek(abandoned, parse_endpoint("stuck.example:1"), clock::now() + 60s, settings),
            [](std::exception_ptr) {});
        io.restart();
        while (io.poll() != 0) {}
    }
    BOOST_TEST((clock::now() - began < 5s));
    second.asked->get_future().wait();
    first.release->set_value(); // both answer after those who asked are gone
    second.release->set_value();
}

BOOST_AUTO_TEST_CASE(look_ups_that_are_stuck_are_bounded)
{
    std::vector<stuck_resolver> stuck(lookups_max);
    asio::io_context io;
    int refusals = 0;
    for (stuck_resolver& resolver : stuck) // one or two of another test may still be leaving
        refusals += connect_now(io, "stuck.example:1", 1ms, resolver.settings()).code() ==
                    errc::host_not_found;
    connecting more = connect_now(io, "db.example:1", 5s, fake_resolver().settings());
    BOOST_TEST(more.code() == errc::host_not_found);
    BOOST_TEST(contains(more.failure->text(), "too many name look-ups"), more.failure->text());
    BOOST_TEST(refusals <= 2);
    for (stuck_resolver& resolver : stuck)
        resolver.release->set_value();
}

BOOST_AUTO_TEST_CASE(the_systems_resolver_knows_localhost)
{
    resolution found = system_lookup("localhost", 7040);
    BOOST_REQUIRE(!found.addresses.empty());
    BOOST_TEST(contains(to_string(found.addresses.front()), ":7040"));
}

BOOST_AUTO_TEST_SUITE_END()
