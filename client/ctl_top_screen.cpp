// The screen of `wharfctl top`, line by line.
#include "ctl_top_screen.hpp"

#include "ctl_json.hpp"
#include "ctl_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace wharf::ctl {

namespace {

struct figure_column {
    const char* heading;
    std::size_t width;
};
constexpr std::array<figure_column, sort_columns> columns{{{"COMMAND", 24},
                                                           {"CALLS/S", 9},
                                                           {"ERRORS/S", 9},
                                                           {"P50", 8},
                                                           {"P99", 8},
                                                           {"IN FLIGHT", 10},
                                                           {"BYTES/S", 9}}};
constexpr std::size_t name_width_max = 60;

std::string left(const std::string& text, std::size_t width)
{
    return text + std::string(width - std::min(width, columns_of(text)), ' ');
}
std::string right(const std::string& text, std::size_t width)
{
    return std::string(width - std::min(width, columns_of(text)), ' ') + text;
}

std::string number_or_dash(double number)
{
    return number == 0 ? "-" : short_number(number);
}

/// As wide as the names and the screen want it.
std::size_t name_width(const top_view& view, const daemon_rates& figures)
{
    std::size_t others = 0, wanted = columns.front().width;
    for (std::size_t i = 1; i != columns.size(); ++i)
        others += columns[i].width;
    for (const command_rates& each : figures.commands)
        wanted = std::max(wanted, columns_of(escape(each.name)));
    const std::size_t room = view.width > others ? view.width - others : 0;
    return std::clamp<std::size_t>(std::min(room, name_width_max), 10,
                                   std::max<std::size_t>(wanted, 10));
}

std::string heading(const top_view& view, std::size_t names)
{
    std::string line;
    for (std::size_t i = 0; i != columns.size(); ++i) {
        const bool is_sorted = static_cast<std::size_t>(view.sort) == i;
        const std::string text =
            i == 0 ? left(columns[i].heading, names) : right(columns[i].heading, columns[i].width);
        line += is_sorted ? view.look.reverse(text) : view.look.bold(text);
    }
    return line;
}

std::string row(const top_view& view, const command_rates& c, std::size_t names)
{
    const auto latency = [&](const std::optional<double>& s) {
        return s ? short_latency(*s, view.has_unicode) : "-";
    };
    std::string name = escape(c.name);
    if (columns_of(name) > names)
        name = cut(name, names - 1) + (view.has_unicode ? "…" : "~");
    const std::string errors = right(number_or_dash(c.errors_per_s), columns[2].width);
    const std::string line =
        left(name, names) + right(number_or_dash(c.calls_per_s), columns[1].width);
    const std::string rest = right(latency(c.p50_s), columns[3].width) +
                             right(latency(c.p99_s), columns[4].width) +
                             right(number_or_dash(c.in_flight), columns[5].width) +
                             right(number_or_dash(c.bytes_per_s), columns[6].width);
    if (c.calls_per_s == 0 && c.in_flight == 0)
        return view.look.dim(line + errors + rest);
    return line + (c.errors_per_s == 0 ? errors : view.look.red(errors)) + rest;
}

/// Who it is, and how it is.
std::string title(const top_view& view, const daemon_rates& f)
{
    std::string line = view.look.bold(escape(view.software)) + "  " + escape(view.endpoint) +
                       "  up " + short_time(f.uptime_s);
    if (f.is_draining)
        line += "  " + view.look.yellow("draining");
    if (view.is_paused)
        line += "  " + view.look.yellow("paused");
    return line;
}

std::string totals(const top_view& view, const daemon_rates& f)
{
    const std::string errors = short_number(f.errors_per_s) + " errors/s";
    return short_number(f.sessions) + " sessions  " + short_number(f.calls_per_s) + " calls/s  " +
           (f.errors_per_s == 0 ? errors : view.look.red(errors)) + "  " +
           short_number(f.bytes_in_per_s) + "B/s in  " + short_number(f.bytes_out_per_s) +
           "B/s out";
}

std::string process(const daemon_rates& f)
{
    std::string line;
    char text[64];
    if (f.cpu_percent) {
        std::snprintf(text, sizeof text, "CPU %.0f%%  ", *f.cpu_percent);
        line += text;
    }
    if (f.memory_bytes) {
        std::snprintf(text, sizeof text, "memory %.1f MiB  ", *f.memory_bytes / (1 << 20));
        line += text;
    }
    std::snprintf(text, sizeof text, "%.0f threads", f.threads);
    return line + text;
}

std::string keys(const top_view& view)
{
    char every[32];
    std::snprintf(every, sizeof every, "every %g s", view.interval_s);
    return view.look.dim("q quit  space pause  < > sort  r rate  e errors  p p99  n name  " +
                         std::string(every));
}

/// Looks that a minute takes.
std::size_t minute_of(const top_view& view)
{
    constexpr double minute_s = 60;
    return static_cast<std::size_t>(std::clamp(minute_s / view.interval_s, 1.0, 600.0));
}

std::string history(const top_view& view, const rate_history& calls)
{
    const std::string before = "calls/s ";
    std::deque<double> last = calls.total();
    while (last.size() > minute_of(view))
        last.pop_front();
    const double most = last.empty() ? 0 : *std::max_element(last.begin(), last.end());
    const std::string after = "  most " + short_number(most);
    const std::size_t taken = before.size() + after.size();
    const std::size_t room = view.width > taken ? view.width - taken : 0;
    const std::size_t width = std::min(room, minute_of(view));
    return before + view.look.cyan(sparkline(last, width, view.has_unicode)) + after;
}

/// Columns that are left for a line of each command's own; 0: too few.
std::size_t trend_width(const top_view& view, std::size_t names)
{
    constexpr std::size_t gap = 2, least = 12;
    std::size_t taken = names + gap;
    for (std::size_t i = 1; i != columns.size(); ++i)
        taken += columns[i].width;
    const std::size_t room = view.width > taken ? view.width - taken : 0;
    return room < least ? 0 : std::min(room, minute_of(view));
}

std::string trend(const top_view& view, const rate_history& calls, const command_rates& c,
                  std::size_t width)
{
    const std::deque<double> values = calls.of(c.name);
    const bool has_any = std::any_of(values.begin(), values.end(), [](double v) { return v > 0; });
    return has_any ? "  " + view.look.cyan(sparkline(values, width, view.has_unicode)) : "";
}

} // namespace

