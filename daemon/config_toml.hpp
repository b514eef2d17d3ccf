// A TOML file as the configuration sees it: settings with their places, and no TOML library.
#pragma once

#include "config.hpp"
#include "config_values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wharf::config {

/// `name = content`.
struct setting {
    std::string name;
    position name_at;
    value content;
    position content_at;
};

/// A `[name]`, or one `[[name]]`. The settings above all tables are in a section without a name.
struct section {
    std::string name;
    position at;
    bool repeats = false; ///< written as [[name]]
    std::vector<setting> settings;
};

/// Throws config_error for a syntax error and for what no key takes: dates, nested tables.
std::vector<section> parse_toml(std::string_view text, const std::string& file);

/// The value of `--set key=text`: TOML where it reads as such, else the text itself.
value parse_value(const std::string& text);

} // namespace wharf::config
