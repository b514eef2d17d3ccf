// How a log record becomes bytes: a line that nothing in it can end, or the journal's fields.
#pragma once

#include "log.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wharf::log {

/// Longer texts are cut, with "..." at their end, so that the queue's memory has a bound.
inline constexpr std::size_t message_bytes_max = 4096;
inline constexpr std::size_t value_bytes_max = 1024;
inline constexpr std::size_t fields_max = 16;
/// What a record has in the journal besides its fields.
inline constexpr std::size_t journal_fields_own = 4;

/// One record on its way through the queue.
struct entry {
    level severity = level::info;
    event what;
    std::chrono::system_clock::time_point when;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
};

/// Copies within the bounds above.
entry make_entry(level severity, const event& what, std::chrono::system_clock::time_point when,
                 std::string_view message, std::initializer_list<field> fields);

/// The text without anything that a terminal or a line-based reader would act on: control
/// characters, C1 ones included, and what is no UTF-8 become "\n", "\x1b" and so on.
std::string escape(std::string_view text);

/// "2026-01-02T03:04:05.678Z warning text session=7", with its newline.
std::string plain_line(const entry& e);
/// "<4>text session=7", with its newline.
std::string prefixed_line(const entry& e);
/// {"MESSAGE=text", "PRIORITY=4", "MESSAGE_ID=...", "WHARF_CHANNEL=session", "WHARF_SESSION=7"};
/// values are kept as they are, newlines too.
std::vector<std::string> journal_fields(const entry& e);

/// What format::automatic means in this process: the journal when JOURNAL_STREAM names the file
/// behind `fd`, prefixed lines under another supervisor, else plain ones.
format resolve(format wanted, int fd);

} // namespace wharf::log
