// How the types of boost_types.hpp are written.
#pragma once

#include <wharf/archive/store_values.hpp>

#include <algorithm>

namespace wharf {

template <class T>
void store_archive::put_borrowed(const T& value)
{
    using namespace detail;
    if constexpr (is_complex<T>) {
        put(value.real());
        put(value.imag());
    }
    else if constexpr (std::is_same_v<T, boost::uuids::uuid>)
        put_bytes(value.data, 16);
    else if constexpr (is_memory_image<T>) {
        static_assert(check_memory_image<T>());
        put_bytes(&value, sizeof value);
    }
    else if constexpr (std::is_same_v<T, utf8>)
        put_string(value.str());
    else if constexpr (std::is_same_v<T, attachment>) {
        put_varint(value.size());
        put_bytes(value.data(), value.size());
    }
    else if constexpr (is_strong_typedef<T>)
        put(value.t);
    else if constexpr (std::is_same_v<T, boost::posix_time::time_duration>)
        put_number(static_cast<std::int64_t>(value.get_rep().as_number()));
    else if constexpr (std::is_same_v<T, boost::posix_time::ptime>) {
        put(value.date());
        if (!value.is_special())
            put(value.time_of_day());
    }
    else if constexpr (std::is_same_v<T, std::chrono::year>)
        put_number(static_cast<std::int16_t>(static_cast<int>(value)));
    else if constexpr (is_date_part<T>)
        put_number(static_cast<std::uint8_t>(static_cast<unsigned>(value)));
    else if constexpr (std::is_same_v<T, std::chrono::weekday>)
        put_number(static_cast<std::uint8_t>(value.c_encoding()));
    else if constexpr (is_date<T>) {
        if constexpr (requires { value.year(); })
            put(value.year());
        put(value.month());
        if constexpr (requires { value.day(); })
            put(value.day());
    }
    else if constexpr (is_bitset<T> || is_dynamic_bitset<T>) {
        put_varint(value.size());
        put_bits(value);
    }
    else if constexpr (is_adaptor<T>)
        put(adaptor_access<T>::container(value));
    else if constexpr (is_specialization<T, boost::optional>) {
        static_assert(!std::is_reference_v<typename T::value_type>,
                      "wharf: an optional reference does not own its value: store "
                      "boost::optional of the value");
        put_number(static_cast<std::uint8_t>(value.is_initialized()));
        if (value)
            put_built(*value);
    }
    else if constexpr (is_boost_variant<T>)
        put_boost_variant(value);
    else
        put_multi_index(value);
}

template <class Variant>
void store_archive::put_boost_variant(const Variant& value)
{
    // A recursive one may nest without any class in between.
    if (depth_ == 0) [[unlikely]]
        detail::fail_at(errc::depth_limit, stored_bytes());
    --depth_;
    put_varint(static_cast<unsigned>(value.which()));
    const auto put_alternative = [this](const auto& alternative) { this->put_built(alternative); };
    detail::variant_visitor<decltype(put_alternative)> visitor{put_alternative};
    value.apply_visitor(visitor);
    ++depth_;
}

/// The elements in the order of the first index, then of each index whose order is the program's
/// own, the places of its elements in the first.
template <class Container>
void store_archive::put_multi_index(const Container& value)
{
    put_varint(value.size());
    put_elements(value);
    using element = typename Container::value_type;
    std::vector<std::pair<const element*, std::size_t>> places;
    [&]<std::size_t... I>(std::index_sequence<I...>)
    {
        [[maybe_unused]] const auto put_order = [&](const auto& index) {
            using index_type = std::remove_cvref_t<decltype(index)>;
            if constexpr (detail::is_rearranged<index_type>) {
                if (places.empty()) {
                    for (const auto& e : value)
                        places.emplace_back(std::addressof(e), places.size());
                    std::sort(places.begin(), places.end());
                }
                for (const auto& e : index)
                    put_varint(std::lower_bound(places.begin(), places.end(),
                                                std::pair{std::addressof(e), std::size_t{0}})
                                   ->second);
            }
        };
        (put_order(value.template get<static_cast<int>(I + 1)>()), ...);
    }
    (std::make_index_sequence<detail::indices_of<Container> - 1>{});
}

} // namespace wharf
