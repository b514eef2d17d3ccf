// How many members a plain struct has, and a visit of all of them at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace wharf::detail {

/// The most members that a visit can name.
inline constexpr std::size_t members_max = 64;

/// Initialises any member but an array or a reference, be it movable or not. Only named, never
/// called; the body is for clang, which asks for one where the member is of an unnamed namespace.
struct any_member {
    template <class Member>
    operator Member() const noexcept
    {
        __builtin_unreachable();
    }
};
/// Initialises a base class of T, and no member.
template <class T>
struct any_base {
    template <class Base>
    requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>) operator Base() const noexcept;
};

/// As many as there are numbers in the pack.
template <std::size_t>
using any_member_each = any_member;

/// Takes what can be referred to, which bit-fields cannot.
template <class... Members>
void refer_to(Members&...);
template <class... Members>
inline constexpr bool has_reference = (... || std::is_reference_v<Members>);

/// A class of N members. `takes`: can T be initialised by {} for each of N members, and by more
/// behind them? {} is one member also where that is an array.
template <std::size_t N>
struct members_of;
template <>
struct members_of<0> {
    template <class T, class... More>
    static constexpr bool takes = requires
    {
        T{More{}...};
    };
    template <class T, class Visitor>
    [[gnu::always_inline]] static constexpr decltype(auto) visit(T&, Visitor&& visitor)
    {
        return visitor();
    }
};

// Structured bindings need as many names as there are members: a class for each number of them. The
// names are wharf_a1 to wharf_a8, wharf_b1 and so on; a list applies `op` to each of them. (Boost's
// macros for this take ten times as long.)
// clang-format off
#define WHARF_1(op, p) op(wharf_##p##1)
#define WHARF_2(op, p) WHARF_1(op, p), op(wharf_##p##2)
#define WHARF_3(op, p) WHARF_2(op, p), op(wharf_##p##3)
#define WHARF_4(op, p) WHARF_3(op, p), op(wharf_##p##4)
#define WHARF_5(op, p) WHARF_4(op, p), op(wharf_##p##5)
#define WHARF_6(op, p) WHARF_5(op, p), op(wharf_##p##6)
#define WHARF_7(op, p) WHARF_6(op, p), op(wharf_##p##7)
#define WHARF_8(op, p) WHARF_7(op, p), op(wharf_##p##8)
#define WHARF_BEFORE_a(op)
#define WHARF_BEFORE_b(op) WHARF_8(op, a),
#define WHARF_BEFORE_c(op) WHARF_BEFORE_b(op) WHARF_8(op, b),
#define WHARF_BEFORE_d(op) WHARF_BEFORE_c(op) WHARF_8(op, c),
#define WHARF_BEFORE_e(op) WHARF_BEFORE_d(op) WHARF_8(op, d),
#define WHARF_BEFORE_f(op) WHARF_BEFORE_e(op) WHARF_8(op, e),
#define WHARF_BEFORE_g(op) WHARF_BEFORE_f(op) WHARF_8(op, f),
#define WHARF_BEFORE_h(op) WHARF_BEFORE_g(op) WHARF_8(op, g),
#define WHARF_LIST(op, p, last) WHARF_BEFORE_##p(op) WHARF_##last(op, p)
#define WHARF_NAME(name) name
#define WHARF_TYPE(name) decltype(name)
#define WHARF_EMPTY(name) {}
#ifdef __clang__
#define WHARF_CHECK_BITS(p, last) // clang cannot ask, and names the bit-field itself.
#else
#define WHARF_CHECK_BITS(p, last)                                                                  \
    static_assert(requires { refer_to(WHARF_LIST(WHARF_NAME, p, last)); },                         \
                  "wharf: a struct with a bit-field needs a serialize() to travel");
#endif
#define WHARF_MEMBERS(eights, p, last)                                                             \
    template <>                                                                                    \
    struct members_of<8 * eights + last> {                                                         \
        template <class T, class... More>                                                          \
        static constexpr bool takes =                                                              \
            requires { T{WHARF_LIST(WHARF_EMPTY, p, last), More{}...}; };                          \
        template <class T, class Visitor>                                                          \
        [[gnu::always_inline]] static constexpr decltype(auto) visit(T& value, Visitor&& visitor)  \
        {                                                                                          \
            auto& [WHARF_LIST(WHARF_NAME, p, last)] = value;                                       \
            WHARF_CHECK_BITS(p, last)                                                              \
            static_assert(!has_reference<WHARF_LIST(WHARF_TYPE, p, last)>,                         \
                          "wharf: a struct with a reference needs a serialize() to travel");       \
            return visitor(WHARF_LIST(WHARF_NAME, p, last));                                       \
        }                                                                                          \
    };
#define WHARF_EIGHT(eights, p)                                                                     \
    WHARF_MEMBERS(eights, p, 1) WHARF_MEMBERS(eights, p, 2) WHARF_MEMBERS(eights, p, 3)            \
    WHARF_MEMBERS(eights, p, 4) WHARF_MEMBERS(eights, p, 5) WHARF_MEMBERS(eights, p, 6)            \
    WHARF_MEMBERS(eights, p, 7) WHARF_MEMBERS(eights, p, 8)
