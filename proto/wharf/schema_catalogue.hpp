// The schemas of a program's commands and stored types, as a file that is kept beside its source.
#pragma once

#include <wharf/schema_history.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wharf {

/// What the messages of one command look like, with the older versions of their classes. The reply
/// of a command that streams it is nothing.
struct command_history {
    std::string command;
    schema_history argument;
    schema_history reply;
    std::optional<schema_history> items;
    std::optional<schema_history> upload;
    bool operator==(const command_history&) const = default;
};

namespace system {
struct description;
}
/// What a daemon's system.describe answered.
command_history make_history(const system::description& from);

/// What objects in a store look like. A daemon knows no names of types: there the name is empty.
struct stored_history {
    std::string name;
    schema_history type;
    bool operator==(const stored_history&) const = default;
};

/// Values: distinct objects are safe in different threads.
struct schema_catalogue {
    std::vector<command_history> commands;
    std::vector<stored_history> objects;

    /// Adds the command C, or a type of stored objects under a name that stays.
    template <class C>
    void add_command();
    template <class T>
    void add_object(std::string name)
    {
        objects.push_back({std::move(name), schema_history_of<T>()});
    }
    bool operator==(const schema_catalogue&) const = default;
};

/// The catalogue as the text of a file, in the order of the names, a type on each line, so that
/// version control shows what changed; proto/SCHEMA.md has the format. Throws error: errc::bad_utf8
/// where a name is no text, errc::message_limit where there is too much.
std::string to_json(const schema_catalogue& catalogue);

/// Reads such a text, whoever wrote it. Throws error(errc::bad_json) with line and column, or with
/// the path, and what was expected; errc::bad_value where a schema is none, or is not the one that
/// its fingerprint says; errc::message_limit where the text is longer than catalogue_bytes_max.
schema_catalogue catalogue_from_json(std::string_view text);

inline constexpr std::size_t catalogue_bytes_max = 16u << 20;

} // namespace wharf

#include <wharf/detail/command_schemas.hpp>

namespace wharf {

template <class C>
void schema_catalogue::add_command()
{
    static_assert(command<C>, "wharf: a command has a reply type and a name");
    command_history made{std::string(C::name), schema_history_of<C>(), {}, {}, {}};
    if constexpr (streams_reply<C>) {
        made.reply.types = detail::schema_of_nothing();
        made.items = schema_history_of<reply_item_t<C>>();
    }
    else if constexpr (std::is_void_v<reply_t<C>>)
        made.reply.types = detail::schema_of_nothing();
    else
        made.reply = schema_history_of<reply_t<C>>();
    if constexpr (streams_upload<C>)
        made.upload = schema_history_of<upload_item_t<C>>();
    commands.push_back(std::move(made));
}

} // namespace wharf
