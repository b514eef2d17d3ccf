// The bytes of a message as JSON and back, for programs that do not have the message's C++ type.
#pragma once

#include <wharf/archive_error.hpp>
#include <wharf/limits.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wharf {

class schema; // <wharf/schema.hpp>

enum class json_style {
    line,   ///< one line: {"id": 7, "tags": ["a"]}
    indent, ///< a member or element on each line, indented by two spaces
};

/// How JSON is written, and how much of it. A value.
struct json_options {
    json_style style = json_style::line;
    /// Text that is longer is neither read nor written. A value of a few bytes in a message may
    /// take a hundred as text: names of members travel in text only.
    std::size_t json_bytes_max = 64u << 20;
};

/// A message as text; proto/SCHEMA.md says what each type looks like ("JSON"). Any bytes are safe:
/// they are checked as load_archive checks them, and the schema is checked too.
///
/// Throws archive_error: a code that load_archive would throw too, with the offset and the path;
/// errc::bad_utf8 where a string is not valid Unicode, which JSON cannot hold; errc::bad_json where
/// a part of the schema is opaque; errc::memory_limit where the text is longer than
/// json_bytes_max; errc::newer_version and errc::bad_value where the message holds a class at a
/// newer or an older version than the schema; errc::bad_value where the schema is damaged.
/// This function and the next are safe in any thread and keep nothing.
std::string to_json(const schema& type, std::span<const std::byte> message,
                    const limits& limit = {}, const json_options& options = {});

/// Text as a message: the bytes that store_archive would write. Keys of objects may come in any
/// order, and so may what a set or map holds; a member of a class that is missing has its value in
/// `defaults`, a message of the same schema, as far as that has the same classes and arrays around
/// it, and otherwise 0, empty, null, or the first alternative.
///
/// Throws archive_error: errc::bad_json with line and column where the text is no JSON, with the
/// path ("order.items[3].price") and what was expected where it does not fit the type;
/// errc::message_limit where the text or the message would be too long; and the codes of a load
/// where what the text says could not be loaded: references, depth, numbers of objects.
std::vector<std::byte> from_json(const schema& type, std::string_view json,
                                 const limits& limit = {}, const json_options& options = {},
                                 std::span<const std::byte> defaults = {});

} // namespace wharf
