// What a server and a store can be told: plain values, which config fills from a file and a program
// from code.
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
/// These structs are values: whoever is given one keeps a copy, and distinct objects are safe in
/// different threads. What is wrong in one is said where it is used, by server::start() or store.
struct listener_options {
    std::string name; ///< for allow lines and logs; the endpoint's text when empty
    endpoint where;
    int backlog = 0;                ///< 0: SOMAXCONN
    bool ipv6_only = false;         ///< for [::]: false accepts IPv4 too
    std::uint32_t unix_mode = 0660; ///< permissions of a unix socket's path
    std::string unix_group;         ///< group of a unix socket's path; empty: the process's own
    tcp_options tcp;
    bool json = true; ///< may commands be called in JSON here?
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

/// What a role may call: command names, "prefix.*" or "*". No "system.*" covers system.drain,
/// system.log_level and system.reload, which change the daemon: they are named, or part of "*".
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
    /// Threads for handlers that block, and calls that wait for one of them; one more is answered
    /// errc::overloaded.
    std::uint32_t blocking_threads = 4;
    std::uint32_t blocking_queue_max = 1000;
    /// Calls that handlers have under way to the peer of one session; one more ends with
    /// errc::overloaded.
    std::uint32_t peer_calls_max = 1024;
    /// Memory that the calls of awaitable and blocking handlers may hold: their arguments until
    /// they are answered, and replies that wait for a peer to read. A session above its share is
    /// not read from until some are answered. The server's total takes the send queues of all
    /// sessions too; above it, a call is answered errc::overloaded.
    std::size_t session_memory_bytes_max = 64u << 20;
    std::size_t calls_memory_bytes_max = 256u << 20;
    std::size_t send_queue_bytes_max = 8u << 20;   ///< then the slow reader is closed
    std::chrono::milliseconds send_timeout{30000}; ///< no byte taken for this long: closed
    std::chrono::milliseconds idle_timeout{
        0}; ///< a session without a call for this long is closed; 0: never
    std::chrono::milliseconds drain_timeout{30000}; ///< how long a stop waits for calls in flight
    bool operator==(const server_options&) const = default;
};

/// Where a store lives, and its bounds.
struct store_options {
    std::string directory;     ///< must exist; one daemon at a time may have it
    std::uint32_t readers = 2; ///< threads, and connections, that read
    /// How long a transaction waits while another process holds the database; then store_busy.
    std::chrono::milliseconds busy_timeout{2000};
    std::size_t cache_bytes = 16u << 20; ///< page cache of each connection
    std::size_t wal_bytes = 8u << 20;    ///< the log is folded into the database beyond this
    /// A database up to this size is checked page by page when it is opened. That reads all of it,
    /// so it is bounded; damage in a larger one shows when the damaged page is read.
    std::size_t check_bytes_max = std::size_t(1) << 30;

    std::uint64_t database_bytes_max = 0;  ///< then store_full; 0: as much as the disk has
    std::uint32_t schemas_max = 10000;     ///< types of stored objects; then store_full
    std::uint32_t group_max = 256;         ///< transactions that share one commit
    std::uint32_t write_queue_max = 10000; ///< transactions waiting; one more is overloaded
    std::uint32_t read_queue_max = 10000;  ///< reads waiting; one more is overloaded
    /// Changes that are kept for those who watch, and so how far one of them may be behind.
    std::uint32_t watch_backlog_max = 10000;
    std::uint32_t watches_max = 1000; ///< at once; one more is overloaded
    /// A watch with nothing to tell says so this often.
    std::chrono::milliseconds watch_heartbeat{15000};
    bool operator==(const store_options&) const = default;
};

} // namespace wharf
