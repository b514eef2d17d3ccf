// metrics_text: lines, labels, escaping.
#include "metrics_text.hpp"

#include <algorithm>
#include <cstdio>

namespace wharf {

namespace {

/// What ends a line or a quoted value must not: `specials` are escaped by a backslash.
void append_escaped(std::string& to, std::string_view text, std::string_view specials)
{
    for (const char c : text) {
        if (c == '\n') {
            to += "\\n";
            continue;
        }
        if (specials.find(c) != std::string_view::npos)
            to += '\\';
        to += c;
    }
}

} // namespace

void metrics_text::family(std::string_view name, kind which, std::string_view help)
{
    constexpr std::string_view kinds[] = {"counter", "gauge", "histogram"};
    family_ = name;
    text_.append("# HELP ").append(name).append(" ");
    append_escaped(text_, help, "\\");
    text_.append("\n# TYPE ").append(name).append(" ");
    text_.append(kinds[static_cast<std::size_t>(which)]).append("\n");
}

void metrics_text::sample(std::initializer_list<label> labels, std::uint64_t value)
{
    sample({}, labels, std::to_string(value));
}

void metrics_text::sample(std::string_view suffix, std::initializer_list<label> labels,
                          std::string_view value)
{
    text_.append(family_).append(suffix);
    char before = '{';
    for (const auto& [name, text] : labels) {
        text_ += before;
        text_.append(name).append("=\"");
        append_escaped(text_, text, "\\\"");
        text_ += '"';
        before = ',';
    }
    if (before == ',')
        text_ += '}';
    text_.append(" ").append(value).append("\n");
}

void metrics_text::single(std::string_view name, kind which, std::string_view help,
                          std::uint64_t value)
{
    family(name, which, help);
    sample({}, value);
}

std::string to_seconds(std::chrono::nanoseconds time)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.15g", static_cast<double>(time.count()) * 1e-9);
    return text;
}

void append_calls(metrics_text& to, const std::vector<std::string>& names,
                  const std::vector<command_figures>& figures)
{
    using kind = metrics_text::kind;
    const auto each = [&](auto&& write) {
        for (std::size_t i = 0; i < figures.size(); ++i)
            write(i < names.size() ? std::string_view(names[i]) : "(other)", figures[i]);
    };
    to.family("wharf_calls_total", kind::counter, "Calls that were answered, errors included.");
    each([&](std::string_view name, const command_figures& f) {
        to.sample({{"command", name}}, f.answered);
    });
    to.family("wharf_call_errors_total", kind::counter, "Calls that were answered by an error.");
    each([&](std::string_view name, const command_figures& f) {
        for (const auto& [code, count] : f.errors)
            to.sample({{"command", name}, {"code", to_name(code)}}, count);
    });
    to.family("wharf_calls_in_flight", kind::gauge, "Calls that are not answered yet.");
    each([&](std::string_view name, const command_figures& f) {
        // Both of its parts go on while they are read.
        const auto count = std::max<std::int64_t>(static_cast<std::int64_t>(f.in_flight), 0);
        to.sample({{"command", name}}, static_cast<std::uint64_t>(count));
    });
    to.family("wharf_call_received_bytes_total", kind::counter,
              "Messages of calls, and items of their uploads.");
    each([&](std::string_view name, const command_figures& f) {
        to.sample({{"command", name}}, f.bytes_in);
    });
    to.family("wharf_call_sent_bytes_total", kind::counter,
              "Messages of replies, and items of their streams.");
    each([&](std::string_view name, const command_figures& f) {
        to.sample({{"command", name}}, f.bytes_out);
    });
    to.family(
        "wharf_call_duration_seconds", kind::histogram,
        "From the receive that completed a call to the end of the send that took its answer.");
    each([&](std::string_view name, const command_figures& f) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < latency_buckets; ++i) {
            sum += f.latency[i];
            const std::string bound =
                i < latency_bounds.size() ? to_seconds(latency_bounds[i]) : "+Inf";
            to.sample("_bucket", {{"command", name}, {"le", bound}}, std::to_string(sum));
        }
        to.sample("_sum", {{"command", name}}, to_seconds(f.latency_sum));
        to.sample("_count", {{"command", name}}, std::to_string(sum));
    });
}

} // namespace wharf
