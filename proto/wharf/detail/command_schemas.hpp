// What the messages of a command look like, asked of its types when somebody wants to know.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/command.hpp>
#include <wharf/schema.hpp>

#include <type_traits>

namespace wharf::detail {

/// Valid for ever. `items` and `upload` are null where the command has no such stream; the reply of
/// a command that streams it is nothing.
struct command_schemas {
    const schema* argument = nullptr;
    const schema* reply = nullptr;
    const schema* items = nullptr;
    const schema* upload = nullptr;
    /// What a default-constructed argument is stored as; empty where it cannot be.
    byte_buffer default_argument;
};

/// Of a void reply: an empty message, which is no value.
const schema& schema_of_nothing();

template <class Value>
void store_default(byte_buffer& to)
{
    try {
        store_archive out(to);
        out << Value();
        out.flush();
    }
    catch (const std::exception&) { // then nothing has a default
        to.clear();
    }
}

template <command C>
command_schemas make_command_schemas()
{
    command_schemas made;
    made.argument = &schema_of<C>();
    if constexpr (streams_reply<C>) {
        made.reply = &schema_of_nothing();
        made.items = &schema_of<reply_item_t<C>>();
    }
    else if constexpr (std::is_void_v<reply_t<C>>)
        made.reply = &schema_of_nothing();
    else
        made.reply = &schema_of<reply_t<C>>();
    if constexpr (streams_upload<C>)
        made.upload = &schema_of<upload_item_t<C>>();
    store_default<C>(made.default_argument);
    return made;
}

/// The types are walked by the first call. Any thread.
template <command C>
const command_schemas& schemas_of_command()
{
    static const command_schemas made = make_command_schemas<C>();
    return made;
}

} // namespace wharf::detail
