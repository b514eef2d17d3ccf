// Made-up messages of a schema.
#pragma once

#include <wharf/schema_type.hpp>

#include <cstddef>
#include <vector>

namespace wharf::detail {

/// How many fillings show each alternative and each derived class, and two values of the others;
/// not more than 16.
unsigned fillings_of(const std::vector<schema_type>& types);

/// A message in which containers have one element, optionals and pointers something, and numbers
/// are not 0. What contains itself ends as soon as it can. No type may be opaque.
std::vector<std::byte> fill_message(const std::vector<schema_type>& types, unsigned filling);

} // namespace wharf::detail
