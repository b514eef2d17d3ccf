// The members of a plain struct, by name and in order, without a serialize().
#pragma once

#include <wharf/archive/aggregate_members.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace wharf {

namespace detail {

/// The name of a type begins with the namespace that it is in.
template <class T>
consteval bool is_of_library()
{
    const std::string_view text = __PRETTY_FUNCTION__;
    const std::size_t place = text.find("T = ");
    const std::string_view name = text.substr(place == text.npos ? 0 : place + 4);
    return name.starts_with("std::") || name.starts_with("boost::") ||
           name.starts_with("__gnu_cxx::");
}

/// 0 where it has complained.
template <class T>
consteval std::size_t checked_count()
{
    constexpr std::size_t n = member_count<T>;
    static_assert(!has_base<T>, "wharf: a struct with a base class needs a serialize() to travel");
    static_assert(n != uncountable && (n != 0 || std::is_empty_v<T>),
                  "wharf: the members of this struct cannot be counted (is one a reference?): "
                  "give it a serialize()");
    static_assert(n <= members_max || n == uncountable,
                  "wharf: a struct of more than 64 members needs a serialize() to travel");
    return n > members_max ? 0 : n;
}

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

/// An object that nobody defines: only the addresses of its members are spelled.
template <class T>
struct specimen_holder {
    T value;
};
template <class T>
extern const specimen_holder<T> specimen;

struct member_place {
    const volatile void* address;
};

template <member_place Place>
consteval const char* spell_place()
{
    return __PRETTY_FUNCTION__;
}

/// Compilers spell the address of a member with its name last: `{(& specimen<T>...::name)}]`,
/// `{&specimen.value.name}]`.
template <member_place Place>
consteval std::string_view spell_member()
{
    std::string_view text = spell_place<Place>();
    const auto is_of_name = [](char c) {
        return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    };
    while (!text.empty() && !is_of_name(text.back()))
        text.remove_suffix(1);
    std::size_t begin = text.size();
    while (begin > 0 && is_of_name(text[begin - 1]))
        --begin;
    return text.substr(begin);
}

struct place_members {
    template <class... Members>
    constexpr auto operator()(Members&... members) const
    {
        return std::array<member_place, sizeof...(Members)>{
            member_place{std::addressof(members)}...};
    }
};

/// The name alone, closed by a zero, so that the long text above stays out of the program.
template <member_place Place>
inline constexpr auto member_text = [] {
    constexpr std::string_view name = spell_member<Place>();
    std::array<char, name.size() + 1> text{};
    std::copy(name.begin(), name.end(), text.begin());
    return text;
}();

template <class T>
consteval auto name_members()
{
    constexpr auto places =
        members_of<checked_count<T>()>::visit(specimen<T>.value, place_members{});
    return [&]<std::size_t... I>(std::index_sequence<I...>)
    {
        return std::array<std::string_view, sizeof...(I)>{
            std::string_view(member_text<places[I]>.data(), member_text<places[I]>.size() - 1)...};
    }
    (std::make_index_sequence<places.size()>{});
}
template <class T>
inline constexpr auto member_names = name_members<T>();

#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T, class Function>
struct call_each {
    Function& function;
    template <class... Members>
    [[gnu::always_inline]] constexpr void operator()(Members&... members) const
    {
        std::size_t i = 0;
        (void(function(member_names<T>[i++], members)), ...);
    }
};

} // namespace detail

/// A struct that travels without a serialize(): an aggregate class, of a user and not of std or
/// boost.
///
/// Its bytes are those of a class of version 0 (or BOOST_CLASS_VERSION) whose serialize() visits
/// the members in order, so that it can gain a serialize() without changing them; to add, remove or
/// reorder members does change them, and needs a serialize() with a version first. Names do not
/// travel: they stand in errors. A class that has a serialize(), a member or a free one that is
/// declared before the first use, is visited by that alone. (Of a final struct a private
/// serialize() cannot be seen: make it public.)
///
/// Members may be what travels itself, C arrays and move-only types among it. What has a base
/// class, a reference, a bit-field, an anonymous union or more than 64 members does not compile;
/// neither does a struct whose members cannot be counted, which takes an array behind a member that
/// {} does not initialise, and more than 256 elements.
template <class T>
concept plain_struct = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_const_v<T> &&
                       !detail::is_of_library<T>();

/// How many members T has: an array is one, and so is a nested struct. No T is constructed.
template <plain_struct T>
inline constexpr std::size_t field_count = detail::checked_count<T>();

/// Their names in order, as in the source. Each is followed by a zero.
template <plain_struct T>
inline constexpr std::array<std::string_view, field_count<T>> field_names = detail::member_names<T>;

/// Calls function(std::string_view name, member&) for each member, in order; the members are const
/// where `value` is. Throws what `function` throws. Costs as much as the calls written out.
template <class T, class Function>
requires plain_struct<std::remove_const_t<T>>
[[gnu::always_inline]] constexpr void for_each_field(T& value, Function&& function)
{
    using type = std::remove_const_t<T>;
    detail::members_of<field_count<type>>::visit(value,
                                                 detail::call_each<type, Function>{function});
}

} // namespace wharf
