// Connecting, with what a test may put in place of the system.
#pragma once

#include "native.hpp"
#include "resolver.hpp"

#include <wharf/transport.hpp>

namespace wharf {

/// How a connection is sought. The delay before the next address of a name is tried is RFC 8305's.
struct connect_settings {
    lookup look = system_lookup;
    std::chrono::milliseconds attempt_delay{250};
    std::optional<socket_address> from = {}; ///< TCP: the local address to connect from
};

/// As the public async_connect(). `settings` must outlive the operation.
boost::asio::awaitable<transport> async_connect(endpoint where,
                                                std::chrono::steady_clock::time_point deadline,
                                                tcp_options options,
                                                const connect_settings& settings);

/// The same, waiting. The descriptor is non-blocking.
unique_fd connect_stream(const endpoint& where, std::chrono::steady_clock::time_point deadline,
                         const connect_settings& settings = {});

/// What errno after connect() means.
errc errc_from_connect(int number) noexcept;

/// Throws error(errc::bad_endpoint) for an address that cannot be a target: 0.0.0.0 and ::, which
/// Linux would take for this machine.
void check_target(const socket_address& target, const std::string& name);

/// A TCP socket that has met itself: what connecting to a free port of the ephemeral range can do.
bool is_self_connected(int fd) noexcept;

} // namespace wharf
