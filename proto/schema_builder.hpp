// Walks the types of a message.
#pragma once

#include "recording.hpp"

#include <wharf/schema/message_type.hpp>
#include <wharf/schema_type.hpp>

#include <map>
#include <string>
#include <vector>

namespace wharf::detail {

/// Versions that are not the newest.
using class_versions = std::map<const class_cell*, std::uint32_t>;

/// The places of classes, by which a check finds them again.
using class_places = std::map<const class_shape*, std::uint32_t>;

struct built_schema {
    std::vector<schema_type> types;
    class_places places;
    std::map<const type_shape*, std::uint32_t> shapes; ///< of all other types
};

/// Throws nothing but std::bad_alloc.
built_schema build_schema(const type_shape& root, const class_versions& versions);

/// A schema and the layouts of its classes at versions before their newest.
struct built_history {
    struct entry {
        std::string name; ///< of the class in C++
        std::uint32_t type, version, layout;
    };
    std::vector<schema_type> types;
    std::vector<entry> older;
};

/// Throws nothing but std::bad_alloc.
built_history build_history(const type_shape& root);

/// What is wrong with this type at these versions: made-up messages do not load, or are stored
/// otherwise. Empty where nothing is. Of schema_check.cpp.
std::string find_flaw(const message_type& type, const class_versions& versions);

/// The type of a shape that is no class: all but its parts.
schema_type make_type(const type_shape& shape, const void* value);

} // namespace wharf::detail
