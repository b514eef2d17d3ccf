// What the archive asks of a class with serialize(): that it has one, its level, and its number in
// this program.
#pragma once

#include <wharf/archive/traits.hpp>

#include <boost/serialization/level.hpp>
#include <boost/serialization/serialization.hpp>
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
concept has_member_serialize = std::is_class_v<T> &&
    (std::is_final_v<T> || !requires { &serialize_name<T>::serialize; });

template <class Archive, class T>
concept has_serialize = has_member_serialize<T> || serialize_probe::has_free_serialize<Archive, T>;

template <class T>
inline constexpr int level_of = bs::implementation_level<T>::value;

template <class T>
inline constexpr bool is_wrapper = bs::is_wrapper<T>::type::value;

/// Does the version of T travel?
template <class T>
inline constexpr bool has_version = level_of<T> >= static_cast<int>(bs::object_class_info) &&
                                    !is_wrapper<T>;

/// boost::variant, whose header asks for track_always although it has no identity.
template <class T>
concept is_boost_variant = requires(const T& t)
{
    typename T::types;
    t.which();
};

/// The gate in front of every class: each refusal is a sentence.
template <class Archive, class T>
constexpr void check_class()
{
    static_assert(!std::is_union_v<T>, "wharf: a union cannot travel: use std::variant");
    static_assert(level_of<T> != static_cast<int>(bs::not_serializable),
                  "wharf: this class is marked not_serializable");
    static_assert(level_of<T> != static_cast<int>(bs::primitive_type),
                  "wharf: a class of level primitive_type is a memory image, which cannot travel: "
                  "give it a serialize()");
    static_assert(bs::tracking_level<T>::value != static_cast<int>(bs::track_always) ||
                      is_wrapper<T> || is_boost_variant<T>,
                  "wharf: a class with tracking level track_always cannot travel yet");
    if constexpr (!std::is_union_v<T> && level_of<T> != static_cast<int>(bs::not_serializable))
        static_assert(has_serialize<Archive, T>,
                      "wharf: this class has no serialize(): give it a member "
                      "template <class Archive> void serialize(Archive&, unsigned), or a free one");
}

/// Refuses with a sentence what the archive knows by name and cannot carry.
template <class T>
constexpr void check_not_refused()
{
    static_assert(!std::is_pointer_v<T>,
                  "wharf: a raw pointer cannot travel: store what it points to");
    static_assert(!std::is_member_pointer_v<T> && !std::is_null_pointer_v<T>,
                  "wharf: a pointer to a member or a null pointer constant cannot travel");
    static_assert(!is_specialization<T, std::shared_ptr>,
                  "wharf: std::shared_ptr cannot travel yet");
    static_assert(!is_specialization<T, std::weak_ptr>, "wharf: std::weak_ptr cannot travel yet");
    static_assert(!is_specialization<T, std::unique_ptr>,
                  "wharf: std::unique_ptr cannot travel yet");
    static_assert(!is_specialization<T, std::basic_string_view>,
                  "wharf: std::string_view does not own what it shows: store a std::string");
    static_assert(!std::is_floating_point_v<T>, "wharf: this floating point type cannot travel");
}

/// A number of the class in this process, from 1; given at its first use in any archive.
[[gnu::cold, gnu::noinline]] unsigned assign_class_slot(std::atomic<unsigned>& cell) noexcept;

template <class T>
inline constinit std::atomic<unsigned> class_slot_cell{0};

template <class T>
[[gnu::always_inline]] inline unsigned class_slot() noexcept
{
    const unsigned slot = class_slot_cell<T>.load(std::memory_order_relaxed);
    return slot != 0 ? slot : assign_class_slot(class_slot_cell<T>);
}

/// Slots below this have a bit in a register; the others are kept behind a pointer.
inline constexpr unsigned near_slots = 64;

} // namespace wharf::detail
