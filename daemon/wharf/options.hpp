// What a server can be told: plain values, which config fills from a file and a program from code.
#pragma once

#include <wharf/endpoint.hpp>
#include <wharf/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wharf {

/// One place to listen.
struct listener_options {
    std::string name; ///< for allow lines and logs; the endpoint's text when empty
    endpoint where;
    int backlog = 0;                ///< 0: SOMAXCONN
    bool ipv6_only = false;         ///< for [::]: false accepts IPv4 too
    std::uint32_t unix_mode = 0660; ///< permissions of a unix socket's path
    std::string unix_group;         ///< group of a unix socket's path; empty: the process's own
    tcp_options tcp;
    bool operator==(const listener_options&) const = default;
};

/// One line of the ordered table that says who is what: the first line that fits decides.
/// No line fits: the peer is refused.
struct allow_rule {
    std::string listener = "*"; ///< name of a listener, or "*"
    std::string method;         ///< "unix" (peer credentials) or "anonymous" (whoever connects)
    /// unix: "uid:N", "user:NAME", "gid:N", "group:NAME", "self" (the daemon's own uid) or "*";
    /// anonymous: an address, "address/bits", or "*".
    std::string subject;
    std::string role; ///< name of a role
    bool operator==(const allow_rule&) const = default;
};

/// What a role may call: command names, "prefix.*" or "*".
struct role_options {
    std::string name;
    std::vector<std::string> commands;
    bool operator==(const role_options&) const = default;
};

/// Everything that a server needs. Defaults are wharfd's: nothing listens, nobody is allowed.
struct server_options {
    std::vector<listener_options> listeners;
    std::vector<allow_rule> allow;
    std::vector<role_options> roles;

    std::uint32_t threads = 0; ///< workers; 0: one per core
    conversation_limits conversation;
    limits decode;
    std::uint32_t sessions_max = 10000;
    std::size_t send_queue_bytes_max = 8u << 20;   ///< then the slow reader is closed
    std::chrono::milliseconds send_timeout{30000}; ///< no byte taken for this long: closed
    std::chrono::milliseconds idle_timeout{
        0}; ///< a session without a call for this long is closed; 0: never
    std::chrono::milliseconds drain_timeout{30000}; ///< how long a stop waits for calls in flight
    bool operator==(const server_options&) const = default;
};

} // namespace wharf
