// The entry of each class, and how BOOST_CLASS_EXPORT makes it known.
#pragma once

#include <wharf/archive/load_boost_types.hpp>
#include <wharf/archive/load_pointers.hpp>
#include <wharf/archive/store_boost_types.hpp>
#include <wharf/archive/store_pointers.hpp>
#include <wharf/archive/type_shapes.hpp>

#include <boost/archive/detail/register_archive.hpp>
#include <boost/serialization/extended_type_info_typeid.hpp>
#include <boost/serialization/void_cast.hpp> // base_object() of a class with virtual functions

namespace wharf::detail {

/// What the entry of T points to.
template <class T>
struct class_functions {
    /// Makes an object in memory that std::allocate_shared gives, beside its counts.
    template <class U>
    struct allocator {
        using value_type = U;
        load_archive* archive;
        explicit allocator(load_archive& from) noexcept : archive(&from) {}
        template <class V>
        allocator(const allocator<V>& other) noexcept : archive(other.archive)
        {}
        U* allocate(std::size_t n) { return std::allocator<U>().allocate(n); }
        void deallocate(U* memory, std::size_t n) noexcept
        {
            std::allocator<U>().deallocate(memory, n);
        }
        void construct(T* object) { archive->get_construct_data(object); }
        void destroy(T* object) noexcept { object->~T(); }
        template <class V>
        bool operator==(const allocator<V>&) const noexcept
        {
            return true;
        }
    };

    static const char* key() { return boost::serialization::guid<T>(); }

    static void store(store_archive& archive, const void* address)
    {
        const T& object = *static_cast<const T*>(address);
        archive.put_construct_data(&object);
        archive.template put<true>(object);
        if constexpr (std::is_class_v<T> && has_version<T>)
            archive.state_->note_pointee(class_cell_of<T>);
    }

    static std::shared_ptr<void> create_shared(load_archive& archive)
    {
        if constexpr (has_own_new<T>)
            return std::shared_ptr<T>(static_cast<T*>(create(archive)), destroy_object<T>);
        else
            return std::allocate_shared<T>(allocator<T>(archive));
    }

    static void construct(load_archive& archive, T* object) { archive.get_construct_data(object); }

    static void* create(load_archive& archive)
    {
        struct memory_owner {
            void* memory;
            ~memory_owner()
            {
                if (memory != nullptr)
                    deallocate_for<T>(memory);
            }
        } owner{allocate_for<T>()};
        archive.get_construct_data(static_cast<T*>(owner.memory));
        return std::exchange(owner.memory, nullptr);
    }

    static void load(load_archive& archive, void* object)
    {
        archive.template get<true>(*static_cast<T*>(object));
    }

    static void throw_pointer(void* object) { throw static_cast<T*>(object); }
};

template <class T>
inline constinit const class_entry entry_cell{{&typeid(T)},
                                              sizeof(T),
                                              !is_never_tracked<T>,
                                              &class_functions<T>::key,
                                              &class_functions<T>::store,
                                              &class_functions<T>::create_shared,
                                              &class_functions<T>::create,
                                              &class_functions<T>::load,
                                              &destroy_object<T>,
                                              &shape_holder<object_of<T>>::value,
                                              &class_functions<T>::throw_pointer};

template <class T>
const class_entry& entry_of() noexcept
{
    return entry_cell<T>;
}

/// Registers T before main().
template <class T>
struct class_registration {
    class_registration() { register_class(entry_of<T>()); }
    static const class_registration instance;
};
template <class T>
const class_registration<T> class_registration<T>::instance{};

} // namespace wharf::detail

// BOOST_CLASS_EXPORT instantiates this for each exported class and each registered archive. It is a
// detail of Boost 1.81's export.hpp; a test would fail with another version that changes it.
namespace boost::archive::detail {

template <void (*)()>
struct instantiate_function;

template <class T>
struct ptr_serialization_support<wharf::store_archive, T> {
    [[gnu::used]] static void instantiate()
    {
        (void)&wharf::detail::class_registration<T>::instance;
    }
    using x = instantiate_function<&ptr_serialization_support::instantiate>;
};

} // namespace boost::archive::detail

BOOST_SERIALIZATION_REGISTER_ARCHIVE(wharf::store_archive)
