// How each type is written: one chain of choices made while compiling, before any serialize().
#pragma once

#include <wharf/archive/store_archive.hpp>

namespace wharf {

template <class T>
void store_archive::put_outermost(const T& value)
{
    if (at_ == nullptr) [[unlikely]] {
        bool is_begun = false;
        if constexpr (detail::is_nvp<T>)
            is_begun = begin_message(shape_of(value.const_value()),
                                     std::addressof(value.const_value()), value.name());
        else
            is_begun = begin_message(shape_of(value), std::addressof(value), nullptr);
        if (!is_begun)
            return;
    }
    // The copy does not escape, so that its pointers stay in registers.
    store_archive inner(nested{}, *this);
    const auto bytes = static_cast<std::size_t>(at_ - out_->end());
    detail::store_mark mark; // Set only where there is a state.
    if (state_ != nullptr) [[unlikely]]
        detail::mark_state(*state_, mark);
    try {
        inner.put_element<true>(value);
    }
    catch (...) {
        rewind(bytes, state_ != nullptr ? mark : detail::store_mark{}, inner.state_);
        detail::rethrow_stored();
    }
    at_ = inner.at_;
    limit_ = inner.limit_;
    seen_ = inner.seen_;
    state_ = inner.state_;
    if (state_ != nullptr) [[unlikely]]
        state_->objects.begin_value();
}

/// Every element of a container and every value of a message takes at least one byte, so that a
/// count never exceeds the bytes that are left, and a message that is used up has no value left.
template <bool IsOutermost, class T>
void store_archive::put_element(const T& value)
{
    if constexpr (detail::bytes_min<T>() == 0) {
        const std::byte* begun = at_;
        put<false, IsOutermost>(value);
        put_pad(begun);
    }
    else
        put<false, IsOutermost>(value);
}

/// What a load constructs anew: its construct data come first.
template <class T>
void store_archive::put_built(const T& value)
{
    put_construct_data(&value);
    put(value);
}

/// One element of a container of this type.
template <class Container, class Element>
void store_archive::put_item(const Element& each)
{
    if constexpr (detail::is_map<Container>) {
        using pair = std::pair<typename Container::key_type, typename Container::mapped_type>;
        [[maybe_unused]] const std::byte* begun = at_;
        put_built(each.first);
        put_built(each.second);
        if constexpr (detail::bytes_min<pair>() == 0)
            put_pad(begun);
    }
    else if constexpr (detail::has_save_construct_data<store_archive, Element>) {
        const std::byte* begun = at_;
        put_built(each);
        put_pad(begun);
    }
    else
        put_element(each);
}

/// The elements of a container of which no block can be copied.
template <class Container>
void store_archive::put_elements(const Container& all)
{
    if constexpr (!detail::is_leaf_container<Container>)
        put_branches(all);
    else if constexpr (detail::is_map<Container> || detail::is_set<Container>) {
        // The step behind a tree's last element climbs to its root for nothing.
        auto each = all.begin();
        for (std::size_t left = all.size(); left != 0;) {
            put_item<Container>(*each);
            if (--left != 0)
                ++each;
        }
    }
    else
        for (const auto& each : all)
            put_item<Container>(each);
}

/// As put_body(), for containers of what may be large.
template <class Container>
void store_archive::put_branches(const Container& all)
{
    store_archive inner(nested{}, *this);
    const write_back back{*this, inner};
    inner.put_each(all);
}

template <class Container>
void store_archive::put_each(const Container& all)
{
    using element = typename Container::value_type;
    if constexpr (detail::is_vector<Container>) {
        const element* each = all.data();
        detail::run_guard<element> in{at_, each, each};
        for (const element* last = each + all.size(); each != last; ++each)
            put_item<Container>(*each);
        in.is_done = true;
    }
    else if constexpr (detail::is_map<Container>) {
        std::size_t i = 0;
        detail::key_guard<typename Container::key_type> in{at_, i};
        for (const auto& each : all) {
            in.key = &each.first;
            put_item<Container>(each);
            ++i;
        }
        in.is_done = true;
    }
    else {
        std::size_t i = 0;
        detail::index_guard in{at_, i};
        for (const auto& each : all) {
            put_item<Container>(each);
            ++i;
        }
        in.is_done = true;
    }
}

template <class T>
void store_archive::put_run(const T* first, std::size_t n)
{
    if constexpr (detail::is_block<T>)
        put_bytes(first, n * sizeof(T));
    else if constexpr (detail::is_leaf<T>)
        for (std::size_t i = 0; i < n; ++i)
            put_element(first[i]);
    else {
        const T* element = first;
        detail::run_guard<T> in{at_, first, element};
        for (const T* last = first + n; element != last; ++element)
            put_element(*element);
        in.is_done = true;
    }
}

template <bool IsPointee, bool IsOutermost, class T>
void store_archive::put(const T& value)
{
    using namespace detail;
    namespace bs = boost::serialization;
    if constexpr (is_nvp<T>) {
        name_guard in{at_, value.name()};
        put<IsPointee, IsOutermost>(value.const_value());
        in.is_done = true;
    }
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
        if constexpr (is_block<typename T::value_type>)
            put_run(value.data(), value.size());
        else
            put_elements(value);
    }
    else if constexpr (std::is_array_v<T>) {
        put_varint(std::extent_v<T>);
        put_run(&value[0], std::extent_v<T>);
    }
    else if constexpr (is_std_array<T>) {
        put_varint(value.size());
        put_run(value.data(), value.size());
    }
    else if constexpr (is_valarray<T>) {
        put_varint(value.size());
        if (value.size() != 0)
            put_run(&value[0], value.size());
    }
    else if constexpr (is_specialization<T, std::forward_list>) {
        put_varint(static_cast<std::uint64_t>(std::distance(value.begin(), value.end())));
        put_elements(value);
    }
    else if constexpr (is_list<T> || is_map<T> || is_set<T>) {
        put_varint(value.size());
        put_elements(value);
    }
    else if constexpr (is_specialization<T, std::pair>) {
        name_guard in{at_, "first"};
        put(value.first);
        in.name = "second";
        put(value.second);
        in.is_done = true;
    }
    else if constexpr (is_specialization<T, std::tuple>) {
        std::size_t i = 0;
        index_guard in{at_, i};
        std::apply([&](const auto&... members) { ((put(members), ++i), ...); }, value);
        in.is_done = true;
    }
    else if constexpr (is_specialization<T, std::optional>) {
        put_number(static_cast<std::uint8_t>(value.has_value()));
        if (value)
            put_built(*value);
    }
    else if constexpr (is_specialization<T, std::variant>) {
        if (value.valueless_by_exception()) [[unlikely]]
            fail_at(errc::bad_value, stored_bytes(), "a variant without a value");
        put_varint(value.index());
        std::visit([this](const auto& alternative) { this->put_built(alternative); }, value);
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
    else if constexpr (is_borrowed<T>)
        put_borrowed(value);
    else if constexpr (is_pointer<T>)
        put_pointer(value);
    else {
        check_not_refused<T>();
        if constexpr (IsPointee)
            put_body(value);
        else
            put_class<IsOutermost>(value);
    }
}

template <bool IsOutermost, class T>
void store_archive::put_class(const T& value)
{
    if constexpr (detail::is_always_tracked<T>)
        put_tracked(value);
    else {
        if constexpr (IsOutermost)
            put_members(value);
        else
            put_body(value);
        if constexpr (detail::has_version<T>)
            if (state_ != nullptr) [[unlikely]]
                detail::check_conflict(*state_, detail::class_cell_of<T>, &value, typeid(T),
                                       stored_bytes());
    }
}

/// Each class has an archive of its own, in registers: where its code is not inline, the outer
/// archive is in memory, and reading that for every member would cost more than these copies.
template <class T>
void store_archive::put_body(const T& value)
{
    store_archive inner(nested{}, *this);
    const write_back back{*this, inner};
    inner.put_members(value);
}

template <class T>
void store_archive::put_members(const T& value)
{
    detail::check_class<store_archive, T>();
    if (depth_ == 0) [[unlikely]]
        detail::fail_at(errc::depth_limit, stored_bytes());
    --depth_;
    place_ = 0;
    constexpr unsigned newest = boost::serialization::version<T>::value;
    const unsigned version = note_class<T>();
    if (version != newest) [[unlikely]]
        put_older(value, version);
    else
        detail::visit_members(*this, const_cast<T&>(value), newest);
    ++depth_;
}

/// The archive does not escape to a function that is not inline: a copy of it does.
template <class T>
void store_archive::put_older(const T& value, unsigned version)
{
    store_archive inner(nested{}, *this);
    const write_back back{*this, inner};
    detail::class_visits<T>::visit(inner, &value, version);
}

template <class T>
unsigned store_archive::note_class()
{
    constexpr unsigned version = boost::serialization::version<T>::value;
    if constexpr (detail::has_version<T>) {
        const std::uint64_t form = detail::class_cell_of<T>.load(std::memory_order_relaxed);
        if ((form & 1) != 0 || ((version != 0 || state_ != nullptr) && (seen_ & form) == 0))
            [[unlikely]] {
            const detail::classes_met met =
                detail::note_class({state_, seen_}, detail::class_cell_of<T>, version);
            state_ = met.state;
            seen_ = met.seen;
            if constexpr (version != 0)
                if (state_->older != nullptr) [[unlikely]]
                    return state_->older->find(detail::class_cell_of<T>, version);
        }
        else
            seen_ |= form;
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
    if constexpr (std::is_same_v<number, bool>)
        put_number(static_cast<std::uint8_t>(value));
    else
        put_number(static_cast<number>(value));
}

} // namespace wharf
