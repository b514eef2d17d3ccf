// What a command is: a struct whose fields are the arguments, with a wire name and a reply type.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

namespace wharf {

/// As a command's `reply`: the answer is a stream of T, ended in order or by an error. As its
/// `upload`: the caller sends a stream of T after the command itself.
template <class T>
struct stream_of {
    using item = T;
};

namespace detail {
template <class T>
inline constexpr bool is_stream = false;
template <class T>
inline constexpr bool is_stream<stream_of<T>> = true;
} // namespace detail

/// A command names itself on the wire and says what it answers with. The name is explicit, so that
/// renaming a C++ symbol never changes the wire; by convention it is "service.verb".
/// `reply` may be void. A command is a value: the library never keeps a reference to one.
///
/// A handler that runs inline (or blocks) and takes a const C& gets the same object for call after
/// call, so that strings and vectors keep their memory, up to 1 MiB a thread. A plain struct of
/// such values is always overwritten as a whole, and needs nothing for it. A class with a
/// serialize() asks for it by `static constexpr bool reuse_arguments = true;`, and promises that
/// serialize() visits every member at every version: what it does not visit, in members of its
/// members too, keeps the value of an older call, of another caller perhaps.
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

/// Does a command answer with a stream, `using reply = stream_of<tick>`?
template <class C>
concept streams_reply = command<C> && detail::is_stream<typename C::reply>;
/// Does a command take a stream from its caller, `using upload = stream_of<chunk>`?
template <class C>
concept streams_upload = command<C> && requires
{
    typename C::upload;
} && detail::is_stream<typename C::upload>;
/// The items of either.
template <streams_reply C>
using reply_item_t = typename C::reply::item;
template <streams_upload C>
using upload_item_t = typename C::upload::item;

/// The longest command name that a daemon accepts, in bytes.
inline constexpr std::size_t command_name_bytes_max = 127;

} // namespace wharf
