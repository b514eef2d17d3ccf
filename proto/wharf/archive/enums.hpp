// Which values an enum may have: any of a fixed underlying type, else those within the language's
// range.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wharf::detail {

/// Any value of the underlying type is a value of the enum.
template <class Enum>
concept has_fixed_underlying_type = requires
{
    Enum{0};
}
|| std::is_same_v<std::underlying_type_t<Enum>, bool>;

/// Is Value one of the enumerators? Compilers print a value that is none of them as a cast.
template <class Enum, Enum Value>
consteval bool is_enumerator()
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const std::size_t place = text.rfind("Value = ");
    return place != std::string_view::npos && text[place + 8] != '(';
}

/// All enumerators fit a byte: of g++'s narrowing rule, which knows the enumerators.
template <class Enum, class Byte>
concept fits_byte = requires(Enum value)
{
    Byte{value};
};

/// The values that an enum without a fixed underlying type may have: those of the smallest
/// bit-field that holds its enumerators. Anything else in such an enum is undefined behaviour.
struct enum_range {
    int least = 0;
    int greatest = 0;
};

template <class Enum>
inline constexpr bool is_range_known =
    fits_byte<Enum, signed char> || fits_byte<Enum, unsigned char>;

template <class Enum>
consteval enum_range find_enum_range()
{
    constexpr int first = std::is_signed_v<std::underlying_type_t<Enum>> ? -128 : 0;
    int furthest = 0; // from zero, counting negative values from -1
    [&]<int... I>(std::integer_sequence<int, I...>)
    {
        ((is_enumerator<Enum, static_cast<Enum>(first + I)>()
              ? void(furthest = std::max(furthest, first + I < 0 ? -(first + I) - 1 : first + I))
              : void()),
         ...);
    }
    (std::make_integer_sequence<int, 256>{});
    int greatest = 0;
    while (greatest < furthest)
        greatest = greatest * 2 + 1;
    return {first < 0 ? -greatest - 1 : 0, greatest};
}

template <class Enum>
inline constexpr enum_range range_of_enum = find_enum_range<Enum>();

template <class Enum>
constexpr void check_enum()
{
    static_assert(has_fixed_underlying_type<Enum> || is_range_known<Enum>,
                  "wharf: this enum has no fixed underlying type, and its enumerators do not fit a "
                  "byte: write `enum E : int`, or make it an enum class");
}

} // namespace wharf::detail
