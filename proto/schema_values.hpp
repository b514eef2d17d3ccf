// Which values a type of a schema has, for those who read them and those who write them.
#pragma once

#include "json_numbers.hpp"
#include "schema_view.hpp"

namespace wharf::detail {

/// Is the number one that the enumeration can have?
bool is_enumerator(const schema_type& type, wide_integer value) noexcept;
/// The name of the number; null where it has none.
const schema_enumerator* find_enumerator(const schema_type& type, wide_integer value) noexcept;
wide_integer to_integer(const schema_type& type, const schema_enumerator& named) noexcept;

/// Is the map an object in JSON? Its keys are text, of which none is there twice.
bool is_object_map(const schema_view& types, const schema_type& map) noexcept;

/// The class among `derived` of a polymorphic pointer; null where it is not one of them.
const schema_derived* find_derived(const schema_view& types, const schema_type& pointer,
                                   std::uint32_t of) noexcept;
/// What JSON calls it in "$type": its export key, or its place; empty for the pointer's own class
/// without a key.
std::string type_name(const schema_view& types, const schema_type& pointer,
                      const schema_derived& derived);

} // namespace wharf::detail
