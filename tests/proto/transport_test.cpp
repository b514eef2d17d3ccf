// Listeners and connected transports: how they are opened, what they are told and tell, their end.
#include "transport_support.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <fstream>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace wharf;

namespace {

struct connected_pair {
    explicit connected_pair(asio::io_context& io, const std::string& where = "127.0.0.1:0")
    {
        auto listener = listen_at(io, where);
        connecting c = connect_now(io, bound_endpoint(listener));
        BOOST_REQUIRE(c.stream);
        client.emplace(std::move(*c.stream));
        server.emplace(listener.accept());
    }
    std::optional<transport> client, server;
};

int option_of(transport& t, int level, int option)
{
    return get_option(t.native_handle(), level, option);
}

void close_now(asio::io_context& io, transport& stream, std::chrono::milliseconds timeout)
{
    bool closed = false;
    asio::co_spawn(io, async_close_gracefully(stream, clock::now() + timeout),
                   [&](std::exception_ptr e) { closed = !e; });
    io.restart();
    io.run();
    BOOST_TEST(closed);
    BOOST_TEST(!stream.is_open());
}

} // namespace

BOOST_AUTO_TEST_SUITE(listeners)

// Row 3: port 0 is the system's choice, and the real one is told.
BOOST_AUTO_TEST_CASE(a_listener_on_port_0_tells_its_real_port)
{
    asio::io_context io;
    auto one = listen_at(io, "127.0.0.1:0"), two = listen_at(io, "127.0.0.1:0");
    BOOST_TEST(port_of(one) != 0);
    BOOST_TEST(port_of(one) != port_of(two));
    BOOST_TEST(connect_now(io, "127.0.0.1:" + std::to_string(port_of(one))).stream.has_value());
    BOOST_TEST(connect_now(io, "127.0.0.1:" + std::to_string(port_of(two))).stream.has_value());
}

