// What the archive can do with an object behind a pointer, by the class that it was made as.
#pragma once

#include <wharf/archive/class_info.hpp>
#include <wharf/archive/type_shape.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace wharf {
class store_archive;
class load_archive;
} // namespace wharf

namespace wharf::detail {

template <class T>
struct class_functions;

/// Two objects are of one type when they have the address of one identity.
struct class_identity {
    const std::type_info* type;
};

/// One for each class that is pointed to: exported, registered, or the pointer's own type.
struct class_entry : class_identity {
    std::size_t bytes; ///< of an object
    /// False: objects are written in full each time.
    bool is_tracked;
    /// The export key; null without one.
    const char* (*key)();
    /// Construct data and body; `object` is the most derived one.
    void (*store)(store_archive& archive, const void* object);
    /// A new object, built from its construct data.
    std::shared_ptr<void> (*create_shared)(load_archive& archive);
    void* (*create)(load_archive& archive);
    void (*load)(load_archive& archive, void* object);
    void (*destroy)(void* object) noexcept;
    const type_shape* shape;
    /// Throws `object` as a pointer to its class, which a handler catches as one to any base.
    void (*throw_pointer)(void* object);
    /// A small number of this process; 0 before the first use.
    mutable std::atomic<unsigned> number{0};
};

inline constexpr std::size_t class_key_bytes_max = 127;

/// The entry of T, without registering it.
template <class T>
const class_entry& entry_of() noexcept;

/// The identity of a class that is visited by value.
template <class T>
inline constinit const class_identity identity_of{&typeid(T)};

/// Any thread. Numbers are dense, from 1.
[[gnu::cold, gnu::noinline]] unsigned assign_class_number(const class_entry& entry) noexcept;
inline unsigned number_of(const class_entry& entry) noexcept
{
    const unsigned number = entry.number.load(std::memory_order_relaxed);
    return number != 0 ? number : assign_class_number(entry);
}

/// Makes the class known by its type and its key; again does nothing. Any thread. A key that two
/// classes have is remembered as such, and neither can be stored or loaded by it.
void register_class(const class_entry& entry);
/// Null where no class was registered.
const class_entry* find_class(const std::type_info& type);
const class_entry* find_class(std::string_view key);
/// Those with a key of their own, in the order of their keys.
std::vector<const class_entry*> keyed_classes();
/// The text of an error where two classes have this key, else empty.
std::string key_conflict(std::string_view key);
/// The same of any key: of the first, in their order.
std::string any_key_conflict();

/// The distance from the most derived object to its T, or where there is none, `no_base`.
inline constexpr std::ptrdiff_t no_base = PTRDIFF_MIN;

/// A pointer that is thrown is caught as a pointer to any public unambiguous base, virtual ones
/// too: the one conversion from a dynamic to a static type that the language does by itself.
template <class T>
[[gnu::cold, gnu::noinline]] std::ptrdiff_t find_base(const class_entry& entry, void* object)
{
    try {
        entry.throw_pointer(object);
    }
    catch (T* base) {
        return reinterpret_cast<char*>(base) - static_cast<char*>(object);
    }
    catch (...) {
    }
    return no_base;
}

/// The same, found once in a process. Any thread.
[[gnu::cold, gnu::noinline]] std::ptrdiff_t
known_base(const class_entry& entry, const std::type_info& base, void* object,
           std::ptrdiff_t (*find)(const class_entry&, void*));

/// The distances last found, of one thread. They are the same for all objects of a class.
struct base_cache {
    static constexpr unsigned size = 16;
    const class_entry* entries[size] = {};
    std::ptrdiff_t distances[size] = {};
};
template <class T>
inline constinit thread_local base_cache bases_of_thread{};

/// The T of a most derived object, or null where its class has none.
template <class T>
T* to_base(const class_entry& entry, void* object)
{
    if constexpr (!std::is_polymorphic_v<T>)
        return &entry == &entry_of<T>() ? static_cast<T*>(object) : nullptr;
    else {
        base_cache& cache = bases_of_thread<T>;
        const unsigned place = number_of(entry) % base_cache::size;
        if (cache.entries[place] != &entry) [[unlikely]] {
            cache.distances[place] = known_base(entry, typeid(T), object, &find_base<T>);
            cache.entries[place] = &entry;
        }
        if (cache.distances[place] == no_base) [[unlikely]]
            return nullptr;
        return reinterpret_cast<T*>(static_cast<char*>(object) + cache.distances[place]);
    }
}

/// The entries of the types last stored through a T, of one thread.
struct type_cache {
    static constexpr unsigned size = 16;
    const std::type_info* types[size] = {};
    const class_entry* entries[size] = {};
};
template <class T>
inline constinit thread_local type_cache types_of_thread{};

} // namespace wharf::detail
