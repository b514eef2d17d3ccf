// Makes lines and journal fields of log records; pure but for resolve().
#include "log_format.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <sys/stat.h>

namespace wharf::log {

namespace {

std::string cut(std::string_view text, std::size_t bytes_max)
{
    if (text.size() <= bytes_max)
        return std::string(text);
    return std::string(text.substr(0, bytes_max - 3)) + "...";
}

void append_escaped_byte(std::string& out, unsigned char byte)
{
    static constexpr char digits[] = "0123456789abcdef";
    switch (byte) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default:
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

/// The length of the well-formed UTF-8 sequence at the front; 0 when there is none.
std::size_t sequence_length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return 1;
    const std::size_t length = first >= 0xc2 && first < 0xe0   ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    }
    // Overlong forms, surrogates and what lies beyond Unicode.
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
        (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
        return 0;
    return length;
}

/// C1 controls, line and paragraph separators, and the marks that reorder what a terminal shows.
bool acts(std::string_view sequence)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    if (sequence.size() == 1)
        return byte(0) < 0x20 || byte(0) == 0x7f;
    if (sequence.size() == 2)
        return byte(0) == 0xc2 && byte(1) < 0xa0;
    if (sequence.size() == 3 && byte(0) == 0xe2) {
        return (byte(1) == 0x80 && ((byte(2) >= 0xa8 && byte(2) <= 0xae))) ||
               (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
    }
    return false;
}

/// "WHARF_SESSION" is "session" on a line.
std::string line_name(std::string_view name)
{
    if (name.starts_with("WHARF_"))
        name.remove_prefix(6);
    std::string out;
    for (const char c : name)
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return escape(out);
}

std::string line_value(const std::string& v)
{
    const bool bare = !v.empty() && v.find_first_of(" =\"\\") == std::string::npos;
    const std::string escaped = escape(v);
    if (bare && escaped == v)
        return v;
    std::string out = "\"";
    for (const char c : escaped) {
        if (c == '"')
            out += '\\';
        out += c;
    }
    return out += '"';
}

std::string text_of(const entry& e)
{
    std::string out = escape(e.message);
    for (const auto& [name, v] : e.fields)
        out += " " + line_name(name) + "=" + line_value(v);
    return out += '\n';
}

/// The journal takes capitals, digits and underscores, and no underscore in front.
std::string journal_name(const std::string& name)
{
    std::string out;
    for (const char c : name) {
        const bool small = c >= 'a' && c <= 'z';
        const bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9' && !out.empty());
        out += small ? static_cast<char>(c - 'a' + 'A') : fits ? c : '_';
    }
    if (!out.starts_with("WHARF_"))
        out.insert(0, "WHARF_");
    return out.substr(0, 64);
}

} // namespace

entry make_entry(level severity, const event& what, std::chrono::system_clock::time_point when,
                 std::string_view message, std::initializer_list<field> fields)
{
    entry e{severity, what, when, cut(message, message_bytes_max), {}};
    e.fields.reserve(std::min(fields.size(), fields_max));
    for (const field& f : fields) {
        if (e.fields.size() == fields_max)
            break;
        e.fields.emplace_back(cut(f.name, 64), cut(f.value, value_bytes_max));
    }
    return e;
}

std::string escape(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length != 0 && !acts(text.substr(0, length))) {
            out.append(text.substr(0, length));
            text.remove_prefix(length);
            continue;
        }
        for (std::size_t i = 0; i < std::max<std::size_t>(length, 1); ++i)
            append_escaped_byte(out, static_cast<unsigned char>(text[i]));
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string plain_line(const entry& e)
{
    using namespace std::chrono;
    const auto ms = duration_cast<milliseconds>(e.when.time_since_epoch());
    const std::time_t seconds = system_clock::to_time_t(e.when);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char stamp[40];
    const std::size_t length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(stamp + length, sizeof stamp - length, ".%03dZ ",
                  static_cast<int>(ms.count() % 1000));
    return std::string(stamp).append(to_word(e.severity)).append(" ") + text_of(e);
}

std::string prefixed_line(const entry& e)
{
    return "<" + std::to_string(static_cast<int>(e.severity)) + ">" + text_of(e);
}

std::vector<std::string> journal_fields(const entry& e)
{
    std::vector<std::string> out{"MESSAGE=" + e.message,
                                 "PRIORITY=" + std::to_string(static_cast<int>(e.severity)),
                                 "MESSAGE_ID=" + std::string(e.what.id),
                                 "WHARF_CHANNEL=" + std::string(to_word(e.what.where))};
    for (const auto& [name, v] : e.fields)
        out.push_back(journal_name(name) + "=" + v);
    return out;
}

format resolve(format wanted, int fd)
{
    if (wanted != format::automatic)
        return wanted;
    struct stat here {};
    unsigned long long device = 0, inode = 0;
    const char* journal = std::getenv("JOURNAL_STREAM");
    if (journal && std::sscanf(journal, "%llu:%llu", &device, &inode) == 2 &&
        ::fstat(fd, &here) == 0 && here.st_dev == device && here.st_ino == inode)
        return format::journal;
    return std::getenv("INVOCATION_ID") || std::getenv("NOTIFY_SOCKET") ? format::prefixed
                                                                        : format::plain;
}

} // namespace wharf::log
