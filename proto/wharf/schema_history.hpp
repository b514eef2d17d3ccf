// What the classes of a message looked like at their older versions, as data.
#pragma once

#include <wharf/schema.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <vector>

namespace wharf {

/// What serialize() visits of a class when it is passed a version before its newest.
struct older_class {
    std::uint32_t type = 0; ///< place of the class, in schema::types()
    std::uint32_t version = 0;
    /// Place of the record (of one with construct data: constructed) that a message has at this
    /// version; opaque where the class is not stored as it is loaded.
    std::uint32_t layout = 0;
    bool operator==(const older_class&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(type) & BOOST_SERIALIZATION_NVP(version);
        ar& BOOST_SERIALIZATION_NVP(layout);
    }
};

/// A schema with all versions of its classes: what is needed to judge a change of the type. A value
/// that travels. Distinct objects: safe in different threads.
struct schema_history {
    /// As schema_of<T>(), and behind these types those that only older versions have.
    schema types;
    std::vector<older_class> older; ///< by class, oldest first
    bool operator==(const schema_history&) const = default;

    /// Do all places that are named exist?
    bool is_valid() const noexcept;
    /// The layout of the class at a place at a version; null where it is not known.
    const schema_type* find(std::uint32_t type, std::uint32_t version) const noexcept;

    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(types) & BOOST_SERIALIZATION_NVP(older);
    }
};

/// As many as BOOST_CLASS_VERSION can give. Of a class with more, which says its version in another
/// way (a date, say), so many of the newest are known.
inline constexpr std::uint32_t older_versions_max = 255;

namespace detail {
/// The oldest version that is looked at of a class of this one.
constexpr std::uint32_t oldest_version(std::uint32_t newest) noexcept
{
    return newest > older_versions_max ? newest - older_versions_max : 0;
}
/// Walked once in this process and kept.
const schema_history& find_history(const message_type& type);
} // namespace detail

/// The history of T, walked once in this process. Throws nothing but std::bad_alloc. Any thread.
template <class T>
const schema_history& schema_history_of()
{
    return detail::find_history(detail::message_type_of<T>);
}

} // namespace wharf
