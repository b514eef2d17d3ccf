// Boost.JSON's parser, whose events fill the table: its values would round numbers.
#include "json_document.hpp"

#include "schema_view.hpp"

#include <wharf/archive/byte_reader.hpp>
#include <wharf/archive_error.hpp>

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

namespace wharf::detail {

using boost::json::string_view;

/// Members are those that basic_parser asks for.
struct json_handler {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    json_document& document;
    std::size_t budget;
    std::vector<std::uint32_t> open{};
    bool is_in_part = false;

    void charge(std::size_t bytes)
    {
        if (budget < bytes)
            throw archive_error(errc::memory_limit, archive_error::no_offset, {},
                                "the text has too many values");
        budget -= bytes;
    }
    std::uint32_t add(json_kind kind)
    {
        charge(2 * sizeof(json_document::node));
        const auto place = static_cast<std::uint32_t>(document.nodes_.size());
        document.nodes_.push_back({.kind = kind, .end = place + 1, .begin = document.text_.size()});
        if (!open.empty())
            ++document.nodes_[open.back()].count;
        return place;
    }
    /// Text may come in parts, of which the first makes the value.
    void add_text(json_kind kind, string_view text, bool is_last)
    {
        charge(2 * text.size());
        if (!is_in_part)
            add(kind);
        document.text_.append(text.data(), text.size());
        document.nodes_.back().size += text.size();
        is_in_part = !is_last;
    }
    bool begin(json_kind kind)
    {
        open.push_back(add(kind));
        return true;
    }
    bool end()
    {
        document.nodes_[open.back()].end = static_cast<std::uint32_t>(document.nodes_.size());
        open.pop_back();
        return true;
    }

    using error_code = boost::json::error_code;
    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return begin(json_kind::array); }
    bool on_array_end(std::size_t, error_code&) { return end(); }
    bool on_object_begin(error_code&) { return begin(json_kind::object); }
    bool on_object_end(std::size_t, error_code&)
    {
        document.nodes_[open.back()].count /= 2;
        return end();
    }
    bool on_string_part(string_view text, std::size_t, error_code&)
    {
        add_text(json_kind::string, text, false);
        return true;
    }
    bool on_string(string_view text, std::size_t, error_code&)
    {
        add_text(json_kind::string, text, true);
        return true;
    }
    bool on_key_part(string_view text, std::size_t n, error_code& ec)
    {
        return on_string_part(text, n, ec);
    }
    bool on_key(string_view text, std::size_t n, error_code& ec) { return on_string(text, n, ec); }
    bool on_number_part(string_view text, error_code&)
    {
        add_text(json_kind::number, text, false);
        return true;
    }
    bool on_number(string_view text)
    {
        add_text(json_kind::number, text, true);
        return true;
    }
    bool on_int64(std::int64_t, string_view text, error_code&) { return on_number(text); }
    bool on_uint64(std::uint64_t, string_view text, error_code&) { return on_number(text); }
    bool on_double(double, string_view text, error_code&) { return on_number(text); }
    bool on_bool(bool value, error_code&)
    {
        add_text(json_kind::boolean, value ? "true" : "false", true);
        return true;
    }
    bool on_null(error_code&)
    {
        add(json_kind::null);
        return true;
    }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }
};

namespace {

/// "line 3, column 17": the place of the first character that cannot be.
std::string to_place(std::string_view text, std::size_t at)
{
    const std::string_view before = text.substr(0, std::min(at, text.size()));
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t begin = before.rfind('\n') + 1; // npos + 1 is 0.
    return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - begin + 1);
}

} // namespace

json_document::json_document(std::string_view text, const limits& limit)
{
    // JSON puts up to one more level around a value: a pair, or "value".
    boost::json::parse_options options;
    options.max_depth = 2 * nesting_max(limit) + 2;
    boost::json::basic_parser<json_handler> parser(
        options, json_handler{*this, memory_budget(limit, text.size())});
    boost::json::error_code error;
    const std::size_t taken = parser.write_some(false, text.data(), text.size(), error);
    // What is behind the value stays.
    if (!error && taken != text.size())
        error = boost::json::error::extra_data;
    if (error)
        throw archive_error(errc::bad_json, archive_error::no_offset, {},
                            to_place(text, taken) + ": " + error.message());
}

} // namespace wharf::detail
