// What the peers' programs share: a server's ready line, a client's counts, and the check of a
// reply.
#pragma once

#include "workloads.hpp"

#include <cstdio>
#include <stdexcept>
#include <string_view>

#include <malloc.h>
#include <unistd.h>

namespace bench {

inline constexpr int in_flight = 128;
inline constexpr int connections = 64;

/// As Wharf's server does: glibc does not give the memory of a large message back each time.
inline void keep_freed_memory()
{
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/// The line that every server of the bench prints when it is ready.
inline void announce(int port)
{
    std::printf("%d %d\n", port, static_cast<int>(::getpid()));
    std::fflush(stdout);
}

/// What is echoed must be what was sent: a peer that answers something else is not measured.
inline void require_echo(bool same, std::string_view workload)
{
    if (!same)
        throw std::runtime_error("the reply of " + std::string(workload) + " is not what was sent");
}

} // namespace bench
