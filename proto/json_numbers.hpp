// Numbers of the archive as text and back, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wharf::detail {

__extension__ typedef unsigned __int128 wide_unsigned;
__extension__ typedef __int128 wide_signed;

/// An integer of any size: sign and magnitude.
struct wide_integer {
    wide_unsigned magnitude = 0;
    bool is_negative = false;
};

/// The integer in little-endian bytes, of 1 to 16.
wide_integer to_integer(std::span<const std::byte> image, bool is_signed) noexcept;
/// Its bytes, appended; the value must be in range.
void append_integer(std::vector<std::byte>& out, wide_integer value, std::size_t size);
/// The least and the greatest integer of a size.
wide_integer least_integer(std::size_t size, bool is_signed) noexcept;
wide_integer greatest_integer(std::size_t size, bool is_signed) noexcept;
bool is_less(wide_integer a, wide_integer b) noexcept;
std::string to_text(wide_integer value);
/// Do readers of JSON that have only doubles keep it? It is at most 2^53.
bool is_safe_integer(wide_integer value) noexcept;

enum class number_fault : std::uint8_t {
    none,
    no_number,
    no_integer, ///< it has a fraction
    too_large,  ///< more than 128 bits
};
/// An integer in the notation of JSON's numbers: 12, -3, 1.5e3.
number_fault parse_integer(std::string_view text, wide_integer& value) noexcept;

/// A real number of `image.size()` bytes, 4, 8 or 16, as text, the shortest that reads back as the
/// same bits; "NaN", "Infinity", "-Infinity", or "NaN(0x7fc00001)" with all bits of any other NaN;
/// "bits(0x...)" where this machine's long double has fewer.
struct real_text {
    std::string text;
    bool is_number = true; ///< not one of the words
};
real_text to_real_text(std::span<const std::byte> image);
/// Appends the bytes of such a text. False where it is none, or is too large for the size.
bool append_real(std::vector<std::byte>& out, std::string_view text, std::size_t size);

} // namespace wharf::detail
