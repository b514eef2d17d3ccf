// What a load needs rarely: the file, the table of versions, objects.
#pragma once

#include <wharf/archive/helpers.hpp>
#include <wharf/archive/load_objects.hpp>
#include <wharf/limits.hpp>
#include <wharf/message_file.hpp>

#include <limits>

namespace wharf::detail {

struct load_state {
    message_file* file = nullptr;
    limits limit{};
    std::vector<std::uint32_t> table{}; ///< versions in order of the first visits
    std::size_t used = 0;
    static constexpr std::uint32_t not_met = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> by_slot{};
    load_objects objects{};
    helper_table helpers{};
    context_table contexts{};
};

} // namespace wharf::detail