BOOST_AUTO_TEST_CASE(a_listener_is_closed_on_exec_non_blocking_and_reuses_its_address)
{
    asio::io_context io;
    scratch_directory directory;
    for (std::string where : {std::string("127.0.0.1:0"), "unix:" + (directory / "s")}) {
        auto listener = listen_at(io, where);
        int fd = listener.native_handle();
        BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        BOOST_TEST((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        error_code ec;
        listener.accept(ec);
        BOOST_TEST(ec == asio::error::would_block);
    }
    auto tcp = listen_at(io, "127.0.0.1:0");
    BOOST_TEST(get_option(tcp.native_handle(), SOL_SOCKET, SO_REUSEADDR) == 1);
}

// Row 5: dual stack is a choice that is written down; :: and 0.0.0.0 can both be bound.
BOOST_AUTO_TEST_CASE(the_v6_wildcard_takes_v4_only_where_it_is_told_to)
{
    asio::io_context io;
    listen_settings only;
    only.ipv6_only = true;
    auto v6 = listen_at(io, "[::]:0", only);
    BOOST_TEST(get_option(v6.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY) == 1);
    std::string port = std::to_string(port_of(v6));
    auto v4 = listen_at(io, "0.0.0.0:" + port);
    BOOST_TEST(connect_now(io, "127.0.0.1:" + port).stream.has_value());
    BOOST_TEST(connect_now(io, "[::1]:" + port).stream.has_value());

    auto both = listen_at(io, "[::]:0");
    BOOST_TEST(get_option(both.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    connecting c = connect_now(io, "127.0.0.1:" + std::to_string(port_of(both)));
    BOOST_REQUIRE(c.stream);
    transport accepted = both.accept();
    // An allow line for 127.0.0.1 means this peer too.
    BOOST_TEST(remote_address(accepted).address == local_address(*c.stream).address);
    BOOST_TEST(remote_address(accepted).address.starts_with("127.0.0.1:"));
}

// Row 4: a listener on one address is not reachable on another one.
BOOST_AUTO_TEST_CASE(a_listener_on_one_address_is_reachable_there_only)
{
    asio::io_context io;
    auto listener = listen_at(io, "127.0.0.2:0");
    std::string port = std::to_string(port_of(listener));
    BOOST_TEST(connect_now(io, "127.0.0.2:" + port).stream.has_value());
    BOOST_TEST(connect_now(io, "127.0.0.1:" + port).code() == errc::connection_refused);
}

// Row 9: the backlog is what was asked for, SOMAXCONN where nothing was.
BOOST_AUTO_TEST_CASE(the_backlog_is_the_configured_one)
{
    asio::io_context io;
    auto backlog = [](transport_acceptor& listener) {
        tcp_info info{};
        socklen_t size = sizeof info;
        ::getsockopt(listener.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size);
        return info.tcpi_sacked; // of a listening socket
    };
    listen_settings settings;
    settings.backlog = 17;
    auto asked = listen_at(io, "127.0.0.1:0", settings), most = listen_at(io, "127.0.0.1:0");
    unsigned somaxconn = 0;
    std::ifstream("/proc/sys/net/core/somaxconn") >> somaxconn;
    BOOST_TEST(backlog(asked) == 17u);
    BOOST_TEST(backlog(most) == std::min<unsigned>(somaxconn, SOMAXCONN));
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_refused_by_name)
{
    asio::io_context io;
    auto listener = listen_at(io, "127.0.0.1:0");
    error e = error_of([&] { listen_at(io, bound_text(listener)); });
    BOOST_TEST(e.code() == errc::address_in_use);
    BOOST_TEST(contains(e.text(), bound_text(listener)));
}

BOOST_AUTO_TEST_CASE(a_stale_unix_socket_is_replaced_and_a_live_one_is_not)
{
    asio::io_context io;
    scratch_directory directory;
    std::string where = "unix:" + (directory / "s");
    {
        auto gone = listen_at(io, where);
    }
    BOOST_TEST(std::filesystem::is_socket(directory / "s")); // as after kill -9
    auto live = listen_at(io, where);
    error e = error_of([&] { listen_at(io, where); });
    BOOST_TEST(e.code() == errc::address_in_use);
    BOOST_TEST(contains(e.text(), where));
    BOOST_TEST(connect_now(io, where).stream.has_value());
    BOOST_TEST(bound_text(live) == where);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_socket_is_left_alone)
{
    asio::io_context io;
    scratch_directory directory;
    std::ofstream(directory / "precious") << "data";
    BOOST_TEST(code_of([&] { listen_at(io, "unix:" + (directory / "precious")); }) ==
               errc::address_in_use);
    std::string content;
    std::ifstream(directory / "precious") >> content;
    BOOST_TEST(content == "data");
}

BOOST_AUTO_TEST_CASE(a_unix_socket_has_the_configured_mode_whatever_the_umask)
{
    asio::io_context io;
    scratch_directory directory;
    for (mode_t mask : {0077u, 0000u}) {
        mode_t before = ::umask(mask);
        for (std::uint32_t mode : {0600u, 0660u, 0666u}) {
            listen_settings settings;
            settings.unix_mode = mode;
            auto listener = listen_at(io, "unix:" + (directory / "s"), settings);
            struct stat status {};
            ::stat((directory / "s").c_str(), &status);
            BOOST_TEST((status.st_mode & 07777) == mode);
        }
        ::umask(before);
    }
}

BOOST_AUTO_TEST_CASE(a_unix_socket_has_the_configured_group)
{
    asio::io_context io;
    scratch_directory directory;
    listen_settings settings;
    settings.unix_group = "no-such-group";
    BOOST_TEST(code_of([&] { listen_at(io, "unix:" + (directory / "s"), settings); }) ==
               errc::bad_endpoint);
    BOOST_TEST(!std::filesystem::exists(directory / "s"));

    bool root = ::geteuid() == 0;
    settings.unix_group = root ? "daemon" : std::to_string(::getegid());
    auto listener = listen_at(io, "unix:" + (directory / "s"), settings);
    struct stat status {
    }, scratch{};
    ::stat((directory / "s").c_str(), &status);
    ::stat((directory / "").c_str(), &scratch);
    if (root)
        BOOST_TEST(status.st_gid != scratch.st_gid);
    else
        BOOST_TEST(status.st_gid == ::getegid());
}

BOOST_AUTO_TEST_CASE(abstract_names_are_listened_on)
{
    asio::io_context io;
    std::string where = "unix:@wharf-test-" + std::to_string(::getpid());
    auto listener = listen_at(io, where);
    BOOST_TEST(bound_text(listener) == where);
    BOOST_TEST(connect_now(io, where).stream.has_value());
    BOOST_TEST(code_of([&] { listen_at(io, where); }) == errc::address_in_use);
}

BOOST_AUTO_TEST_CASE(inherited_listening_sockets_are_adopted)
{
    asio::io_context io;
    scratch_directory directory;
    for (std::string where : {std::string("127.0.0.1:0"), "unix:" + (directory / "s"),
                              "unix:@wharf-adopt-" + std::to_string(::getpid())}) {
        auto opened = listen_at(io, where);
        std::string name = bound_text(opened);
        int fd = opened.release();
        ::fcntl(fd, F_SETFD, 0); // as the service manager leaves it
        auto adopted = listen_at(io, "fd:" + std::to_string(fd));
        BOOST_TEST(bound_text(adopted) == name);
        BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        BOOST_TEST(connect_now(io, name).stream.has_value());
    }
}

BOOST_AUTO_TEST_CASE(inherited_descriptors_of_another_kind_are_refused_and_left_open)
{
    asio::io_context io;
    connected_pair pair(io);
    int ends[2];
    BOOST_REQUIRE_EQUAL(::pipe(ends), 0);
    unique_fd pipe_in(ends[0]), pipe_out(ends[1]);
    unique_fd datagram(::socket(AF_INET, SOCK_DGRAM, 0)), idle = open_stream(AF_INET, "test");
    unique_fd packets(::socket(AF_UNIX, SOCK_SEQPACKET, 0));
    struct {
        int fd;
        const char* says;
    } const rows[] = {{pipe_in.get(), "no TCP or unix socket"},
                      {datagram.get(), "carries datagrams"},
                      {packets.get(), "carries datagrams"},
                      {idle.get(), "does not listen"},
                      {pair.client->native_handle(), "does not listen"},
                      {1 << 20, "no such descriptor open"}};
    std::size_t before = open_descriptors();
    for (auto& row : rows) {
        error e = error_of([&] { listen_at(io, "fd:" + std::to_string(row.fd)); });
        BOOST_TEST(e.code() == errc::bad_endpoint);
        BOOST_TEST(contains(e.text(), row.says), e.text());
    }
    BOOST_TEST(open_descriptors() == before);
}

// Row 1: whatever fails, no descriptor stays behind.
BOOST_AUTO_TEST_CASE(failed_factories_leak_no_descriptor)
{
    asio::io_context io;
    scratch_directory directory;
    auto taken = listen_at(io, "127.0.0.1:0");
    auto live = listen_at(io, "unix:" + (directory / "live"));
    const std::pair<std::string, errc> rows[] = {
        {bound_text(taken), errc::address_in_use},
        {"192.0.2.1:0", errc::bad_endpoint}, // no address of this machine
        {"[fe80::1%nonexistent]:0", errc::bad_endpoint},
        {"nowhere.invalid:0", errc::host_not_found},
        {"unix:" + (directory / "live"), errc::address_in_use},
        {"unix:" + (directory / "no/such/directory"), errc::io_error},
        {"fd:1048576", errc::bad_endpoint}};
    std::size_t before = open_descriptors();
    for (auto& [where, code] : rows) {
        BOOST_TEST(code_of([&] { listen_at(io, where); }) == code, where);
        BOOST_TEST(open_descriptors() == before, where);
    }
}

// Row 1: socket() itself fails.
BOOST_AUTO_TEST_CASE(running_out_of_descriptors_is_an_error_that_passes)
{
    asio::io_context io;
    auto listener = listen_at(io, "127.0.0.1:0"); // the context's own descriptors are open now
    std::size_t before = open_descriptors();
    rlimit saved{};
    ::getrlimit(RLIMIT_NOFILE, &saved);
    rlimit none{0, saved.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    errc listening = code_of([&] { listen_at(io, "127.0.0.1:0"); });
    errc seeking = connect_now(io, bound_endpoint(listener)).code();
    ::setrlimit(RLIMIT_NOFILE, &saved);
    BOOST_TEST(listening == errc::io_error);
    BOOST_TEST(seeking == errc::io_error);
    BOOST_TEST(open_descriptors() == before);
    BOOST_TEST(connect_now(io, bound_endpoint(listener)).stream.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(connected_transports)

// Row 18: both ends know each other's address, and on a unix socket who it is.
BOOST_AUTO_TEST_CASE(tcp_ends_know_their_addresses)
{
    asio::io_context io;
    for (std::string where : {"127.0.0.1:0", "[::1]:0"}) {
        connected_pair pair(io, where);
        BOOST_TEST((remote_address(*pair.client) == local_address(*pair.server)));
        BOOST_TEST((remote_address(*pair.server) == local_address(*pair.client)));
        std::string prefix = where.substr(0, where.size() - 1);
        BOOST_TEST(remote_address(*pair.server).address.starts_with(prefix));
        BOOST_TEST(!remote_address(*pair.server).uid.has_value());
    }
}

// Row 18.
BOOST_AUTO_TEST_CASE(unix_ends_know_their_path_and_who_is_there)
{
    asio::io_context io;
    scratch_directory directory;
    std::string where = "unix:" + (directory / "s");
    connected_pair pair(io, where);
    BOOST_TEST(remote_address(*pair.client).address == where);
    BOOST_TEST(local_address(*pair.server).address == where);
    peer_address peer = remote_address(*pair.server);
    BOOST_TEST(peer.address == "unix:");
    BOOST_TEST((peer.uid == ::geteuid()));
    BOOST_TEST((peer.gid == ::getegid()));
    BOOST_TEST((peer.pid == ::getpid()));
}

// Row 19: what is configured is what the system says.
BOOST_AUTO_TEST_CASE(tcp_options_are_set_as_given)
{
    asio::io_context io;
    connected_pair pair(io);
    transport& t = *pair.server;
    apply(t, tcp_options()); // the defaults
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_NODELAY) == 1);
    BOOST_TEST(option_of(t, SOL_SOCKET, SO_KEEPALIVE) == 1);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_KEEPINTVL) == 10);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_KEEPCNT) == 6);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_USER_TIMEOUT) == 60000);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 512 << 10);
    // Connecting sets them too.
    BOOST_TEST(option_of(*pair.client, IPPROTO_TCP, TCP_NODELAY) == 1);
    BOOST_TEST(option_of(*pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT) == 60000);

    tcp_options other;
    other.no_delay = false;
    other.keepalive_idle = 0s;
    other.user_timeout = 1234ms;
    other.notsent_lowat_bytes = 0;
    other.send_buffer_bytes = 64 << 10;
    other.receive_buffer_bytes = 32 << 10;
    apply(t, other);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_NODELAY) == 0);
    BOOST_TEST(option_of(t, SOL_SOCKET, SO_KEEPALIVE) == 0);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_USER_TIMEOUT) == 1234);
    BOOST_TEST(option_of(t, IPPROTO_TCP, TCP_NOTSENT_LOWAT) == 0);
    BOOST_TEST(option_of(t, SOL_SOCKET, SO_SNDBUF) == 2 * (64 << 10)); // the system doubles it
    BOOST_TEST(option_of(t, SOL_SOCKET, SO_RCVBUF) == 2 * (32 << 10));
}

