// A line that somebody types into a shell, up to the cursor: its words, and how the last one is
// quoted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wharf::ctl {

struct shell_line {
    std::vector<std::string> words; ///< without quotes; the last is being typed, "" after a space
    /// What is open at the end: '\'', '"', or 0.
    char quote = 0;
    /// How much of the last word stands before what a shell of this kind replaces.
    std::size_t kept = 0;
};

/// The last command of the line, as a POSIX shell splits words. `breaks` are the characters behind
/// which readline begins to replace: bash's COMP_WORDBREAKS.
shell_line read_shell_line(std::string_view line, std::string_view breaks);

/// A word as it can stand where the last word of `at` is typed: escaped as its quotes need it.
/// Empty where it cannot.
std::string quote_for(const shell_line& at, std::string_view word);

} // namespace wharf::ctl
