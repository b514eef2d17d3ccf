// How containers are read: counted, charged, and refused where their form is not the canonical one.
#pragma once

#include <wharf/archive/collisions.hpp>
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

/// Strings whose bytes are the message's.
template <class T>
inline constexpr bool is_text = false;
template <class Traits, class Allocator>
inline constexpr bool is_text<std::basic_string<char, Traits, Allocator>> = true;

/// Does a load replace all of it? Of a class, what its serialize() does not visit stays.
template <class T>
inline constexpr bool is_replaced = is_leaf<T> || is_vector<T> || is_list<T> || is_map<T> ||
                                    is_set<T> || is_specialization<T, std::optional>;
template <class First, class Second>
inline constexpr bool is_replaced<std::pair<First, Second>> =
    is_replaced<First>&& is_replaced<Second>;

/// Are keys that compare equal the same bytes? Not so -0.0 and 0.0.
template <class Key>
inline constexpr bool is_exact_key = is_text<Key> || (is_leaf<Key> && !is_string<Key> &&
                                                      !std::is_floating_point_v<Key>);

/// Room for n elements; those that are there stay, up to n, and are loaded again. Memory that is
/// far too large is let go.
template <class Vector>
void prepare(Vector& value, std::size_t n)
{
    constexpr std::size_t bytes_each = sizeof(typename Vector::value_type);
    if (value.capacity() >= n) [[unlikely]] {
        if (!keeps_memory(value.capacity() * bytes_each, n * bytes_each)) {
            const auto allocator = value.get_allocator();
            std::destroy_at(&value);
            std::construct_at(&value, allocator);
        }
        while (value.size() > n)
            value.pop_back();
    }
    value.reserve(n);
}

/// Are the old nodes of this map or set kept where their keys come again? The keys stay in order
/// whenever a load fails.
template <class Container>
inline constexpr bool
    keeps_nodes = (is_ordered_map<Container> || is_ordered_set<Container>)&&!is_multi<Container> &&
                  is_value_ordered<Container> && is_exact_key<typename Container::key_type> &&
                  !is_built<load_archive, typename Container::key_type>;

template <class Container>
void empty_nodes(Container& value, std::size_t n)
{
    value.clear();
    if constexpr (is_hash_map<Container> || is_hash_set<Container>) {
        if (!keeps_memory(value.bucket_count() * sizeof(void*), n * hash_node_bytes))
            value.rehash(0);
        value.reserve(n);
    }
}

