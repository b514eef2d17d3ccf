// The notation of single values in the configuration: durations, sizes, quoted text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wharf::config {

/// A value as a file gives it.
using value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// "500ms", "10s", "2min", "1h"; "0". Nothing for anything else, or past a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// In the largest unit that is exact: parse_duration(format_duration(d)) == d.
std::string format_duration(std::chrono::milliseconds d);

/// "512", "512B", "64KiB", "16MiB", "1GiB". Nothing for anything else, or past 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

/// A TOML basic string; any bytes come back as one line.
std::string quote(std::string_view text);
/// A value for a message: `"abc"`, `7`, `true`; long ones are cut.
std::string show(const value& v);

/// The name in `names` that was probably meant: at most two edits away. Empty: none.
std::string closest(std::string_view typed, const std::vector<std::string>& names);

} // namespace wharf::config
