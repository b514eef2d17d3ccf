// Walks two types side by side and notes each pair of parts that differs, once.
#include "schema_diff.hpp"

#include <wharf/error.hpp>

#include <algorithm>

namespace wharf::detail {
namespace {

using kind = schema_change_kind;
using enum schema_effect;

/// Schemas that strangers made may have as many pairs of parts as both have parts, multiplied.
constexpr std::size_t steps_max = 4u << 20;

std::vector<std::string> names_of(const schema_type& type)
{
    std::vector<std::string> names;
    for (const schema_field& field : type.fields)
        names.push_back(field.name);
    return names;
}

bool has_name(const schema_type& type, const std::string& name)
{
    return std::any_of(type.fields.begin(), type.fields.end(),
                       [&](const schema_field& field) { return field.name == name; });
}

std::string at_version(std::uint32_t version)
{
    return "at version " + std::to_string(version) + ", ";
}

std::string list_members(const schema_type& type)
{
    constexpr std::size_t shown_max = 12;
    std::string text;
    for (const std::string& name : names_of(type)) {
        if (text.size() > shown_max * 16) {
            text += ", ...";
            break;
        }
        text += (text.empty() ? "" : ", ") + name;
    }
    return text.empty() ? "none" : text;
}

bool is_byte_list(const schema& of, const schema_type& type)
{
    return type.kind == schema_kind::list && of.at(type.parts[0]).kind == schema_kind::integer &&
           of.at(type.parts[0]).size == 1;
}

/// Does every integer of one type fit the other?
bool holds(const schema_type& outer, const schema_type& inner)
{
    return outer.kind == schema_kind::integer && inner.kind == schema_kind::integer &&
           (outer.is_signed == inner.is_signed ? outer.size >= inner.size
                                               : outer.is_signed && outer.size > inner.size);
}

bool is_bytes(const schema_type& type)
{
    return type.kind == schema_kind::bytes || (type.kind == schema_kind::string && type.size == 1);
}

} // namespace

bool has_versions(const schema& of) noexcept
{
    return std::any_of(of.types().begin(), of.types().end(), [](const schema_type& type) {
        return type.kind == schema_kind::record && type.is_versioned && type.version != 0;
    });
}

void type_comparison::spend(std::size_t n)
{
    steps_ += n;
    if (steps_ > steps_max)
        throw error(errc::message_limit, "the two schemas are too large to be compared");
}

void type_comparison::reach(place before, place after, std::string step)
{
    spend();
    if (met_.emplace(before, after).second)
        pairs_.push_back({before, after, at_, std::move(step)});
}

std::string type_comparison::path() const
{
    constexpr std::size_t steps_shown_max = 64;
    std::vector<std::size_t> way;
    for (std::size_t at = at_; at != 0 && way.size() < steps_shown_max; at = pairs_[at].from)
        way.push_back(at);
    std::string text = role_;
    for (auto each = way.rbegin(); each != way.rend(); ++each)
        text += pairs_[*each].step;
    return text;
}

void type_comparison::report(schema_finding finding, const std::string& member)
{
    if (changes_.size() == changes_max)
        return;
    schema_change change = judge(finding, use_);
    change.path = path() + (member.empty() ? "" : "." + member);
    change.role = role_;
    if (std::find(changes_.begin(), changes_.end(), change) == changes_.end())
        changes_.push_back(std::move(change));
}

std::vector<schema_change> type_comparison::run(std::string_view command, std::string_view role)
{
    if (!before_.is_valid() || !after_.is_valid())
        throw error(errc::bad_value, "this is no schema");
    role_ = role;
    pairs_.push_back({0, 0, 0, ""});
    met_.emplace(0, 0);
    for (at_ = 0; at_ < pairs_.size(); ++at_)
        compare();
    for (schema_change& each : changes_)
        each.command = command;
    return std::move(changes_);
}

void type_comparison::compare()
{
    const place before = pairs_[at_].before, after = pairs_[at_].after;
    const schema_type& old_type = old_at(before);
    const schema_type& new_type = new_at(after);
    std::vector<schema_finding> found;
    if ((is_byte_list(before_.types, old_type) && is_bytes(new_type)) ||
        (is_bytes(old_type) && is_byte_list(after_.types, new_type))) {
        found.push_back({kind::text_or_bytes, new_type.is_utf8 ? refused : same,
                         old_type.is_utf8 ? refused : same,
                         "it is " + describe_kind(new_type) + ", was " + describe_kind(old_type),
                         true});
        if (use_ == schema_use::stored)
            found.front().forward = refused;
        report(std::move(found.front()));
        return;
    }
    const bool have_parts = kind_comparison(old_type, new_type).run(found);
    // What is opaque on both sides is as little known as before.
    if (old_type.kind == schema_kind::opaque && new_type.kind == schema_kind::opaque)
        return;
    // The store refuses what has another kind, even where its bytes could be read.
    const bool is_refused =
        use_ == schema_use::stored &&
        (old_type.kind != new_type.kind || old_type.size != new_type.size ||
         old_type.is_signed != new_type.is_signed || old_type.count != new_type.count ||
         old_type.ownership != new_type.ownership);
    for (schema_finding& each : found) {
        if (is_refused)
            each.forward = std::max(each.forward, refused);
        report(std::move(each));
    }
    if (have_parts)
        compare_parts(old_type, new_type);
}

void type_comparison::compare_parts(const schema_type& before, const schema_type& after)
{
    switch (before.kind) {
    case schema_kind::record: compare_classes(pairs_[at_].before, pairs_[at_].after); return;
    case schema_kind::variant: compare_alternatives(before, after); return;
    case schema_kind::constructed: compare_members(before, after); break;
    case schema_kind::pointer:
        if (before.is_polymorphic) {
            compare_derived(before, after);
            return;
        }
        break;
    default: break;
    }
    if (before.kind == schema_kind::tuple && before.parts.size() != after.parts.size()) {
        report({kind::type_changed, misread, misread,
                "it has " + std::to_string(after.parts.size()) + " parts, had " +
                    std::to_string(before.parts.size()),
                false});
        return;
    }
    const bool is_many = before.kind == schema_kind::list || before.kind == schema_kind::set ||
                         before.kind == schema_kind::array || before.kind == schema_kind::run;
    for (std::size_t i = 0; i < std::min(before.parts.size(), after.parts.size()); ++i) {
        std::string step = is_many ? "[]" : "";
        if (before.kind == schema_kind::map)
            step = i == 0 ? "[key]" : "[]";
        else if (before.kind == schema_kind::tuple)
            step = ".#" + std::to_string(i);
        reach(before.parts[i], after.parts[i], std::move(step));
    }
}

void type_comparison::compare_alternatives(const schema_type& before, const schema_type& after)
{
    const auto text = [](const schema_type& type) { return std::to_string(type.parts.size()); };
    const std::string counts = "it has " + text(after) + " alternatives, had " + text(before);
    // Where an alternative is now in another place: the number on the wire says the place.
    std::vector<bool> is_taken(after.parts.size());
    bool is_moved = false;
    for (std::size_t i = 0; i < before.parts.size() && !is_moved; ++i) {
        if (i < after.parts.size() && are_alike(before.parts[i], after.parts[i]))
            continue;
        for (std::size_t j = 0; j < after.parts.size() && !is_moved; ++j)
            is_moved = j != i && are_alike(before.parts[i], after.parts[j]) &&
                       !(j < before.parts.size() && are_alike(before.parts[j], after.parts[j]));
    }
    if (is_moved) {
        report({kind::alternatives_reordered, misread, misread,
                "alternatives have other numbers; " + counts, false});
        return;
    }
    if (before.parts.size() < after.parts.size())
        report({kind::alternative_added, same, refused, counts, false});
    if (before.parts.size() > after.parts.size())
        report({kind::alternative_removed, refused, same, counts, false});
    for (std::size_t i = 0; i < std::min(before.parts.size(), after.parts.size()); ++i)
        reach(before.parts[i], after.parts[i], ".#" + std::to_string(i));
}

void type_comparison::compare_derived(const schema_type& before, const schema_type& after)
{
    const auto find = [](const schema_type& in, const std::string& key) -> const schema_derived* {
        const auto found = std::find_if(in.derived.begin(), in.derived.end(),
                                        [&](const auto& each) { return each.key == key; });
        return found == in.derived.end() ? nullptr : &*found;
    };
    const auto quoted = [](const std::string& key) {
        return key.empty() ? std::string("a class without a key") : '"' + key + '"';
    };
    for (const schema_derived& each : before.derived) {
        spend(after.derived.size());
        if (const schema_derived* now = find(after, each.key)) {
            reach(each.type, now->type, "<" + each.key + ">");
            continue;
        }
        const auto renamed = std::find_if(after.derived.begin(), after.derived.end(),
                                          [&](const schema_derived& other) {
                                              return find(before, other.key) == nullptr &&
                                                     are_alike(each.type, other.type, false);
                                          });
        if (renamed != after.derived.end())
            report({kind::export_key_changed, refused, refused,
                    quoted(each.key) + " has the export key " + quoted(renamed->key), false});
        else
            report({kind::class_removed, refused, same, quoted(each.key) + " is gone", false});
    }
    for (const schema_derived& each : after.derived) {
        if (find(before, each.key) != nullptr)
            continue;
        const bool is_renamed = std::any_of(
            before.derived.begin(), before.derived.end(), [&](const schema_derived& other) {
                return find(after, other.key) == nullptr && are_alike(other.type, each.type, false);
            });
        if (!is_renamed)
            report({kind::class_added, same, refused, quoted(each.key) + " is new", false});
    }
}

void type_comparison::compare_classes(place before, place after)
{
    const schema_type& old_type = old_at(before);
    const schema_type& new_type = new_at(after);
    if (old_type.is_versioned != new_type.is_versioned) {
        // Where all versions are 0 there is no table that could have one entry more.
        const bool has_table = has_versions(before_.types) || has_versions(after_.types);
        const schema_effect effect = use_ == schema_use::stored || has_table ? refused : same;
        report({kind::class_changed, effect, effect,
                new_type.is_versioned ? "its class has a version, had none"
                                      : "its class has no version, had one",
                false});
    }
    if (old_type.version == new_type.version)
        compare_members(old_type, new_type);
    else
        compare_versions(before, after);
    const std::uint32_t common = std::min(old_type.version, new_type.version);
    for (std::uint32_t v = oldest_version(common); v < common; ++v)
        compare_older(before, after, v);
}

void type_comparison::compare_versions(place before, place after)
{
    const schema_type& old_type = old_at(before);
    const schema_type& new_type = new_at(after);
    const std::uint32_t common = std::min(old_type.version, new_type.version);
    const std::string numbers =
        "version " + std::to_string(new_type.version) + ", was " + std::to_string(old_type.version);
    const schema_type* had = before_.find(before, common);
    const schema_type* has = after_.find(after, common);
    bool is_same = true;
    if (had == nullptr || has == nullptr)
        report({kind::versions_unknown, unknown, unknown,
                numbers + ", and what it looks like at version " + std::to_string(common) +
                    " is not known",
                false});
    else
        is_same = compare_layouts(*had, *has, common);
    if (new_type.version < old_type.version) {
        // Written before: at a version that is unknown now, unless both ends agree on another.
        report({kind::version_lowered, use_ == schema_use::stored ? refused : lost, same, numbers,
                false});
        return;
    }
    const std::size_t told = changes_.size();
    if (is_same)
        compare_newest(old_type, new_type);
    if (is_same && told == changes_.size())
        report({kind::version_raised, same, same, numbers, false});
}

/// A version that neither writes by itself any more, but for those who know no later one.
void type_comparison::compare_older(place before, place after, std::uint32_t version)
{
    const schema_type* had = before_.find(before, version);
    const schema_type* has = after_.find(after, version);
    if (had != nullptr && has != nullptr)
        compare_layouts(*had, *has, version);
}

/// Of a version that both know: the same bytes? Members may have other names then.
bool type_comparison::compare_layouts(const schema_type& before, const schema_type& after,
                                      std::uint32_t version)
{
    if (before.kind == schema_kind::opaque || after.kind == schema_kind::opaque) {
        const bool is_new = after.kind == schema_kind::opaque;
        if (is_new && before.kind != schema_kind::opaque)
            report({kind::step_down_broken, refused, refused,
                    at_version(version) + "it is not stored as it is loaded: " + after.name,
                    false});
        return false;
    }
    bool is_same = before.kind == after.kind && before.fields.size() == after.fields.size();
    for (std::size_t i = 0; is_same && i < before.fields.size(); ++i) {
        spend(before.fields.size());
        const std::string& had = before.fields[i].name;
        const std::string& has = after.fields[i].name;
        is_same = had == has || (!has_name(after, had) && !has_name(before, has));
    }
    if (!is_same) {
        report({kind::older_version_changed, misread, misread,
                at_version(version) + "its members are: " + list_members(after) +
                    "; they were: " + list_members(before),
                false});
        return false;
    }
    for (std::size_t i = 0; i < before.fields.size(); ++i)
        reach(before.fields[i].type, after.fields[i].type, "." + before.fields[i].name);
    if (before.kind == schema_kind::constructed)
        return compare_layouts(old_at(before.parts[0]), new_at(after.parts[0]), version);
    return true;
}

void type_comparison::compare_members(const schema_type& before, const schema_type& after)
{
    if (before.fields.size() != after.fields.size()) {
        compare_numbers_of_members(before, after);
        return;
    }
    std::vector<schema_finding> renamed;
    bool is_any_kept = before.fields.empty();
    for (std::size_t i = 0; i < before.fields.size(); ++i) {
        spend(before.fields.size());
        const std::string& had = before.fields[i].name;
        const std::string& has = after.fields[i].name;
        if (had == has)
            is_any_kept = true;
        else if (has_name(after, had) || has_name(before, has)) {
            report(
                {kind::fields_reordered, misread, misread,
                 "its members are: " + list_members(after) + "; they were: " + list_members(before),
                 false});
            return;
        }
    }
    for (std::size_t i = 0; i < before.fields.size(); ++i) {
        const std::string& had = before.fields[i].name;
        const std::string& has = after.fields[i].name;
        if (had != has)
            report({kind::field_renamed,
                    !is_any_kept && use_ == schema_use::stored ? refused : same, same,
                    "it has the name " + has, true},
                   had);
        reach(before.fields[i].type, after.fields[i].type, "." + had);
    }
}

/// At the same version: whoever reads the other's bytes goes wrong from there on.
void type_comparison::compare_numbers_of_members(const schema_type& before,
                                                 const schema_type& after)
{
    spend(before.fields.size() * after.fields.size() + 1);
    const std::size_t told = changes_.size();
    for (const std::string& name : names_of(after))
        if (!has_name(before, name))
            report({kind::field_added_unversioned, misread, misread,
                    "it is new, and its class has no new version", false},
                   name);
    for (const std::string& name : names_of(before))
        if (!has_name(after, name))
            report({kind::field_removed_unversioned, misread, misread,
                    "it is gone, and its class has no new version", false},
                   name);
    if (told == changes_.size())
        report({kind::type_changed, misread, misread, "it has another number of members", false});
}

/// What the newer version has more, or less. Bytes were compared at the version of the older end.
void type_comparison::compare_newest(const schema_type& before, const schema_type& after)
{
    spend(before.fields.size() * after.fields.size() + 1);
    for (std::size_t i = 0; i < after.fields.size(); ++i) {
        const schema_field& field = after.fields[i];
        const auto had = std::find_if(before.fields.begin(), before.fields.end(),
                                      [&](const auto& each) { return each.name == field.name; });
        const bool is_renamed = had == before.fields.end() && i < before.fields.size() &&
                                !has_name(after, before.fields[i].name) &&
                                are_alike(before.fields[i].type, field.type);
        if (is_renamed)
            report({kind::field_renamed, same, same, "it has the name " + field.name, true},
                   before.fields[i].name);
        else if (had == before.fields.end())
            report({kind::field_added, same, same, "it is new", false}, field.name);
        else if (!are_alike(had->type, field.type)) {
            const schema_type& was = old_at(had->type);
            const schema_type& is = new_at(field.type);
            const bool are_integers =
                was.kind == schema_kind::integer && is.kind == schema_kind::integer;
            report({kind::field_retyped, holds(is, was) ? same : lost, holds(was, is) ? same : lost,
                    "it is " + describe_kind(is) + ", was " + describe_kind(was), !are_integers},
                   field.name);
        }
    }
    for (std::size_t i = 0; i < before.fields.size(); ++i) {
        const schema_field& field = before.fields[i];
        const bool is_renamed = i < after.fields.size() &&
                                !has_name(before, after.fields[i].name) &&
                                are_alike(field.type, after.fields[i].type);
        if (!has_name(after, field.name) && !is_renamed)
            report({kind::field_removed, lost, lost, "it is gone", true}, field.name);
    }
}

bool type_comparison::has_alike_members(const schema_type& before, const schema_type& after,
                                        std::vector<std::pair<place, place>>& open)
{
    if (before.fields.size() != after.fields.size())
        return false;
    for (std::size_t i = 0; i < before.fields.size(); ++i) {
        if (before.fields[i].name != after.fields[i].name)
            return false;
        open.emplace_back(before.fields[i].type, after.fields[i].type);
    }
    return true;
}

/// Is it the same type, as far as schemas say? A class may have another version.
bool type_comparison::are_alike(place before, place after, bool with_key)
{
    std::set<std::pair<place, place>> met;
    std::vector<std::pair<place, place>> open{{before, after}};
    while (!open.empty()) {
        spend();
        const auto both = open.back();
        open.pop_back();
        if (!met.insert(both).second)
            continue;
        const schema_type& had = old_at(both.first);
        const schema_type& has = new_at(both.second);
        std::vector<schema_finding> found;
        if (!kind_comparison(had, has).run(found) || !found.empty() ||
            had.parts.size() != has.parts.size() || had.derived.size() != has.derived.size())
            return false;
        const bool has_key = with_key || both != std::pair(before, after);
        if (has_key && had.kind == schema_kind::record && !had.name.empty() && !has.name.empty()) {
            if (had.name != has.name)
                return false;
        }
        else if (had.version == has.version && !has_alike_members(had, has, open))
            return false;
        else if (had.version != has.version) {
            const std::uint32_t common = std::min(had.version, has.version);
            const schema_type* a = before_.find(both.first, common);
            const schema_type* b = after_.find(both.second, common);
            if (a != nullptr && b != nullptr && !has_alike_members(*a, *b, open))
                return false;
        }
        for (std::size_t i = 0; i < had.parts.size(); ++i)
            open.emplace_back(had.parts[i], has.parts[i]);
    }
    return true;
}

} // namespace wharf::detail

namespace wharf {

std::vector<schema_change> compare_types(const schema_history& before, const schema_history& after,
                                         schema_use use, std::string_view command,
                                         std::string_view role)
{
    return detail::type_comparison(before, after, use).run(command, role);
}

} // namespace wharf
