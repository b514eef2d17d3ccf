// Where a daemon listens and a client connects: one grammar for both.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace wharf {

/// host:port, 1.2.3.4:port, [v6]:port, [v6%scope]:port. Port 0 asks the system for a free one.
struct tcp_endpoint {
    std::string host; ///< a name or a numeric address, without brackets
    std::uint16_t port = 0;
    bool operator==(const tcp_endpoint&) const = default;
};
/// unix:/path, or unix:@name for Linux's abstract names.
struct unix_endpoint {
    std::string path; ///< an absolute path, or the name behind '@'
    bool abstract = false;
    bool operator==(const unix_endpoint&) const = default;
};
/// fd:N, a stream socket that this process inherited. A listening one for daemons, a connected one
/// for clients. It is taken over: the number may be used once.
struct fd_endpoint {
    int fd = -1;
    bool operator==(const fd_endpoint&) const = default;
};

/// A value: copied, compared, printed.
using endpoint = std::variant<tcp_endpoint, unix_endpoint, fd_endpoint>;

/// The unix socket that wharfd listens on and clients connect to by default.
inline constexpr std::string_view default_endpoint = "unix:/run/wharf/wharf.sock";

/// Reads an endpoint; asks no resolver and opens nothing. Any thread. Throws
/// error(errc::bad_endpoint) with a text that says what was expected; "udp:" is refused by name,
/// because an archive needs a reliable stream.
endpoint parse_endpoint(std::string_view text);

/// The same endpoint as text; parse_endpoint(to_string(e)) == e. Any thread.
std::string to_string(const endpoint& e);

/// How TCP connections are treated; unix sockets ignore it. A value.
struct tcp_options {
    bool no_delay = true;
    std::chrono::seconds keepalive_idle{60}; ///< 0: no keepalive
    std::chrono::seconds keepalive_interval{10};
    std::uint32_t keepalive_probes = 6;
    std::chrono::milliseconds user_timeout{
        60000}; ///< unacknowledged data older than this ends the connection; 0: the system's
    std::uint32_t notsent_lowat_bytes =
        512u
        << 10; ///< what the kernel may hold unsent, so that control frames overtake; 0: unlimited
    std::uint32_t send_buffer_bytes = 0;    ///< 0: the system's
    std::uint32_t receive_buffer_bytes = 0; ///< 0: the system's
    bool operator==(const tcp_options&) const = default;
};

/// The address of one end of a connection. A value.
struct peer_address {
    std::string address; ///< "127.0.0.1:40312", "[::1]:9", "unix:/run/wharf/wharf.sock", "unix:"
    /// Unix sockets only: the process at the other end when it connected.
    std::optional<std::uint32_t> uid, gid;
    std::optional<std::int32_t> pid;
    bool operator==(const peer_address&) const = default;
};

} // namespace wharf
