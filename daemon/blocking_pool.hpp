// The threads on which handlers that block run, and the queue before them: both bounded.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace wharf {

/// Runs functions on threads of its own, in the order in which they came.
/// All functions are safe in any thread, but stop() and destruction: these belong to the owner, and
/// are not for a function that runs here.
class blocking_pool {
public:
    /// Starts no thread yet: each comes with the first function for which no other is free, up to
    /// `threads` (at least one). At most `queue_max` functions wait for a thread.
    blocking_pool(unsigned threads, std::size_t queue_max);
    /// Stops.
    ~blocking_pool();
    blocking_pool(const blocking_pool&) = delete;
    blocking_pool& operator=(const blocking_pool&) = delete;

    /// False, and `work` is dropped, where the queue is full, no thread can be had or the pool has
    /// stopped. What `work` throws ends the process: it catches what it can.
    bool try_run(std::function<void()> work);
    /// Drops what waits, and joins what runs: it returns when the last of these has.
    void stop();

    /// What waits already stays, also where it is more.
    void set_queue_max(std::size_t queue_max);

    /// Now, for those who watch it.
    std::size_t waiting() const;
    std::size_t running() const;
    unsigned threads_max() const noexcept { return threads_max_; }
    std::size_t queue_max() const;

private:
    void run();

    const unsigned threads_max_;
    mutable std::mutex mutex_; ///< guards what follows
    std::size_t queue_max_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;
    std::vector<std::thread> threads_;
    std::size_t running_ = 0;
    bool stopped_ = false;
};

} // namespace wharf
