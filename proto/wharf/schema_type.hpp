// One type in a schema.
#pragma once

#include <wharf/schema_kind.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace wharf {

/// A member of a class.
struct schema_field {
    std::string name; ///< of its NVP, or of an aggregate's member; "#0" by place where it has none
    std::uint32_t type = 0; ///< place in schema::types()
    bool is_base = false;   ///< base_object
    bool operator==(const schema_field&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(type);
        ar& BOOST_SERIALIZATION_NVP(is_base);
    }
};

/// A value of an enum that has a name.
struct schema_enumerator {
    std::string name;
    std::int64_t value = 0;
    bool operator==(const schema_enumerator&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(value);
    }
};

/// A class behind a pointer that may be its base.
struct schema_derived {
    /// That of BOOST_CLASS_EXPORT. Empty: the pointer's own class, without one, or a class that has
    /// only the number that a `registered` field gave it.
    std::string key;
    std::uint32_t type = 0;
    bool operator==(const schema_derived&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(type);
    }
};

/// A type, whose parts are other places in schema::types(). Each class has one place, however often
/// it is met; the place stands for it in the table of versions.
struct schema_type {
    schema_kind kind = schema_kind::opaque;
    std::uint8_t size = 0;
    bool is_signed = false;
    bool is_utf8 = false;
    bool is_unordered = false; ///< also ordered by address: not canonical
    bool is_multi = false;
    bool is_versioned = false;
    bool is_polymorphic = false;
    /// For pointers: what may refer to the object again, see "Pointers" in proto/README.md: 1
    /// nothing, 2 std::shared_ptr, 3 boost::shared_ptr, 4 raw pointers.
    std::uint8_t ownership = 0;
    std::uint32_t version = 0;
    std::uint64_t count = 0;
    std::string name; ///< opaque: why; record: the export key, if it has one
    /// Of a polymorphic pointer, the class that it points to, by which others are its derived ones.
    std::vector<std::uint32_t> parts;
    std::vector<schema_field> fields;
    /// Of values without a name there may be more.
    std::vector<schema_enumerator> values;
    /// Of a polymorphic pointer: each class that may be behind it, its own too.
    std::vector<schema_derived> derived;
    bool is_weak = false;
    bool is_untracked = false; ///< of a pointer: nothing refers to the object again, track_never
    /// Of keys that are not unordered: 0 ascending as numbers, strings as unsigned bytes and so on
    /// are; 1 descending; 2 by an order of the program's own.
    std::uint8_t order = 0;
    /// Of an enumeration whose values are fewer than its size has; both 0: all of them are.
    std::int64_t least = 0;
    std::uint64_t greatest = 0;
    bool operator==(const schema_type&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(kind) & BOOST_SERIALIZATION_NVP(size);
        ar& BOOST_SERIALIZATION_NVP(is_signed) & BOOST_SERIALIZATION_NVP(is_utf8);
        ar& BOOST_SERIALIZATION_NVP(is_unordered) & BOOST_SERIALIZATION_NVP(is_multi);
        ar& BOOST_SERIALIZATION_NVP(is_versioned) & BOOST_SERIALIZATION_NVP(is_polymorphic);
        ar& BOOST_SERIALIZATION_NVP(ownership) & BOOST_SERIALIZATION_NVP(version);
        ar& BOOST_SERIALIZATION_NVP(count) & BOOST_SERIALIZATION_NVP(name);
        ar& BOOST_SERIALIZATION_NVP(parts) & BOOST_SERIALIZATION_NVP(fields);
        ar& BOOST_SERIALIZATION_NVP(values) & BOOST_SERIALIZATION_NVP(derived);
        ar& BOOST_SERIALIZATION_NVP(is_weak) & BOOST_SERIALIZATION_NVP(is_untracked);
        ar& BOOST_SERIALIZATION_NVP(order) & BOOST_SERIALIZATION_NVP(least);
        ar& BOOST_SERIALIZATION_NVP(greatest);
    }
};

} // namespace wharf
