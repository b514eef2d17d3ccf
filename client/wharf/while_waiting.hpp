// What a thread does while it waits in a blocking client: a plain value.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

namespace wharf {

/// What a thread does while its call waits, see blocking_client::call() and stream().
struct while_waiting {
    /// Asking it to stop, in any thread, ends the call with errc::cancelled at once. The daemon is
    /// told; the connection stays.
    std::stop_token stop{};
    /// Called by the waiting thread at each interval, with no lock held, so that it may call this
    /// client; what it throws ends the call as a stop, and is thrown on.
    std::function<void()> progress{};
    std::chrono::milliseconds interval{100};
};

} // namespace wharf
