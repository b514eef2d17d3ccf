// The words of levels and channels: "info,session=debug".
#include "log.hpp"

#include <algorithm>

namespace wharf::log {

namespace {

/// By their priorities; the first two are not used.
constexpr std::array<std::string_view, 8> level_words{"emergency", "alert",  "critical", "error",
                                                      "warning",   "notice", "info",     "debug"};
constexpr std::array<std::string_view, channel_count> channel_words{"daemon", "listener", "session",
                                                                    "call", "store"};

bool take_part(std::string_view part, levels& to)
{
    const auto equals = part.find('=');
    const bool is_general = equals == std::string_view::npos;
    const auto meant = level_of(is_general ? part : part.substr(equals + 1));
    if (!meant)
        return false;
    if (is_general) {
        to = *meant;
        return true;
    }
    const auto* const found = std::ranges::find(channel_words, part.substr(0, equals));
    if (found == channel_words.end())
        return false;
    to[static_cast<channel>(found - channel_words.begin())] = *meant;
    return true;
}

} // namespace

std::string_view to_word(level l) noexcept
{
    const auto index = static_cast<std::size_t>(l);
    return index < level_words.size() ? level_words[index] : "info";
}

std::string_view to_word(channel c) noexcept
{
    const auto index = static_cast<std::size_t>(c);
    return index < channel_words.size() ? channel_words[index] : "daemon";
}

std::optional<level> level_of(std::string_view word) noexcept
{
    for (std::size_t i = static_cast<std::size_t>(level::critical); i < level_words.size(); ++i)
        if (level_words[i] == word)
            return static_cast<level>(i);
    return {};
}

std::optional<levels> levels_of(std::string_view text, levels from) noexcept
{
    for (;;) {
        const auto comma = text.find(',');
        if (!take_part(text.substr(0, comma), from))
            return {};
        if (comma == std::string_view::npos)
            return from;
        text.remove_prefix(comma + 1);
    }
}

std::string to_text(const levels& of)
{
    const level general = of[channel::daemon];
    std::string out(to_word(general));
    for (std::size_t i = 0; i < channel_count; ++i) {
        const auto c = static_cast<channel>(i);
        if (of[c] != general)
            out.append(",").append(to_word(c)).append("=").append(to_word(of[c]));
    }
    return out;
}

} // namespace wharf::log