std::string short_number(double number)
{
    char text[32];
    constexpr std::array<const char*, 5> units{"", "k", "M", "G", "T"};
    std::size_t unit = 0;
    // 999.95 would be written as 1000.0.
    while (number >= 999.95 && unit + 1 < units.size()) {
        number /= 1000;
        ++unit;
    }
    const bool is_whole = unit == 0 && (number >= 100 || number == std::floor(number));
    std::snprintf(text, sizeof text, is_whole ? "%.0f%s" : "%.1f%s", number, units[unit]);
    return text;
}

std::string short_latency(double seconds, bool has_unicode)
{
    char text[32];
    if (seconds < 0.9995e-3)
        std::snprintf(text, sizeof text, "%.0f%s", seconds * 1e6, has_unicode ? "µs" : "us");
    else if (seconds < 0.9995)
        std::snprintf(text, sizeof text, seconds < 9.995e-3 ? "%.1fms" : "%.0fms", seconds * 1e3);
    else
        std::snprintf(text, sizeof text, "%.1fs", seconds);
    return text;
}

std::string sparkline(const std::deque<double>& values, std::size_t width, bool has_unicode)
{
    constexpr std::array<const char*, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    constexpr std::array<const char*, 8> plain{"_", ".", ":", "-", "=", "+", "*", "#"};
    const auto& marks = has_unicode ? blocks : plain;
    const std::size_t shown = std::min(width, values.size());
    const auto first = values.end() - static_cast<std::ptrdiff_t>(shown);
    const double most = shown == 0 ? 0 : *std::max_element(first, values.end());
    std::string line(width - shown, ' ');
    for (auto at = first; at != values.end(); ++at) {
        const double part = most > 0 ? *at / most : 0;
        line += marks[static_cast<std::size_t>(std::lround(part * 7))];
    }
    return line;
}

