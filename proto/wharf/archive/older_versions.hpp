// Which classes are stored at a version that is not the newest, for a reader that is older.
#pragma once

#include <wharf/archive/class_info.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace wharf {

namespace detail {
struct class_entry;
} // namespace detail

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
    /// The reader does not know this class: an object of it behind a pointer cannot be stored.
    void refuse(const detail::class_entry& of) { refused_.push_back(&of); }
    bool refuses(const detail::class_entry& of) const noexcept
    {
        return std::find(refused_.begin(), refused_.end(), &of) != refused_.end();
    }
    bool empty() const noexcept { return versions_.empty() && refused_.empty(); }
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
    std::vector<const detail::class_entry*> refused_;
};

} // namespace wharf
