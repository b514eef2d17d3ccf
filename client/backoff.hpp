// How long to pause before connecting again: exponential, with full jitter, without clock or
// chance.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace wharf {

/// The pauses between failed attempts: uniform in [0, step], where step doubles from `first` to
/// `last` at each failure. Full jitter spreads clients that lost the same daemon over the whole
/// step, and no pause is longer than a step: a daemon that comes back is found within one.
/// Distinct objects: safe. Shared objects: unsafe.
class backoff {
public:
    using duration = std::chrono::nanoseconds;

    constexpr backoff(duration first, duration last) noexcept
        : first_(std::max(first, duration(1))), last_(std::max(last, first_)), step_(first_)
    {}

    /// The pause after one more failure. `random` is uniform over all its values.
    constexpr duration next(std::uint32_t random) noexcept
    {
        const duration step = step_;
        step_ = step > last_ / 2 ? last_ : step * 2;
        // 32 bits of chance over the step, without overflow for steps of up to an hour.
        return duration(static_cast<duration::rep>(static_cast<double>(step.count()) *
                                                   (static_cast<double>(random) / 4294967295.0)));
    }
    /// The longest pause that next() can return now.
    constexpr duration step() const noexcept { return step_; }
    /// After a success.
    constexpr void reset() noexcept { step_ = first_; }

private:
    duration first_;
    duration last_;
    duration step_;
};

} // namespace wharf
