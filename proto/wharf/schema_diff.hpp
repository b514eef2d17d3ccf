// What a change of a type does to those who still have the other one.
#pragma once

#include <wharf/schema_catalogue.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wharf {

/// Whether programs with the two types understand each other. Worse ones are greater.
enum class schema_verdict : std::uint8_t {
    ok,     ///< both ways messages give equal values, and the defaults where a member is not known
    warn,   ///< something is lost, or only one order of deployment works, or callers in JSON notice
    broken, ///< messages are refused, or read as something else; also where nothing can be proven
};

/// What changed. The first four are of a command.
enum class schema_change_kind : std::uint8_t {
    command_added,
    command_removed,
    stream_changed,   ///< what was one value is a stream of them, or the other way round
    deployment_order, ///< one part needs clients to be updated first, another part daemons
    field_added,      ///< with a new version of its class
    field_added_unversioned,
    field_removed, ///< with a new version
    field_removed_unversioned,
    field_renamed,
    field_retyped, ///< with a new version; without one it is a change of the type
    fields_reordered,
    version_raised, ///< and nothing else
    version_lowered,
    versions_unknown,      ///< what the newer class had at the older's version is not known
    older_version_changed, ///< what a class looks like at a version that both know
    step_down_broken,      ///< a version is not stored as it is loaded
    class_changed,         ///< whether the class has a version
    integer_width,
    integer_sign,
    real_width,
    text_encoding, ///< characters of another size, or whether they are checked
    text_or_bytes, ///< string, bytes, or a list of them
    enum_grown,
    enum_shrunk,
    enum_renumbered,
    enum_renamed,
    enum_or_integer,
    alternative_added,
    alternative_removed,
    alternatives_reordered,
    optional_changed, ///< optional or required
    container_changed,
    key_order_changed,
    array_size_changed,
    ownership_changed, ///< which pointers may refer to the object
    class_added,       ///< one more class behind a pointer
    class_removed,
    export_key_changed,
    type_changed, ///< into another kind
    became_opaque,
    opaque, ///< nothing is known of it
};

/// "ok", "warn", "break".
std::string_view to_name(schema_verdict verdict) noexcept;
/// "field_added".
std::string_view to_name(schema_change_kind kind) noexcept;

/// One change. A value.
struct schema_change {
    schema_verdict verdict = schema_verdict::ok;
    schema_change_kind kind = schema_change_kind::type_changed;
    std::string command; ///< or the name of a stored type
    std::string role;    ///< "argument", "reply", "items", "upload", "stored"; empty: the command
    std::string path;    ///< "argument.items[].price"
    std::string why;     ///< a sentence: what happens, and what to do
    bool operator==(const schema_change&) const = default;
};

/// Who writes messages of a type, and who reads them.
enum class schema_use : std::uint8_t {
    to_daemon, ///< arguments and uploads: clients write
    to_client, ///< replies and what they stream: daemons write
    stored,    ///< what was written before is read; nobody writes for older programs
};

/// What differs between a type and a later one; empty where nothing does. `command`, `role` and the
/// beginning of `path` are as given. Older ends are written to at their versions of each class, as
/// both ends of a conversation agree on. Names count in JSON and in the store only.
///
/// At most changes_max changes are told. Throws error: errc::bad_value where one is no schema,
/// errc::message_limit where they are too large to be compared. Safe in any thread.
std::vector<schema_change> compare_types(const schema_history& before, const schema_history& after,
                                         schema_use use, std::string_view command = {},
                                         std::string_view role = "type");

/// The same of all commands and stored types, in the order of their names. Stored types without a
/// name are compared with the later one that shares most members with them.
std::vector<schema_change> compare_catalogues(const schema_catalogue& before,
                                              const schema_catalogue& after);

/// The worst; ok of none.
schema_verdict worst_of(const std::vector<schema_change>& changes) noexcept;

/// As many changes as one type is said to have at most.
inline constexpr std::size_t changes_max = 1000;

} // namespace wharf
