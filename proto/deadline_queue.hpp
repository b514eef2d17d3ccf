// The deadlines of our own calls: a heap whose entries are dropped late, when their calls are gone.
#pragma once

#include "id_map.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace wharf::detail {

/// What a conversation keeps of a call of its own that is in flight.
struct own_call {
    bool is_given_up = false; ///< cancelled or expired: only its answer is waited for
};

/// Entries of calls that are answered or given up stay until they surface or outnumber the others,
/// because taking them out at once would cost a search per call.
class deadline_queue {
public:
    using time_point = std::chrono::steady_clock::time_point;

    void add(time_point when, std::uint64_t id, const id_map<own_call>& calls);
    /// The earliest deadline of a call that is still waited for.
    std::optional<time_point> earliest(const id_map<own_call>& calls);
    /// Takes out one call whose deadline has passed.
    std::optional<std::uint64_t> take_expired(time_point now, const id_map<own_call>& calls);
    std::size_t size() const noexcept { return heap_.size(); }

private:
    struct entry {
        time_point when;
        std::uint64_t id;
    };
    static bool is_later(const entry& a, const entry& b) noexcept { return a.when > b.when; }
    void pop();
    void compact(const id_map<own_call>& calls);

    static constexpr std::size_t compact_min = 64;
    std::vector<entry> heap_;
};

} // namespace wharf::detail
