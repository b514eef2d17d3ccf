// How wharfctl shows bytes that came from somebody else: escaped text, hex dumps, tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::ctl {

/// The text with everything that could steer a terminal written as \xNN: control characters, what
/// is not UTF-8, and the marks that reorder text. Backslashes are doubled, so that it can be read
/// back.
std::string escape(std::string_view text);

/// The same but for newlines, which stay.
std::string escape_lines(std::string_view text);
/// A JSON string in its quotes, or a whole JSON text: what could steer a terminal becomes \uNNNN.
std::string escape_json(std::string_view text);

/// Is this UTF-8 text that can be shown as it is: no control characters but newlines and tabs?
bool is_plain_text(std::span<const std::byte> bytes);

/// Lines of an offset, sixteen bytes in hexadecimal and as text.
std::string hex_dump(std::span<const std::byte> bytes);

/// "2026-11-21T16:00:00Z", or the number itself where it is no time of the years 1970 to 9999.
std::string utc_time(std::int64_t ms_since_1970);

/// How many columns of a terminal it needs, near enough: a character each.
std::size_t columns_of(std::string_view text);

/// For people: "12 s", "3 h 12 min", "40 d 3 h".
std::string short_time(double seconds);

/// Rows of escaped cells: with `aligned`, columns of equal width, else separated by tabs. The first
/// row is a heading, which only an aligned table has. Columns named in `numbers` align right.
std::string table(const std::vector<std::vector<std::string>>& rows, bool aligned,
                  const std::vector<std::size_t>& numbers = {});

} // namespace wharf::ctl