/// A key that is loaded before it is inserted, in the container's own memory.
template <class Key, class Container>
Key make_key(const Container& value)
{
    using allocator = typename Container::allocator_type;
    if constexpr (is_specialization<allocator, std::allocator>)
        return Key{};
    else
        return std::make_obj_using_allocator<Key>(value.get_allocator());
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

/// As get_body(), for containers.
template <class Container>
void load_archive::get_container(Container& value)
{
    load_archive inner(nested{}, *this);
    const write_back back{*this, inner};
    if constexpr (detail::is_vector<Container>)
        inner.get_vector(value);
    else if constexpr (detail::is_list<Container>)
        inner.get_list(value);
    else if constexpr (detail::is_map<Container>)
        inner.get_map(value);
    else
        inner.get_set(value);
}

/// One more string, made of the message's bytes in place.
template <class Vector>
void load_archive::add_text(Vector& value)
{
    const std::size_t n = get_charged_count(1, 1);
    const auto* text = reinterpret_cast<const char*>(at_);
    if (detail::copies_blocks && n <= detail::short_text_max && left() >= detail::short_text_max)
        value.emplace_back(text, detail::short_text_max).erase(n);
    else
        value.emplace_back(text, n);
    at_ += n;
}

template <class Vector>
void load_archive::get_vector(Vector& value)
{
    using element = typename Vector::value_type;
    const std::size_t n = get_charged_count(detail::bytes_min<element>(), sizeof(element));
    if constexpr (detail::is_block<element>) {
        detail::prepare(value, n);
        if constexpr (std::is_class_v<element>) {
            // The library would bind references to misaligned objects.
            value.resize(n);
            get_run(value.data(), n);
        }
        else {
            // One memmove into raw memory, without filling it with zeros first. The pointer may
            // be misaligned: the library only copies from it.
            const auto* first = reinterpret_cast<const element*>(at_);
            value.assign(first, first + n);
            at_ += n * sizeof(element);
        }
    }
    else if constexpr (detail::is_built<load_archive, element>) {
        value.clear();
        detail::prepare(value, n);
        std::size_t i = 0;
        detail::index_guard in{at_, i};
        for (; i != n; ++i)
            get_built_element<element>([&](element&& built) { value.push_back(std::move(built)); });
        in.is_done = true;
    }
    else {
        detail::prepare(value, n);
        const std::size_t old = value.size();
        std::size_t i = 0;
        detail::index_guard in{at_, i};
        for (; i != n; ++i)
            if constexpr (detail::is_text<element>) {
                if (i < old)
                    get_string(value[i]);
                else
                    add_text(value);
            }
            else
                get_element<true>(i < old ? value[i] : value.emplace_back());
        in.is_done = true;
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
    if (!detail::keeps_memory(value.capacity() / 8, n / 8))
        value = Vector(value.get_allocator());
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
    constexpr bool is_deque = detail::is_specialization<List, std::deque>;
    if constexpr (is_deque)
        charge(detail::empty_deque_bytes);
    const std::size_t n = get_charged_count(
        detail::bytes_min<element>(), sizeof(element) + (is_deque ? 0 : detail::list_node_bytes));
    constexpr bool is_built = detail::is_built<load_archive, element>;
    if constexpr (is_built)
        value.clear();
    std::size_t i = 0;
    detail::index_guard in{at_, i};
    if constexpr (detail::is_specialization<List, std::forward_list>) {
        auto last = value.before_begin();
        for (; i != n; ++i)
            if constexpr (is_built)
                get_built_element<element>(
                    [&](element&& built) { last = value.emplace_after(last, std::move(built)); });
            else {
                const auto next = std::next(last);
                last = next != value.end() ? next : value.emplace_after(last);
                get_element(*last);
            }
        value.erase_after(last, value.end());
    }
    else {
        auto next = value.begin();
        for (; i != n; ++i)
            if constexpr (is_built)
                get_built_element<element>(
                    [&](element&& built) { value.push_back(std::move(built)); });
            else if (i < value.size()) {
                get_element(*next);
                ++next;
            }
            else {
                value.emplace_back();
                get_element(value.back());
            }
        while (value.size() > n)
            value.pop_back();
    }
    in.is_done = true;
}

template <class Map>
void load_archive::get_map(Map& value)
{
    using namespace detail;
    using key = typename Map::key_type;
    using mapped = typename Map::mapped_type;
    constexpr std::size_t pair_bytes_min = bytes_min<key>() + bytes_min<mapped>();
    constexpr bool is_ordered = is_ordered_map<Map>;
    constexpr bool is_key_built = is_built<load_archive, key>;
    constexpr bool is_mapped_built = is_built<load_archive, mapped>;
    constexpr bool reuses_nodes = keeps_nodes<Map> && is_replaced<mapped> && !is_mapped_built;
    const std::size_t n =
        get_charged_count(pair_bytes_min, sizeof(typename Map::value_type) +
                                              (is_ordered ? tree_node_bytes : hash_node_bytes));
    // Up to here the map is the new one; behind it are old nodes, whose keys may come again.
    auto old = value.begin();
    if constexpr (!reuses_nodes) {
        empty_nodes(value, n);
        old = value.end();
    }
    [[maybe_unused]] collision_counter<Map> collisions(value, n);
    std::size_t i = 0;
    key_guard<key> in{at_, i};
    for (; i != n; ++i) {
        [[maybe_unused]] const std::byte* begun = at_;
        typename Map::iterator place;
        const auto insert = [&](auto&& k, auto&&... v) {
            using given = decltype(k);
            if constexpr (is_ordered)
                place = value.emplace_hint(value.end(), std::piecewise_construct,
                                           std::forward_as_tuple(static_cast<given>(k)),
                                           std::forward_as_tuple(static_cast<decltype(v)>(v)...));
            else if constexpr (is_multi<Map>)
                place = value.emplace(std::piecewise_construct,
                                      std::forward_as_tuple(static_cast<given>(k)),
                                      std::forward_as_tuple(static_cast<decltype(v)>(v)...));
            else
                place =
                    value.try_emplace(static_cast<given>(k), static_cast<decltype(v)>(v)...).first;
            if (value.size() != i + 1) [[unlikely]]
                fail(errc::not_canonical);
            if constexpr (!is_ordered && checks<guard::collisions>)
                collisions.note(value, place->first, offset());
            if constexpr (is_value_ordered<Map> && checks<guard::key_order>)
                if (std::next(place) != value.end()) [[unlikely]]
                    fail(errc::not_canonical);
        };
        const auto with_key = [&](auto&& k) {
            if constexpr (reuses_nodes)
                if (old != value.end()) {
                    if (old->first == k) {
                        place = old++;
                        return;
                    }
                    old = value.erase(old, value.end());
                }
            if constexpr (is_mapped_built)
                get_built<mapped>([&](mapped&& v) { insert(std::move(k), std::move(v)); });
            else
                insert(std::move(k));
        };
        if constexpr (is_ordered && is_text<key> && !is_mapped_built)
            with_key(get_text());
        else if constexpr (is_key_built)
            get_built<key>(with_key);
        else {
            key k = make_key<key>(value);
            get(k);
            with_key(std::move(k));
        }
        if constexpr (!is_mapped_built) {
            in.key = &place->first;
            get(place->second);
        }
        in.key = nullptr;
        if constexpr (pair_bytes_min == 0)
            get_pad(begun);
    }
    if constexpr (reuses_nodes)
        value.erase(old, value.end());
    in.is_done = true;
}

template <class Set>
void load_archive::get_set(Set& value)
{
    using namespace detail;
    using key = typename Set::key_type;
    constexpr bool is_ordered = is_ordered_set<Set>;
    constexpr bool is_key_built = is_built<load_archive, key>;
    const std::size_t n = get_charged_count(
        bytes_min<key>(), sizeof(key) + (is_ordered ? tree_node_bytes : hash_node_bytes));
    auto old = value.begin(); // As for a map.
    if constexpr (!keeps_nodes<Set>) {
        empty_nodes(value, n);
        old = value.end();
    }
    [[maybe_unused]] collision_counter<Set> collisions(value, n);
    std::size_t i = 0;
    index_guard in{at_, i};
    for (; i != n; ++i) {
        const auto insert = [&](auto&& k) {
            if constexpr (keeps_nodes<Set>)
                if (old != value.end()) {
                    if (*old == k) {
                        ++old;
                        return;
                    }
                    old = value.erase(old, value.end());
                }
            if constexpr (is_ordered) {
                const auto place = value.emplace_hint(value.end(), std::move(k));
                if (is_value_ordered<Set> && checks<guard::key_order> &&
                    std::next(place) != value.end()) [[unlikely]]
                    fail(errc::not_canonical);
            }
            else {
                typename Set::iterator place;
                if constexpr (is_multi<Set>)
                    place = value.emplace(std::move(k));
                else
                    place = value.emplace(std::move(k)).first;
                if constexpr (checks<guard::collisions>)
                    collisions.note(value, *place, offset());
            }
            if (value.size() != i + 1) [[unlikely]]
                fail(errc::not_canonical);
        };
        if constexpr (is_ordered && is_text<key>)
            insert(get_text());
        else if constexpr (is_key_built)
            get_built_element<key>(insert);
        else {
            key k = make_key<key>(value);
            get_element(k);
            insert(std::move(k));
        }
    }
    if constexpr (keeps_nodes<Set>)
        value.erase(old, value.end());
    in.is_done = true;
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
            using content = std::variant_alternative_t<J, Variant>;
            if constexpr (detail::is_built<load_archive, content>)
                get_built<content>(
                    [&](content&& built) { value.template emplace<J>(std::move(built)); });
            else if (detail::is_replaced<content> && value.index() == J)
                get(*std::get_if<J>(&value));
            else
                get(value.template emplace<J>());
        };
        (void)((index == I && (load(std::integral_constant<std::size_t, I>{}), true)) || ...);
    }
    (std::make_index_sequence<std::variant_size_v<Variant>>{});
}

} // namespace wharf
