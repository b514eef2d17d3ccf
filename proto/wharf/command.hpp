// What a command is: a struct whose fields are the arguments, with a wire name and a reply type.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

namespace wharf {

/// A command names itself on the wire and says what it answers with. The name is explicit, so that
/// renaming a C++ symbol never changes the wire; by convention it is "service.verb".
/// `reply` may be void. A command is a value: the library never keeps a reference to one.
template <class C>
concept command = std::is_class_v<C> && requires
{
    typename C::reply;
    {
        C::name
        } -> std::convertible_to<std::string_view>;
};

/// The type that answers a command.
template <command C>
using reply_t = typename C::reply;

/// The longest command name that a daemon accepts, in bytes.
inline constexpr std::size_t command_name_bytes_max = 127;

} // namespace wharf
