// Escaping, hex dumps and tables.
#include "ctl_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace wharf::ctl {

namespace {

/// One character of UTF-8 at the front of `text`: its code point and length; length 0 if it is
/// none.
struct character {
    char32_t point = 0;
    std::size_t length = 0;
};

character first_of(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80)
        return {lead, 1};
    const std::size_t length = lead >= 0xf0 && lead <= 0xf4   ? 4
                               : lead >= 0xe0 && lead <= 0xef ? 3
                               : lead >= 0xc2 && lead <= 0xdf ? 2
                                                              : 0;
    if (length == 0 || text.size() < length)
        return {};
    char32_t point = lead & (0xff >> (length + 1));
    for (std::size_t i = 1; i != length; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {};
        point = point << 6 | (byte(i) & 0x3f);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return {};
    return {point, length};
}

bool steers(char32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xe0000 && point <= 0xe007f);
}

void append_hex(std::string& to, unsigned char byte)
{
    constexpr char digits[] = "0123456789abcdef";
    to += "\\x";
    to += digits[byte >> 4];
    to += digits[byte & 15];
}

/// As JSON escapes it.
void append_unit(std::string& out, char32_t unit)
{
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(unit));
    out += text;
}

} // namespace

std::string escape(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const character c = first_of(text);
        const std::size_t length = std::max<std::size_t>(c.length, 1);
        if (c.length == 0 || steers(c.point)) {
            for (const char byte : text.substr(0, length))
                append_hex(out, static_cast<unsigned char>(byte));
        }
        else if (c.point == '\\')
            out += "\\\\";
        else
            out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return out;
}

std::string escape_lines(std::string_view text)
{
    std::string out;
    for (;;) {
        const std::size_t end = text.find('\n');
        out += escape(text.substr(0, end));
        if (end == std::string_view::npos)
            return out;
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

std::string escape_json(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const character c = first_of(text);
        const std::size_t length = std::max<std::size_t>(c.length, 1);
        if (c.length == 0)
            out += "\\ufffd";
        else if (steers(c.point) && c.point > 0xffff) { // as JSON has it, in two halves
            append_unit(out, 0xd7c0 + (c.point >> 10));
            append_unit(out, 0xdc00 + (c.point & 0x3ff));
        }
        else if (steers(c.point))
            append_unit(out, c.point);
        else
            out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return out;
}

bool is_plain_text(std::span<const std::byte> bytes)
{
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!text.empty()) {
        const character c = first_of(text);
        if (c.length == 0 || (steers(c.point) && c.point != '\n' && c.point != '\t'))
            return false;
        text.remove_prefix(c.length);
    }
    return true;
}

std::string hex_dump(std::span<const std::byte> bytes)
{
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += 16) {
        const auto line = bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at));
        char text[24];
        std::snprintf(text, sizeof text, "%08zx ", at);
        out += text;
        for (std::size_t i = 0; i != 16; ++i) {
            out += i == 8 ? "  " : " ";
            if (i < line.size()) {
                std::snprintf(text, sizeof text, "%02x", std::to_integer<unsigned>(line[i]));
                out += text;
            }
            else
                out += "  ";
        }
        out += "  |";
        for (const std::byte b : line) {
            const auto c = std::to_integer<unsigned char>(b);
            out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
        }
        out += "|\n";
    }
    return out;
}

std::string utc_time(std::int64_t ms_since_1970)
{
    const std::time_t seconds = ms_since_1970 / 1000;
    std::tm parts{};
    constexpr std::int64_t year_10000_ms = 253402300800000;
    char text[32];
    if (ms_since_1970 < 0 || ms_since_1970 >= year_10000_ms || !::gmtime_r(&seconds, &parts) ||
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return std::to_string(ms_since_1970);
    return text;
}

// Continuation bytes need none.
std::size_t columns_of(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string short_time(double seconds)
{
    constexpr double most = 1e15;
    const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, most));
    const std::uint64_t minutes = whole / 60, hours = minutes / 60, days = hours / 24;
    if (days != 0)
        return std::to_string(days) + " d " + std::to_string(hours % 24) + " h";
    if (hours != 0)
        return std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
    if (minutes != 0)
        return std::to_string(minutes) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole) + " s";
}

std::string table(const std::vector<std::vector<std::string>>& rows, bool aligned,
                  const std::vector<std::size_t>& numbers)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i != row.size(); ++i) {
            widths.resize(std::max(widths.size(), i + 1));
            widths[i] = std::max(widths[i], columns_of(row[i]));
        }
    std::string out;
    for (const auto& row : rows) {
        if (!aligned && &row == &rows.front())
            continue;
        for (std::size_t i = 0; i != row.size(); ++i) {
            const bool last = i + 1 == row.size();
            const std::string pad(aligned ? widths[i] - columns_of(row[i]) : 0, ' ');
            if (std::find(numbers.begin(), numbers.end(), i) != numbers.end())
                out += pad + row[i];
            else
                out += last ? row[i] : row[i] + pad;
            out += last ? "\n" : aligned ? "  " : "\t";
        }
    }
    return out;
}

} // namespace wharf::ctl