BOOST_AUTO_TEST_CASE(tcp_options_mean_nothing_to_a_unix_socket)
{
    asio::io_context io;
    scratch_directory directory;
    connected_pair pair(io, "unix:" + (directory / "s"));
    BOOST_CHECK_NO_THROW(apply(*pair.server, tcp_options()));
    BOOST_TEST((::fcntl(pair.server->native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
}

// Row 19: a peer behind a network that went away is given up within the configured time.
BOOST_AUTO_TEST_CASE(a_dead_peer_is_noticed_within_the_user_timeout)
{
    asio::io_context io;
    connected_pair pair(io);
    tcp_options options;
    options.user_timeout = 500ms;
    apply(*pair.client, options);
    drop_packets(pair.server->native_handle());
    pair.client->write_some(asio::buffer("x", 1));
    error_code ec;
    clock::time_point began = clock::now();
    char byte;
    pair.client->async_read_some(asio::buffer(&byte, 1),
                                 [&](const error_code& e, std::size_t) { ec = e; });
    io.restart();
    io.run();
    BOOST_TEST(to_errc(ec) == errc::connection_reset, ec.message());
    BOOST_TEST((clock::now() - began < 5s));
}

BOOST_AUTO_TEST_CASE(a_write_that_would_wait_says_so)
{
    asio::io_context io;
    connected_pair pair(io);
    std::string block(1 << 20, 'x');
    error_code ec;
    while (!ec)
        pair.client->write_some(asio::buffer(block), ec);
    BOOST_TEST(ec == asio::error::would_block);
}

BOOST_AUTO_TEST_CASE(system_errors_become_ours)
{
    namespace error = asio::error;
    BOOST_TEST(to_errc(error::eof) == errc::connection_closed);
    BOOST_TEST(to_errc(error::connection_reset) == errc::connection_reset);
    BOOST_TEST(to_errc(error::broken_pipe) == errc::connection_reset);
    BOOST_TEST(to_errc(error::timed_out) == errc::connection_reset);
    BOOST_TEST(to_errc(error::connection_refused) == errc::connection_refused);
    BOOST_TEST(to_errc(error::host_unreachable) == errc::unreachable);
    BOOST_TEST(to_errc(error::operation_aborted) == errc::cancelled);
    BOOST_TEST(to_errc(error::host_not_found) == errc::host_not_found);
    BOOST_TEST(to_errc(error::bad_descriptor) == errc::not_connected);
    BOOST_TEST(to_errc(make_error_code(errc::slow_reader)) == errc::slow_reader);
    BOOST_TEST(to_errc(error::no_memory) == errc::io_error);
}

// Row 15: a peer that sent more than anybody read still gets the whole last reply.
BOOST_AUTO_TEST_CASE(a_graceful_close_delivers_the_last_reply_past_unread_bytes_1000_times)
{
    asio::io_context io;
    auto listener = listen_at(io, "127.0.0.1:0");
    // The reply is larger than the window of a peer that does not read yet: the rest of it is
    // still this side's when the close begins.
    const std::string unread(3000, 'u'), reply(200000, 'r');
    for (int round = 0; round < 1000; ++round) {
        connecting c = connect_now(io, bound_endpoint(listener));
        BOOST_REQUIRE(c.stream);
        transport& client = *c.stream;
        transport server = listener.accept();
        server.non_blocking(true);
        server.set_option(asio::socket_base::send_buffer_size(200000));
        asio::write(client, asio::buffer(unread));
        BOOST_REQUIRE_EQUAL(server.write_some(asio::buffer(reply)), reply.size());

        bool closed = false;
        asio::co_spawn(io, async_close_gracefully(server, clock::now() + 10s),
                       [&](std::exception_ptr e) { closed = !e; });
        io.restart();
        io.poll(); // an ordinary close would have reset the connection now
        error_code ec;
        asio::write(client, asio::buffer(unread), ec);
        std::string got(reply.size() + 1, '\0');
        client.non_blocking(false);
        std::size_t n = asio::read(client, asio::buffer(got), ec);
        BOOST_REQUIRE_EQUAL(n, reply.size());
        BOOST_REQUIRE(ec == asio::error::eof);
        client.close();
        io.run();
        BOOST_REQUIRE(closed);
        BOOST_REQUIRE(!server.is_open());
    }
}

// Row 15: but a peer that never ends is not waited for.
BOOST_AUTO_TEST_CASE(a_graceful_close_ends_at_its_deadline)
{
    asio::io_context io;
    connected_pair pair(io);
    clock::time_point began = clock::now();
    close_now(io, *pair.server, 100ms);
    BOOST_TEST((clock::now() - began >= 100ms));
    BOOST_TEST((clock::now() - began < 5s));
}

BOOST_AUTO_TEST_CASE(a_graceful_close_of_a_broken_connection_just_closes)
{
    asio::io_context io;
    connected_pair pair(io);
    pair.client->set_option(asio::socket_base::linger(true, 0));
    pair.client->close(); // a reset
    close_now(io, *pair.server, 10s);
    close_now(io, *pair.server, 10s); // and of a closed one does nothing
}

BOOST_AUTO_TEST_SUITE_END()
