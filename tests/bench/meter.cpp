// Reads the clocks around a slice and prints it as one JSON line.
#include "meter.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace bench {
namespace {

// More calls than this in one slice add nothing to a median.
constexpr std::size_t latencies_max = 1u << 21;

std::chrono::nanoseconds read_clock(clockid_t id)
{
    timespec time{};
    clock_gettime(id, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

clock::duration from_seconds(double seconds)
{
    return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
}

} // namespace

slice parse_slice(int argc, char** argv)
{
    if (argc < 5) {
        std::fprintf(stderr, "usage: %s WORKLOAD PORT SERVER_PID SECONDS [CALLS]\n", argv[0]);
        std::exit(2);
    }
    slice s{argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])), std::atoi(argv[3]),
            std::atof(argv[4])};
    if (argc > 5)
        s.calls = std::strtoull(argv[5], nullptr, 10);
    return s;
}

meter::meter(slice s) : slice_(std::move(s))
{
    if (clock_getcpuclockid(slice_.server, &server_clock_) != 0) {
        std::fprintf(stderr, "no process %d\n", static_cast<int>(slice_.server));
        std::exit(2);
    }
    latency_ns_.reserve(latencies_max);
    warm_ = clock::now() + from_seconds(slice_.seconds / 5);
}

bool meter::completed(clock::time_point began)
{
    if (over_)
        return false;
    if (slice_.calls != 0)
        return ++calls_ < slice_.calls;
    const auto now = clock::now();
    if (!measuring_) {
        if (now >= warm_)
            begin(now);
        return true;
    }
    ++calls_;
    if (latency_ns_.size() < latencies_max) {
        const auto nanoseconds = std::chrono::nanoseconds(now - began).count();
        latency_ns_.push_back(
            static_cast<std::uint32_t>(std::min<std::int64_t>(nanoseconds, UINT32_MAX)));
    }
    if (now < end_)
        return true;
    over_ = true;
    print(now);
    return false;
}

void meter::begin(clock::time_point now)
{
    measuring_ = true;
    start_ = now;
    end_ = now + from_seconds(slice_.seconds);
    server_cpu_ = read_clock(server_clock_);
}

void meter::print(clock::time_point now)
{
    using microseconds = std::chrono::duration<double, std::micro>;
    const microseconds cpu = read_clock(server_clock_) - server_cpu_;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto middle = latency_ns_.begin() + static_cast<std::ptrdiff_t>(latency_ns_.size() / 2);
    std::nth_element(latency_ns_.begin(), middle, latency_ns_.end());
    const auto calls = static_cast<double>(calls_);
    std::printf("{\"server_cpu_us\": %.4f, \"p50_us\": %.3f, \"calls_per_s\": %.1f}\n",
                cpu.count() / calls, *middle / 1000.0, calls / seconds);
    std::fflush(stdout);
}

} // namespace bench
