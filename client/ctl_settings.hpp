// What a file says once for all runs of wharfctl: endpoint, timeout, colour.
#pragma once

#include "ctl_style.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wharf::ctl {

inline constexpr double timeout_s_min = 0.001, timeout_s_max = 86400;

/// Any of these may be absent.
struct settings {
    std::optional<std::string> endpoint;
    std::optional<double> timeout_s;
    std::optional<colour_choice> colour;
};

/// Reads TOML; no such file: nothing is set. Throws usage_error, which names file, line and key.
settings read_settings(const std::string& file);

/// Absent where the text is no such number or word.
std::optional<double> parse_timeout(std::string_view text);
std::optional<colour_choice> parse_colour(std::string_view text);

/// $XDG_CONFIG_HOME/wharf/wharfctl.toml, else ~/.config/wharf/wharfctl.toml; empty: there is no
/// home.
std::string user_settings_file();
inline constexpr const char* system_settings_file = "/etc/wharf/wharfctl.toml";

} // namespace wharf::ctl
