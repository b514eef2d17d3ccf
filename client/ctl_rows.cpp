// Rows of facts in their three forms.
#include "ctl_rows.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_text.hpp"

#include <algorithm>

namespace wharf::ctl {

namespace {

struct as_text {
    std::string operator()(std::monostate) const { return "-"; }
    std::string operator()(const std::string& text) const { return escape(text); }
    std::string operator()(std::uint64_t number) const { return std::to_string(number); }
    std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
};

std::string json_line_of(std::span<const column> columns, const std::vector<cell>& row)
{
    json_fields line;
    for (std::size_t i = 0; i != row.size(); ++i) {
        const std::string_view key = columns[i].key;
        if (const auto* text = std::get_if<std::string>(&row[i]))
            line.add(key, *text);
        else if (const auto* number = std::get_if<std::uint64_t>(&row[i]))
            line.add(key, *number);
        else if (const auto* yes = std::get_if<bool>(&row[i]))
            line.add_raw(key, *yes ? "true" : "false");
        else
            line.add_raw(key, "null");
    }
    return line.line();
}

/// For many columns on a narrow terminal: a line for each.
std::string paragraphs(const context& c, const std::vector<std::vector<std::string>>& texts)
{
    std::size_t width = 0;
    for (const std::string& heading : texts.front())
        width = std::max(width, heading.size());
    std::string text;
    for (std::size_t row = 1; row != texts.size(); ++row) {
        for (std::size_t i = 0; i != texts[row].size(); ++i) {
            const std::string& heading = texts.front()[i];
            text += c.out.bold(heading) + std::string(width - heading.size() + 2, ' ') +
                    texts[row][i] + "\n";
        }
        text += "\n";
    }
    return text;
}

} // namespace

std::string render_rows(const context& c, std::span<const column> columns,
                        const std::vector<std::vector<cell>>& rows)
{
    if (rows.empty())
        return {};
    std::string lines;
    if (c.as_json) {
        for (const auto& row : rows)
            lines += json_line_of(columns, row);
        return lines;
    }
    std::vector<std::vector<std::string>> texts(1);
    for (const column& each : columns)
        texts.front().emplace_back(each.heading);
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i != columns.size(); ++i)
        for (const auto& row : rows)
            if (std::holds_alternative<std::uint64_t>(row[i])) {
                numbers.push_back(i);
                break;
            }
    for (const auto& row : rows) {
        texts.emplace_back();
        for (const cell& each : row)
            texts.back().push_back(std::visit(as_text{}, each));
    }
    const bool is_aligned = on_terminal();
    lines = table(texts, is_aligned, numbers);
    const std::size_t end = lines.find('\n');
    if (!is_aligned)
        return lines;
    constexpr std::size_t columns_few = 6;
    if (columns.size() > columns_few && columns_of(lines.substr(0, end)) > terminal_width())
        return paragraphs(c, texts);
    if (c.out.is_on())
        lines = c.out.bold(lines.substr(0, end)) + lines.substr(end);
    return lines;
}

void print_rows(const context& c, std::span<const column> columns,
                const std::vector<std::vector<cell>>& rows)
{
    if (!rows.empty())
        print(render_rows(c, columns, rows));
}

} // namespace wharf::ctl
