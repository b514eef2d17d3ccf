// How pointers are written: an object in full where it is met first, then by its number.
#pragma once

#include <wharf/archive/pointee.hpp>
#include <wharf/archive/store_values.hpp>

namespace wharf {

namespace detail {

/// The entry of the class that the object was made as; null where that is not known here.
template <class T>
const class_entry* entry_of_object(const T& object, const store_objects& objects)
{
    if constexpr (!std::is_polymorphic_v<T>)
        return &entry_of<T>();
    else {
        const std::type_info& type = typeid(object);
        type_cache& cache = types_of_thread<T>;
        const auto place = reinterpret_cast<std::uintptr_t>(&type) / 16 % type_cache::size;
        if (cache.types[place] == &type) [[likely]]
            return cache.entries[place];
        const class_entry* entry = find_class(type);
        if constexpr (!std::is_abstract_v<T>)
            if (entry == nullptr && type == typeid(T))
                entry = &entry_of<T>();
        if (entry == nullptr)
            return objects.find_named(type);
        cache.types[place] = &type;
        cache.entries[place] = entry;
        return entry;
    }
}

template <class T>
const void* most_derived(const T& object) noexcept
{
    if constexpr (std::is_polymorphic_v<T>)
        return dynamic_cast<const void*>(&object);
    else
        return &object;
}

[[noreturn, gnu::cold, gnu::noinline]] void
fail_unregistered(const std::type_info& object, const std::type_info& pointer, std::size_t offset);

} // namespace detail

template <class T>
void store_archive::put_pointer(const T& value)
{
    using namespace detail;
    using object_type = pointee_t<T>;
    check_pointer<T>();
    constexpr ownership kind = ownership_of<T>();
    if constexpr (is_weak<T>) {
        const auto locked = value.lock();
        if (put_object<object_type>(locked.get(), kind, true) && locked.use_count() == 1)
            make_state().objects.keep(std::shared_ptr<const void>(locked.get(), [locked](auto) {}));
    }
    else if constexpr (is_shared<T>) {
        // Only this pointer owns it, and it may be a temporary of a save() function.
        if (put_object<object_type>(value.get(), kind, false) && value.use_count() == 1)
            make_state().objects.keep(std::shared_ptr<const void>(value.get(), [value](auto) {}));
    }
    else if constexpr (std::is_pointer_v<T>)
        put_object<object_type>(value, kind, false);
    else
        put_object<object_type>(value.get(), kind, false);
}

/// False where the object was written before, or there is none.
template <class T>
bool store_archive::put_object(const T* object, detail::ownership kind, bool is_weak)
{
    using namespace detail;
    if (object == nullptr) {
        put_number(std::uint8_t{0});
        return false;
    }
    store_objects& objects = make_state().objects;
    const class_entry* entry = entry_of_object(*object, objects);
    if (entry == nullptr) [[unlikely]]
        fail_unregistered(typeid(*object), typeid(T), stored_bytes());
    const void* address = most_derived(*object);
    std::uint32_t number = 0;
    if (entry->is_tracked) [[likely]] {
        const auto [known, is_new] = objects.insert(address, *entry, kind);
        if (!is_new) {
            put_reference(known, kind, is_weak);
            return false;
        }
        number = known;
    }
    else
        number = objects.add(kind);
    put_number(std::uint8_t{1});
    if constexpr (std::is_polymorphic_v<T>)
        put_class_name(*entry, typeid(T));
    if (depth_ == 0) [[unlikely]]
        fail_at(errc::depth_limit, stored_bytes());
    entry->store(*this, address);
    objects[number].is_complete = true;
    return true;
}

template <class T>
void store_archive::put_tracked(const T& value)
{
    using namespace detail;
    store_objects& objects = make_state().objects;
    const auto [number, is_new] = objects.insert(&value, identity_of<T>, ownership::value);
    if (!is_new) {
        put_varint(std::uint64_t{number} + 2);
        return;
    }
    put_number(std::uint8_t{1});
    put_body(value);
}

/// What load_construct_data() reads; nothing, unless the class has a save_construct_data().
template <class T>
void store_archive::put_construct_data(const T* object)
{
    if constexpr (detail::has_save_construct_data<store_archive, T>) {
        if (depth_ == 0) [[unlikely]]
            detail::fail_at(errc::depth_limit, stored_bytes());
        --depth_;
        boost::serialization::save_construct_data_adl(*this, object, note_class<T>());
        ++depth_;
    }
}

} // namespace wharf
