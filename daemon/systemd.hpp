// The service manager: sockets that it passes, readiness, status and the watchdog.
#pragma once

#include <wharf/options.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace wharf::systemd {

/// A listening socket that the service manager passed.
struct passed_socket {
    int fd = -1;
    std::string name; ///< FileDescriptorName= of the .socket unit; "unknown" without one
    endpoint where;   ///< what it is bound to
    bool operator==(const passed_socket&) const = default;
};

/// The sockets in $LISTEN_FDS and $LISTEN_FDNAMES, which it takes out of the environment: a second
/// call finds none. Throws error(errc::bad_endpoint) for a descriptor that is not a listening
/// stream socket.
std::vector<passed_socket> take_passed_sockets();

/// What an inherited socket is bound to; nothing for what is neither a TCP nor a unix socket.
std::optional<endpoint> bound_to(int fd);

/// Gives passed sockets to the listeners of `options`. A socket replaces the listener that is at
/// the same endpoint, else the one of the same name (the first socket of that name only), and the
/// listener keeps its own name; every other socket becomes a listener named as the socket is, with
/// "-2", "-3" behind a name that is taken. Returns for each listener the index of its socket.
std::vector<std::optional<std::size_t>> adopt(server_options& options,
                                              const std::vector<passed_socket>& sockets);

/// READY=1 and a STATUS that a person can read.
void notify_ready(const std::string& status);
void notify_status(const std::string& status);
/// RELOADING=1 with the time, which the manager wants; notify_ready() has to follow.
void notify_reloading();
/// STOPPING=1, and so much time to drain in before the manager loses patience.
void notify_stopping(const std::string& status, std::chrono::milliseconds more);
void notify_watchdog();

/// How often the manager wants to hear notify_watchdog(), halved as it advises; nothing when it
/// does not watch this process.
std::optional<std::chrono::microseconds> watchdog_interval();

} // namespace wharf::systemd
