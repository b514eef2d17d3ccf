// What a type of a schema must have, by its kind: so many parts, and a size that exists.
#pragma once

#include <wharf/schema_type.hpp>

namespace wharf::detail {

/// How many parts a kind has; -1: any number.
int parts_of(schema_kind kind) noexcept;
/// Is the size one that numbers or characters of this kind have? Always, for other kinds.
bool is_valid_size(const schema_type& type) noexcept;

} // namespace wharf::detail
