// The blocking socket: the seeds' sequence of operations over a non-blocking descriptor and poll().
#include <wharf/socket.hpp>

#include "address.hpp"
#include "connect.hpp"
#include "listen.hpp"
#include "native.hpp"

#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wharf {
namespace {

[[noreturn]] void out_of_sequence(const char* why)
{
    throw error(errc::bad_argument, why);
}

std::uint16_t checked_port(int port)
{
    if (port < 0 || port > 65535)
        throw error(errc::bad_endpoint,
                    "port " + std::to_string(port) + ": expected a number from 0 to 65535");
    return static_cast<std::uint16_t>(port);
}

// A host that the grammar of endpoints takes; an IPv6 address may stand without its brackets.
endpoint tcp_at(std::string_view host, int port)
{
    std::string text(host);
    if (host.find(':') != std::string_view::npos && !host.starts_with('['))
        text = "[" + text + "]";
    endpoint e = parse_endpoint(text + ":" + std::to_string(checked_port(port)));
    if (!std::holds_alternative<tcp_endpoint>(e))
        throw error(errc::bad_endpoint, "\"" + text + "\": expected a host before the port");
    return e;
}

int accept_one(int listener, std::chrono::steady_clock::time_point deadline)
{
    for (;;) {
        int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
            return fd;
        if (errno == EAGAIN)
            wait_ready(listener, POLLIN, deadline, "waiting for a connection");
        else if (errno != EINTR && errno != ECONNABORTED) // who gave up while queueing is nobody's
            throw_system("cannot accept", errno);
    }
}

} // namespace

socket::socket(socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), state_(std::exchange(other.state_, state::empty))
{}

socket& socket::operator=(socket&& other) noexcept
{
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
        state_ = std::exchange(other.state_, state::empty);
    }
    return *this;
}

socket socket::listen_on(const endpoint& where, int backlog)
{
    listen_settings settings;
    settings.backlog = backlog;
    socket s;
    s.fd_ = listen_stream(where, settings).release();
    s.state_ = state::listening;
    return s;
}

socket socket::connect_to(const endpoint& where, std::chrono::milliseconds timeout)
{
    socket s;
    s.create();
    s.connect(where, timeout);
    return s;
}

void socket::create()
{
    if (state_ != state::empty)
        out_of_sequence("create() is for an empty socket: close() this one first");
    state_ = state::created;
}

void socket::create(int port)
{
    create("127.0.0.1", port);
}

void socket::create(std::string_view address, int port)
{
    create(tcp_at(address, port));
}

void socket::create(const endpoint& where)
{
    if (state_ != state::empty)
        out_of_sequence("create() is for an empty socket: close() this one first");
    fd_ = bind_stream(where, listen_settings()).release();
    state_ = state::bound;
}

void socket::listen(int backlog)
{
    if (state_ == state::created)
        throw error(errc::not_connected, "a socket that listens names its port: create(port), "
                                         "where 0 takes a free one");
    if (state_ == state::empty)
        throw error(errc::not_connected, "create(port) comes before listen()");
    if (state_ != state::bound)
        out_of_sequence(state_ == state::listening ? "the socket listens already"
                                                   : "a connected socket cannot listen");
    start_listening(fd_, backlog, to_string(local_name(fd_)));
    state_ = state::listening;
}

void socket::accept(socket& peer, std::chrono::milliseconds timeout)
{
    if (state_ == state::connected)
        throw error(errc::not_connected, "a connected socket does not accept");
    if (state_ != state::listening)
        throw error(errc::not_connected, "listen() comes before accept()");
    if (peer.state_ != state::empty)
        out_of_sequence("accept() fills a new, empty socket: do not create() it, and close() one "
                        "that was used");
    unique_fd fd(accept_one(fd_, deadline_after(timeout)));
    apply_options(fd.get(), tcp_options());
    peer.fd_ = fd.release();
    peer.state_ = state::connected;
}

void socket::connect(std::string_view host, int port, std::chrono::milliseconds timeout)
{
    connect(tcp_at(host, port), timeout);
}

