// What each subcommand of wharfctl does, after the command line was understood.
#pragma once

#include <wharf/blocking_client.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::ctl {

/// What scripts can tell apart; wharfctl(1) documents them.
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

/// One line that says what failed and what to do about it, escaped, without a newline.
std::string explain(const error& e, std::string_view endpoint);

/// A mistake on this side of the connection: a file that cannot be read or written.
struct local_error {
    std::string text;
};

/// Where the value of a put comes from: given in place, a file, or standard input.
struct value_source {
    std::optional<std::string> text;
    std::string file;
};
std::vector<std::byte> read_value(const value_source& from);

/// Writes to `file` ("-" or empty: standard output, where a terminal gets no raw binary).
void write_value(const std::vector<std::byte>& value, const std::string& file);

/// What `wharfctl get` was told.
struct get_arguments {
    std::string key;
    std::string file; ///< "-" or empty: standard output
    bool as_json = false;
    bool raw = false;
};
/// Writes an object: as JSON where it is told to, or a terminal asks and the object knows its type;
/// else its bytes. Throws error and local_error.
void show_object(blocking_client& client, const get_arguments& what);

/// A whole file as text; empty: standard input.
std::string read_text(const std::string& file);
/// To standard output, at once. Throws local_error.
void print(const std::string& text);
bool on_terminal();

void show_ping(blocking_client& client, std::string_view endpoint);
void show_status(blocking_client& client);
void show_commands(blocking_client& client);
/// Every limit, and how much of it is taken where the daemon says so.
void show_limits(blocking_client& client);
/// The connections, at most `limit` of them (0: all).
void show_sessions(blocking_client& client, std::uint64_t limit);
/// The daemon's metrics, as they come: text for Prometheus.
void show_metrics(blocking_client& client);
/// Prints the keys that begin with `prefix`, with the fingerprints of their types, page by page, at
/// most `limit` of them (0: all).
void show_objects(blocking_client& client, const std::string& prefix, std::uint64_t limit);

} // namespace wharf::ctl
