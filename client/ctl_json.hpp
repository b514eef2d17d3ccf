// How wharfctl shows JSON: indented for people, a line each for programs, and safe on a terminal.
#pragma once

#include <wharf/system.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace wharf::ctl {

/// A valid JSON text on one line, with what could steer a terminal as \uNNNN.
std::string json_line(std::string_view text);
/// The same with a member or element on each line, indented by two spaces.
std::string json_indented(std::string_view text);

/// To standard output, with a newline: indented where that is a terminal, unless `one_line`.
void print_json(std::string_view text, bool one_line);

/// What system.describe answered, as JSON on one line.
std::string json_of(const system::description& what);

/// Any text as a JSON string; what is not UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// An object of JSON that is written member by member, in this order.
class json_fields {
public:
    json_fields& add(std::string_view key, std::string_view text);
    json_fields& add(std::string_view key, const char* text)
    {
        return add(key, std::string_view(text));
    }
    /// Beyond 2^53 as a string, as in all JSON of Wharf.
    json_fields& add(std::string_view key, std::uint64_t number);
    /// As short as reads back to the same number; null where it is none.
    json_fields& add(std::string_view key, double number);
    json_fields& add(std::string_view key, bool yes)
    {
        return add_raw(key, yes ? "true" : "false");
    }
    /// `json` is valid JSON.
    json_fields& add_raw(std::string_view key, std::string_view json);

    std::string text() const { return text_ + "}"; }
    /// With a newline.
    std::string line() const { return text() + "\n"; }

private:
    std::string text_ = "{";
};

} // namespace wharf::ctl
