// The commands of the objects service: values under keys that survive the daemon.
#pragma once

#include <wharf/archive.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Durable objects. A value is an archive message, to_bytes(record), which the daemon keeps as it
/// arrived. Every change gives the object a new revision from one counter of the whole store, which
/// only grows. A reply means that the change is on disk.
///
/// Errors of all of these: errc::bad_argument for a key, value or limit out of range, with the
/// reason; errc::store_full, store_busy, store_failed, store_corrupt; errc::overloaded with a hint
/// when the store's queue is full. All of these are values: distinct objects are safe in different
/// threads.
namespace wharf::objects {

/// A key has 1 to this many bytes, none of which is a control character. Keys are ordered by bytes.
inline constexpr std::size_t key_bytes_max = 1024;
/// Entries that one page of a list holds at most.
inline constexpr std::uint32_t page_entries_max = 1000;

/// The reply to a change: the revision that the store has given it.
struct written {
    std::uint64_t revision = 0;
    bool operator==(const written&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(revision);
    }
};

/// A stored value and the revision that wrote it.
struct object {
    std::vector<std::byte> value;
    std::uint64_t revision = 0;
    bool operator==(const object&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(value) & BOOST_SERIALIZATION_NVP(revision);
    }
};

/// What a list says of one object; `size` is that of its value in bytes.
struct entry {
    std::string key;
    std::uint64_t revision = 0;
    std::uint64_t size = 0;
    bool operator==(const entry&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(revision) &
            BOOST_SERIALIZATION_NVP(size);
    }
};

/// A part of a list, in the order of the keys. With `more`, ask again with `after` set to the last
/// key. `revision` is that of the whole store when the page was read.
struct page {
    std::vector<entry> entries;
    bool more = false;
    std::uint64_t revision = 0;
    bool operator==(const page&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(entries) & BOOST_SERIALIZATION_NVP(more) &
            BOOST_SERIALIZATION_NVP(revision);
    }
};

/// Stores a value under a key, whether or not there was one.
struct put {
    using reply = written;
    static constexpr std::string_view name = "objects.put";
    std::string key;
    std::vector<std::byte> value;
    bool operator==(const put&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(value);
    }
};

/// Asks for the value of a key; errc::not_found when there is none.
struct get {
    using reply = object;
    static constexpr std::string_view name = "objects.get";
    std::string key;
    bool operator==(const get&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(key);
    }
};

/// Stores a value if the object is at the expected revision; 0 expects that there is no object.
/// errc::conflict otherwise, with a text that gives the present revision.
struct cas {
    using reply = written;
    static constexpr std::string_view name = "objects.cas";
    std::string key;
    std::uint64_t expected = 0;
    std::vector<std::byte> value;
    bool operator==(const cas&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(expected) &
            BOOST_SERIALIZATION_NVP(value);
    }
};

/// Removes an object; errc::not_found when there is none, errc::conflict when it is not at the
/// expected revision.
struct erase {
    using reply = written;
    static constexpr std::string_view name = "objects.erase";
    std::string key;
    std::optional<std::uint64_t> expected;
    bool operator==(const erase&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(expected);
    }
};

/// Asks for the objects whose keys begin with `prefix` (empty: all), those above `after` only,
/// at most `limit` of them (1 to page_entries_max). A page may hold fewer and still have more.
struct list {
    using reply = page;
    static constexpr std::string_view name = "objects.list";
    std::string prefix;
    std::string after;
    std::uint32_t limit = 100;
    bool operator==(const list&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(prefix) & BOOST_SERIALIZATION_NVP(after) &
            BOOST_SERIALIZATION_NVP(limit);
    }
};

/// The command that stores a record. Throws error where to_bytes() refuses the record.
template <class T>
put make_put(std::string key, const T& record)
{
    return {std::move(key), to_bytes(record)};
}

/// The command that stores a record if the object is at the expected revision.
template <class T>
cas make_cas(std::string key, std::uint64_t expected, const T& record)
{
    return {std::move(key), expected, to_bytes(record)};
}

/// The record that an object holds. Throws error where from_bytes() refuses the value: it need not
/// have been stored as a T.
template <class T>
T value_as(const object& from)
{
    return from_bytes<T>(std::span<const std::byte>(from.value));
}

} // namespace wharf::objects