WHARF_EIGHT(0, a)
WHARF_EIGHT(1, b)
WHARF_EIGHT(2, c)
WHARF_EIGHT(3, d)
WHARF_EIGHT(4, e)
WHARF_EIGHT(5, f)
WHARF_EIGHT(6, g)
WHARF_EIGHT(7, h)
#undef WHARF_1
#undef WHARF_2
#undef WHARF_3
#undef WHARF_4
#undef WHARF_5
#undef WHARF_6
#undef WHARF_7
#undef WHARF_8
#undef WHARF_BEFORE_a
#undef WHARF_BEFORE_b
#undef WHARF_BEFORE_c
#undef WHARF_BEFORE_d
#undef WHARF_BEFORE_e
#undef WHARF_BEFORE_f
#undef WHARF_BEFORE_g
#undef WHARF_BEFORE_h
#undef WHARF_LIST
#undef WHARF_NAME
#undef WHARF_TYPE
#undef WHARF_EMPTY
#undef WHARF_CHECK_BITS
#undef WHARF_MEMBERS
#undef WHARF_EIGHT
// clang-format on

template <class T, std::size_t... Before, std::size_t... Nested, std::size_t... Behind>
consteval bool takes(std::index_sequence<Before...>, std::index_sequence<Nested...>,
                     std::index_sequence<Behind...>)
{
    if constexpr (sizeof...(Nested) == 0)
        return requires
        {
            T{any_member_each<Before>{}..., any_member_each<Behind>{}...};
        };
    else
        return requires
        {
            T{any_member_each<Before>{}...,
              {any_member_each<Nested>{}...},
              any_member_each<Behind>{}...};
        };
}
template <class T, std::size_t Before, std::size_t Nested = 0, std::size_t Behind = 0>
inline constexpr bool takes_any = takes<T>(std::make_index_sequence<Before>{},
                                           std::make_index_sequence<Nested>{},
                                           std::make_index_sequence<Behind>{});

/// The most values that initialise T without inner braces: here an array counts as its elements.
/// 0 where there is no such number.
template <class T, std::size_t N = 1>
consteval std::size_t count_flat()
{
    if constexpr (N > 4 * members_max)
        return 0;
    else if constexpr (takes_any<T, N> && !takes_any<T, N + 1>)
        return N;
    else
        return count_flat<T, N + 1>();
}

/// How many of the values behind the first `Before` initialise one member: the elements of an array
/// can stand in braces of their own, and then nothing more fits behind them than before.
template <class T, std::size_t Before, std::size_t Behind, std::size_t Nested = Behind>
consteval std::size_t count_elements()
{
    if constexpr (Nested <= 1)
        return 1;
    else if constexpr (takes_any<T, Before, Nested, Behind - Nested> &&
                       !takes_any<T, Before, Nested, Behind - Nested + 1>)
        return Nested;
    else
        return count_elements<T, Before, Behind, Nested - 1>();
}

template <class T, std::size_t Flat, std::size_t Before = 0>
consteval std::size_t count_among()
{
    if constexpr (Before == Flat)
        return 0;
    else
        return 1 + count_among<T, Flat, Before + count_elements<T, Before, Flat - Before>()>();
}

inline constexpr std::size_t uncountable = SIZE_MAX;

/// The members of T; some number above `members_max` where there are more, or `uncountable`. A
/// wrong number does not compile in a visit, so that counting need not be perfect.
template <class T, std::size_t N = 0>
consteval std::size_t count_members()
{
    if constexpr (members_of<N>::template takes<T>) {
        if constexpr (N < members_max)
            return count_members<T, N + 1>();
        else
            return members_of<N>::template takes<T, any_member> ? N + 1 : N;
    }
    else if constexpr (N != 0 && !members_of<(N == 0 ? 0 : N - 1)>::template takes<T, any_member>)
        return N - 1;
    else {
        // A member that {} does not initialise.
        constexpr std::size_t flat = count_flat<T>();
        return flat == 0 ? uncountable : count_among<T, flat>();
    }
}

template <class T>
inline constexpr std::size_t member_count = count_members<T>();

template <class T, std::size_t... Behind>
consteval bool begins_with_base(std::index_sequence<Behind...>)
{
    return requires
    {
        T{any_base<T>{}, any_member_each<Behind>{}...};
    };
}
template <class T>
consteval bool find_base()
{
    if constexpr (members_of<0>::takes<T>)
        return begins_with_base<T>({});
    else if constexpr (constexpr std::size_t flat = count_flat<T>(); flat > 0)
        return begins_with_base<T>(std::make_index_sequence<flat - 1>{});
    else
        return false;
}
template <class T>
inline constexpr bool has_base = find_base<T>();

} // namespace wharf::detail
