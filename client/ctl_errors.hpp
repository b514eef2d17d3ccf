// What wharfctl says when something fails, and the exit codes that scripts can tell apart.
#pragma once

#include <wharf/error.hpp>

#include <string>
#include <string_view>

namespace wharf::ctl {

/// wharfctl(1) documents them.
enum class exit_code : int {
    ok = 0,
    not_found = 1,
    usage = 2,
    conflict = 3,
    denied = 4,
    unreachable = 5,
    failed = 6,
};

exit_code exit_code_of(errc code) noexcept;

/// A mistake on this side of the connection: a file that cannot be read or written.
struct local_error {
    std::string text;
};

/// What was asked for makes no sense: options that exclude each other, a setting that is none.
struct usage_error {
    std::string text;
};

/// One line that says what failed and what to do about it, escaped, without a newline. `origin`
/// says who named the endpoint: "WHARF_ENDPOINT".
std::string explain(const error& e, std::string_view endpoint, std::string_view origin);

} // namespace wharf::ctl
