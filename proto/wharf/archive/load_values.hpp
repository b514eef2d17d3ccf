// How each type is read: the mirror of store_values.hpp, with a check of every byte.
#pragma once

#include <wharf/archive/load_archive.hpp>

namespace wharf {

template <class T>
void load_archive::get_outermost(T& value)
{
    open_for_value();
    // The copy does not escape, so that its pointers stay in registers.
    load_archive inner(nested{}, *this);
    try {
        inner.get_element(value);
    }
    catch (...) {
        phase_ = phase::failed;
        detail::rethrow_at(inner.offset());
    }
    at_ = inner.at_;
    budget_ = inner.budget_;
}

template <class T>
void load_archive::get_element(T& value)
{
    if constexpr (detail::bytes_min<T>() == 0) {
        const std::byte* begun = at_;
        get(value);
        get_pad(begun);
    }
    else
        get(value);
}

template <class T>
void load_archive::get_run(T* first, std::size_t n)
{
    if constexpr (detail::is_block<T>) {
        if (n > left() / sizeof(T)) [[unlikely]]
            fail(errc::truncated);
        get_bytes(first, n * sizeof(T));
    }
    else
        for (std::size_t i = 0; i < n; ++i)
            get_element(first[i]);
}

template <class T>
void load_archive::get(T& value)
{
    using namespace detail;
    namespace bs = boost::serialization;
    if constexpr (is_nvp<T>) {
        auto& target = value.value();
        using target_type = std::remove_reference_t<decltype(target)>;
        static_assert(!std::is_const_v<target_type> || is_wrapper<std::remove_cv_t<target_type>>,
                      "wharf: a const value cannot be loaded into");
        get(const_cast<std::remove_cv_t<target_type>&>(target));
    }
    else if constexpr (std::is_same_v<T, bool>)
        value = get_bool();
    else if constexpr (is_number<T>)
        get_number(value);
    else if constexpr (std::is_same_v<T, long double>) {
        std::array<std::byte, 16> image;
        get_bytes(image.data(), image.size());
        if (!from_binary128(image, value)) [[unlikely]]
            fail_at(errc::bad_value, offset() - 16);
    }
    else if constexpr (std::is_enum_v<T>)
        get_enum(value);
    else if constexpr (is_string<T>)
        get_string(value);
    else if constexpr (is_vector_bool<T>)
        get_bits(value);
    else if constexpr (is_vector<T>)
        get_vector(value);
    else if constexpr (std::is_array_v<T>) {
        if (get_varint() != std::extent_v<T>) [[unlikely]]
            fail(errc::bad_length);
        get_run(&value[0], std::extent_v<T>);
    }
    else if constexpr (is_std_array<T>) {
        if (get_varint() != value.size()) [[unlikely]]
            fail(errc::bad_length);
        get_run(value.data(), value.size());
    }
    else if constexpr (is_specialization<T, std::valarray>) {
        using element = typename T::value_type;
        const std::size_t n = get_charged_count(bytes_min<element>(), sizeof(element));
        value.resize(n);
        if (n != 0)
            get_run(&value[0], n);
    }
    else if constexpr (is_list<T>)
        get_list(value);
    else if constexpr (is_map<T>)
        get_map(value);
    else if constexpr (is_set<T>)
        get_set(value);
    else if constexpr (is_specialization<T, std::pair>) {
        get(const_cast<std::remove_const_t<typename T::first_type>&>(value.first));
        get(value.second);
    }
    else if constexpr (is_specialization<T, std::tuple>)
        std::apply([this](auto&... members) { (get(members), ...); }, value);
    else if constexpr (is_specialization<T, std::optional>) {
        static_assert(std::is_default_constructible_v<typename T::value_type>,
                      "wharf: the value of an optional must be default-constructible to be loaded");
        if (get_bool())
            get(value.emplace());
        else
            value.reset();
    }
    else if constexpr (is_specialization<T, std::variant>)
        get_variant(value);
    else if constexpr (std::is_same_v<T, std::monostate>)
        return;
    else if constexpr (is_duration<T>) {
        typename T::rep count{};
        get(count);
        value = T(count);
    }
    else if constexpr (is_time_point<T>) {
        typename T::rep count{};
        get(count);
        value = T(typename T::duration(count));
    }
    else if constexpr (is_path<T>) {
        typename T::string_type text;
        get(text);
        value = T(std::move(text));
    }
    else if constexpr (is_array_wrapper<T>)
        get_run(value.address(), value.count());
    else if constexpr (std::is_same_v<T, bs::collection_size_type>)
        // The size of an element is the reading header's own business; 64 bytes is what a node
        // takes.
        value = bs::collection_size_type(get_charged_count(1, 64));
    else if constexpr (std::is_same_v<T, bs::item_version_type>)
        value = bs::item_version_type(0);
    else if constexpr (std::is_same_v<T, bs::library_version_type>) {
        const std::uint64_t number = get_varint();
        if (number > 0xffff)
            fail(errc::bad_value);
        value = bs::library_version_type(static_cast<unsigned int>(number));
    }
    else {
        check_not_refused<T>();
        get_class(value);
    }
}

template <class T>
void load_archive::get_class(T& value)
{
    detail::check_class<load_archive, T>();
    if (depth_ == 0) [[unlikely]]
        fail(errc::depth_limit);
    --depth_;
    boost::serialization::serialize_adl(*this, value, class_version<T>());
    ++depth_;
}

template <class T>
unsigned load_archive::class_version()
{
    constexpr unsigned known = boost::serialization::version<T>::value;
    if constexpr (!detail::has_version<T>)
        return known;
    else if (has_table_) [[unlikely]]
        return detail::table_version(*state_, detail::class_slot<T>(), known, typeid(T), offset());
    else
        return 0;
}

template <class Enum>
void load_archive::get_enum(Enum& value)
{
    using number = std::underlying_type_t<Enum>;
    detail::check_enum<Enum>();
    if constexpr (std::is_same_v<number, bool>)
        value = static_cast<Enum>(get_bool());
    else {
        number image{};
        get_number(image);
        if constexpr (!detail::has_fixed_underlying_type<Enum> && detail::is_range_known<Enum>) {
            constexpr detail::enum_range range = detail::range_of_enum<Enum>;
            if (std::cmp_less(image, range.least) || std::cmp_greater(image, range.greatest))
                [[unlikely]]
                detail::fail_at(errc::bad_enum, offset() - sizeof image);
        }
        value = static_cast<Enum>(image);
    }
}

template <class String>
void load_archive::get_string(String& value)
{
    using character = typename String::value_type;
    const std::size_t n =
        get_charged_count(sizeof(detail::wire_number_t<character>), sizeof(character));
    if constexpr (sizeof(character) == 1) {
        value.assign(reinterpret_cast<const character*>(at_), n);
        at_ += n;
    }
    else {
        value.resize(n);
        get_run(value.data(), n);
    }
}

} // namespace wharf
