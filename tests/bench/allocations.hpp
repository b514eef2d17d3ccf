// Counts what a process allocates, whichever function of the malloc family it asks.
#pragma once

#include <cstdint>

namespace bench {

/// Allocations of the process so far. Any thread.
std::uint64_t allocations();

/// Allocates once by each function of the family, so that a count can be checked; returns how many
/// functions there are.
std::uint64_t allocate_by_each();

} // namespace bench
