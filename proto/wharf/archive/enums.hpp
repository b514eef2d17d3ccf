// Which values an enum may have: any of a fixed underlying type, else those within the language's
// range, as far as the compiler shows it.
//
// Exact up to 8 bits. g++ shows wider ranges only as the next integer type that holds them, clang
// not at all: a value between the two is accepted, and is undefined behaviour where the program is
// built with -fstrict-enums. An enum with a fixed underlying type has no such gap.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wharf::detail {

#ifdef __clang__
inline constexpr bool is_gcc = false;
#pragma clang diagnostic push
#if __clang_major__ >= 16 && __clang_major__ < 20
// The values that are tried below need not be in range.
#pragma clang diagnostic ignored "-Wenum-constexpr-conversion"
#endif
#else
inline constexpr bool is_gcc = true;
#endif

/// Any value of the underlying type is a value of the enum.
template <class Enum>
concept has_fixed_underlying_type = requires
{
    Enum{0};
}
|| std::is_same_v<std::underlying_type_t<Enum>, bool>;

/// The values that an enum without a fixed underlying type may have: those of the smallest
/// bit-field that holds its enumerators. Anything else in such an enum is undefined behaviour.
struct enum_range {
    std::int64_t least = 0;
    std::uint64_t greatest = 0;
    /// From here on away from zero nothing is known, and nothing is refused; 0 where all is known.
    std::uint64_t unknown_from = 0;

    friend bool operator==(const enum_range&, const enum_range&) = default;

    template <class Number>
    constexpr bool has(Number value) const
    {
        if (std::cmp_greater_equal(value, least) && std::cmp_less_equal(value, greatest))
            return true;
        const std::uint64_t distance =
            value < 0 ? ~static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
        return unknown_from != 0 && distance >= unknown_from;
    }
};

template <class Enum, Enum... Values>
consteval const char* spell_enumerators()
{
    return __PRETTY_FUNCTION__;
}

/// Takes ", (Enum)value" from the end of a list; false where the last one has a name.
consteval bool remove_cast(std::string_view& list, bool is_negative, std::uint64_t magnitude)
{
    std::size_t at = list.size();
    do {
        if (at == 0 || list[--at] != static_cast<char>('0' + magnitude % 10))
            return false;
        magnitude /= 10;
    } while (magnitude != 0);
    if (is_negative && (at == 0 || list[--at] != '-'))
        return false;
    if (at == 0 || list[at - 1] != ')')
        return false;
    int depth = 0;
    do {
        --at;
        depth += list[at] == ')' ? 1 : list[at] == '(' ? -1 : 0;
    } while (depth != 0 && at > 0);
    list = list.substr(0, at < 2 ? 0 : at - 2);
    return depth == 0;
}

/// The bits of the last enumerator among these values, or among their complements, which are
/// negative; 0 where none is one. Compilers spell a value that is no enumerator as a cast.
template <class Enum, bool IsNegative, std::uint64_t... Values>
consteval int find_last_enumerator()
{
    using number = std::underlying_type_t<Enum>;
    constexpr std::uint64_t values[] = {Values...};
    constexpr std::string_view text =
        spell_enumerators<Enum, static_cast<Enum>(
                                    static_cast<number>(IsNegative ? ~Values : Values))...>();
    std::string_view list = text.substr(0, text.size() - 2);
    std::size_t n = sizeof...(Values);
    while (n > 0 && remove_cast(list, IsNegative, values[n - 1] + (IsNegative ? 1 : 0)))
        --n;
    return n == 0 ? 0 : std::bit_width(values[n - 1]);
}

/// The bits of the enumerators between -Count - 1 and Count, Count being the size of the pack.
template <class Enum, std::size_t... I>
consteval int find_near_bits(std::index_sequence<I...>)
{
    const int bits = find_last_enumerator<Enum, false, I...>();
    if constexpr (std::is_signed_v<std::underlying_type_t<Enum>>)
        return std::max(bits, find_last_enumerator<Enum, true, I...>());
    else
        return bits;
}

/// The bits of those from 8 bits on that have a single bit, or all of their bits.
template <class Enum, std::size_t... I>
consteval int find_flag_bits(std::index_sequence<I...>)
{
    constexpr std::uint64_t one = 1;
    const int bits =
        find_last_enumerator<Enum, false,
                             (I % 2 == 0 ? one << (8 + I / 2) : (one << (8 + I / 2)) * 2 - 1)...>();
    if constexpr (std::is_signed_v<std::underlying_type_t<Enum>>)
        return std::max(
            bits,
            find_last_enumerator<
                Enum, true, (I % 2 == 0 ? one << (8 + I / 2) : (one << (8 + I / 2)) * 2 - 1)...>());
    else
        return bits;
}

/// All enumerators fit this type, of g++'s narrowing rule, which knows the enumerators.
template <class Enum, class Number>
concept fits = requires(Enum value)
{
    Number{value};
};
template <class Enum, class Number, class... Others>
consteval int find_bits()
{
    if constexpr (sizeof...(Others) == 0)
        return std::numeric_limits<Number>::digits;
    else if constexpr (fits<Enum, Number>)
        return std::numeric_limits<Number>::digits;
    else
        return find_bits<Enum, Others...>();
}

/// Is the cast a constant? clang from 20 on says no where the value is outside of the range.
template <class Enum, auto Value, class = void>
inline constexpr bool has_value = false;
template <class Enum, auto Value>
inline constexpr bool
    has_value<Enum, Value, std::void_t<std::integral_constant<Enum, static_cast<Enum>(Value)>>> =
        true;

template <class Enum, std::size_t... Bit>
consteval int count_bits(std::index_sequence<Bit...>)
{
    using number = std::underlying_type_t<Enum>;
    return (0 + ... + int{has_value<Enum, static_cast<number>((std::uint64_t{2} << Bit) - 1)>});
}

template <class Enum>
consteval enum_range find_enum_range()
{
    using number = std::underlying_type_t<Enum>;
    constexpr int digits = std::numeric_limits<number>::digits;
    int bits = 0;
    std::uint64_t unknown_from = 0;
    if constexpr (!has_value<Enum, std::numeric_limits<number>::max()>)
        bits = count_bits<Enum>(std::make_index_sequence<digits>());
    else {
        constexpr int bits_shown =
            find_bits<Enum, signed char, unsigned char, short, unsigned short, int, unsigned int,
                      std::int64_t, std::uint64_t>();
        if constexpr (bits_shown == 7)
            bits = find_near_bits<Enum>(std::make_index_sequence<128>());
        else if constexpr (is_gcc)
            bits = bits_shown;
        else {
            // Only names are shown: other values that large may be enumerators.
            bits = std::max(find_near_bits<Enum>(std::make_index_sequence<256>()),
                            find_flag_bits<Enum>(std::make_index_sequence<2 * (digits - 8)>()));
            unknown_from = 256;
        }
    }
    const std::uint64_t greatest = bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits);
    return {.least = std::is_signed_v<number> ? static_cast<std::int64_t>(~greatest) : 0,
            .greatest = greatest,
            .unknown_from = unknown_from};
}

template <class Enum>
inline constexpr enum_range range_of_enum = find_enum_range<Enum>();

#ifdef __clang__
#pragma clang diagnostic pop
#endif

} // namespace wharf::detail
