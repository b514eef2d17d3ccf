// Socket addresses as the system takes them: from numeric text, to text, of both ends.
#pragma once

#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>

#include <optional>
#include <string>

#include <sys/socket.h>

namespace wharf {

/// A socket address of any family, as the system takes it.
struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family() const noexcept { return storage.ss_family; }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

/// The address of a numeric host; nothing when the host is a name, which a resolver must be asked
/// for. Throws error(errc::bad_endpoint) for a scope that is no interface of this machine.
std::optional<socket_address> numeric_address(const tcp_endpoint& e);
/// Throws error(errc::bad_endpoint) where the path does not fit.
socket_address unix_address(const unix_endpoint& e);

/// "1.2.3.4:5", "[v6%scope]:5", "unix:/path", "unix:@name", "unix:" for a socket without a name.
/// A v4-mapped v6 address is printed as the v4 address that it is.
std::string to_string(const socket_address& a);
/// The same as an endpoint; errc::bad_endpoint for a unix socket without a name.
endpoint to_endpoint(const socket_address& a);

bool is_any_address(const socket_address& a) noexcept;

socket_address local_name(int fd) noexcept;
socket_address remote_name(int fd) noexcept;

/// Addresses and, for a unix socket, credentials.
peer_address peer_of(int fd);
peer_address self_of(int fd);

} // namespace wharf
