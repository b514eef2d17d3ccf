// How the types of boost_types.hpp are read.
#pragma once

#include <wharf/archive/load_containers.hpp>

#include <algorithm>

namespace wharf {

namespace detail {
/// These bytes of the message and what keeps them in memory, or nothing: then they are copied.
void share_message(const load_state* state, std::span<const std::byte> part, attachment& to);
/// What a copied attachment takes beside its bytes: the block of its reference count.
inline constexpr std::size_t attachment_bytes = 48;
} // namespace detail

template <class T>
void load_archive::get_borrowed(T& value)
{
    using namespace detail;
    if constexpr (is_complex<T>) {
        typename T::value_type real{};
        typename T::value_type imaginary{};
        get(real);
        get(imaginary);
        value = T(real, imaginary);
    }
    else if constexpr (std::is_same_v<T, boost::uuids::uuid>)
        get_bytes(value.data, 16);
    else if constexpr (is_memory_image<T>) {
        static_assert(check_memory_image<T>());
        get_bytes(&value, sizeof value);
    }
    else if constexpr (std::is_same_v<T, utf8>) {
        std::string text;
        get(text);
        if (const std::size_t bad = T::find_bad(text); bad != text.size()) [[unlikely]]
            fail_at(errc::bad_utf8, offset() - text.size() + bad);
        value = T::from_valid(std::move(text));
    }
    else if constexpr (std::is_same_v<T, attachment>) {
        const std::size_t n = get_count(1);
        const std::span<const std::byte> bytes(at_, n);
        share_message(state_, bytes, value);
        if (value.empty()) {
            charge(n + attachment_bytes);
            value = T::copy_of(bytes);
        }
        at_ += n;
    }
    else if constexpr (is_strong_typedef<T>)
        get(value.t);
    else if constexpr (std::is_same_v<T, boost::posix_time::time_duration>) {
        std::int64_t ticks{};
        get_number(ticks);
        const typename T::impl_type rep(ticks);
        value = rep.is_special() ? T(rep.as_special()) : T(0, 0, 0, ticks);
    }
    else if constexpr (std::is_same_v<T, boost::posix_time::ptime>) {
        typename T::date_type date;
        get(date);
        if (date.is_special()) {
            value = T(date.as_special());
            return;
        }
        typename T::time_duration_type time;
        get(time);
        // Boost adds the two without looking for an overflow.
        if (time.is_special() || time.is_negative() || time.hours() >= 24) [[unlikely]]
            fail_at(errc::bad_value, offset() - 8);
        value = T(date, time);
    }
    else if constexpr (std::is_same_v<T, std::chrono::year>) {
        std::int16_t number{};
        get_number(number);
        value = T(number);
    }
    else if constexpr (is_date_part<T>) {
        std::uint8_t number{};
        get_number(number);
        value = T(number);
    }
    else if constexpr (std::is_same_v<T, std::chrono::weekday>) {
        std::uint8_t number{};
        get_number(number);
        if (number == 7) [[unlikely]] // Sunday is 0
            fail_at(errc::not_canonical, offset() - 1);
        value = T(number);
    }
    else if constexpr (is_date<T>) {
        std::chrono::year year{};
        std::chrono::month month{};
        std::chrono::day day{};
        if constexpr (requires { value.year(); })
            get(year);
        get(month);
        if constexpr (requires { value.day(); })
            get(day);
        if constexpr (std::is_same_v<T, std::chrono::year_month>)
            value = T(year, month);
        else if constexpr (std::is_same_v<T, std::chrono::month_day>)
            value = T(month, day);
        else
            value = T(year, month, day);
    }
    else if constexpr (is_bitset<T> || is_dynamic_bitset<T>)
        get_bitset(value);
    else if constexpr (is_adaptor<T>) {
        auto& container = adaptor_access<T>::container(value);
        get(container);
        if constexpr (is_specialization<T, std::priority_queue>)
            if (!std::is_heap(container.begin(), container.end(), adaptor_access<T>::order(value)))
                [[unlikely]] {
                container.clear();
                fail(errc::not_canonical);
            }
    }
    else if constexpr (is_specialization<T, boost::optional>) {
        using held = typename T::value_type;
        value.reset();
        if (!get_bool())
            return;
        if constexpr (is_built<load_archive, held>)
            get_built<held>([&](held&& built) { value.emplace(std::move(built)); });
        else {
            value.emplace();
            get(*value);
        }
    }
    else if constexpr (is_boost_variant<T>) {
        if (depth_ == 0) [[unlikely]]
            fail(errc::depth_limit);
        --depth_;
        using types = typename T::types;
        get_alternative<typename boost::mpl::begin<types>::type,
                        typename boost::mpl::end<types>::type>(value, get_varint(), 0);
        ++depth_;
    }
    else
        get_multi_index(value);
}

template <class Bitset>
void load_archive::get_bitset(Bitset& value)
{
    const std::uint64_t n = get_varint();
    if constexpr (detail::is_bitset<Bitset>) {
        if (n != value.size()) [[unlikely]]
            fail(errc::bad_length);
        need((n + 7) / 8);
    }
    else {
        if (n / 8 > left() || (n + 7) / 8 > left()) [[unlikely]]
            fail(errc::bad_length);
        charge(n / 8 + sizeof(typename Bitset::block_type));
        value.resize(n);
    }
    value.reset();
    for (std::uint64_t i = 0; i < n; i += 8) {
        auto byte = static_cast<unsigned>(*at_);
        for (std::uint64_t j = 0; j < 8 && i + j < n; ++j, byte >>= 1)
            if ((byte & 1) != 0)
                value.set(i + j);
        if (byte != 0 && n - i < 8) [[unlikely]]
            fail(errc::not_canonical);
        ++at_;
    }
}

/// The alternative of this index; `Type` is the one at `place`.
template <class Type, class End, class Variant>
void load_archive::get_alternative(Variant& value, std::uint64_t index, unsigned place)
{
    if constexpr (std::is_same_v<Type, End>)
        fail(errc::bad_value);
    else if (index != place)
        get_alternative<typename boost::mpl::next<Type>::type, End>(value, index, place + 1);
    else {
        using alternative = typename boost::mpl::deref<Type>::type;
        // It may be behind a recursive_wrapper, and so in memory of its own.
        charge(sizeof(alternative));
        if constexpr (detail::is_built<load_archive, alternative>)
            get_built<alternative>([&](alternative&& built) { value = std::move(built); });
        else {
            alternative content{};
            get(content);
            value = std::move(content);
        }
        // Of equal alternatives only the first is ever stored.
        if (static_cast<unsigned>(value.which()) != place) [[unlikely]]
            fail(errc::not_canonical);
    }
}

template <class Container>
void load_archive::get_multi_index(Container& value)
{
    using namespace detail;
    using element = typename Container::value_type;
    constexpr std::size_t indices = indices_of<Container>;
    const std::size_t n =
        get_charged_count(bytes_min<element>(), sizeof(element) + indices * (tree_node_bytes + 16));
    value.clear();
    auto& first = value.template get<0>();
    using first_index = std::remove_reference_t<decltype(first)>;
    std::size_t i = 0;
    index_guard in{at_, i};
    for (; i != n; ++i) {
        const auto insert = [&](element&& e) {
            [[maybe_unused]] const auto place = first.insert(first.end(), std::move(e));
            if (value.size() != i + 1) [[unlikely]]
                fail(errc::not_canonical);
            if constexpr (is_key_ordered<first_index>)
                if (std::next(place) != first.end()) [[unlikely]]
                    fail(errc::not_canonical);
        };
        if constexpr (is_built<load_archive, element>)
            get_built_element<element>(insert);
        else {
            element e{};
            get_element(e);
            insert(std::move(e));
        }
    }
    in.is_done = true;
    [&]<std::size_t... I>(std::index_sequence<I...>)
    {
        [[maybe_unused]] const auto get_order = [&](auto& index) {
            using index_type = std::remove_reference_t<decltype(index)>;
            if constexpr (is_rearranged<index_type>) {
                std::vector<const element*> elements;
                for (const element& e : value)
                    elements.push_back(std::addressof(e));
                std::vector<const element*> order;
                while (order.size() != n) {
                    const std::uint64_t place = get_varint();
                    if (place >= n || elements[place] == nullptr) [[unlikely]]
                        fail(errc::bad_value);
                    order.push_back(std::exchange(elements[place], nullptr));
                }
                index.rearrange(pointee_iterator<element>{order.data()});
            }
        };
        (get_order(value.template get<static_cast<int>(I + 1)>()), ...);
    }
    (std::make_index_sequence<indices - 1>{});
}

} // namespace wharf
