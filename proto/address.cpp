// Socket addresses: numeric hosts, printing, names of both ends and their credentials.
#include "address.hpp"

#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

namespace wharf {
namespace {

template <class Sockaddr>
Sockaddr* as(socket_address& a)
{
    return reinterpret_cast<Sockaddr*>(&a.storage);
}

template <class Sockaddr>
const Sockaddr* as(const socket_address& a)
{
    return reinterpret_cast<const Sockaddr*>(&a.storage);
}

std::uint32_t scope_number(const std::string& scope)
{
    if (unsigned index = ::if_nametoindex(scope.c_str()); index != 0)
        return index;
    if (!scope.empty() && scope.size() < 10 &&
        scope.find_first_not_of("0123456789") == std::string::npos)
        return static_cast<std::uint32_t>(std::stoul(scope));
    throw error(errc::bad_endpoint, "\"" + scope + "\" is no interface of this machine");
}

tcp_endpoint tcp_of(const socket_address& a)
{
    char text[INET6_ADDRSTRLEN] = {};
    if (a.family() == AF_INET) {
        auto* v4 = as<sockaddr_in>(a);
        ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
        return {text, ntohs(v4->sin_port)};
    }
    auto* v6 = as<sockaddr_in6>(a);
    std::uint16_t port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        ::inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
        return {text, port};
    }
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    std::string host = text;
    if (v6->sin6_scope_id != 0) {
        char name[IF_NAMESIZE] = {};
        host += '%';
        host += ::if_indextoname(v6->sin6_scope_id, name) != nullptr
                    ? name
                    : std::to_string(v6->sin6_scope_id);
    }
    return {std::move(host), port};
}

std::optional<unix_endpoint> unix_of(const socket_address& a)
{
    auto* un = as<sockaddr_un>(a);
    std::size_t header = offsetof(sockaddr_un, sun_path);
    if (a.size <= header)
        return std::nullopt;
    std::size_t bytes = a.size - header;
    if (un->sun_path[0] == '\0')
        return unix_endpoint{std::string(un->sun_path + 1, bytes - 1), true};
    return unix_endpoint{std::string(un->sun_path, ::strnlen(un->sun_path, bytes)), false};
}

} // namespace

std::optional<socket_address> numeric_address(const tcp_endpoint& e)
{
    socket_address a;
    auto* v4 = as<sockaddr_in>(a);
    if (::inet_pton(AF_INET, e.host.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(e.port);
        a.size = sizeof *v4;
        return a;
    }
    auto* v6 = as<sockaddr_in6>(a);
    std::size_t percent = e.host.find('%');
    if (::inet_pton(AF_INET6, e.host.substr(0, percent).c_str(), &v6->sin6_addr) != 1)
        return std::nullopt;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(e.port);
    if (percent != std::string::npos)
        v6->sin6_scope_id = scope_number(e.host.substr(percent + 1));
    a.size = sizeof *v6;
    return a;
}

socket_address unix_address(const unix_endpoint& e)
{
    socket_address a;
    auto* un = as<sockaddr_un>(a);
    if (e.path.empty() || e.path.size() > sizeof un->sun_path - 1)
        throw error(errc::bad_endpoint, "a unix socket's path or name has 1 to 107 bytes");
    un->sun_family = AF_UNIX;
    char* to = un->sun_path + (e.abstract ? 1 : 0);
    std::memcpy(to, e.path.data(), e.path.size());
    a.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + e.path.size() + 1);
    return a;
}

std::string to_string(const socket_address& a)
{
    if (a.family() == AF_UNIX) {
        auto e = unix_of(a);
        return e ? to_string(endpoint(*e)) : "unix:";
    }
    if (a.family() == AF_INET || a.family() == AF_INET6)
        return to_string(endpoint(tcp_of(a)));
    return {};
}

endpoint to_endpoint(const socket_address& a)
{
    if (a.family() == AF_INET || a.family() == AF_INET6)
        return tcp_of(a);
    if (a.family() == AF_UNIX)
        if (auto e = unix_of(a))
            return *e;
    throw error(errc::bad_endpoint, "the socket has no address");
}

bool is_any_address(const socket_address& a) noexcept
{
    if (a.family() == AF_INET)
        return as<sockaddr_in>(a)->sin_addr.s_addr == htonl(INADDR_ANY);
    if (a.family() != AF_INET6)
        return false;
    const in6_addr& v6 = as<sockaddr_in6>(a)->sin6_addr;
    static constexpr unsigned char zeros[4] = {};
    return IN6_IS_ADDR_UNSPECIFIED(&v6) ||
           (IN6_IS_ADDR_V4MAPPED(&v6) && std::memcmp(v6.s6_addr + 12, zeros, 4) == 0);
}

socket_address local_name(int fd) noexcept
{
    socket_address a;
    a.size = sizeof a.storage;
    if (::getsockname(fd, a.get(), &a.size) != 0)
        a = socket_address();
    return a;
}

socket_address remote_name(int fd) noexcept
{
    socket_address a;
    a.size = sizeof a.storage;
    if (::getpeername(fd, a.get(), &a.size) != 0)
        a = socket_address();
    return a;
}

peer_address peer_of(int fd)
{
    socket_address name = remote_name(fd);
    peer_address out;
    out.address = to_string(name);
    if (name.family() != AF_UNIX)
        return out;
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 &&
        credentials.uid != static_cast<uid_t>(-1)) {
        out.uid = credentials.uid;
        out.gid = credentials.gid;
        out.pid = credentials.pid;
    }
    return out;
}

peer_address self_of(int fd)
{
    socket_address name = local_name(fd);
    peer_address out;
    out.address = to_string(name);
    if (name.family() == AF_UNIX) {
        out.uid = ::geteuid();
        out.gid = ::getegid();
        out.pid = ::getpid();
    }
    return out;
}

} // namespace wharf
