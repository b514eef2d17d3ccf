// How containers are read: counted, charged, and refused where their form is not the canonical one.
#pragma once

#include <wharf/archive/load_values.hpp>

#include <iterator>

namespace wharf {

namespace detail {

/// What a container's node takes beside its value: links, colour or hash, and malloc's own.
inline constexpr std::size_t list_node_bytes = 32;
inline constexpr std::size_t tree_node_bytes = 48;
inline constexpr std::size_t hash_node_bytes = 48;
/// What libstdc++'s deque takes even when it is empty: one block and its map.
inline constexpr std::size_t empty_deque_bytes = 576;

/// May a vector of these strings be built from the bytes of the message in place?
template <class T>
inline constexpr bool is_plain_string = std::is_same_v<T, std::string>;

template <class T>
constexpr void check_default_constructible()
{
    static_assert(
        std::is_default_constructible_v<T>,
        "wharf: what a container or variant holds must be default-constructible to be loaded");
}

} // namespace detail

/// The bytes of a string, which are charged.
inline std::string_view load_archive::get_text()
{
    const std::size_t n = get_charged_count(1, 1);
    const std::string_view text(reinterpret_cast<const char*>(at_), n);
    at_ += n;
    return text;
}

template <class Vector>
void load_archive::get_vector(Vector& value)
{
    using element = typename Vector::value_type;
    std::size_t n = get_charged_count(detail::bytes_min<element>(), sizeof(element));
    if constexpr (detail::is_block<element>) {
        // One memmove into raw memory, without filling it with zeros first. The pointer may be
        // misaligned: the library only copies from it.
        const auto* first = reinterpret_cast<const element*>(at_);
        value.assign(first, first + n);
        at_ += n * sizeof(element);
    }
    else if constexpr (detail::is_plain_string<element>) {
        value.clear();
        value.reserve(n);
        for (; n != 0; --n)
            value.emplace_back(get_text());
    }
    else {
        detail::check_default_constructible<element>();
        value.clear();
        value.reserve(n);
        for (; n != 0; --n)
            get_element(value.emplace_back());
    }
}

template <class Vector>
void load_archive::get_bits(Vector& value)
{
    const std::uint64_t n = get_varint();
    if (n / 8 > left() || (n + 7) / 8 > left()) [[unlikely]]
        fail(errc::bad_length);
    charge(n / 8 + 1);
    value.clear();
    value.reserve(n);
    for (std::uint64_t i = 0; i < n; i += 8) {
        auto byte = static_cast<unsigned>(*at_);
        for (std::uint64_t j = 0; j < 8 && i + j < n; ++j, byte >>= 1)
            value.push_back((byte & 1) != 0);
        if (n - i < 8 && byte != 0) [[unlikely]]
            fail(errc::not_canonical);
        ++at_;
    }
}

template <class List>
void load_archive::get_list(List& value)
{
    using element = typename List::value_type;
    detail::check_default_constructible<element>();
    constexpr bool is_deque = detail::is_specialization<List, std::deque>;
    if constexpr (is_deque)
        charge(detail::empty_deque_bytes);
    std::size_t n = get_charged_count(detail::bytes_min<element>(),
                                      sizeof(element) + (is_deque ? 0 : detail::list_node_bytes));
    value.clear();
    if constexpr (detail::is_specialization<List, std::forward_list>) {
        auto last = value.before_begin();
        for (; n != 0; --n) {
            last = value.emplace_after(last);
            get_element(*last);
        }
    }
    else
        for (; n != 0; --n)
            if constexpr (std::is_same_v<element, bool>)
                value.push_back(get_bool());
            else
                get_element(value.emplace_back());
}

template <class Map>
void load_archive::get_map(Map& value)
{
    using key = typename Map::key_type;
    using mapped = typename Map::mapped_type;
    detail::check_default_constructible<key>();
    detail::check_default_constructible<mapped>();
    constexpr std::size_t pair_bytes_min = detail::bytes_min<key>() + detail::bytes_min<mapped>();
    constexpr bool is_ordered = detail::is_ordered_map<Map>;
    std::size_t n = get_charged_count(
        pair_bytes_min, sizeof(typename Map::value_type) +
                            (is_ordered ? detail::tree_node_bytes : detail::hash_node_bytes));
    value.clear();
    if constexpr (!is_ordered)
        value.reserve(n);
    for (std::size_t size = 1; n != 0; --n, ++size) {
        [[maybe_unused]] const std::byte* begun = at_;
        const auto insert = [&](auto&& k) {
            using given = decltype(k);
            if constexpr (is_ordered)
                return value.emplace_hint(value.end(), std::piecewise_construct,
                                          std::forward_as_tuple(static_cast<given>(k)),
                                          std::forward_as_tuple());
            else if constexpr (detail::is_multi<Map>)
                return value.emplace(std::piecewise_construct,
                                     std::forward_as_tuple(static_cast<given>(k)),
                                     std::forward_as_tuple());
            else
                return value.try_emplace(static_cast<given>(k)).first;
        };
        typename Map::iterator place;
        if constexpr (is_ordered && detail::is_plain_string<key>)
            place = insert(get_text());
        else {
            key k{};
            get(k);
            place = insert(std::move(k));
        }
        if (value.size() != size) [[unlikely]]
            fail(errc::not_canonical);
        if constexpr (is_ordered)
            if (std::next(place) != value.end()) [[unlikely]]
                fail(errc::not_canonical);
        get(place->second);
        if constexpr (pair_bytes_min == 0)
            get_pad(begun);
    }
}

template <class Set>
void load_archive::get_set(Set& value)
{
    using key = typename Set::key_type;
    detail::check_default_constructible<key>();
    constexpr bool is_ordered = detail::is_ordered_set<Set>;
    std::size_t n = get_charged_count(
        detail::bytes_min<key>(),
        sizeof(key) + (is_ordered ? detail::tree_node_bytes : detail::hash_node_bytes));
    value.clear();
    if constexpr (!is_ordered)
        value.reserve(n);
    for (std::size_t size = 1; n != 0; --n, ++size) {
        key k{};
        get_element(k);
        if constexpr (is_ordered) {
            if (std::next(value.emplace_hint(value.end(), std::move(k))) != value.end())
                [[unlikely]]
                fail(errc::not_canonical);
        }
        else
            value.emplace(std::move(k));
        if (value.size() != size) [[unlikely]]
            fail(errc::not_canonical);
    }
}

template <class Variant>
void load_archive::get_variant(Variant& value)
{
    const std::uint64_t index = get_varint();
    if (index >= std::variant_size_v<Variant>) [[unlikely]]
        fail(errc::bad_value);
    [&]<std::size_t... I>(std::index_sequence<I...>)
    {
        const auto load = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
            detail::check_default_constructible<std::variant_alternative_t<J, Variant>>();
            get(value.template emplace<J>());
        };
        (void)((index == I && (load(std::integral_constant<std::size_t, I>{}), true)) || ...);
    }
    (std::make_index_sequence<std::variant_size_v<Variant>>{});
}

} // namespace wharf
