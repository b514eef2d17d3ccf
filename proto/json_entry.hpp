// A command that is called in JSON: the same handler behind a translation.
#pragma once

#include <wharf/detail/handlers.hpp>

#include <string_view>

namespace wharf::detail {

/// `of` must outlive what is returned. Its messages are JSON texts: the argument, the reply ("null"
/// where it is void, nothing where it streams) and each item, as to_json() and from_json() have
/// them. Where a type has no schema, the call is refused with errc::unsupported_json, and why.
command_entry make_json_entry(const command_entry& of);

inline constexpr std::string_view json_suffix = "+json";

/// "calculator.add" for "calculator.add+json"; empty for other names.
std::string_view name_called_in_json(std::string_view name) noexcept;

} // namespace wharf::detail
