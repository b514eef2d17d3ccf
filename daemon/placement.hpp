// Which worker a session goes to: pure, so that it is tested without threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace wharf {

/// How a worker does.
struct worker_load {
    std::chrono::nanoseconds delay{}; ///< between a post to it and its run, the last time or so far
    std::uint32_t sessions = 0;
    bool operator==(const worker_load&) const = default;
};

/// A worker later than this gets no session.
inline constexpr std::chrono::seconds delay_max{1};
/// Delays that differ by less say nothing: both ends of a scheduler's time slice.
inline constexpr std::chrono::milliseconds delay_step{10};

/// The worker with the least delay; of those, the one with the fewest sessions; of those, the first
/// from `first` on, round the end. Nothing where all are late.
std::optional<std::size_t> choose_worker(std::span<const worker_load> workers,
                                         std::size_t first) noexcept;

} // namespace wharf
