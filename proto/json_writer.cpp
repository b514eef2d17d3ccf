// Commas, indentation and escapes of JSON.
#include "json_writer.hpp"

#include <algorithm>

namespace wharf::detail {

void json_writer::put(std::string_view text)
{
    if (is_full_ || text.size() > options_.json_bytes_max - text_.size())
        is_full_ = true;
    else
        text_.append(text);
}

void json_writer::new_line()
{
    if (options_.style == json_style::line)
        return;
    put("\n");
    for (std::size_t i = 0; i < depth_; ++i)
        put("  ");
}

void json_writer::begin_value()
{
    if (is_behind_key_)
        is_behind_key_ = false;
    else if (depth_ != 0) {
        if (!is_empty_)
            put(options_.style == json_style::line ? ", " : ",");
        new_line();
    }
    is_empty_ = false;
}

void json_writer::begin(char bracket)
{
    begin_value();
    put({&bracket, 1});
    ++depth_;
    is_empty_ = true;
}

void json_writer::end(char bracket)
{
    --depth_;
    if (!is_empty_)
        new_line();
    put({&bracket, 1});
    is_empty_ = false;
}

void json_writer::key(std::string_view text)
{
    begin_value();
    put_quoted(text);
    put(": ");
    is_behind_key_ = true;
}

void json_writer::string(std::string_view text)
{
    begin_value();
    put_quoted(text);
}

void json_writer::plain(std::string_view text)
{
    begin_value();
    put(text);
}

/// What a terminal would act on is escaped, also where JSON would allow it: DEL and U+0080 to
/// U+009F.
void json_writer::put_quoted(std::string_view text)
{
    constexpr char digits[] = "0123456789abcdef";
    put("\"");
    std::size_t begun = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto byte = static_cast<unsigned char>(text[at]);
        std::size_t taken = 1;
        if (byte == 0xc2 && at + 1 < text.size() &&
            static_cast<unsigned char>(text[at + 1]) < 0xa0) {
            byte = static_cast<unsigned char>(text[at + 1]);
            taken = 2;
        }
        else if (byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\')
            continue;
        put(text.substr(begun, at - begun));
        switch (byte) {
        case '"': put("\\\""); break;
        case '\\': put("\\\\"); break;
        case '\n': put("\\n"); break;
        case '\r': put("\\r"); break;
        case '\t': put("\\t"); break;
        default: {
            const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
            put({escape, sizeof escape});
        }
        }
        at += taken - 1;
        begun = at + 1;
    }
    put(text.substr(begun));
    put("\"");
}

} // namespace wharf::detail
