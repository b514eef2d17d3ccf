// The commands of the objects service: values under keys that survive the daemon.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/schema.hpp>

#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

/// Durable objects. A value is an archive message, to_bytes(record), which the daemon keeps as it
/// arrived. Every change gives the object a new revision from one counter of the whole store, which
/// only grows. A reply means that the change is on disk.
///
/// An object knows its type by a fingerprint, schema::fingerprint(), whose schema the store keeps:
/// so that programs without the C++ type can show it, and others notice that it is not theirs.
/// <wharf/stored_objects.hpp> reads and writes records by their types.
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
/// A schema that is defined has at most this many bytes as a message.
inline constexpr std::size_t schema_bytes_max = 256u << 10;

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

/// A stored value, the revision that wrote it, and its type; 0: not known.
struct object {
    std::vector<std::byte> value;
    std::uint64_t revision = 0;
    std::uint64_t fingerprint = 0;
    bool operator==(const object&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(value) & BOOST_SERIALIZATION_NVP(revision);
        if (version > 0)
            ar& BOOST_SERIALIZATION_NVP(fingerprint);
    }
};

/// What a list says of one object; `size` is that of its value in bytes.
struct entry {
    std::string key;
    std::uint64_t revision = 0;
    std::uint64_t size = 0;
    std::uint64_t fingerprint = 0;
    bool operator==(const entry&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(revision) &
            BOOST_SERIALIZATION_NVP(size);
        if (version > 0)
            ar& BOOST_SERIALIZATION_NVP(fingerprint);
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

/// Stores a value under a key, whether or not there was one. errc::not_found where the fingerprint
/// is neither 0 nor that of a schema that was defined: define it, then put again.
struct put {
    using reply = written;
    static constexpr std::string_view name = "objects.put";
    std::string key;
    std::vector<std::byte> value;
    std::uint64_t fingerprint = 0;
    bool operator==(const put&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(value);
        if (version > 0)
            ar& BOOST_SERIALIZATION_NVP(fingerprint);
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
/// errc::conflict otherwise, with a text that gives the present revision; errc::not_found as of
/// put.
struct cas {
    using reply = written;
    static constexpr std::string_view name = "objects.cas";
    std::string key;
    std::uint64_t expected = 0;
    std::vector<std::byte> value;
    std::uint64_t fingerprint = 0;
    bool operator==(const cas&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(expected) &
            BOOST_SERIALIZATION_NVP(value);
        if (version > 0)
            ar& BOOST_SERIALIZATION_NVP(fingerprint);
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

/// Tells the store what a type looks like; the reply is its fingerprint, which the daemon computes.
/// Once is enough for all time; again does nothing. errc::bad_argument for what is no schema, is
/// opaque or has more than schema_bytes_max; errc::store_full where the store keeps as many schemas
/// as it may.
struct define {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "objects.define";
    schema type;
    bool operator==(const define&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(type);
    }
};

/// Asks for the schema of a fingerprint; errc::not_found when there is none. Who defined it may
/// have been anybody: names in it that the fingerprint does not cover, such as enumerators', are
/// theirs.
struct find_schema {
    using reply = schema;
    static constexpr std::string_view name = "objects.schema";
    std::uint64_t fingerprint = 0;
    bool operator==(const find_schema&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(fingerprint);
    }
};

/// What happened to an object.
enum class change_kind : std::uint8_t { put = 0, erase = 1 };

/// What a transaction did to one object.
struct change {
    change_kind kind = change_kind::put;
    std::string key;
    std::uint64_t size = 0;        ///< of the value, in bytes; 0 where it was erased
    std::uint64_t fingerprint = 0; ///< of the value's type; 0: not known, or erased
    /// The value, where it was asked for, is not larger than was asked for, and has not changed
    /// again meanwhile: then that later change follows.
    std::optional<std::vector<std::byte>> value;
    bool operator==(const change&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(kind) & BOOST_SERIALIZATION_NVP(key) &
            BOOST_SERIALIZATION_NVP(size) & BOOST_SERIALIZATION_NVP(fingerprint) &
            BOOST_SERIALIZATION_NVP(value);
    }
};

/// What one transaction did to the objects that are watched, each of them once. Without changes it
/// is a sign of life: nothing else happened to them up to this revision.
struct changes {
    std::uint64_t revision = 0;
    std::vector<change> list;
    bool operator==(const changes&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(revision) & boost::serialization::make_nvp("changes", list);
    }
};

/// Values larger than this are not sent by a watch: get them.
inline constexpr std::uint64_t watch_value_bytes_max = 64u << 10;

/// Sends each change, once it is on disk, of objects whose keys begin with `prefix` (empty: all):
/// every transaction as one item, in the order of revisions, none left out, none twice. It goes on
/// until the caller ends it. The first item comes at once; with nothing to tell there is one at
/// store.watch_heartbeat, so that silence means that the connection is gone.
///
/// To go on after an interruption, watch after the revision of the last item. To begin with what
/// there is, list, then watch after the page's revision.
///
/// errc::compacted where changes after that revision are not kept any more (store.watch_backlog_max
/// are, and none of before the daemon's start), where the store is older than that revision since
/// it was restored from a copy, and at any time where the caller reads so slowly that what it has
/// not got yet is not kept any more: the text says what was sent last. List again then.
/// errc::overloaded where there are store.watches_max already.
struct watch {
    using reply = stream_of<changes>;
    static constexpr std::string_view name = "objects.watch";
    std::string prefix;
    std::optional<std::uint64_t> after; ///< nothing: what happens from now on
    /// Send values up to this size, at most watch_value_bytes_max; 0: none.
    std::uint64_t value_bytes_max = 0;
    bool operator==(const watch&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(prefix) & BOOST_SERIALIZATION_NVP(after) &
            BOOST_SERIALIZATION_NVP(value_bytes_max);
    }
};

/// schema_of<T>().fingerprint(), computed once; 0: T is opaque. Any thread.
template <class T>
std::uint64_t fingerprint_of()
{
    static const std::uint64_t made = schema_of<T>().fingerprint();
    return made;
}

/// As people read it: sixteen digits in hexadecimal.
std::string fingerprint_text(std::uint64_t fingerprint);

/// The command that stores a record, with its type. Throws error where to_bytes() refuses the
/// record. The store must know the type: <wharf/stored_objects.hpp> sees to that.
template <class T>
put make_put(std::string key, const T& record)
{
    return {std::move(key), to_bytes(record), fingerprint_of<T>()};
}

/// The command that stores a record if the object is at the expected revision.
template <class T>
cas make_cas(std::string key, std::uint64_t expected, const T& record)
{
    return {std::move(key), expected, to_bytes(record), fingerprint_of<T>()};
}

namespace detail {

/// Throws errc::bad_class where no program could have written `stored` as an earlier or later
/// version of `wanted`, which says where they differ.
void check_same_type(const schema& stored, const schema& wanted, const std::type_info& as);
/// What is read without its schema. Throws errc::bad_class where `stored`, which was loaded and
/// stored again, holds all classes that have versions at those of `wanted`: then its fingerprint
/// differs because it is of another type.
void check_is_older(std::span<const std::byte> stored, std::span<const std::byte> again,
                    std::uint64_t fingerprint, const schema& wanted, const std::type_info& as);

template <class T>
bool has_type(std::uint64_t fingerprint)
{
    return fingerprint == 0 || fingerprint_of<T>() == 0 || fingerprint == fingerprint_of<T>();
}

} // namespace detail

/// The record that an object holds, which may have been stored as an older version of T. Throws
/// error where from_bytes() refuses the value: errc::newer_version, naming the class and both
/// numbers, where it was stored by a newer program; errc::bad_class where it has another type, even
/// if its bytes could be loaded. Where a class of T changed without a new version, and so nothing
/// but the schemas can tell whether it is another type, give the schema too.
template <class T>
T value_as(const object& from)
{
    T record = from_bytes<T>(std::span<const std::byte>(from.value));
    if (!detail::has_type<T>(from.fingerprint))
        detail::check_is_older(from.value, to_bytes(record), from.fingerprint, schema_of<T>(),
                               typeid(T));
    return record;
}

/// The same for an object whose schema is known, by find_schema. A class at the same version may
/// have members by other names, but not all of them, and not in another order.
template <class T>
T value_as(const object& from, const schema& stored)
{
    if (!detail::has_type<T>(from.fingerprint)) {
        const schema& own = schema_of<T>();
        const std::uint32_t version = stored.root().version;
        const bool is_older = version < own.root().version;
        detail::check_same_type(stored, is_older ? schema_of_version<T>(version) : own, typeid(T));
    }
    return from_bytes<T>(std::span<const std::byte>(from.value));
}

} // namespace wharf::objects

BOOST_CLASS_VERSION(wharf::objects::object, 1)
BOOST_CLASS_VERSION(wharf::objects::entry, 1)
BOOST_CLASS_VERSION(wharf::objects::put, 1)
BOOST_CLASS_VERSION(wharf::objects::cas, 1)
