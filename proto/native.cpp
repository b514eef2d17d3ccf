// Descriptors: owning, opening, adopting and waiting for them, their options and error numbers.
#include "native.hpp"

#include "address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wharf {

void unique_fd::reset(int fd) noexcept
{
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = fd;
}

unique_fd open_stream(int family, const std::string& name)
{
    unique_fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd)
        throw_system(name, errno);
    return fd;
}

unique_fd adopt(const fd_endpoint& e, bool listening)
{
    auto refuse = [&](const std::string& why) {
        throw error(errc::bad_endpoint, to_string(endpoint(e)) + ": " + why);
    };
    const char* wanted =
        listening ? "expected a listening stream socket" : "expected a connected stream socket";
    if (::fcntl(e.fd, F_GETFD) < 0)
        refuse("this process has no such descriptor open");
    int domain = get_option(e.fd, SOL_SOCKET, SO_DOMAIN);
    if (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6)
        refuse(std::string(wanted) + ", and this is no TCP or unix socket");
    if (get_option(e.fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM)
        refuse(std::string(wanted) + ", and this one carries datagrams");
    bool accepts = get_option(e.fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
    if (listening && !accepts)
        refuse(std::string(wanted) + ", and this one does not listen");
    if (!listening && (accepts || remote_name(e.fd).size == 0))
        refuse(std::string(wanted) + ", and this one is not connected");
    close_on_exec(e.fd);
    if (::fcntl(e.fd, F_SETFL, ::fcntl(e.fd, F_GETFL) | O_NONBLOCK) != 0)
        throw_system(to_string(endpoint(e)), errno);
    return unique_fd(e.fd);
}

errc errc_from_errno(int number) noexcept
{
    switch (number) {
    case ECONNREFUSED: return errc::connection_refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET: return errc::unreachable;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
    case ETIMEDOUT: return errc::connection_reset; // user_timeout or keepalive gave up
    case EACCES:
    case EPERM: return errc::access_denied;
    case EADDRINUSE: return errc::address_in_use;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return errc::bad_endpoint;
    case ENOTCONN:
    case EBADF:
    case ENOTSOCK: return errc::not_connected;
    case ECANCELED: return errc::cancelled;
    default: return errc::io_error;
    }
}

void throw_system(const std::string& what, int number)
{
    char words[128];
    throw error(errc_from_errno(number), what + ": " + ::strerror_r(number, words, sizeof words));
}

void set_option(int fd, int level, int option, int value, const char* name)
{
    if (::setsockopt(fd, level, option, &value, sizeof value) != 0)
        throw_system(name, errno);
}

int get_option(int fd, int level, int option) noexcept
{
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, level, option, &value, &size) == 0 ? value : -1;
}

void close_on_exec(int fd)
{
    int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0 || ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0)
        throw_system("FD_CLOEXEC", errno);
}

void apply_options(int fd, const tcp_options& o)
{
    int domain = get_option(fd, SOL_SOCKET, SO_DOMAIN);
    if (domain != AF_INET && domain != AF_INET6)
        return;
    auto number = [](auto n) { return static_cast<int>(n); };
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, o.no_delay, "TCP_NODELAY");
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, o.keepalive_idle.count() > 0, "SO_KEEPALIVE");
    if (o.keepalive_idle.count() > 0) {
        set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, number(o.keepalive_idle.count()), "TCP_KEEPIDLE");
        set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, number(o.keepalive_interval.count()),
                   "TCP_KEEPINTVL");
        set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, number(o.keepalive_probes), "TCP_KEEPCNT");
    }
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, number(o.user_timeout.count()),
               "TCP_USER_TIMEOUT");
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, number(o.notsent_lowat_bytes),
               "TCP_NOTSENT_LOWAT");
    if (o.send_buffer_bytes != 0)
        set_option(fd, SOL_SOCKET, SO_SNDBUF, number(o.send_buffer_bytes), "SO_SNDBUF");
    if (o.receive_buffer_bytes != 0)
        set_option(fd, SOL_SOCKET, SO_RCVBUF, number(o.receive_buffer_bytes), "SO_RCVBUF");
}

std::chrono::steady_clock::time_point deadline_after(std::chrono::milliseconds timeout) noexcept
{
    constexpr std::chrono::milliseconds year = std::chrono::hours(24 * 365);
    return std::chrono::steady_clock::now() +
           std::clamp(timeout, std::chrono::milliseconds(0), year);
}

short wait_ready(int fd, short events, std::chrono::steady_clock::time_point deadline,
                 const char* what)
{
    for (;;) {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline -
                                                                 std::chrono::steady_clock::now());
        pollfd entry{fd, events, 0};
        int ready =
            ::poll(&entry, 1, static_cast<int>(std::clamp<long>(left.count(), 0, 1000L * 60 * 60)));
        if (ready > 0)
            return entry.revents;
        if (ready < 0 && errno != EINTR)
            throw_system(what, errno);
        if (ready == 0 && left.count() <= 0)
            throw error(errc::deadline_exceeded, what);
    }
}

} // namespace wharf
