// What wharfctl reads from files and standard input, and writes to files and standard output.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wharf::ctl {

/// Where the value of a put comes from: given in place, a file, or standard input.
struct value_source {
    std::optional<std::string> text;
    std::string file;
};
/// At most as much as a message may hold. Throws local_error.
std::vector<std::byte> read_value(const value_source& from);
/// A whole file as text; empty: standard input. Throws local_error.
std::string read_text(const std::string& file);

/// Writes to `file` ("-" or empty: standard output, where a terminal gets no raw binary). Throws
/// local_error.
void write_value(const std::vector<std::byte>& value, const std::string& file);

/// To standard output, at once. Throws local_error.
void print(const std::string& text);
/// Is standard output a terminal?
bool on_terminal();
/// How many columns it has; 80 where it does not say.
std::size_t terminal_width();

} // namespace wharf::ctl
