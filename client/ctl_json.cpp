// JSON texts on a terminal.
#include "ctl_json.hpp"

#include "ctl_io.hpp"
#include "ctl_text.hpp"

#include <wharf/archive.hpp>
#include <wharf/json.hpp>

#include <charconv>
#include <cmath>

namespace wharf::ctl {

namespace {

/// Writes a valid JSON text token by token.
class layout {
public:
    explicit layout(bool indents) : indents_(indents) {}

    std::string write(std::string_view text)
    {
        for (std::size_t at = 0; at < text.size();) {
            const char c = text[at];
            if (c == '"')
                at = add_string(text, at);
            else {
                add_token(c, next_token(text, at + 1));
                ++at;
            }
        }
        return std::move(out_);
    }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    static char next_token(std::string_view text, std::size_t at)
    {
        while (at < text.size() && is_space(text[at]))
            ++at;
        return at < text.size() ? text[at] : '\0';
    }

    /// The string that begins at `at`; returns what follows it.
    std::size_t add_string(std::string_view text, std::size_t at)
    {
        std::size_t end = at + 1;
        while (end < text.size() && text[end] != '"')
            end += text[end] == '\\' ? 2 : 1;
        end = std::min(end + 1, text.size());
        out_ += escape_json(text.substr(at, end - at));
        return end;
    }

    void add_token(char c, char next)
    {
        if (is_space(c))
            return;
        if (c == '{' || c == '[') {
            out_ += c;
            ++depth_;
            is_empty_ = next == '}' || next == ']';
            if (!is_empty_)
                new_line();
        }
        else if (c == '}' || c == ']') {
            --depth_;
            if (!is_empty_)
                new_line();
            is_empty_ = false;
            out_ += c;
        }
        else if (c == ',') {
            out_ += c;
            indents_ ? new_line() : out_.push_back(' ');
        }
        else if (c == ':')
            out_ += ": ";
        else
            out_ += c;
    }
    void new_line()
    {
        if (indents_)
            out_.append("\n").append(2 * depth_, ' ');
    }

    const bool indents_;
    std::size_t depth_ = 0;
    bool is_empty_ = false;
    std::string out_;
};

} // namespace

std::string json_line(std::string_view text)
{
    return layout(false).write(text);
}

std::string json_indented(std::string_view text)
{
    return layout(true).write(text);
}

void print_json(std::string_view text, bool one_line)
{
    print((one_line || !on_terminal() ? json_line(text) : json_indented(text)) + "\n");
}

std::string json_of(const system::description& what)
{
    return json_line(to_json(schema_of<system::description>(), to_bytes(what)));
}

std::string json_string(std::string_view text)
{
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    return escape_json(quoted + "\"");
}

json_fields& json_fields::add(std::string_view key, std::string_view text)
{
    return add_raw(key, json_string(text));
}

json_fields& json_fields::add(std::string_view key, std::uint64_t number)
{
    constexpr std::uint64_t exact_max = std::uint64_t{1} << 53;
    const std::string digits = std::to_string(number);
    return add_raw(key, number <= exact_max ? digits : json_string(digits));
}

json_fields& json_fields::add(std::string_view key, double number)
{
    if (!std::isfinite(number))
        return add_raw(key, "null");
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    return add_raw(key, {text, static_cast<std::size_t>(end - text)});
}

json_fields& json_fields::add_raw(std::string_view key, std::string_view json)
{
    if (text_.size() > 1)
        text_ += ", ";
    text_.append(json_string(key)).append(": ").append(json);
    return *this;
}

} // namespace wharf::ctl
