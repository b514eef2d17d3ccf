// Text that is valid UTF-8, for whoever must not meet anything else: JSON, logs, databases.
#pragma once

#include <wharf/error.hpp>

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace wharf {

/// The place of the first byte that is not part of valid UTF-8 (RFC 3629: no overlong form, no
/// surrogate, nothing above U+10FFFF), or the size of `text`. Any thread.
inline std::size_t find_bad_utf8(std::string_view text) noexcept
{
    const auto byte = [text](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    std::size_t at = 0;
    while (at < text.size()) {
        const unsigned first = byte(at);
        if (first < 0x80) {
            ++at;
            continue;
        }
        // How many bytes follow, and the range of the next, which excludes the forms above.
        const unsigned more = first < 0xc2   ? 0
                              : first < 0xe0 ? 1
                              : first < 0xf0 ? 2
                              : first < 0xf5 ? 3
                                             : 0;
        const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        const unsigned greatest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (more == 0 || byte(at + 1) < least || byte(at + 1) > greatest)
            return at;
        for (unsigned i = 2; i <= more; ++i)
            if ((byte(at + i) & 0xc0) != 0x80)
                return at;
        at += more + 1;
    }
    return at;
}

/// A string that is valid UTF-8, always. It travels as a std::string does, which takes any bytes,
/// and the archive refuses other bytes with errc::bad_utf8 and the place of the first.
/// A value: distinct objects are safe in different threads.
class utf8 {
public:
    utf8() = default;
    /// Throws errc::bad_utf8 with the place of the first bad byte.
    utf8(std::string text) : text_(std::move(text)) { check(); }
    utf8(std::string_view text) : text_(text) { check(); }
    utf8(const char* text) : text_(text) { check(); }
    /// Of a text that is known to be valid, which is not checked again.
    static utf8 from_valid(std::string text) noexcept
    {
        utf8 valid;
        valid.text_ = std::move(text);
        return valid;
    }
    static std::size_t find_bad(std::string_view text) noexcept { return find_bad_utf8(text); }

    const std::string& str() const noexcept { return text_; }
    operator const std::string&() const noexcept { return text_; }
    /// The text; an empty one remains.
    std::string take() noexcept { return std::exchange(text_, {}); }
    std::size_t size() const noexcept { return text_.size(); }
    bool empty() const noexcept { return text_.empty(); }

    friend bool operator==(const utf8&, const utf8&) = default;
    friend auto operator<=>(const utf8&, const utf8&) = default;

    /// For archives other than Wharf's.
    template <class Archive>
    void serialize(Archive& archive, unsigned)
    {
        archive& text_;
        if constexpr (Archive::is_loading::value)
            check();
    }

private:
    void check()
    {
        if (const std::size_t bad = find_bad_utf8(text_); bad != text_.size()) {
            text_.clear();
            throw error(errc::bad_utf8, "at byte " + std::to_string(bad) + " of the text");
        }
    }

    std::string text_;
};

} // namespace wharf

template <>
struct std::hash<wharf::utf8> {
    std::size_t operator()(const wharf::utf8& text) const noexcept
    {
        return std::hash<std::string>()(text.str());
    }
};
