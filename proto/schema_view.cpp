// What a schema must be before it guides anything, and what follows from it.
#include "schema_view.hpp"

#include "schema_parts.hpp"

#include <wharf/archive_error.hpp>

#include <algorithm>
#include <string>

namespace wharf::detail {
namespace {

constexpr std::size_t types_max = 1u << 16;
constexpr std::size_t bytes_min_max = 1u << 20;

[[noreturn]] void fail_damaged(const std::string& why)
{
    throw archive_error(errc::bad_value, archive_error::no_offset, {},
                        "the schema is damaged: " + why);
}

} // namespace

void schema_view::check(const schema_type& type) const
{
    const auto is_place = [&](std::uint32_t place) { return place < all_.size(); };
    if (type.kind > schema_kind::registered)
        fail_damaged("it has a kind of a later version");
    if (!is_valid_size(type))
        fail_damaged("a number or character of " + std::to_string(type.size) + " bytes");
    if (static_cast<int>(type.parts.size()) < parts_of(type.kind))
        fail_damaged("a type lacks its parts");
    if (!std::ranges::all_of(type.parts, is_place) ||
        !std::ranges::all_of(type.fields, is_place, &schema_field::type) ||
        !std::ranges::all_of(type.derived, is_place, &schema_derived::type))
        fail_damaged("a part that it does not have");
    const auto needs_record = [&](std::uint32_t place) {
        if (!is_record(place))
            fail_damaged("a class that is no class");
    };
    if (type.kind == schema_kind::constructed && all_[type.parts[0]].kind != schema_kind::record)
        fail_damaged("construct data of no class");
    if (type.kind == schema_kind::tracked || type.kind == schema_kind::registered)
        needs_record(type.parts[0]);
    if (type.kind == schema_kind::pointer && type.is_polymorphic) {
        needs_record(type.parts[0]);
        for (const schema_derived& each : type.derived)
            needs_record(each.type);
    }
    for (const schema_field& field : type.fields)
        if (field.is_base && !is_record(field.type) &&
            all_[field.type].kind != schema_kind::tracked)
            fail_damaged("a base that is no class");
}

schema_view::schema_view(const std::vector<schema_type>& all) : all_(all), facts_(all.size())
{
    if (all.empty() || all.size() > types_max)
        fail_damaged("it has " + std::to_string(all.size()) + " types");
    for (const schema_type& type : all)
        check(type);
    // Types may contain each other, so facts grow until they stay. A few rounds are enough for
    // any that means something; what is not known after them is taken for the safer case.
    constexpr int rounds_max = 64;
    for (int round = 0; round < rounds_max; ++round) {
        bool is_changed = false;
        for (std::size_t i = all.size(); i-- != 0;)
            is_changed = improve(static_cast<std::uint32_t>(i)) || is_changed;
        if (!is_changed)
            return;
    }
    for (facts& each : facts_)
        each.has_objects = true;
}

/// Draws what follows from the facts of the parts; true where that is new.
bool schema_view::improve(std::uint32_t place)
{
    const schema_type& type = all_[place];
    facts now;
    const auto each_part = [&](bool facts::*fact) {
        return std::ranges::all_of(type.parts,
                                   [&](std::uint32_t part) { return facts_[part].*fact; });
    };
    const auto any_objects = [&](std::uint32_t part) { return facts_[part].has_objects; };
    now.has_objects = std::ranges::any_of(type.parts, any_objects) ||
                      std::ranges::any_of(type.fields, any_objects, &schema_field::type);
    switch (type.kind) {
    case schema_kind::boolean: now.bytes_min = 1; break;
    case schema_kind::integer:
    case schema_kind::real:
    case schema_kind::enumeration: now.bytes_min = type.size; break;
    case schema_kind::tuple:
        for (const std::uint32_t part : type.parts)
            now.bytes_min = std::min(now.bytes_min + facts_[part].bytes_min, bytes_min_max);
        break;
    case schema_kind::fixed_bytes:
        now.bytes_min =
            static_cast<std::size_t>(std::min<std::uint64_t>(type.count, bytes_min_max));
        break;
    case schema_kind::opaque:
    case schema_kind::nothing:
    case schema_kind::record:
    case schema_kind::tracked:
    case schema_kind::run:
    case schema_kind::constructed:
    case schema_kind::registered: break;
    default: now.bytes_min = 1;
    }
    switch (type.kind) {
    case schema_kind::boolean:
    case schema_kind::integer:
    case schema_kind::real:
    case schema_kind::enumeration:
    case schema_kind::string:
    case schema_kind::bytes:
    case schema_kind::fixed_bytes:
    case schema_kind::bits:
    case schema_kind::nothing: now.is_ordered = true; break;
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::map:
    case schema_kind::array:
    case schema_kind::tuple:
    case schema_kind::optional:
    case schema_kind::variant: now.is_ordered = each_part(&facts::is_ordered); break;
    default: break;
    }
    now.is_ordered = now.is_ordered && !type.is_unordered;
    if (type.kind == schema_kind::pointer || type.kind == schema_kind::tracked ||
        type.kind == schema_kind::record || type.kind == schema_kind::opaque ||
        type.kind == schema_kind::constructed || type.kind == schema_kind::registered)
        now.has_objects = true;
    facts& known = facts_[place];
    const bool is_new = now.bytes_min != known.bytes_min || now.is_ordered != known.is_ordered ||
                        now.has_objects != known.has_objects;
    known = now;
    return is_new;
}

bool schema_view::may_be_null(std::uint32_t type) const noexcept
{
    const schema_kind kind = all_[type].kind;
    return kind == schema_kind::optional || kind == schema_kind::pointer ||
           kind == schema_kind::nothing;
}

std::uint32_t schema_view::body_of(std::uint32_t type) const noexcept
{
    return all_[type].kind == schema_kind::constructed ? all_[type].parts[0] : type;
}

bool schema_view::is_record(std::uint32_t type) const noexcept
{
    const schema_kind kind = all_[type].kind;
    return kind == schema_kind::record ||
           (kind == schema_kind::constructed && !all_[type].parts.empty());
}

bool schema_view::is_same(std::uint32_t a, std::uint32_t b) const
{
    constexpr std::uint32_t levels_max = 64;
    return is_same(a, b, levels_max);
}

bool schema_view::is_same(std::uint32_t a, std::uint32_t b, std::uint32_t levels) const
{
    if (a == b)
        return true;
    schema_type left = all_[a];
    schema_type right = all_[b];
    if (levels == 0 || left.kind == schema_kind::record || left.parts.size() != right.parts.size())
        return false;
    // What contains itself is the same as long as nothing shows that it is not.
    const auto [known, is_new] = same_.try_emplace(std::pair(a, b), true);
    if (!is_new)
        return known->second;
    const std::vector<std::uint32_t> left_parts = std::exchange(left.parts, {});
    const std::vector<std::uint32_t> right_parts = std::exchange(right.parts, {});
    bool is_alike = left == right;
    for (std::size_t i = 0; i < left_parts.size() && is_alike; ++i)
        is_alike = is_same(left_parts[i], right_parts[i], levels - 1);
    return known->second = is_alike;
}

bool schema_view::is_derived(std::uint32_t type, std::uint32_t base) const
{
    type = body_of(type);
    base = body_of(base);
    const auto known = derived_.find({type, base});
    if (known != derived_.end())
        return known->second;
    std::vector<bool> is_met(all_.size());
    std::vector<std::uint32_t> open{type};
    bool is_found = false;
    while (!open.empty() && !is_found) {
        const std::uint32_t place = open.back();
        open.pop_back();
        is_found = place == base;
        if (is_met[place])
            continue;
        is_met[place] = true;
        for (const schema_field& field : all_[place].fields)
            if (field.is_base) {
                const schema_type& of = all_[field.type];
                open.push_back(of.kind == schema_kind::tracked ? body_of(of.parts[0])
                                                               : body_of(field.type));
            }
    }
    derived_.emplace(std::pair(type, base), is_found);
    return is_found;
}

const schema_view::key_list& schema_view::key_list_of(std::uint32_t place) const
{
    const auto [at, is_new] = keys_.try_emplace(place);
    key_list& list = at->second;
    if (!is_new)
        return list;
    const schema_type& type = all_[place];
    const bool is_variant = type.kind == schema_kind::variant;
    const std::size_t n = is_variant ? type.parts.size() : type.fields.size();
    const auto name_of = [&](std::size_t i) -> const std::string& {
        return is_variant ? all_[body_of(type.parts[i])].name : type.fields[i].name;
    };
    std::map<std::string_view, int> uses;
    for (std::size_t i = 0; i < n; ++i)
        ++uses[name_of(i)];
    for (std::size_t i = 0; i < n; ++i) {
        // $ begins the words of pointers, # a place.
        const std::string& name = name_of(i);
        const bool is_plain =
            !name.empty() && name[0] != '$' && name[0] != '#' && uses[name] == 1 &&
            (!is_variant || all_[body_of(type.parts[i])].kind == schema_kind::record);
        list.names.push_back(is_plain ? name : "#" + std::to_string(i));
    }
    for (std::size_t i = 0; i < n; ++i)
        list.places.emplace(list.names[i], static_cast<std::uint32_t>(i));
    return list;
}

const std::vector<std::string>& schema_view::keys(std::uint32_t type) const
{
    return key_list_of(type).names;
}

std::uint32_t schema_view::find_key(std::uint32_t type, std::string_view key) const
{
    const key_list& list = key_list_of(type);
    const auto found = list.places.find(key);
    if (found != list.places.end())
        return found->second;
    // An alternative that has a name may be given by its place all the same.
    if (all_[type].kind == schema_kind::variant && key.starts_with('#'))
        for (std::uint32_t i = 0; i < list.names.size(); ++i)
            if (key.substr(1) == std::to_string(i))
                return i;
    return none;
}

std::uint32_t nesting_max(const limits& limit) noexcept
{
    constexpr std::uint32_t kinds_for_each_class = 8;
    constexpr std::uint32_t bound = 1024; // The stack's.
    return std::min(limit.depth_max, bound / kinds_for_each_class) * kinds_for_each_class;
}

} // namespace wharf::detail
