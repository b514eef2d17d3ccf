// What serialize() functions ask of an archive beside values: alike in both directions.
#pragma once

#include <wharf/archive/class_entry.hpp>

#include <boost/serialization/library_version_type.hpp>

namespace wharf::detail {

/// The public base of both archives.
template <class Archive>
class archive_services {
public:
    /// The version of Boost's own format that Boost's headers are told.
    boost::serialization::library_version_type get_library_version() const noexcept
    {
        return boost::serialization::library_version_type(19);
    }
    unsigned get_flags() const noexcept { return 0; }

    /// Objects of class T, which needs no export key, may be behind pointers in this message. Both
    /// ends register the same classes in the same order.
    template <class T>
    void register_type(const T* = nullptr)
    {
        const class_entry& entry = entry_of<T>();
        register_class(entry);
        make_state().objects.name_class(entry);
    }
    /// The helper of this identifier and type, made at its first use in a message, gone with it.
    template <class Helper>
    Helper& get_helper(void* id = nullptr)
    {
        return make_state().helpers.template get<Helper>(id);
    }

    /// Makes `object` visible to the serialize() functions of all later messages, as the one
    /// context of its type. It must outlive the archive. Call it between values.
    template <class T>
    void set_context(T& object)
    {
        make_state().contexts.set(typeid(T), &object);
    }
    /// The context of this type; null where there is none.
    template <class T>
    T* context() const noexcept
    {
        const auto* state = static_cast<const Archive&>(*this).state_;
        return state == nullptr ? nullptr : static_cast<T*>(state->contexts.find(typeid(T)));
    }

private:
    friend Archive;
    archive_services() = default;

    auto& make_state() { return static_cast<Archive&>(*this).make_state(); }
};

} // namespace wharf::detail
