// What a schema is made from: the static type of a value, and how its class is visited.
#pragma once

#include <wharf/archive/ownership.hpp>
#include <wharf/schema_kind.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <typeinfo>

namespace wharf {
class store_archive;
} // namespace wharf

namespace wharf::detail {

struct class_entry;
/// Of class_info.hpp.
using class_cell = std::atomic<std::uint64_t>;

/// How an object is made and destroyed where there is memory for it.
struct object_functions {
    std::size_t size;
    std::size_t alignment;
    /// A default object, or one of construct data that are zeros; null where neither is possible.
    void (*construct)(void* at);
    void (*destroy)(void* object) noexcept;
};

/// The functions of a class that has a serialize(), or none and is a plain struct.
struct class_shape {
    const std::type_info* type;
    class_cell* cell;
    std::uint32_t version; ///< the newest
    bool has_version;
    bool is_abstract;
    /// Calls serialize() with a version that may be an older one.
    void (*visit)(store_archive& archive, const void* object, unsigned version);
    /// save_construct_data(); null where there is none.
    void (*save_construct)(store_archive& archive, const void* object, unsigned version);
    const object_functions* object;
};

/// Values of an enum that may have names, and how the compiler spells them, in this order.
struct enum_shape {
    const char* spelled;
    const std::int64_t* values;
    std::uint32_t count;
    std::int64_t least;
    std::uint64_t greatest;
};

/// A type, as the archive sees it. All of it is known while compiling.
struct type_shape {
    schema_kind kind;
    std::uint8_t size = 0;
    bool is_signed = false;
    bool is_utf8 = false;
    bool is_unordered = false;
    bool is_multi = false;
    bool is_polymorphic = false;
    bool is_weak = false;
    bool is_untracked = false;
    bool is_silent = false; ///< is no field
    std::uint8_t order = 0;
    std::uint8_t ownership = 0;
    std::uint32_t part_count = 0;
    const type_shape* const* parts = nullptr;
    std::uint64_t count = 0;
    /// Where the value alone knows: of make_array and binary_object.
    std::uint64_t (*count_of)(const void* value) = nullptr;
    const class_shape* of_class = nullptr; ///< record, constructed
    const enum_shape* of_enum = nullptr;
    const char* why = nullptr; ///< opaque
    /// Of a memory image: the members' names, as many as parts.
    const char* const* names = nullptr;
    /// Where the parts of a value that may have classes in them are: the first element, or null.
    const void* (*part_of)(const void* value, unsigned part) = nullptr;
    /// Stores a value as an element of nothing.
    void (*put)(store_archive& archive, const void* value) = nullptr;
};

/// The shape of T. Not constexpr, so that types that contain themselves refer to it.
template <class T>
struct shape_holder {
    static const type_shape value;
};

/// T as it is elsewhere than in a member: what is behind a pointer, whose class has no tag, and
/// what is built from construct data.
template <class T>
struct object_of;
template <class T>
struct built;

/// What a store_archive tells instead of storing.
class visit_recorder {
public:
    /// A visited value; `name` is null where it has none.
    virtual void record(const type_shape& shape, const void* value, const char* name) = 0;
    /// save_binary().
    virtual void record_bytes(std::size_t n) = 0;

protected:
    ~visit_recorder() = default;
};

} // namespace wharf::detail
