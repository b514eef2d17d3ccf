// Classes that travel as their bytes in memory: quick, and bound to machines of one byte order.
#pragma once

#include <wharf/aggregate.hpp>
#include <wharf/archive/traits.hpp>

namespace wharf {

// To let a class travel as its memory image, so that a run of them is copied as one block:
//     template <>
//     inline constexpr bool wharf::is_memory_image<point> = true;
// before its first use in an archive. It takes the place of serialize(), has no version, and its
// layout is the wire's: members of fixed size, no padding, little-endian machines only.
//
// Any bytes of the right count are loaded. For a plain struct the archive proves that this is
// harmless: its members are numbers, enums of a fixed underlying type, arrays and structs of these.
// A class with constructors or private members cannot be looked into: whoever specialises
// promises that it has no bool, pointer, or other member of which some bytes are no value.

namespace detail {

struct list_members {
    template <class... Members>
    std::tuple<std::type_identity<Members>...> operator()(Members&...) const
    {
        return {};
    }
};

template <class T>
consteval std::size_t image_bytes();

template <class T>
consteval std::size_t struct_image_bytes()
{
    using members =
        decltype(members_of<member_count<T>>::visit(std::declval<T&>(), list_members{}));
    return []<class... Members>(std::type_identity<std::tuple<std::type_identity<Members>...>>) {
        return (std::size_t{0} + ... + image_bytes<Members>());
    }(std::type_identity<members>{});
}

/// The bytes of a member, without any padding inside of it.
template <class T>
consteval std::size_t image_bytes()
{
    static_assert(!std::is_same_v<T, bool>,
                  "wharf: a bool cannot be in a memory image, where it could be neither true nor "
                  "false: use std::uint8_t");
    static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T> && !std::is_reference_v<T>,
                  "wharf: a pointer cannot be in a memory image");
    if constexpr (std::is_array_v<T>)
        return std::extent_v<T> * image_bytes<std::remove_extent_t<T>>();
    else if constexpr (is_std_array<T>)
        return std::tuple_size_v<T> * image_bytes<typename T::value_type>();
    else if constexpr (is_number<T> || std::is_enum_v<T> || is_complex<T>) {
        static_assert(is_same_in_memory<T>(),
                      "wharf: this member has another size or another range elsewhere, so that it "
                      "cannot be in a memory image: use std::int32_t, std::int64_t and the like");
        return sizeof(T);
    }
    else if constexpr (plain_struct<T>)
        return struct_image_bytes<T>();
    else {
        static_assert(is_memory_image<T>, "wharf: this member cannot be in a memory image");
        return sizeof(T);
    }
}

template <class T>
consteval bool check_memory_image()
{
    static_assert(sizeof(T) == 0 || std::endian::native == std::endian::little,
                  "wharf: a memory image is little-endian, which this machine is not: give the "
                  "class a serialize()");
    static_assert(std::is_class_v<T> && std::is_trivially_copyable_v<T>,
                  "wharf: a memory image must be a trivially copyable class");
    if constexpr (plain_struct<T>)
        static_assert(struct_image_bytes<T>() == sizeof(T),
                      "wharf: a memory image must not have padding: add members in its place");
    else
        static_assert(std::has_unique_object_representations_v<T>,
                      "wharf: a memory image must not have padding, and no floating point member "
                      "unless it is a plain struct");
    return true;
}

} // namespace detail

} // namespace wharf
