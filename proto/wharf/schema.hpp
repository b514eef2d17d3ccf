// What a message of one type looks like, as data: what describe prints and JSON is translated by.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/schema/message_type.hpp>
#include <wharf/schema_type.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wharf {

/// The types of a message, found by walking serialize() over C++ objects. A value that travels:
/// it has a serialize() itself, and is stored beside objects that outlive a program.
///
/// Distinct objects: safe.
class schema {
public:
    /// Nothing is known.
    schema() : types_(1) {}
    /// Nothing is known, and why.
    static schema opaque(std::string why);
    /// The first type is the message's own. Places of parts that do not exist are not looked for:
    /// is_valid().
    explicit schema(std::vector<schema_type> types) : types_(std::move(types))
    {
        if (types_.empty())
            types_.resize(1);
    }

    /// types()[0] is the message's own; those behind it are parts of it. A type that contains
    /// itself refers back, so that recursion ends.
    const std::vector<schema_type>& types() const noexcept { return types_; }
    const schema_type& root() const noexcept { return types_.front(); }
    /// Throws std::out_of_range.
    const schema_type& at(std::uint32_t index) const { return types_.at(index); }

    /// Do all places that are named exist, and has each kind the parts that it needs? Else what a
    /// peer sent is no schema, and the functions below throw errc::bad_value.
    bool is_valid() const noexcept;
    /// Can messages be read by it: is no part opaque?
    bool is_walkable() const noexcept;
    /// Why not, with the path to the first opaque part: "items[].shape: branches on its values".
    std::string opaque_reason() const;

    /// The same for the same bytes on every compiler: structure, names of fields and versions, but
    /// no names of C++ or of enumerators, and no classes that are only behind pointers to their
    /// bases. Zero where a part is opaque. The hash is SipHash-2-4 with a fixed key.
    std::uint64_t fingerprint() const;

    /// One line: "{id: u64, name: string, tags: [string]}".
    std::string to_line() const;
    /// A class on each line, indented, as `wharfctl describe` prints it.
    std::string to_text() const;

    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("types", types_);
        if constexpr (Archive::is_loading::value)
            if (types_.empty())
                types_.resize(1);
    }

    bool operator==(const schema&) const = default;

private:
    std::vector<schema_type> types_;
};

/// A class version that cannot be stored for an older reader, or not be read.
struct version_problem {
    std::string type; ///< its name in C++
    std::uint32_t version = 0;
    std::string why;
};

namespace detail {
const schema& find_schema(const message_type& type);
schema make_schema_of_version(const message_type& type, std::uint32_t version);
std::vector<version_problem> find_version_problems(const message_type& type);
} // namespace detail

/// The schema of T at its newest version, walked once in this process and kept; or at an older one,
/// where T is a class with a version. Throws nothing but std::bad_alloc: what cannot be walked is
/// opaque. Any thread.
///
/// A type is walked by calling its serialize() with a store_archive that stores nothing, over a
/// default object, and then checked with objects that are loaded from made-up messages, so that a
/// serialize() that branches on values is noticed.
template <class T>
const schema& schema_of()
{
    return detail::find_schema(detail::message_type_of<T>);
}
template <class T>
schema schema_of_version(std::uint32_t version)
{
    return detail::make_schema_of_version(detail::message_type_of<T>, version);
}

/// Tries all versions of all classes in T, the last 256 of each, with the others at their newest:
/// what is stored at a version must load at it, to the last byte. Finds a save() that ignores its
/// version, for example. Empty: T can be stored for all older readers. Any thread.
template <class T>
std::vector<version_problem> check_versions()
{
    return detail::find_version_problems(detail::message_type_of<T>);
}

} // namespace wharf
