// What strings of JSON stand for: text of several widths, and bytes as base64.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::detail {

/// Characters of 1, 2 or 4 bytes, little-endian, as UTF-8; nothing where they are no Unicode.
std::optional<std::string> to_utf8(std::span<const std::byte> characters, std::size_t size);
/// UTF-8, which is valid, as such characters.
std::vector<std::byte> from_utf8(std::string_view text, std::size_t size);

/// Base64 of RFC 4648, with padding.
std::string to_base64(std::span<const std::byte> bytes);
/// Nothing where it is anything else: other letters, missing padding, bits behind the last byte.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

} // namespace wharf::detail
