// Turning a host name into addresses, without ever making a caller wait for the system's resolver.
#pragma once

#include "address.hpp"

#include <functional>
#include <string>
#include <vector>

namespace wharf {

/// What a look-up found: addresses in the order to try them, or why there are none.
struct resolution {
    errc code = errc::host_not_found;
    std::string text;
    std::vector<socket_address> addresses;
};

/// Asks for the addresses of a host; blocks. Tests give their own.
using lookup = std::function<resolution(const std::string& host, std::uint16_t port)>;

/// getaddrinfo(). Blocks as long as the system's resolver does. Never throws but std::bad_alloc.
resolution system_lookup(const std::string& host, std::uint16_t port);

/// More addresses of one name than this are not tried.
inline constexpr std::size_t addresses_max = 16;
/// Look-ups that may be stuck at the same time in one process; one more fails at once.
inline constexpr int lookups_max = 64;

/// Runs `look` on a detached thread that owns its data, and calls `done` with the result on that
/// thread. Signals are blocked there. Returns false, and calls nothing, at lookups_max.
bool start_lookup(lookup look, std::string host, std::uint16_t port,
                  std::function<void(resolution)> done);

} // namespace wharf
