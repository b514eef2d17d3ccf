// Reads and writes durations, sizes and quoted text.
#include "config_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <span>
#include <utility>

namespace wharf::config {

namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::array durations{unit{"h", 3'600'000}, unit{"min", 60'000}, unit{"s", 1000},
                               unit{"ms", 1}};
constexpr std::array sizes{unit{"GiB", 1u << 30}, unit{"MiB", 1u << 20}, unit{"KiB", 1u << 10},
                           unit{"B", 1}};

std::optional<std::uint64_t> parse_units(std::string_view text, std::span<const unit> units,
                                         std::string_view default_unit, std::uint64_t max)
{
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{})
        return {};
    std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
    if (name.empty())
        name = default_unit;
    for (const unit& u : units) {
        if (u.name == name)
            return number > max / u.factor ? std::nullopt : std::optional(number * u.factor);
    }
    // Zero needs no unit.
    return number == 0 && name.empty() ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::string format_units(std::uint64_t number, std::span<const unit> units)
{
    for (const unit& u : units) {
        if (number != 0 && number % u.factor == 0)
            return std::to_string(number / u.factor).append(u.name);
    }
    return "0";
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    constexpr std::uint64_t year_ms = 366ull * 24 * 3'600'000;
    const auto ms = parse_units(text, durations, "", year_ms);
    if (!ms)
        return {};
    return std::chrono::milliseconds(*ms);
}

std::string format_duration(std::chrono::milliseconds d)
{
    const std::string text = format_units(static_cast<std::uint64_t>(d.count()), durations);
    return text == "0" ? "0s" : text;
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    return parse_units(text, sizes, "B", std::numeric_limits<std::int64_t>::max());
}

std::string format_size(std::uint64_t bytes)
{
    const std::string text = format_units(bytes, sizes);
    return text == "0" ? "0B" : text;
}

std::string quote(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        }
        else if (byte < 0x20 || byte == 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            out += escaped;
        }
        else {
            out += c;
        }
    }
    return out += '"';
}

std::string show(const value& v)
{
    constexpr std::size_t shown_max = 60;
    struct {
        std::string operator()(bool b) const { return b ? "true" : "false"; }
        std::string operator()(std::int64_t n) const { return std::to_string(n); }
        std::string operator()(double d) const { return std::to_string(d); }
        std::string operator()(const std::string& s) const
        {
            return s.size() <= shown_max ? quote(s) : quote(s.substr(0, shown_max) + "...");
        }
        std::string operator()(const std::vector<std::string>&) const { return "a list"; }
    } const visitor;
    return std::visit(visitor, v);
}

std::string closest(std::string_view typed, const std::vector<std::string>& names)
{
    constexpr std::size_t edits_max = 2;
    std::string best;
    std::size_t best_edits = edits_max + 1;
    if (typed.size() > 100)
        return best;
    for (const std::string& name : names) {
        // Levenshtein's distance, one row at a time.
        std::vector<std::size_t> row(name.size() + 1);
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = i;
        for (std::size_t i = 0; i < typed.size(); ++i) {
            std::size_t diagonal = std::exchange(row[0], i + 1);
            for (std::size_t j = 0; j < name.size(); ++j) {
                const std::size_t changed = diagonal + (typed[i] == name[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
            }
        }
        if (row.back() < best_edits && row.back() < name.size()) {
            best_edits = row.back();
            best = name;
        }
    }
    return best;
}

} // namespace wharf::config
