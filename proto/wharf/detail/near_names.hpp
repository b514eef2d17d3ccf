// Which of the known names a misspelt one was meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wharf::detail {

/// The name that differs least: by at most two letters that are missing, added, wrong or swapped,
/// and by fewer than the wanted one has. Empty where none is near.
std::string_view find_near_name(std::string_view wanted, std::span<const std::string> names);

/// "; did you mean \"price\"?", or nothing.
std::string suggest_name(std::string_view wanted, std::span<const std::string> names);

} // namespace wharf::detail
