// Commands whose types do not allocate, and those that read the server's count.
#pragma once

#include <cstdint>
#include <string_view>

namespace bench {

/// Answered by an inline handler.
struct add {
    using reply = std::int64_t;
    static constexpr std::string_view name = "bench.add";
    std::int64_t a{}, b{};
};

/// Answered by a handler that awaits.
struct add_later {
    using reply = std::int64_t;
    static constexpr std::string_view name = "bench.add_later";
    std::int64_t a{}, b{};
};

/// The allocations of the server so far.
struct count_allocations {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "bench.count_allocations";
    std::uint8_t unused{};
};

/// Allocates by each function that is counted; answers how many there are.
struct allocate {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "bench.allocate";
    std::uint8_t unused{};
};

} // namespace bench
