// What a store needs rarely: the file, versions that are not 0, classes of high slots, objects.
#pragma once

#include <wharf/archive/helpers.hpp>
#include <wharf/archive/older_versions.hpp>
#include <wharf/archive/store_objects.hpp>
#include <wharf/archive/type_shape.hpp>
#include <wharf/byte_buffer.hpp>
#include <wharf/message_file.hpp>

#include <bit>

namespace wharf::detail {

struct store_state {
    message_file* file = nullptr;
    byte_buffer own{};
    int uncaught = 0;                      ///< exceptions in flight when the archive was built
    std::vector<std::uint32_t> versions{}; ///< of the classes met, in order; empty: all are 0
    std::vector<unsigned> far_classes{};   ///< slots met that are not near, in order
    store_objects objects{};
    std::uint64_t pointees = 0; ///< near slots of classes that objects behind pointers have
    helper_table helpers{};
    const older_versions* older = nullptr;
    bool is_older = false;              ///< a class was stored at an older version than its newest
    visit_recorder* recorder = nullptr; ///< is told what is visited, and nothing is stored
    context_table contexts{};

    /// Objects of this class are behind pointers. Slots begin at 1: bit 0 stands for all far ones.
    void note_pointee(const class_cell& of) noexcept { pointees |= pointee_bit(of); }
    static std::uint64_t pointee_bit(const class_cell& of) noexcept
    {
        const std::uint64_t form = of.load(std::memory_order_relaxed);
        return (form & 1) != 0 ? 1 : form;
    }

    std::size_t classes_met(std::uint64_t seen) const
    {
        return static_cast<std::size_t>(std::popcount(seen)) + far_classes.size();
    }
    void note(std::size_t met_before, std::uint32_t version)
    {
        if (versions.empty()) {
            if (version == 0)
                return;
            versions.reserve(met_before + 1);
            versions.resize(met_before);
        }
        versions.push_back(version);
    }
};

/// What of a state a store that fails takes back.
struct store_mark {
    std::size_t versions;
    std::size_t far_classes;
    store_objects::mark objects;
};

} // namespace wharf::detail
