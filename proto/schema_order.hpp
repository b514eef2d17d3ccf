// The order of keys, from their bytes.
#pragma once

#include "schema_view.hpp"

#include <compare>
#include <span>

namespace wharf::detail {

/// Compares two keys, whose bytes are valid, as the operators of C++ compare what they stand for.
/// `type` must be ordered (schema_view::is_ordered). Unordered where a NaN decides.
std::partial_ordering compare_keys(const schema_view& types, std::uint32_t type,
                                   std::span<const std::byte> a, std::span<const std::byte> b);

/// Is the order of the keys of this set or map told by their bytes?
bool is_sorted_by_value(const schema_view& types, const schema_type& container) noexcept;

/// Less where `now` may stand behind `before` in a set or map of this order, equivalent where they
/// are the same key.
std::partial_ordering compare_in_order(const schema_view& types, const schema_type& container,
                                       std::span<const std::byte> before,
                                       std::span<const std::byte> now);

} // namespace wharf::detail
