// What the writer that gets killed and the test that checks after it agree on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace crash {

/// One acknowledged transaction: the writer's coroutine and its how-manieth.
struct step {
    int round = 0, lane = 0, number = 0;
};

/// Each step stores two objects, with the same value, and moves the lane's mark.
inline std::string lane_key(const step& s)
{
    return "r" + std::to_string(s.round) + "/l" + std::to_string(s.lane);
}
inline std::string first_key(const step& s)
{
    return lane_key(s) + "/a/" + std::to_string(s.number);
}
inline std::string second_key(const step& s)
{
    return lane_key(s) + "/b/" + std::to_string(s.number);
}
inline std::string mark_key(const step& s)
{
    return lane_key(s) + "/mark";
}
/// Different for each step; some take overflow pages.
inline std::vector<std::byte> value_of(const step& s)
{
    const auto seed = static_cast<unsigned>(s.round * 7919 + s.lane * 104729 + s.number * 31);
    std::vector<std::byte> value(16 + seed % (seed % 13 == 0 ? 20000 : 200));
    for (std::size_t i = 0; i < value.size(); ++i)
        value[i] = static_cast<std::byte>((seed >> (i % 4 * 8)) + i);
    return value;
}

} // namespace crash
