// The daemon's log: levels tested by one atomic, records handed to a bounded asynchronous sink.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace wharf::log {

/// Syslog priorities, as journald knows them.
enum class level : int { critical = 2, error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// "warning"
std::string_view to_word(level l) noexcept;
std::optional<level> level_of(std::string_view word) noexcept;

/// Where records go.
enum class format {
    automatic, ///< journal when stderr is the journal, prefixed under another supervisor, else
               ///< plain
    plain,     ///< "2026-01-02T03:04:05.678Z warning text key=value" on stderr
    prefixed,  ///< "<4>text key=value" on stderr, sd-daemon's prefixes
    journal    ///< journald's native protocol, with fields
};

struct options {
    level threshold = level::info;
    format how = format::automatic;
    std::size_t queue_records_max = 10000; ///< more are dropped and counted
    bool operator==(const options&) const = default;
};

/// A named value beside the text. Names as in the journal: WHARF_SESSION, WHARF_COMMAND,
/// WHARF_PEER, WHARF_ERRC. Text from peers may go into values and messages: every format keeps it
/// on its line.
struct field {
    std::string_view name;
    std::string value;
};

/// Starts the sink. Before this, and after stop(), records go to stderr, plain, at once.
void start(const options& how);
/// Writes out what is queued and stops the sink.
void stop();

/// Would a record of this level be kept? One relaxed atomic load. Any thread.
bool enabled(level l) noexcept;
level threshold() noexcept;
void set_threshold(level l) noexcept;
/// How many records may wait from now on; nothing where no sink runs. At least one.
void set_queue_records_max(std::size_t count) noexcept;

/// Queues one record; never blocks, never throws. Any thread.
void write(level l, std::string_view message, std::initializer_list<field> fields = {}) noexcept;

/// Records dropped since start because the queue was full.
std::uint64_t dropped() noexcept;

} // namespace wharf::log
