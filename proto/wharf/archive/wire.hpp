// What both directions of the archive know about the bytes: errors with a position, varints,
// floating point images.
#pragma once

#include <wharf/error.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace wharf::detail {

// Copying short strings in blocks of 16 bytes reads behind their end: within the string object or
// the message's slack, but AddressSanitizer cannot know.
#if defined(__GLIBCXX__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool copies_blocks = false;
#else
inline constexpr bool copies_blocks = true;
#endif
#else
inline constexpr bool copies_blocks = true;
#endif
#else
inline constexpr bool copies_blocks = false;
#endif

inline constexpr bool is_little_endian = std::endian::native == std::endian::little;

/// Throws archive_error(code, offset), whose path is found on its way out. Cold and by value, so
/// that no archive escapes to it.
[[noreturn, gnu::cold, gnu::noinline]] void fail_at(errc code, std::size_t offset);
/// The same, with what the code does not say.
[[noreturn, gnu::cold, gnu::noinline]] void fail_at(errc code, std::size_t offset, const char* why);
/// Inside a catch (...) only: rethrows an archive_error with its path, and whatever
/// else a type's serialize() threw as one: a wharf::error with its code, bad_alloc as
/// errc::memory_limit, anything else as errc::refused_by_type.
[[noreturn, gnu::cold, gnu::noinline]] void rethrow_at(std::size_t offset);
/// The same for a store, where what the type itself threw leaves as it is.
[[noreturn, gnu::cold, gnu::noinline]] void rethrow_stored();

/// The most bytes that a varint takes.
inline constexpr std::size_t varint_bytes_max = 10;

/// Writes a varint of any size; returns the place behind it.
std::byte* put_long_varint(std::byte* to, std::uint64_t value) noexcept;

/// Reads a varint of more than one byte that begins at `from`.
std::pair<const std::byte*, std::uint64_t>
get_long_varint(const std::byte* from, const std::byte* end, std::size_t offset);

/// IEEE binary128, little-endian, of a long double; lossless from x87's 80 bits.
std::array<std::byte, 16> to_binary128(long double value) noexcept;
/// The long double of such an image; false where this machine's long double would lose bits.
bool from_binary128(const std::array<std::byte, 16>& image, long double& value) noexcept;

/// Value to little-endian image and back; the same operation both ways.
template <class Number>
[[gnu::always_inline]] inline Number little_endian(Number value) noexcept
{
    if constexpr (!is_little_endian && sizeof(Number) > 1) {
        auto bytes = std::bit_cast<std::array<std::byte, sizeof(Number)>>(value);
        for (std::size_t i = 0; i < sizeof(Number) / 2; ++i)
            std::swap(bytes[i], bytes[sizeof(Number) - 1 - i]);
        value = std::bit_cast<Number>(bytes);
    }
    return value;
}

} // namespace wharf::detail
