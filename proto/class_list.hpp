// The classes that a command's messages hold, by the names that both ends have for them.
#pragma once

#include <wharf/detail/command_types.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace wharf::detail {

/// A class in a message of ours.
struct listed_class {
    std::uint64_t id = 0; ///< the same in all programs
    const class_shape* shape = nullptr;
    /// Set where an object of it may be behind a pointer to a base of it: the peer must know it.
    const class_entry* derived = nullptr;
};

struct class_list {
    std::vector<listed_class> classes; ///< ascending by id
    std::vector<std::byte> told;       ///< as they travel
};

/// Made once for each command in a process. Valid for ever. Any thread.
const class_list& class_list_of(const command_types& of);

/// The version that a list which the peer told has of a class; null where it does not have it.
const std::byte* find_class_version(std::span<const std::byte> told, std::uint64_t id) noexcept;

} // namespace wharf::detail
