// Measures one slice of a workload: calls, their latency, and the CPU time of the server's process.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>
#include <time.h>

namespace bench {

using clock = std::chrono::steady_clock;

/// The command line that both clients share: WORKLOAD PORT SERVER_PID SECONDS [CALLS].
struct slice {
    std::string workload;
    std::uint16_t port = 0;
    pid_t server = 0;
    double seconds = 0.5;
    std::uint64_t calls = 0; ///< not zero: stop after so many calls, whatever the time
};

/// Prints usage and exits with 2 when the arguments are not a slice.
slice parse_slice(int argc, char** argv);

/// One slice of measuring, behind a warm-up of a fifth of its length. For one thread.
class meter {
public:
    explicit meter(slice s);

    const slice& options() const { return slice_; }

    /// A call that began at `began` has its answer. False: the slice is over, and was printed once.
    bool completed(clock::time_point began);

private:
    void begin(clock::time_point now);
    void print(clock::time_point now);

    slice slice_;
    clockid_t server_clock_{};
    std::chrono::nanoseconds server_cpu_{};
    clock::time_point warm_;
    clock::time_point start_;
    clock::time_point end_;
    bool measuring_ = false;
    bool over_ = false;
    std::uint64_t calls_ = 0;
    std::vector<std::uint32_t> latency_ns_;
};

} // namespace bench
