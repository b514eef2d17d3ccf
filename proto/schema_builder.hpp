// Walks the types of a message.
#pragma once

#include "recording.hpp"

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

/// The type of a shape that is no class: all but its parts.
schema_type make_type(const type_shape& shape, const void* value);

} // namespace wharf::detail
