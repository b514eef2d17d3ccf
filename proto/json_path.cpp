// Paths as text: bounded and printable.
#include "json_path.hpp"

namespace wharf::detail {

std::string to_printable(std::string_view text, std::size_t shown_max)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string shown;
    for (const char c : text) {
        const bool is_plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
        if (shown.size() + (is_plain ? 1 : 4) > shown_max)
            return shown + "...";
        if (is_plain)
            shown += c;
        else {
            const auto byte = static_cast<unsigned char>(c);
            shown.append("\\x") += digits[byte >> 4];
            shown += digits[byte & 15];
        }
    }
    return shown;
}

std::string json_path::to_string() const
{
    constexpr std::size_t bytes_max = 160;
    constexpr std::size_t shown_max = 32;
    std::string path;
    for (auto at = parts_.rbegin(); at != parts_.rend(); ++at) {
        std::string text;
        switch (at->how) {
        case kind::name: text = "." + to_printable(at->text, shown_max); break;
        case kind::key: text = "[\"" + to_printable(at->text, shown_max) + "\"]"; break;
        case kind::index: text = "[" + std::to_string(at->index) + "]"; break;
        }
        if (path.size() + text.size() > bytes_max) {
            path.insert(0, "...");
            break;
        }
        path.insert(0, text);
    }
    if (path.starts_with('.') && !path.starts_with("..."))
        path.erase(0, 1);
    return path;
}

} // namespace wharf::detail
