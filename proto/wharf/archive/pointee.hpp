// What may be behind a pointer, and how such an object is made and ended.
#pragma once

#include <wharf/archive/class_entry.hpp>
#include <wharf/archive/ownership.hpp>
#include <wharf/raw_pointers.hpp>

#include <boost/serialization/access.hpp>
#include <boost/serialization/extended_type_info.hpp>

#include <new>

namespace wharf::detail {

/// The type of the object that a pointer points to.
template <class Pointer>
struct pointee {
    using type = std::remove_cv_t<typename Pointer::element_type>;
};
template <class T>
struct pointee<T*> {
    using type = std::remove_cv_t<T>;
};
template <class Pointer>
using pointee_t = typename pointee<Pointer>::type;

template <class T>
inline constexpr bool is_shared =
    is_specialization<T, std::shared_ptr> || is_specialization<T, std::weak_ptr> ||
    is_specialization<T, boost::shared_ptr> || is_specialization<T, boost::weak_ptr>;
template <class T>
inline constexpr bool is_weak =
    is_specialization<T, std::weak_ptr> || is_specialization<T, boost::weak_ptr>;

/// A smart pointer to T[] or T[N], whose count nobody knows.
template <class Pointer>
inline constexpr bool points_to_array = false;
template <template <class...> class Pointer, class T, class... Others>
inline constexpr bool points_to_array<Pointer<T, Others...>> = std::is_array_v<T>;

template <class Pointer>
constexpr ownership ownership_of()
{
    if constexpr (is_specialization<Pointer, boost::shared_ptr> ||
                  is_specialization<Pointer, boost::weak_ptr>)
        return ownership::boost_shared;
    else if constexpr (is_shared<Pointer>)
        return ownership::shared;
    else if constexpr (std::is_pointer_v<Pointer>)
        return raw_pointers_of<pointee_t<Pointer>> == raw_pointers::aliased ? ownership::aliased
                                                                            : ownership::unique;
    else
        return ownership::unique;
}

template <class Pointer>
inline constexpr bool is_array_pointer = false;
template <class T, class Deleter>
inline constexpr bool is_array_pointer<std::unique_ptr<T[], Deleter>> = true;
template <template <class> class Pointer, class T>
inline constexpr bool is_array_pointer<Pointer<T[]>> = true;
template <template <class> class Pointer, class T, std::size_t N>
inline constexpr bool is_array_pointer<Pointer<T[N]>> = true;

/// The gate in front of every pointer: each refusal is a sentence.
template <class Pointer>
constexpr void check_pointer()
{
    using T = pointee_t<Pointer>;
    static_assert(!std::is_void_v<T>, "wharf: a pointer to void cannot travel: nothing says what "
                                      "it points to");
    static_assert(!std::is_function_v<T>, "wharf: a pointer to a function cannot travel");
    static_assert(!std::is_array_v<T> && !points_to_array<Pointer>,
                  "wharf: a pointer to an array of unknown bound cannot travel: store a "
                  "std::vector");
    static_assert(!is_pointer<T>, "wharf: a pointer to a pointer cannot travel");
    if constexpr (std::is_pointer_v<Pointer> && !std::is_void_v<T> && !std::is_function_v<T>)
        static_assert(raw_pointers_of<T> != raw_pointers::refused,
                      "wharf: a raw pointer cannot travel, as nothing says who deletes what it "
                      "points to: store the object, use a smart pointer, or specialise "
                      "wharf::raw_pointers_of for its class");
    if constexpr (is_specialization<Pointer, std::unique_ptr>)
        static_assert(
            is_specialization<typename Pointer::deleter_type, std::default_delete>,
            "wharf: a std::unique_ptr with a deleter of its own cannot travel: what is loaded was "
            "made by new");
    if constexpr (std::is_polymorphic_v<T> && !is_shared<Pointer>)
        static_assert(std::has_virtual_destructor_v<T> || std::is_final_v<T>,
                      "wharf: this class has virtual functions but no virtual destructor, so a "
                      "derived object could not be deleted through this pointer");
    if constexpr (is_shared<Pointer>)
        static_assert(!is_never_tracked<T>,
                      "wharf: a class of tracking level track_never cannot be shared");
}

template <class T>
concept has_own_new = requires
{
    T::operator new (std::size_t{});
};
/// Memory for one T, from the class's own operator new where it has one.
template <class T>
void* allocate_for()
{
    if constexpr (has_own_new<T>)
        return T::operator new(sizeof(T));
    else if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        return ::operator new(sizeof(T), std::align_val_t(alignof(T)));
    else
        return ::operator new(sizeof(T));
}
/// Gives back memory in which no T came to be.
template <class T>
void deallocate_for(void* memory) noexcept
{
    if constexpr (has_own_new<T>) {
        if constexpr (requires { T::operator delete(memory); })
            T::operator delete(memory);
        else
            T::operator delete(memory, sizeof(T));
    }
    else if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        ::operator delete(memory, std::align_val_t(alignof(T)));
    else
        ::operator delete(memory);
}

template <class T>
void destroy_object(void* object) noexcept
{
    if constexpr (std::is_class_v<T>)
        boost::serialization::access::destroy(static_cast<T*>(object));
    else
        delete static_cast<T*>(object);
}

/// Owns an object that nobody else owns yet.
using made_object = std::unique_ptr<void, void (*)(void*) noexcept>;

} // namespace wharf::detail
