// How wharfctl shows JSON: indented for people, a line each for programs, and safe on a terminal.
#pragma once

#include <wharf/system.hpp>

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

} // namespace wharf::ctl
