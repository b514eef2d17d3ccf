// What wharfd is told by its files and its command line: every setting, and where it came from.
#pragma once

#include "log.hpp"

#include <wharf/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf::config {

/// A place in a file, or what stands for one: "default", "--listen", "$STATE_DIRECTORY".
struct position {
    std::string source = "default";
    std::uint32_t line = 0; ///< from 1; 0: the source has no lines
    std::uint32_t column = 0;
    bool operator==(const position&) const = default;
};
/// "FILE:LINE:COLUMN", or the source alone.
std::string to_string(const position& where);

/// What is wrong with a configuration, in one line: "FILE:LINE:COLUMN: key: problem; expected X".
/// Text from the file is escaped in it.
class config_error : public std::exception {
public:
    config_error(position where, std::string key, std::string problem, std::string expected = {});
    const char* what() const noexcept override { return what_.c_str(); }
    const position& where() const noexcept { return where_; }
    const std::string& key() const noexcept { return key_; }

private:
    position where_;
    std::string key_;
    std::string what_;
};

/// Everything that a daemon can be told.
struct configuration {
    server_options server;
    log::options log;
    store_options store{.directory = "/var/lib/wharf"};
    /// Goes to every TCP listener.
    tcp_options tcp;
    /// See keep_freed_memory().
    std::size_t freed_memory_bytes = 64u << 20;
    /// Of each setting that has one: "limits.depth_max", "listen[0].endpoint". Absent: default.
    std::map<std::string, position> origins;
    /// What the operator should know, for the log once it runs.
    std::vector<std::string> notes;

    position origin(const std::string& key) const;
};

/// What stands above the files. Each is as it was typed.
struct overrides {
    std::string file;                  ///< --config; empty: the default file, if it exists
    std::string default_file;          ///< "/etc/wharf/wharfd.conf"
    std::vector<std::string> listen;   ///< --listen: instead of what the files list
    std::vector<std::string> settings; ///< "key=value"
    /// --state and the like: option name for messages, key, value.
    struct option {
        std::string name, key, value;
    };
    std::vector<option> options;
    std::string state_directory; ///< $STATE_DIRECTORY, which systemd's StateDirectory= sets
    /// The credential "wharfd.conf" of systemd's LoadCredential= and its like; empty: none.
    std::string credential;
};

/// A larger file is refused.
inline constexpr std::size_t file_bytes_max = 1u << 20;

/// Wharfd's defaults: one unix socket; root and the daemon's own user are admin, members of the
/// group wharf, where it exists, are user.
configuration defaults();

/// Defaults < environment < file < FILE.d/*.conf in the order of their names < credential < command
/// line.
/// Throws config_error for the first thing that is wrong in itself; changes nothing outside.
configuration read(const overrides& above);

/// As read(), and then check()s.
configuration load(const overrides& above);

/// Reads one file's text over `into`. `file` is its name for messages.
void apply_toml(configuration& into, std::string_view text, const std::string& file);

/// What has to hold between settings: names that exist, no duplicates, an allow line for each TCP
/// listener. The daemon calls it when the sockets that systemd passed are among the listeners.
void check(const configuration& all);

/// What is in force, as a file that wharfd reads back, with where each value came from.
std::string print(const configuration& all);

/// Every key that a file may hold, with its value in `all` as TOML: {"limits.depth_max", "64"}.
/// Those of a table that repeats are named "listen.endpoint"; their value is the default.
std::vector<std::pair<std::string, std::string>> describe(const configuration& all);

} // namespace wharf::config