std::string cut(const std::string& text, std::size_t width)
{
    std::string out;
    std::size_t used = 0;
    bool is_coloured = false;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '\x1b') {
            const std::size_t end = std::min(text.find('m', at), text.size() - 1) + 1;
            is_coloured = text.compare(at, end - at, "\x1b[0m") != 0;
            out.append(text, at, end - at);
            at = end;
            continue;
        }
        std::size_t end = at + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            ++end;
        const std::size_t wide = columns_of(std::string_view(text).substr(at, end - at));
        if (used + wide > width)
            break;
        used += wide;
        out.append(text, at, end - at);
        at = end;
    }
    return is_coloured ? out + "\x1b[0m" : out;
}

std::vector<std::string> draw_screen(const top_view& view, const daemon_rates& figures,
                                     const rate_history& calls)
{
    std::vector<std::string> lines{title(view, figures), totals(view, figures), process(figures),
                                   history(view, calls)};
    lines.push_back(view.trouble.empty() ? "" : view.look.red(escape(view.trouble)));
    const std::size_t names = name_width(view, figures);
    const std::size_t trends = trend_width(view, names);
    lines.push_back(heading(view, names) +
                    (trends == 0 ? "" : view.look.bold("  CALLS/S, LAST MINUTE")));
    std::vector<command_rates> sorted = figures.commands;
    sort_commands(sorted, view.sort);
    const std::size_t room = view.height > lines.size() + 1 ? view.height - lines.size() - 1 : 0;
    for (std::size_t i = 0; i != std::min(room, sorted.size()); ++i)
        lines.push_back(row(view, sorted[i], names) +
                        (trends == 0 ? "" : trend(view, calls, sorted[i], trends)));
    if (lines.size() + 1 <= view.height) {
        lines.resize(view.height - 1);
        lines.push_back(keys(view));
    }
    lines.resize(std::min(lines.size(), view.height));
    for (std::string& line : lines)
        line = cut(line, view.width);
    return lines;
}

std::string draw_snapshot(const top_view& view, const daemon_rates& figures)
{
    top_view wide = view;
    wide.width = 200;
    const std::size_t names = name_width(wide, figures);
    std::string text = title(view, figures) + "\n" + totals(view, figures) + "\n" +
                       process(figures) + "\n\n" + heading(view, names) + "\n";
    std::vector<command_rates> sorted = figures.commands;
    sort_commands(sorted, view.sort);
    for (const command_rates& each : sorted)
        if (each.calls_per_s != 0 || each.in_flight != 0)
            text += row(view, each, names) + "\n";
    return text + "\n";
}

std::string json_of(const top_view& view, const daemon_rates& f)
{
    const auto add = [](json_fields& to, std::string_view key, const std::optional<double>& value) {
        value ? to.add(key, *value) : to.add_raw(key, "null");
    };
    std::string commands = "[";
    std::vector<command_rates> sorted = f.commands;
    sort_commands(sorted, view.sort);
    for (const command_rates& each : sorted) {
        json_fields one;
        one.add("command", each.name)
            .add("calls_per_s", each.calls_per_s)
            .add("errors_per_s", each.errors_per_s);
        add(one, "p50_s", each.p50_s);
        add(one, "p99_s", each.p99_s);
        one.add("in_flight", each.in_flight).add("bytes_per_s", each.bytes_per_s);
        commands += (commands.size() > 1 ? ", " : "") + one.text();
    }
    json_fields line;
    line.add("software", view.software)
        .add("endpoint", view.endpoint)
        .add("uptime_s", f.uptime_s)
        .add("draining", f.is_draining)
        .add("sessions", f.sessions)
        .add("calls_per_s", f.calls_per_s)
        .add("errors_per_s", f.errors_per_s)
        .add("received_bytes_per_s", f.bytes_in_per_s)
        .add("sent_bytes_per_s", f.bytes_out_per_s);
    add(line, "cpu_percent", f.cpu_percent);
    add(line, "memory_bytes", f.memory_bytes);
    return line.add("threads", f.threads).add_raw("commands", commands + "]").line();
}

} // namespace wharf::ctl
