// Connects, resets and closes plain sockets.
#include "sockets.hpp"

#include <cstring>
#include <variant>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace stress {

void socket_fd::reset() noexcept
{
    if (fd_ >= 0)
        ::close(std::exchange(fd_, -1));
}

socket_fd connect_now(const wharf::endpoint& where)
{
    if (const auto* tcp = std::get_if<wharf::tcp_endpoint>(&where)) {
        socket_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(tcp->port);
        ::inet_pton(AF_INET, tcp->host.c_str(), &address.sin_addr);
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            fd.reset();
        return fd;
    }
    const std::string& path = std::get<wharf::unix_endpoint>(where).path;
    // Non-blocking, so that a full backlog is EAGAIN.
    socket_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fd.reset();
    return fd;
}

void reset_on_close(int fd)
{
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

} // namespace stress
