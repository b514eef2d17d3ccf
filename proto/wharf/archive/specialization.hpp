// What a type is a specialization of, and its name.
#pragma once

#include <string_view>

namespace wharf::detail {

template <class T, template <class...> class Template>
inline constexpr bool is_specialization = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool is_specialization<Template<Arguments...>, Template> = true;

/// The name as compilers print it. For standard types whose headers are too heavy to include; not
/// for types of users, which different compilers print differently.
template <class T>
consteval std::string_view printed_name()
{
    std::string_view text = __PRETTY_FUNCTION__;
    text.remove_prefix(text.find("T = ") + 4);
    return text.substr(0, text.find_first_of(";]"));
}

} // namespace wharf::detail
