// The types of a command's messages, without their types: what the exchange of versions, and
// whoever asks for schemas, needs.
#pragma once

#include <wharf/command.hpp>
#include <wharf/schema/message_type.hpp>

#include <atomic>
#include <type_traits>

namespace wharf::detail {

struct command_schemas;

/// Null where the command has no such message. Nothing of it is used before somebody asks for a
/// schema, or the peer is found to know other versions of the classes.
struct command_types {
    const message_type* argument;
    const message_type* reply;
    const message_type* items;
    const message_type* upload;
    /// What schemas_of() made, for ever.
    mutable std::atomic<const command_schemas*> made{nullptr};
};

template <command C>
consteval const message_type* reply_type()
{
    if constexpr (streams_reply<C> || std::is_void_v<reply_t<C>>)
        return nullptr;
    else
        return &message_type_of<reply_t<C>>;
}
template <command C>
consteval const message_type* item_type()
{
    if constexpr (streams_reply<C>)
        return &message_type_of<reply_item_t<C>>;
    else
        return nullptr;
}
template <command C>
consteval const message_type* upload_type()
{
    if constexpr (streams_upload<C>)
        return &message_type_of<upload_item_t<C>>;
    else
        return nullptr;
}
template <command C>
inline constinit const command_types types_of_command{&message_type_of<C>, reply_type<C>(),
                                                      item_type<C>(), upload_type<C>()};

} // namespace wharf::detail
