// Opening a listening socket on any endpoint.
#pragma once

#include "native.hpp"

#include <wharf/transport.hpp>

namespace wharf {

/// A bound socket that does not listen yet: SO_REUSEADDR for TCP, IPV6_V6ONLY explicit, a stale
/// unix socket file replaced. Throws.
unique_fd bind_stream(const endpoint& where, const listen_settings& settings);
/// Binds (or adopts) and listens. Throws as open_listener() says; leaks nothing then.
unique_fd listen_stream(const endpoint& where, const listen_settings& settings);
/// Makes a bound socket listen; `backlog` 0 is SOMAXCONN.
void start_listening(int fd, int backlog, const std::string& name);

} // namespace wharf
