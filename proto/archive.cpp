// What both archives share out of line: long varints, long double, class slots.
#include <wharf/archive/class_info.hpp>
#include <wharf/archive/guards.hpp>

#include <bit>
#include <limits>

namespace wharf::detail {

std::byte* put_long_varint(std::byte* to, std::uint64_t value) noexcept
{
    for (; value >= 0x80; value >>= 7)
        *to++ = static_cast<std::byte>(value | 0x80);
    *to++ = static_cast<std::byte>(value);
    return to;
}

std::pair<const std::byte*, std::uint64_t> get_long_varint(const std::byte* from,
                                                           const std::byte* end, std::size_t offset)
{
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (from == end)
            fail_at(errc::truncated, offset);
        const auto byte = static_cast<std::uint64_t>(*from++);
        if (shift == 63 && byte > 1)
            break;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (checks<guard::varint> && byte == 0)
                fail_at(errc::not_canonical, offset);
            return {from, value};
        }
    }
    fail_at(errc::bad_varint, offset);
}

namespace {

// binary128: 1 sign bit, 15 exponent bits, 112 fraction bits. x87 has the same sign and exponent,
// and 64 bits with an explicit leading one, of which 63 are the upper fraction bits.
constexpr int fraction_bits_dropped = 112 - 63;

template <class LongDouble>
constexpr bool is_x87 = std::numeric_limits<LongDouble>::digits == 64;
template <class LongDouble>
constexpr bool is_binary128 = std::numeric_limits<LongDouble>::digits == 113;

static_assert(is_x87<long double> || is_binary128<long double>,
              "this machine's long double is neither x87 extended nor IEEE binary128");

struct words {
    std::uint64_t low = 0, high = 0;
};

std::array<std::byte, 16> to_image(words value) noexcept
{
    std::array<std::byte, 16> image;
    value = {little_endian(value.low), little_endian(value.high)};
    std::memcpy(image.data(), &value.low, 8);
    std::memcpy(image.data() + 8, &value.high, 8);
    return image;
}

words from_image(const std::array<std::byte, 16>& image) noexcept
{
    words value;
    std::memcpy(&value.low, image.data(), 8);
    std::memcpy(&value.high, image.data() + 8, 8);
    return {little_endian(value.low), little_endian(value.high)};
}

} // namespace

std::array<std::byte, 16> to_binary128(long double value) noexcept
{
    if constexpr (is_x87<long double>) {
        std::uint64_t significand = 0;
        std::uint16_t sign_exponent = 0;
        std::memcpy(&significand, &value, 8);
        std::memcpy(&sign_exponent, reinterpret_cast<const char*>(&value) + 8, 2);
        if ((sign_exponent & 0x7fff) == 0 && (significand >> 63) != 0)
            sign_exponent |=
                1; // A pseudo-denormal is the smallest normal exponent by another name.
        const std::uint64_t fraction = significand & ~(std::uint64_t{1} << 63);
        return to_image(
            {fraction << fraction_bits_dropped, static_cast<std::uint64_t>(sign_exponent) << 48 |
                                                    fraction >> (64 - fraction_bits_dropped)});
    }
    else {
        words value_words;
        std::memcpy(&value_words.low,
                    reinterpret_cast<const char*>(&value) + (is_little_endian ? 0 : 8), 8);
        std::memcpy(&value_words.high,
                    reinterpret_cast<const char*>(&value) + (is_little_endian ? 8 : 0), 8);
        return to_image(value_words);
    }
}

bool from_binary128(const std::array<std::byte, 16>& image, long double& value) noexcept
{
    const words bits = from_image(image);
    if constexpr (is_x87<long double>) {
        if ((bits.low & ((std::uint64_t{1} << fraction_bits_dropped) - 1)) != 0)
            return false;
        const auto sign_exponent = static_cast<std::uint16_t>(bits.high >> 48);
        std::uint64_t significand = bits.low >> fraction_bits_dropped |
                                    (bits.high & 0xffff'ffff'ffff) << (64 - fraction_bits_dropped);
        if ((sign_exponent & 0x7fff) != 0)
            significand |= std::uint64_t{1} << 63;
        value = 0;
        std::memcpy(&value, &significand, 8);
        std::memcpy(reinterpret_cast<char*>(&value) + 8, &sign_exponent, 2);
        return true;
    }
    else {
        std::memcpy(reinterpret_cast<char*>(&value) + (is_little_endian ? 0 : 8), &bits.low, 8);
        std::memcpy(reinterpret_cast<char*>(&value) + (is_little_endian ? 8 : 0), &bits.high, 8);
        return true;
    }
}

unsigned class_slot(class_cell& cell) noexcept
{
    static constinit std::atomic<std::uint64_t> next{1};
    std::uint64_t form = cell.load(std::memory_order_relaxed);
    if (form == 1) {
        const std::uint64_t slot = next.fetch_add(1, std::memory_order_relaxed);
        const std::uint64_t mine = slot < near_slots ? std::uint64_t{1} << slot : slot * 2 + 1;
        if (cell.compare_exchange_strong(form, mine, std::memory_order_relaxed))
            form = mine;
    }
    return static_cast<unsigned>((form & 1) != 0 ? form >> 1 : std::countr_zero(form));
}

} // namespace wharf::detail
