// Very many peers on one thread that read nothing, write byte by byte, or break every rule.
#pragma once

#include <wharf/endpoint.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace stress {

struct crowd_size {
    int stalled = 0;   ///< ask for much and never read
    int dribbling = 0; ///< write what is right, one byte at a time
    int hostile = 0;   ///< write what is wrong, as much as they are given
};

/// A crowd at the endpoints in turn, from its construction to its destruction. A peer that is
/// closed comes again. What it may do in a second is bounded: see the constants of crowd.cpp.
class crowd {
public:
    crowd(std::vector<wharf::endpoint> where, crowd_size size);
    ~crowd();
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;

    /// Waits until every peer has been connected and has written something.
    bool is_complete(std::chrono::milliseconds within) const;

    struct counts {
        std::uint64_t connected = 0; ///< in all, those that came again included
        std::uint64_t closed = 0;    ///< by the server
        std::uint64_t written = 0;   ///< bytes
    };
    counts so_far() const;

private:
    class peer;
    void run();

    std::vector<std::unique_ptr<peer>> peers_;
    int waker_ = -1;
    std::atomic<std::uint64_t> connected_{0}, closed_{0}, written_{0};
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool is_complete_ = false;
    std::thread thread_;
};

} // namespace stress
