// What the archive asks of a class with serialize(): that it has one, its level, and its number in
// this program.
#pragma once

#include <wharf/aggregate.hpp>
#include <wharf/archive/refusals.hpp>
#include <wharf/archive/traits.hpp>

#include <boost/serialization/level.hpp>
#include <boost/serialization/serialization.hpp>
#include <boost/serialization/split_free.hpp> // Boost.DateTime uses it without including it
#include <boost/serialization/tracking.hpp>
#include <boost/serialization/version.hpp>
#include <boost/serialization/wrapper.hpp>

#include <atomic>

namespace wharf::detail {

namespace bs = boost::serialization;

/// Ties with Boost's own catch-all serialize(): a call that finds only these two is ambiguous, and
/// one that finds a function written for the class is not.
namespace serialize_probe {
template <class Archive, class T>
void serialize(Archive&, T&, const unsigned int);

template <class Archive, class T>
concept has_free_serialize = requires(Archive& archive, T& t, const bs::version_type version)
{
    serialize(archive, t, version);
};
} // namespace serialize_probe

/// Has T, or a base of it, a member of the name serialize, private ones included?
struct serialize_decoy {
    int serialize;
};
template <class T>
struct serialize_name : T, serialize_decoy {};
template <class T>
concept has_member_serialize = std::is_class_v<T> && !std::is_final_v<T> && !requires
{
    &serialize_name<T>::serialize;
};
/// Of a final class a private serialize() cannot be seen: one that is no plain struct must have it.
template <class Archive, class T>
concept has_final_serialize = std::is_final_v<T> &&
    (!plain_struct<T> || requires(Archive & archive, T& t) { t.serialize(archive, 0u); });

template <class Archive, class T>
concept has_serialize = has_member_serialize<T> || has_final_serialize<Archive, T> ||
    serialize_probe::has_free_serialize<Archive, T>;

template <class T>
inline constexpr int level_of = bs::implementation_level<T>::value;

template <class T>
inline constexpr bool is_wrapper = bs::is_wrapper<T>::type::value;

/// Does the version of T travel?
template <class T>
inline constexpr bool has_version = level_of<T> >= static_cast<int>(bs::object_class_info) &&
                                    !is_wrapper<T>;

/// An object of such a class takes a number wherever it is visited.
template <class T>
inline constexpr bool is_always_tracked = bs::tracking_level<T>::value ==
                                              static_cast<int>(bs::track_always) &&
                                          !is_wrapper<T> && !is_boost_variant<T>;

/// Objects of such a class, behind pointers, are written in full each time.
template <class T>
inline constexpr bool
    is_never_tracked = std::is_class_v<T>&& level_of<T> > static_cast<int>(bs::primitive_type) &&
                       bs::tracking_level<T>::value == static_cast<int>(bs::track_never);

/// As serialize_probe: ties with Boost's own functions, unless the class has better ones.
namespace construct_probe {
template <class Archive, class T>
void save_construct_data(Archive&, const T*, const unsigned int);
template <class Archive, class T>
void load_construct_data(Archive&, T*, const unsigned int);

template <class Archive, class T>
concept has_save_construct_data = requires(Archive& archive, const T* t, const bs::version_type v)
{
    save_construct_data(archive, t, v);
};
template <class Archive, class T>
concept has_load_construct_data = requires(Archive& archive, T* t, const bs::version_type v)
{
    load_construct_data(archive, t, v);
};
} // namespace construct_probe
using construct_probe::has_load_construct_data;
using construct_probe::has_save_construct_data;

/// Is an element of this type built by load_construct_data()? Else by its default constructor.
template <class Archive, class T>
inline constexpr bool is_built = std::is_class_v<T> &&
                                 (has_load_construct_data<Archive, T> ||
                                  (!std::is_default_constructible_v<T> && !is_pointer<T>));

/// The gate in front of every class: each refusal is a sentence.
template <class Archive, class T>
constexpr void check_class()
{
    static_assert(!std::is_union_v<T>, "wharf: a union cannot travel: use std::variant");
    static_assert(level_of<T> != static_cast<int>(bs::not_serializable),
                  "wharf: this class is marked not_serializable");
    static_assert(level_of<T> != static_cast<int>(bs::primitive_type),
                  "wharf: a class of level primitive_type has no serialize() in Boost either: give "
                  "it another level, or specialise wharf::is_memory_image");
    if constexpr (!std::is_union_v<T> && level_of<T> != static_cast<int>(bs::not_serializable))
        static_assert(has_serialize<Archive, T> || plain_struct<T> || is_of_library<T>(),
                      "wharf: this class has no serialize() and is no plain struct: give it a "
                      "member template <class Archive> void serialize(Archive&, unsigned), or a "
                      "free one");
    if constexpr (!std::is_union_v<T> && is_of_library<T>()) {
        if constexpr (has_serialize<Archive, T>)
            check_trusting_class<T>();
        else
            check_library_class<T>();
    }
}

template <class Archive>
struct visit_field {
    Archive& archive;
    template <class Field>
    [[gnu::always_inline]] inline void operator()(std::string_view name, Field& field) const
    {
        archive& bs::make_nvp(name.data(), field);
    }
};

/// The members of a class, as its serialize() visits them, or in order where it has none.
template <class Archive, class T>
[[gnu::always_inline]] inline void visit_members(Archive& archive, T& value, unsigned version)
{
    if constexpr (has_serialize<Archive, T>)
        bs::serialize_adl(archive, value, version);
    else if constexpr (plain_struct<T>)
        for_each_field(value, visit_field<Archive>{archive});
}

/// Slots below this have a bit in a register; the others are kept behind a pointer.
inline constexpr unsigned near_slots = 64;

/// The number of a class in this process, from 1, in the form in which stores need it: its bit
/// where the slot is near, else twice the slot and 1; 1 before the class's first use.
using class_cell = std::atomic<std::uint64_t>;
template <class T>
inline constinit class_cell class_cell_of{1};

/// The slot of a class, which gets one here at its first use in any archive. Any thread.
[[gnu::cold, gnu::noinline]] unsigned class_slot(class_cell& cell) noexcept;

} // namespace wharf::detail
