// What the messages of a command look like, asked of its types when somebody wants to know.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/detail/command_types.hpp>
#include <wharf/schema.hpp>

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

/// The types are walked by the first call. Any thread.
const command_schemas& schemas_of(const command_types& types);

} // namespace wharf::detail