void socket::connect(std::string_view where, std::chrono::milliseconds timeout)
{
    connect(parse_endpoint(where), timeout);
}

void socket::connect(const endpoint& where, std::chrono::milliseconds timeout)
{
    if (state_ == state::empty)
        throw error(errc::not_connected, "create() comes before connect()");
    if (state_ == state::listening || state_ == state::connected)
        out_of_sequence(state_ == state::listening ? "a listening socket does not connect"
                                                   : "the socket is connected already");
    connect_settings settings;
    if (state_ == state::bound) {
        settings.from = local_name(fd_);
        if (settings.from->family() == AF_UNIX)
            out_of_sequence("a socket that was created on a path listens there");
    }
    unique_fd fd = connect_stream(where, deadline_after(timeout), settings);
    close();
    fd_ = fd.release();
    state_ = state::connected;
}

void socket::attach(int fd)
{
    if (state_ != state::empty)
        out_of_sequence("attach() is for an empty socket: close() this one first");
    bool listens = get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
    fd_ = adopt(fd_endpoint{fd}, listens).release();
    state_ = listens ? state::listening : state::connected;
}

int socket::detach() noexcept
{
    state_ = state::empty;
    return std::exchange(fd_, -1);
}

void socket::close() noexcept
{
    int fd = detach();
    if (fd >= 0)
        ::close(fd);
}

void socket::close_gracefully(std::chrono::milliseconds timeout) noexcept
{
    if (state_ == state::connected && ::shutdown(fd_, SHUT_WR) == 0) {
        try {
            auto deadline = deadline_after(timeout);
            std::byte dropped[4096];
            for (ssize_t n = 1; n > 0;) {
                n = ::recv(fd_, dropped, sizeof dropped, 0);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                    n = wait_ready(fd_, POLLIN, deadline, "closing");
                else if (std::chrono::steady_clock::now() >= deadline)
                    break;
            }
        }
        catch (const error&) {
            // The time is up, and all that is left is to close.
        }
    }
    close();
}

void socket::shutdown(direction which)
{
    require_connected("shutdown()");
    int how = which == direction::receive ? SHUT_RD
              : which == direction::send  ? SHUT_WR
                                          : SHUT_RDWR;
    if (::shutdown(fd_, how) != 0)
        throw_system("shutdown()", errno);
}

void socket::send(std::span<const std::byte> bytes, std::chrono::milliseconds timeout)
{
    require_connected("send()");
    auto deadline = deadline_after(timeout);
    while (!bytes.empty()) {
        ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0)
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        else if (errno == EAGAIN)
            wait_ready(fd_, POLLOUT, deadline, "sending");
        else if (errno != EINTR)
            throw_system("cannot send", errno);
    }
}

std::size_t socket::receive(std::span<std::byte> room, std::chrono::milliseconds timeout)
{
    require_connected("receive()");
    if (room.empty())
        out_of_sequence("receive() needs room for a byte, since 0 means the peer's end");
    auto deadline = deadline_after(timeout);
    for (;;) {
        ssize_t n = ::recv(fd_, room.data(), room.size(), 0);
        if (n >= 0)
            return static_cast<std::size_t>(n);
        if (errno == EAGAIN)
            wait_ready(fd_, POLLIN, deadline, "receiving");
        else if (errno != EINTR)
            throw_system("cannot receive", errno);
    }
}

peer_address socket::local() const
{
    if (fd_ < 0)
        throw error(errc::not_connected, "the socket has no address yet");
    return self_of(fd_);
}

peer_address socket::peer() const
{
    require_connected("peer()");
    return peer_of(fd_);
}

std::uint16_t socket::port() const
{
    if (fd_ < 0)
        return 0;
    socket_address name = local_name(fd_);
    if (name.family() != AF_INET && name.family() != AF_INET6)
        return 0;
    return std::get<tcp_endpoint>(to_endpoint(name)).port;
}

void socket::require_connected(const char* what) const
{
    if (state_ != state::connected)
        throw error(errc::not_connected, std::string(what) + " needs a connection");
}

} // namespace wharf
