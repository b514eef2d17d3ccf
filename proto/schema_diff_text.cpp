// Who is harmed by a change, and what they can do.
#include "schema_diff.hpp"

#include <algorithm>
#include <iterator>

namespace wharf {
namespace {

struct kind_text {
    const char* name;
    const char* remedy; ///< what to do where messages are refused or misread
};

constexpr const char* as_new_member =
    "add a member of the new type with a new version of the class, and keep the old one";
constexpr const char* raise_version =
    "raise BOOST_CLASS_VERSION, and let serialize() do what the version it is given says";

constexpr kind_text texts[] = {
    {"command_added", ""},
    {"command_removed", "serve it until no client calls it"},
    {"stream_changed", "give the new form a name of its own"},
    {"deployment_order", "change one part, deploy that, then the other"},
    {"field_added", ""},
    {"field_added_unversioned", raise_version},
    {"field_removed", "keep it as long as somebody reads it"},
    {"field_removed_unversioned", raise_version},
    {"field_renamed", "give the object its old name, or store it as another type"},
    {"field_retyped", "see that serialize() converts at the older version, with values that fit"},
    {"fields_reordered", "keep the order, or raise BOOST_CLASS_VERSION"},
    {"version_raised", ""},
    {"version_lowered", "never lower BOOST_CLASS_VERSION"},
    {"versions_unknown", "export both schemas from programs that know their older versions"},
    {"older_version_changed", "give serialize() back what it did at this version"},
    {"step_down_broken", "let save() write what load() reads at the version they are given"},
    {"class_changed", "leave the implementation level of the class as it is"},
    {"integer_width", as_new_member},
    {"integer_sign", as_new_member},
    {"real_width", as_new_member},
    {"text_encoding", as_new_member},
    {"text_or_bytes", as_new_member},
    {"enum_grown", "send the new value only to those who know it"},
    {"enum_shrunk", "keep the value in the enum, unused"},
    {"enum_renumbered", "give it back its number, and the next free one to what is new"},
    {"enum_renamed", ""},
    {"enum_or_integer", as_new_member},
    {"alternative_added", "send the new alternative only to those who know it"},
    {"alternative_removed", "keep the alternative, unused"},
    {"alternatives_reordered", "keep their order, and add new ones at the end"},
    {"optional_changed", as_new_member},
    {"container_changed", as_new_member},
    {"key_order_changed", as_new_member},
    {"array_size_changed", as_new_member},
    {"ownership_changed", "change all pointers to the class, or none"},
    {"class_added", "send the new class only to those who know it"},
    {"class_removed", "keep the class and its export key, unused"},
    {"export_key_changed", "give it back its export key"},
    {"type_changed", as_new_member},
    {"became_opaque", "see proto/SCHEMA.md for what makes a type opaque"},
    {"opaque", "see proto/SCHEMA.md for what makes a type opaque"},
};
static_assert(std::size(texts) == static_cast<std::size_t>(schema_change_kind::opaque) + 1);

/// The two ways of a message, and which of them goes wrong.
struct ways {
    const char* forward;  ///< who reads what the earlier program wrote
    const char* backward; ///< who reads what the later one writes
    const char* forward_first;
    const char* backward_first;
};

constexpr ways ways_of(schema_use use)
{
    if (use == schema_use::to_daemon)
        return {"new daemons, from old clients,", "old daemons, from new clients,",
                "update the daemons first", "update the clients first"};
    return {"new clients, from old daemons,", "old clients, from new daemons,",
            "update the clients first", "update the daemons first"};
}

using detail::schema_effect;

/// "is refused by old daemons, from new clients: update the daemons first".
std::string describe_one_way(const detail::schema_finding& finding, schema_use use)
{
    const ways way = ways_of(use);
    return finding.forward == schema_effect::refused
               ? std::string(way.forward) + " refuse what has it: " + way.backward_first
               : std::string(way.backward) + " refuse what has it: " + way.forward_first;
}

std::string describe_loss(const detail::schema_finding& finding, schema_use use)
{
    using kind = schema_change_kind;
    const bool is_stored = use == schema_use::stored;
    switch (finding.kind) {
    case kind::field_removed:
        return is_stored ? "its value in stored objects is not read any more"
                         : "its value is not read any more, and older programs get its default";
    case kind::field_retyped:
        return "values may not fit: " +
               std::string(texts[static_cast<std::size_t>(kind::field_retyped)].remedy);
    case kind::enum_grown: return "older programs get a value that has no name there";
    case kind::enum_shrunk: return "older programs send a value that has no name here";
    case kind::version_lowered:
        return "what was stored or written to a file is refused, and peers step down: " +
               std::string(texts[static_cast<std::size_t>(kind::version_lowered)].remedy);
    case kind::container_changed: return "the order of the elements is not kept";
    case kind::ownership_changed:
        return "what several pointers refer to may be refused, or gone: " +
               std::string(texts[static_cast<std::size_t>(kind::ownership_changed)].remedy);
    default: return "something is lost";
    }
}

} // namespace

std::string_view to_name(schema_verdict verdict) noexcept
{
    switch (verdict) {
    case schema_verdict::ok: return "ok";
    case schema_verdict::warn: return "warn";
    case schema_verdict::broken: return "break";
    }
    return "break";
}

std::string_view to_name(schema_change_kind kind) noexcept
{
    const auto i = static_cast<std::size_t>(kind);
    return i < std::size(texts) ? texts[i].name : "type_changed";
}

schema_verdict worst_of(const std::vector<schema_change>& changes) noexcept
{
    schema_verdict worst = schema_verdict::ok;
    for (const schema_change& each : changes)
        worst = std::max(worst, each.verdict);
    return worst;
}

namespace detail {

schema_change judge(const schema_finding& finding, schema_use use)
{
    const bool is_stored = use == schema_use::stored;
    const schema_effect backward = is_stored ? schema_effect::same : finding.backward;
    const schema_effect worst = std::max(finding.forward, backward);
    const std::string remedy = texts[static_cast<std::size_t>(finding.kind)].remedy;
    schema_change change;
    change.kind = finding.kind;
    change.why = finding.what + ": ";
    if (worst == schema_effect::misread) {
        change.verdict = schema_verdict::broken;
        change.why +=
            "each reads the other's messages as something else, or refuses them; " + remedy;
        if (is_stored)
            change.why =
                finding.what + ": stored objects are read as something else, or refused; " + remedy;
    }
    else if (worst == schema_effect::refused &&
             (is_stored || std::min(finding.forward, backward) == schema_effect::refused)) {
        change.verdict = schema_verdict::broken;
        change.why += (is_stored ? "stored objects that have it are refused; "
                                 : "each refuses the other's messages; ") +
                      remedy;
    }
    else if (worst == schema_effect::refused) {
        change.verdict = schema_verdict::warn;
        change.why += describe_one_way(finding, use);
    }
    else if (worst == schema_effect::unknown) {
        change.verdict = schema_verdict::warn;
        change.why += "nothing can be said of it; " + remedy;
    }
    else if (worst == schema_effect::lost) {
        change.verdict = schema_verdict::warn;
        change.why += describe_loss(finding, use);
    }
    else if (finding.is_json) {
        change.verdict = schema_verdict::warn;
        change.why += "programs in C++ do not notice; what is written in JSON must be changed";
    }
    else if (is_stored)
        change.why += "what is stored can be read";
    else
        change.why += "older programs do without it";
    return change;
}

} // namespace detail
} // namespace wharf
