// The daemon's log: levels tested by one atomic, records handed to a bounded asynchronous sink.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace wharf::log {

/// Syslog priorities, as journald knows them.
enum class level : int { critical = 2, error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// What records are about; each channel has a level of its own.
enum class channel : unsigned char {
    daemon,   ///< start, stop, reload, threads
    listener, ///< sockets, and connections that do not become sessions
    session,  ///< who comes, who is refused, why it ends
    call,     ///< handlers that fail
    store     ///< the database
};
inline constexpr std::size_t channel_count = 5;

/// A kind of record. They stand in log_events.hpp.
struct event {
    std::string_view id; ///< the journal's MESSAGE_ID, 32 hexadecimal digits
    channel where;
};

/// The level of each channel: less severe records are not kept.
class levels {
public:
    /*implicit*/ levels(level all) noexcept { of_.fill(all); }
    level& operator[](channel c) noexcept { return of_[static_cast<std::size_t>(c)]; }
    level operator[](channel c) const noexcept { return of_[static_cast<std::size_t>(c)]; }
    bool operator==(const levels&) const = default;

private:
    std::array<level, channel_count> of_;
};

/// "warning"
std::string_view to_word(level l) noexcept;
/// "session"
std::string_view to_word(channel c) noexcept;
std::optional<level> level_of(std::string_view word) noexcept;
/// Reads "info", which is every channel's, "session=debug", which leaves the others as they are in
/// `from`, or several of these with commas between them, of which a later one wins. Nothing when a
/// word is no level or no channel.
std::optional<levels> levels_of(std::string_view text, levels from) noexcept;
/// "info,session=debug": the daemon's level, then those of channels with another one.
std::string to_text(const levels& of);

/// Where records go.
enum class format {
    automatic, ///< journal when stderr is the journal, prefixed under another supervisor, else
               ///< plain
    plain,     ///< "2026-01-02T03:04:05.678Z warning text key=value" on stderr
    prefixed,  ///< "<4>text key=value" on stderr, sd-daemon's prefixes
    journal    ///< journald's native protocol, with fields
};

struct options {
    levels threshold = level::info;
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
bool enabled(level l, channel c) noexcept;
levels threshold() noexcept;
void set_threshold(const levels& to) noexcept;
/// How many records may wait from now on; nothing where no sink runs. At least one.
void set_queue_records_max(std::size_t count) noexcept;

/// Queues one record; never blocks, never throws. Any thread.
void write(level l, const event& what, std::string_view message,
           std::initializer_list<field> fields = {}) noexcept;

/// Records dropped since start because the queue was full.
std::uint64_t dropped() noexcept;

} // namespace wharf::log
