// UTF-8, UTF-16, UTF-32 and base64.
#include "json_strings.hpp"

#include <wharf/utf8.hpp>

#include <array>
#include <cstdint>

namespace wharf::detail {
namespace {

std::uint32_t unit_at(std::span<const std::byte> units, std::size_t at, std::size_t size)
{
    std::uint32_t unit = 0;
    for (std::size_t i = size; i-- != 0;)
        unit = unit << 8 | static_cast<std::uint32_t>(units[at * size + i]);
    return unit;
}

void append_utf8(std::string& text, std::uint32_t point)
{
    const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    const auto put_rest = [&](unsigned shift) { put(0x80 | (point >> shift & 0x3f)); };
    if (point < 0x80)
        put(point);
    else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put_rest(0);
    }
    else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put_rest(6);
        put_rest(0);
    }
    else {
        put(0xf0 | point >> 18);
        put_rest(12);
        put_rest(6);
        put_rest(0);
    }
}

bool is_surrogate(std::uint32_t unit)
{
    return unit >= 0xd800 && unit < 0xe000;
}

} // namespace

std::optional<std::string> to_utf8(std::span<const std::byte> characters, std::size_t size)
{
    if (size == 1) {
        std::string text(reinterpret_cast<const char*>(characters.data()), characters.size());
        if (find_bad_utf8(text) != text.size())
            return std::nullopt;
        return text;
    }
    std::string text;
    const std::size_t n = characters.size() / size;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t point = unit_at(characters, i, size);
        if (size == 2 && point >= 0xd800 && point < 0xdc00 && i + 1 < n) {
            const std::uint32_t low = unit_at(characters, i + 1, size);
            if (low >= 0xdc00 && low < 0xe000) {
                point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                ++i;
            }
        }
        if (is_surrogate(point) || point > 0x10ffff)
            return std::nullopt;
        append_utf8(text, point);
    }
    return text;
}

std::vector<std::byte> from_utf8(std::string_view text, std::size_t size)
{
    std::vector<std::byte> out;
    if (size == 1) {
        const auto bytes = std::as_bytes(std::span(text));
        out.assign(bytes.begin(), bytes.end());
        return out;
    }
    const auto put = [&](std::uint32_t unit) {
        for (std::size_t i = 0; i < size; ++i, unit >>= 8)
            out.push_back(static_cast<std::byte>(unit & 0xff));
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        constexpr std::array<unsigned, 4> masks = {0x7f, 0x1f, 0x0f, 0x07};
        std::uint32_t point = first & masks[more];
        for (std::size_t i = 1; i <= more; ++i)
            point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
        at += more + 1;
        if (size == 2 && point >= 0x10000) {
            put(0xd800 + ((point - 0x10000) >> 10));
            put(0xdc00 + ((point - 0x10000) & 0x3ff));
        }
        else
            put(point);
    }
    return out;
}

namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

} // namespace

std::string to_base64(std::span<const std::byte> bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8 | (i < n ? static_cast<std::uint32_t>(bytes[at + i]) : 0);
        for (std::size_t i = 0; i < 4; ++i)
            text += i <= n ? letters[group >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::array<std::uint8_t, 256> values;
    values.fill(64);
    for (std::size_t i = 0; i < letters.size(); ++i)
        values[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        std::size_t n = 4;
        if (at + 4 == text.size())
            while (n > 2 && text[at + n - 1] == '=')
                --n;
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t value =
                i < n ? values[static_cast<unsigned char>(text[at + i])] : std::uint8_t{0};
            if (value == 64)
                return std::nullopt;
            group = group << 6 | value;
        }
        for (std::size_t i = 0; i + 1 < n; ++i)
            bytes.push_back(static_cast<std::byte>(group >> (16 - 8 * i) & 0xff));
        // One value, one text.
        if ((n == 2 && (group & 0xffff) != 0) || (n == 3 && (group & 0xff) != 0))
            return std::nullopt;
    }
    return bytes;
}

} // namespace wharf::detail
