// A text of JSON as a table of its values, which keeps numbers as they were written.
#pragma once

#include <wharf/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::detail {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

class json_document {
public:
    /// Throws errc::bad_json with line and column, or errc::memory_limit.
    json_document(std::string_view text, const limits& limit);

    /// A value, in the order of the text; the parts of an array or object stand behind it: those of
    /// an object as key, value, key, value.
    struct node {
        json_kind kind = json_kind::null;
        std::uint32_t end = 0;   ///< the place behind all of its parts
        std::size_t begin = 0;   ///< of its text
        std::size_t size = 0;    ///< of its text
        std::uint32_t count = 0; ///< elements or members
    };
    const node& operator[](std::uint32_t place) const noexcept { return nodes_[place]; }
    /// A string without its escapes; a number as it was written; "true" or "false".
    std::string_view text(std::uint32_t place) const noexcept
    {
        return std::string_view(text_).substr(nodes_[place].begin, nodes_[place].size);
    }

private:
    friend struct json_handler;
    std::vector<node> nodes_;
    std::string text_;
};

/// A value of a document, which must outlive it; or none.
struct json_value {
    const json_document* document = nullptr;
    std::uint32_t place = 0;

    explicit operator bool() const noexcept { return document != nullptr; }
    json_kind kind() const noexcept { return (*document)[place].kind; }
    /// Elements of an array, members of an object.
    std::uint32_t count() const noexcept { return (*document)[place].count; }
    std::string_view text() const noexcept { return document->text(place); }
    /// The first part; of an object, the key of its first member.
    json_value first() const noexcept { return {document, place + 1}; }
    /// What stands behind this value.
    json_value next() const noexcept { return {document, (*document)[place].end}; }
};

} // namespace wharf::detail
