// The spelled names of an enum's values, as far as the compiler shows them.
#pragma once

#include <wharf/archive/enums.hpp>
#include <wharf/archive/type_shape.hpp>

#include <array>

namespace wharf::detail {

/// Which values are tried: 0 to 127, those of one bit above, and some below 0.
inline constexpr std::size_t values_tried = 128 + 57 + 8;

/// The value at a place; 0 where it is no value of the enum.
template <class Enum>
constexpr std::int64_t value_tried(std::size_t place)
{
    using number = std::underlying_type_t<Enum>;
    std::int64_t value = place < 128 ? static_cast<std::int64_t>(place)
                         : place < 185
                             ? static_cast<std::int64_t>(std::uint64_t{1} << (place - 121))
                             : -static_cast<std::int64_t>(place - 184);
    if constexpr (std::is_same_v<number, bool>)
        return value == 1 ? 1 : 0;
    else {
        if (place >= 185 ? std::is_unsigned_v<number>
                         : std::cmp_greater(static_cast<std::uint64_t>(value),
                                            std::numeric_limits<number>::max()))
            return 0;
        if constexpr (!has_fixed_underlying_type<Enum>)
            if (place < 185 ? !range_of_enum<Enum>.has(static_cast<std::uint64_t>(value))
                            : !range_of_enum<Enum>.has(value))
                return 0;
        return value;
    }
}

template <class Enum>
constexpr auto find_values_tried()
{
    std::array<std::int64_t, values_tried> values{};
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = value_tried<Enum>(i);
    return values;
}
template <class Enum>
inline constexpr std::array<std::int64_t, values_tried> values_tried_of = find_values_tried<Enum>();

template <class Enum, std::size_t... I>
consteval const char* spell_tried(std::index_sequence<I...>)
{
    using number = std::underlying_type_t<Enum>;
    return spell_enumerators<Enum,
                             static_cast<Enum>(static_cast<number>(values_tried_of<Enum>[I]))...>();
}

template <class Enum>
consteval enum_shape make_enum_shape()
{
    enum_shape shape{.spelled = spell_tried<Enum>(std::make_index_sequence<values_tried>{}),
                     .values = values_tried_of<Enum>.data(),
                     .count = values_tried,
                     .least = 0,
                     .greatest = 0};
    if constexpr (std::is_same_v<std::underlying_type_t<Enum>, bool>)
        shape.greatest = 1;
    else if constexpr (!has_fixed_underlying_type<Enum>)
        if (range_of_enum<Enum>.unknown_from == 0) {
            shape.least = range_of_enum<Enum>.least;
            shape.greatest = range_of_enum<Enum>.greatest;
        }
    return shape;
}

template <class Enum>
inline constexpr enum_shape shape_of_enum = make_enum_shape<Enum>();

} // namespace wharf::detail
