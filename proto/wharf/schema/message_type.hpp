// The type of a message as data: how it looks, and how an object of it is made and loaded.
#pragma once

#include <wharf/archive.hpp>

#include <atomic>

namespace wharf {
class schema;
} // namespace wharf

namespace wharf::detail {

/// There is one for each type that is asked for, which costs nothing until its schema is.
struct message_type {
    const type_shape* shape;
    const object_functions* object;
    /// Null where no object can be made.
    void (*load)(load_archive& archive, void* value);
    /// What schema_of() made, for ever.
    mutable std::atomic<const schema*> made{nullptr};
};

template <class T>
[[gnu::cold]] void load_value(load_archive& archive, void* value)
{
    archive >> *static_cast<T*>(value);
}

template <class T>
consteval message_type make_message_type()
{
    if constexpr (std::is_default_constructible_v<T>)
        return {&shape_holder<T>::value, &object_functions_of<T>, &load_value<T>};
    else
        return {&shape_holder<T>::value, &object_functions_of<T>, nullptr};
}
template <class T>
inline constinit const message_type message_type_of = make_message_type<T>();

} // namespace wharf::detail
