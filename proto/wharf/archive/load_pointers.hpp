// How pointers are read: every object is owned from the moment it exists, and every reference is
// checked for the class that its pointer needs.
#pragma once

#include <wharf/archive/load_containers.hpp>
#include <wharf/archive/pointee.hpp>

namespace wharf {

namespace detail {
/// boost::shared_ptr<T>, named so that its header is needed only where such a pointer travels.
template <class Pointer, class T>
struct boost_shared {
    using type = boost::shared_ptr<T>;
};

/// The owner of `object`, which is the `base` of boost pointers, as what the table holds.
template <class Pointer, class T>
std::shared_ptr<void> own_by_boost(const class_entry& entry, void* object, T* base)
{
    const auto destroy = entry.destroy;
    const typename boost_shared<Pointer, T>::type owner(base,
                                                        [=](T*) noexcept { destroy(object); });
    return std::make_shared<typename boost_shared<Pointer, void>::type>(owner);
}
} // namespace detail

template <class T>
void load_archive::get_pointer(T& value)
{
    using namespace detail;
    using object_type = pointee_t<T>;
    check_pointer<T>();
    constexpr ownership kind = ownership_of<T>();
    if constexpr (kind == ownership::unique) {
        if constexpr (std::is_pointer_v<T>)
            value = get_unique<object_type>();
        else
            value.reset(get_unique<object_type>());
    }
    else {
        const std::uint32_t number = get_object<T>();
        if (number == load_objects::none) {
            value = T();
            return;
        }
        object_type* object = get_base<object_type>(number);
        const auto& owner = state_->objects[number].owner;
        if constexpr (kind == ownership::aliased)
            value = object;
        else if constexpr (kind == ownership::shared)
            value = std::shared_ptr<typename T::element_type>(owner, object);
        else {
            using owner_type = typename boost_shared<T, void>::type;
            value = typename boost_shared<T, typename T::element_type>::type(
                *static_cast<owner_type*>(owner.get()), object);
        }
    }
}

/// The object as the class of its pointer.
template <class T>
T* load_archive::get_base(std::uint32_t number)
{
    const auto& object = state_->objects[number];
    if constexpr (!detail::checks<detail::guard::reference>)
        return static_cast<T*>(object.address);
    T* base =
        detail::to_base<T>(static_cast<const detail::class_entry&>(*object.type), object.address);
    if (base == nullptr) [[unlikely]]
        fail(errc::bad_class);
    return base;
}

/// The class of a new object behind a pointer to T.
template <class T>
const detail::class_entry& load_archive::get_object_class()
{
    if constexpr (!std::is_polymorphic_v<T>)
        return detail::entry_of<T>();
    else if constexpr (std::is_abstract_v<T>)
        return get_class_entry(nullptr);
    else
        return get_class_entry(&detail::entry_of<T>());
}

/// The number of the object, loaded or referred to; `none` for null.
template <class Pointer>
std::uint32_t load_archive::get_object()
{
    using namespace detail;
    using T = pointee_t<Pointer>;
    constexpr ownership kind = ownership_of<Pointer>();
    const std::uint64_t tag = get_varint();
    if (tag == 0)
        return load_objects::none;
    load_objects& objects = make_state().objects;
    if (tag >= 2)
        return objects.refer(tag - 2, kind, is_weak<Pointer>, chain_max_, offset());
    const class_entry& entry = get_object_class<T>();
    charge(entry.bytes + load_objects::bytes_each);
    const std::uint32_t number = objects.add(entry, kind, objects_max_, offset());
    const std::uint32_t before = objects.enter(number);
    if (depth_ == 0) [[unlikely]]
        fail(errc::depth_limit);
    void* object = nullptr;
    if constexpr (kind == ownership::shared) {
        auto owner = entry.create_shared(*this);
        object = owner.get();
        objects[number].owner = std::move(owner);
    }
    else {
        made_object made(entry.create(*this), entry.destroy);
        object = made.get();
        if constexpr (kind == ownership::aliased) {
            objects.hold(object, entry);
            made.release();
        }
        else {
            T* base = to_base<T>(entry, object);
            if (base == nullptr) [[unlikely]]
                fail(errc::bad_class);
            objects[number].owner = own_by_boost<Pointer>(entry, made.release(), base);
        }
    }
    objects[number].address = object;
    get_base<T>(number);
    entry.load(*this, object);
    objects.leave(number, before, is_weak<Pointer>, chain_max_, offset());
    return number;
}

/// A new object that nothing refers to, or null.
template <class T>
T* load_archive::get_unique()
{
    using namespace detail;
    const std::uint64_t tag = get_varint();
    if (tag == 0)
        return nullptr;
    load_objects& objects = make_state().objects;
    if (tag >= 2)
        objects.refer(tag - 2, ownership::unique, false, chain_max_, offset());
    const class_entry& entry = get_object_class<T>();
    charge(entry.bytes + load_objects::bytes_each);
    const std::uint32_t number = objects.add(entry, ownership::unique, objects_max_, offset());
    const std::uint32_t before = objects.enter(number);
    if (depth_ == 0) [[unlikely]]
        fail(errc::depth_limit);
    made_object object(entry.create(*this), entry.destroy);
    T* base = to_base<T>(entry, object.get());
    if (base == nullptr) [[unlikely]]
        fail(errc::bad_class);
    entry.load(*this, object.get());
    objects.leave(number, before, false, chain_max_, offset());
    object.release();
    return base;
}

template <class T>
void load_archive::get_tracked(T& value)
{
    using namespace detail;
    const std::uint64_t tag = get_varint();
    load_objects& objects = make_state().objects;
    if (tag != 1) {
        objects.check_same_value(tag, &value, identity_of<T>, offset());
        return;
    }
    charge(load_objects::bytes_each);
    const std::uint32_t number =
        objects.add(identity_of<T>, ownership::value, objects_max_, offset());
    objects[number].address = &value;
    get_body(value);
}

/// Makes *object, in raw memory, from its construct data, or by its default constructor.
template <class T>
void load_archive::get_construct_data(T* object)
{
    if constexpr (!detail::is_built<load_archive, T>)
        ::new (static_cast<void*>(object)) T();
    else {
        if (depth_ == 0) [[unlikely]]
            fail(errc::depth_limit);
        --depth_;
        boost::serialization::load_construct_data_adl(*this, object, class_version<T>());
        ++depth_;
    }
}

/// What no default constructor makes is built aside, and then taken by moving it.
template <class T, class Take>
void load_archive::get_built(Take take)
{
    static_assert(
        std::is_move_constructible_v<T>,
        "wharf: what has no default constructor must be movable to be loaded as a part of "
        "something");
    union storage {
        storage() {}
        ~storage() {}
        T value;
    } room;
    get_construct_data(&room.value);
    struct destroy_at_exit {
        T* object;
        ~destroy_at_exit() { object->~T(); }
    } destroys{&room.value};
    get(room.value);
    take(std::move(room.value));
}

/// The same for an element, which takes at least one byte.
template <class T, class Take>
void load_archive::get_built_element(Take take)
{
    const std::byte* begun = at_;
    get_built<T>([&](T&& built) {
        if constexpr (detail::bytes_min<T>() == 0)
            get_pad(begun);
        take(std::move(built));
    });
}

} // namespace wharf
