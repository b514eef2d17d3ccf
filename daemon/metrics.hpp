// What calls count: per command, by one thread, readable by all.
#pragma once

#include <wharf/error.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace wharf {

/// The upper bounds of the latency histogram's buckets, 1, 2.5 and 5 times each power of ten; one
/// more bucket takes what is longer. Latency is from the receive that completed a call to the end
/// of the send that took its answer.
inline constexpr std::array<std::chrono::nanoseconds, 19> latency_bounds = [] {
    using std::chrono::microseconds;
    return std::array<std::chrono::nanoseconds, 19>{
        microseconds(10),        microseconds(25),        microseconds(50),
        microseconds(100),       microseconds(250),       microseconds(500),
        microseconds(1'000),     microseconds(2'500),     microseconds(5'000),
        microseconds(10'000),    microseconds(25'000),    microseconds(50'000),
        microseconds(100'000),   microseconds(250'000),   microseconds(500'000),
        microseconds(1'000'000), microseconds(2'500'000), microseconds(5'000'000),
        microseconds(10'000'000)};
}();
inline constexpr std::size_t latency_buckets = latency_bounds.size() + 1;

/// The bucket that a latency falls into; a bound belongs to the bucket below it.
std::size_t latency_bucket(std::chrono::nanoseconds latency) noexcept;

/// What was counted of one command, as plain numbers.
struct command_figures {
    std::uint64_t answered = 0; ///< with a reply or an error
    std::uint64_t in_flight = 0;
    std::uint64_t bytes_in = 0;  ///< messages of calls, and items of their uploads
    std::uint64_t bytes_out = 0; ///< messages of replies, and items of their streams
    std::chrono::nanoseconds latency_sum{};
    std::array<std::uint64_t, latency_buckets> latency{}; ///< how many in each bucket
    std::map<errc, std::uint64_t> errors;                 ///< of `answered`
    /// Adds what another thread counted.
    void add(const command_figures& other);
    std::uint64_t errors_sum() const noexcept;
    bool operator==(const command_figures&) const = default;
};

/// One thread's counts. That thread alone calls the functions that write, which cost a load and a
/// store each and no lock; any thread may read, and sees numbers that need not add up exactly while
/// calls go on. Nothing is shared with another thread's counts, cache lines neither.
class call_metrics {
public:
    /// For commands of the indices 0 to commands - 1. Whatever else is counted, such as calls of
    /// unknown commands, falls under the index `commands`.
    explicit call_metrics(std::size_t commands);
    ~call_metrics();
    call_metrics(const call_metrics&) = delete;
    call_metrics& operator=(const call_metrics&) = delete;

    /// Commands, with the one for all others.
    std::size_t size() const noexcept { return rows_.size(); }
    std::size_t index_of_others() const noexcept { return rows_.size() - 1; }

    /// Calls have been received. Each is answered() later; those that are answered at once may be
    /// begun and answered in one run.
    void began(std::size_t index, std::uint64_t count = 1) noexcept { add(at(index).began, count); }
    /// `count` calls of one command were answered alike: the code is errc{} for replies, the
    /// latency that of each, the bytes those of all of them together. A call that began on another
    /// thread may be answered here.
    void answered(std::size_t index, errc code, std::chrono::nanoseconds latency,
                  std::uint64_t bytes_in, std::uint64_t bytes_out,
                  std::uint64_t count = 1) noexcept;
    /// Items of a stream.
    void moved(std::size_t index, std::uint64_t bytes_in, std::uint64_t bytes_out) noexcept
    {
        row& r = at(index);
        add(r.bytes_in, bytes_in);
        add(r.bytes_out, bytes_out);
    }

    /// Adds what was counted to `to`, which gets size() elements where it has fewer. Any thread.
    void add_to(std::vector<command_figures>& to) const;

private:
    using counter = std::atomic<std::uint64_t>;
    struct error_counts;
    struct alignas(64) row {
        counter began{0}, answered{0}, bytes_in{0}, bytes_out{0}, latency_ns{0};
        std::array<counter, latency_buckets> latency{};
        /// Made at the first error: most commands never have one. Owned.
        std::atomic<error_counts*> errors{nullptr};
    };

    static void add(counter& to, std::uint64_t n) noexcept
    {
        to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    row& at(std::size_t index) noexcept
    {
        return rows_[index < rows_.size() ? index : rows_.size() - 1];
    }
    static void add_error(row& to, errc code, std::uint64_t count) noexcept;

    std::vector<row> rows_;
};

} // namespace wharf
