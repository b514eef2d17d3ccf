// How each type is read: the mirror of store_values.hpp, with a check of every byte.
#pragma once

#include <wharf/archive/load_archive.hpp>

#include <memory>

namespace wharf {

namespace detail {

/// May an object that is loaded again keep this memory, where its new value needs so much? What a
/// peer makes an object hold over many messages is so at most about twice what one is charged.
constexpr bool keeps_memory(std::size_t has, std::size_t needs) noexcept
{
    return has <= 2 * needs + 32;
}

/// What a string of libstdc++ holds in itself. So many characters are copied by two moves, where
/// fewer are a call of memcpy: they are copied whole, and then cut.
inline constexpr std::size_t short_text_max = 15;

/// Out of line, for strings that may allocate.
template <class String>
[[gnu::noinline]] void assign_text(String& value, const typename String::value_type* text,
                                   std::size_t n)
{
    if (n <= value.capacity() && keeps_memory(value.capacity(), n))
        value.assign(text, n);
    else {
        // The old memory goes first, so that both are never held at once.
        const auto allocator = value.get_allocator();
        std::destroy_at(&value);
        try {
            std::construct_at(&value, text, n, allocator);
        }
        catch (...) {
            std::construct_at(&value, allocator);
            throw;
        }
    }
}

} // namespace detail

template <class T>
void load_archive::get_outermost(T& value)
{
    open_for_value();
    // The copy does not escape, so that its pointers stay in registers.
    load_archive inner(nested{}, *this);
    try {
        inner.get_element<true>(value);
    }
    catch (...) {
        fail_outermost(inner.state_, inner.offset());
    }
    at_ = inner.at_;
    budget_ = inner.budget_;
    state_ = inner.state_;
    if (state_ != nullptr) [[unlikely]]
        release_objects();
}

template <bool IsOutermost, class T>
void load_archive::get_element(T& value)
{
    if constexpr (detail::bytes_min<T>() == 0) {
        const std::byte* begun = at_;
        get<false, IsOutermost>(value);
        get_pad(begun);
    }
    else
        get<false, IsOutermost>(value);
}

template <class T>
void load_archive::get_run(T* first, std::size_t n)
{
    if constexpr (detail::is_block<T>) {
        if (n > left() / sizeof(T)) [[unlikely]]
            fail(errc::truncated);
        get_bytes(first, n * sizeof(T));
    }
    else {
        std::size_t i = 0;
        detail::index_guard in{at_, i};
        for (; i < n; ++i)
            get_element(first[i]);
        in.is_done = true;
    }
}

template <bool IsPointee, bool IsOutermost, class T>
void load_archive::get(T& value)
{
    using namespace detail;
    namespace bs = boost::serialization;
    if constexpr (is_nvp<T>) {
        auto& target = value.value();
        using target_type = std::remove_reference_t<decltype(target)>;
        static_assert(!std::is_const_v<target_type> || is_wrapper<std::remove_cv_t<target_type>>,
                      "wharf: a const value cannot be loaded into");
        name_guard in{at_, value.name()};
        get<IsPointee, IsOutermost>(const_cast<std::remove_cv_t<target_type>&>(target));
        in.is_done = true;
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
    else if constexpr (is_vector<T> || is_list<T> || is_map<T> || is_set<T>)
        get_container(value);
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
    else if constexpr (is_valarray<T>) {
        using element = typename T::value_type;
        const std::size_t n = get_charged_count(bytes_min<element>(), sizeof(element));
        value.resize(n);
        if (n != 0)
            get_run(&value[0], n);
    }
    else if constexpr (is_specialization<T, std::pair>) {
        name_guard in{at_, "first"};
        get(const_cast<std::remove_const_t<typename T::first_type>&>(value.first));
        in.name = "second";
        get(value.second);
        in.is_done = true;
    }
    else if constexpr (is_specialization<T, std::tuple>) {
        std::size_t i = 0;
        index_guard in{at_, i};
        std::apply([&](auto&... members) { ((get(members), ++i), ...); }, value);
        in.is_done = true;
    }
    else if constexpr (is_specialization<T, std::optional>) {
        using content = typename T::value_type;
        if (!get_bool())
            value.reset();
        else if constexpr (is_built<load_archive, content>)
            get_built<content>([&](content&& built) { value.emplace(std::move(built)); });
        else if (value)
            get(*value); // As Boost: what the class does not load stays.
        else
            get(value.emplace());
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
    else if constexpr (is_borrowed<T>)
        get_borrowed(value);
    else if constexpr (is_pointer<T>)
        get_pointer(value);
    else {
        check_not_refused<T>();
        if constexpr (is_always_tracked<T> && !IsPointee)
            get_tracked(value);
        else if constexpr (IsOutermost)
            get_members(value);
        else
            get_body(value);
    }
}

/// Each class has an archive of its own, in registers: where its code is not inline, the outer
/// archive is in memory, and reading that for every member would cost more than these copies.
template <class T>
void load_archive::get_body(T& value)
{
    load_archive inner(nested{}, *this);
    const write_back back{*this, inner};
    inner.get_members(value);
}

template <class T>
void load_archive::get_members(T& value)
{
    detail::check_class<load_archive, T>();
    if (depth_ == 0) [[unlikely]]
        fail(errc::depth_limit);
    --depth_;
    place_ = 0;
    detail::visit_members(*this, value, class_version<T>());
    ++depth_;
}

template <class T>
unsigned load_archive::class_version()
{
    constexpr unsigned known = boost::serialization::version<T>::value;
    if constexpr (!detail::has_version<T>)
        return known;
    else if (has_table_) [[unlikely]]
        return detail::table_version(*state_, detail::class_cell_of<T>, known, typeid(T), offset());
    else
        return 0;
}

template <class Enum>
void load_archive::get_enum(Enum& value)
{
    using number = std::underlying_type_t<Enum>;
    if constexpr (std::is_same_v<number, bool>)
        value = static_cast<Enum>(get_bool());
    else {
        number image{};
        get_number(image);
        if constexpr (!detail::has_fixed_underlying_type<Enum>) {
            if (!detail::range_of_enum<Enum>.has(image)) [[unlikely]]
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
        const auto* text = reinterpret_cast<const character*>(at_);
        using detail::short_text_max;
        if (detail::copies_blocks && n <= short_text_max && left() >= short_text_max &&
            value.capacity() == short_text_max) {
            // They fit the string's own memory, so that nothing can throw.
            const auto allocator = value.get_allocator();
            std::destroy_at(&value);
            std::construct_at(&value, text, short_text_max, allocator);
            value.erase(n);
        }
        else
            detail::assign_text(value, text, n);
        at_ += n;
    }
    else {
        if (!detail::keeps_memory(value.capacity() * sizeof(character), n * sizeof(character)))
            String(value.get_allocator()).swap(value);
        value.resize(n);
        get_run(value.data(), n);
    }
}

} // namespace wharf
