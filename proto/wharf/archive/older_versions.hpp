// Which classes are stored at a version that is not the newest, for a reader that is older.
#pragma once

#include <wharf/archive/class_info.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace wharf {

/// Versions by class. A value: distinct objects are safe in different threads.
class older_versions {
public:
    /// T is stored at this version, which its serialize() is given. One that is not older than the
    /// newest changes nothing.
    template <class T>
    void set(std::uint32_t version)
    {
        set(detail::class_cell_of<T>, version);
    }
    void set(const detail::class_cell& of, std::uint32_t version)
    {
        versions_.emplace_back(&of, version);
    }
    /// The version to store a class at.
    std::uint32_t find(const detail::class_cell& of, std::uint32_t newest) const noexcept
    {
        for (const auto& [cell, version] : versions_)
            if (cell == &of)
                return version < newest ? version : newest;
        return newest;
    }

private:
    std::vector<std::pair<const detail::class_cell*, std::uint32_t>> versions_;
};

} // namespace wharf
