// Commands of the daemon that process tests run, shared by it and by them.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <cstdint>
#include <string_view>

namespace wharf::test {

/// Answered with its number once the daemon drains: until then the call is in flight.
struct wait_for_drain {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "test.wait_for_drain";
    std::uint64_t number = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& number;
    }
};

/// Never returns: its worker hangs.
struct hang {
    using reply = void;
    static constexpr std::string_view name = "test.hang";
    std::uint64_t unused = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& unused;
    }
};

} // namespace wharf::test
