// What may come next in a JSON text that is being typed, by its schema.
#pragma once

#include <wharf/schema.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wharf::ctl {

/// The text as it could go on: with names of members that are not there yet, of enumerators, true
/// and false, or what begins a value. Empty where nothing can be said.
std::vector<std::string> complete_json(const schema& type, std::string_view text);

} // namespace wharf::ctl
