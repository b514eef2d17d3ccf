// The keys that a configuration file may hold: how each is read, checked and printed.
#pragma once

#include "config.hpp"
#include "config_values.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::config {

/// One key of a table whose values go into a T.
template <class T>
struct key {
    std::string name;     ///< "limits.depth_max"; in a table that repeats, "endpoint"
    std::string expected; ///< "a number from 1 to 1000", for messages
    /// Stores the value; returns what is wrong with it, or nothing.
    std::function<std::string(T&, const value&)> set;
    std::function<std::string(const T&)> print; ///< the value as TOML
};

const std::vector<key<configuration>>& keys();
const std::vector<key<listener_options>>& listen_keys();
const std::vector<key<allow_rule>>& allow_keys();
const std::vector<key<role_options>>& role_keys();

} // namespace wharf::config
