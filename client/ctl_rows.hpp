// Rows of facts: a table for people, tabs for scripts, JSON lines for programs.
#pragma once

#include "ctl_program.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wharf::ctl {

/// A column's heading, and its key in JSON, which scripts rely on.
struct column {
    std::string_view heading;
    std::string_view key;
};

/// Text of anybody (it is escaped here), a number, or nothing: "-", and null in JSON.
using cell = std::variant<std::monostate, std::string, std::uint64_t, bool>;

/// The rows as this context wants them.
std::string render_rows(const context& c, std::span<const column> columns,
                        const std::vector<std::vector<cell>>& rows);
/// Prints them; nothing where there are none.
void print_rows(const context& c, std::span<const column> columns,
                const std::vector<std::vector<cell>>& rows);

} // namespace wharf::ctl
