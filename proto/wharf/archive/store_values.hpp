// How each type is written: one chain of choices made while compiling, before any serialize().
#pragma once

#include <wharf/archive/store_archive.hpp>

namespace wharf {

template <class T>
void store_archive::put_outermost(const T& value)
{
    // The copy does not escape, so that its pointers stay in registers.
    store_archive inner(nested{}, *this);
    detail::store_mark mark{.bytes = stored_bytes(), .seen = seen_};
    if (state_ != nullptr) [[unlikely]]
        detail::mark_state(*state_, mark);
    try {
        inner.put_element(value);
    }
    catch (...) {
        rewind(mark, inner.state_);
        throw;
    }
    at_ = inner.at_;
    limit_ = inner.limit_;
    seen_ = inner.seen_;
    state_ = inner.state_;
}

/// Every element of a container and every value of a message takes at least one byte, so that a
/// count never exceeds the bytes that are left, and a message that is used up has no value left.
template <class T>
void store_archive::put_element(const T& value)
{
    if constexpr (detail::bytes_min<T>() == 0) {
        const std::size_t before = stored_bytes();
        put(value);
        if (const std::size_t after = stored_bytes(); after == before || after == 1) [[unlikely]]
            put_number(std::uint8_t{0});
    }
    else
        put(value);
}

template <class T>
void store_archive::put_run(const T* first, std::size_t n)
{
    if constexpr (detail::is_block<T>)
        put_bytes(first, n * sizeof(T));
    else
        for (std::size_t i = 0; i < n; ++i)
            put_element(first[i]);
}

template <class T>
void store_archive::put(const T& value)
{
    using namespace detail;
    namespace bs = boost::serialization;
    if constexpr (is_nvp<T>)
        put(value.const_value());
    else if constexpr (std::is_same_v<T, bool>)
        put_number(static_cast<std::uint8_t>(value));
    else if constexpr (is_number<T>)
        put_number(value);
    else if constexpr (std::is_same_v<T, long double>) {
        const auto image = to_binary128(value);
        put_bytes(image.data(), image.size());
    }
    else if constexpr (std::is_enum_v<T>)
        put_enum(value);
    else if constexpr (std::is_same_v<T, std::string>)
        put_string(value);
    else if constexpr (is_string<T>) {
        put_varint(value.size());
        put_run(value.data(), value.size());
    }
    else if constexpr (is_vector_bool<T>) {
        put_varint(value.size());
        put_bits(value);
    }
    else if constexpr (is_vector<T>) {
        put_varint(value.size());
        put_run(value.data(), value.size());
    }
    else if constexpr (std::is_array_v<T>) {
        put_varint(std::extent_v<T>);
        put_run(&value[0], std::extent_v<T>);
    }
    else if constexpr (is_std_array<T>) {
        put_varint(value.size());
        put_run(value.data(), value.size());
    }
    else if constexpr (is_specialization<T, std::valarray>) {
        put_varint(value.size());
        if (value.size() != 0)
            put_run(&value[0], value.size());
    }
    else if constexpr (is_specialization<T, std::forward_list>) {
        put_varint(static_cast<std::uint64_t>(std::distance(value.begin(), value.end())));
        for (const auto& element : value)
            put_element(element);
    }
    else if constexpr (is_list<T> || is_map<T> || is_set<T>) {
        put_varint(value.size());
        for (const auto& element : value)
            put_element(element);
    }
    else if constexpr (is_specialization<T, std::pair>) {
        put(value.first);
        put(value.second);
    }
    else if constexpr (is_specialization<T, std::tuple>)
        std::apply([this](const auto&... members) { (put(members), ...); }, value);
    else if constexpr (is_specialization<T, std::optional>) {
        put_number(static_cast<std::uint8_t>(value.has_value()));
        if (value)
            put(*value);
    }
    else if constexpr (is_specialization<T, std::variant>) {
        if (value.valueless_by_exception()) [[unlikely]]
            fail_at(errc::bad_value, stored_bytes(), "a variant without a value");
        put_varint(value.index());
        std::visit([this](const auto& alternative) { put(alternative); }, value);
    }
    else if constexpr (std::is_same_v<T, std::monostate>)
        return;
    else if constexpr (is_duration<T>)
        put(value.count());
    else if constexpr (is_time_point<T>)
        put(value.time_since_epoch().count());
    else if constexpr (is_path<T>)
        put(value.native());
    else if constexpr (is_array_wrapper<T>)
        put_run(value.address(), value.count());
    else if constexpr (std::is_same_v<T, bs::collection_size_type>)
        put_varint(static_cast<std::size_t>(value));
    else if constexpr (std::is_same_v<T, bs::item_version_type>)
        return; // The version of an item travels with its class.
    else if constexpr (std::is_same_v<T, bs::library_version_type>)
        put_varint(static_cast<unsigned int>(value));
    else {
        check_not_refused<T>();
        put_class(value);
    }
}

template <class T>
void store_archive::put_class(const T& value)
{
    detail::check_class<store_archive, T>();
    if (depth_ == 0) [[unlikely]]
        detail::fail_at(errc::depth_limit, stored_bytes());
    --depth_;
    const unsigned version = note_class<T>();
    boost::serialization::serialize_adl(*this, const_cast<T&>(value), version);
    ++depth_;
}

template <class T>
unsigned store_archive::note_class()
{
    constexpr unsigned version = boost::serialization::version<T>::value;
    if constexpr (detail::has_version<T>) {
        const unsigned slot = detail::class_slot<T>();
        if (slot < detail::near_slots) [[likely]] {
            const std::uint64_t bit = std::uint64_t{1} << slot;
            if ((seen_ & bit) == 0) {
                if (version != 0 || state_ != nullptr) [[unlikely]]
                    state_ = detail::note_version(state_, seen_, version);
                seen_ |= bit;
            }
        }
        else
            state_ = detail::note_far_class(state_, seen_, slot, version);
    }
    return version;
}

template <class Bits>
void store_archive::put_bits(const Bits& bits)
{
    const std::size_t n = bits.size();
    ensure((n + 7) / 8);
    for (std::size_t i = 0; i < n; i += 8) {
        unsigned byte = 0;
        for (std::size_t j = 0; j < 8 && i + j < n; ++j)
            byte |= static_cast<unsigned>(bits[i + j]) << j;
        *at_++ = static_cast<std::byte>(byte);
    }
}

template <class Enum>
void store_archive::put_enum(Enum value)
{
    using number = std::underlying_type_t<Enum>;
    detail::check_enum<Enum>();
    if constexpr (std::is_same_v<number, bool>)
        put_number(static_cast<std::uint8_t>(value));
    else
        put_number(static_cast<number>(value));
}

} // namespace wharf
