// What kinds of values become when they are read as others.
#include "schema_diff.hpp"

#include <algorithm>

namespace wharf::detail {
namespace {

using kind = schema_change_kind;
using enum schema_effect;

bool is_integer(const schema_type& type)
{
    return type.kind == schema_kind::integer || type.kind == schema_kind::enumeration;
}

bool has_range(const schema_type& type)
{
    return type.kind == schema_kind::enumeration && (type.least != 0 || type.greatest != 0);
}

bool accepts(const schema_type& type, std::int64_t value)
{
    return !has_range(type) || (value >= type.least &&
                                (value < 0 || static_cast<std::uint64_t>(value) <= type.greatest));
}

/// Is every value of the range of `inner` one of `outer`?
bool covers_range(const schema_type& outer, const schema_type& inner)
{
    return !has_range(outer) ||
           (has_range(inner) && inner.least >= outer.least && inner.greatest <= outer.greatest);
}

const schema_enumerator* find_value(const schema_type& type, std::int64_t value)
{
    const auto found = std::find_if(type.values.begin(), type.values.end(),
                                    [&](const auto& each) { return each.value == value; });
    return found == type.values.end() ? nullptr : &*found;
}

const schema_enumerator* find_name(const schema_type& type, const std::string& name)
{
    const auto found = std::find_if(type.values.begin(), type.values.end(),
                                    [&](const auto& each) { return each.name == name; });
    return found == type.values.end() ? nullptr : &*found;
}

bool is_container(const schema_type& type)
{
    return type.kind == schema_kind::list || type.kind == schema_kind::set ||
           type.kind == schema_kind::map || type.kind == schema_kind::array;
}

container_rules rules_of(const schema_type& type)
{
    if (type.kind != schema_kind::set && type.kind != schema_kind::map)
        return {};
    return {!type.is_unordered, !type.is_multi, type.is_unordered, type.order};
}

/// What a container's elements become in another container that takes such elements.
schema_effect move_elements(const container_rules& from, const container_rules& to)
{
    if (to.is_sorted && (!from.is_sorted || from.order != to.order))
        return refused;
    if (to.is_unique && !from.is_unique)
        return refused;
    // A list says in which order its elements are; an unordered set does not keep it.
    const bool is_list = !from.is_sorted && !from.is_unordered && !from.is_unique;
    return to.is_unordered && is_list ? lost : same;
}

std::string count_of(const schema_type& type)
{
    return std::to_string(type.count);
}

/// Strings of bytes, and what has the same bytes.
bool is_bytes_like(const schema_type& type)
{
    return type.kind == schema_kind::bytes || (type.kind == schema_kind::string && type.size == 1);
}

constexpr const char* owners[] = {"any pointer", "unique_ptr", "std::shared_ptr",
                                  "boost::shared_ptr", "raw pointer"};

} // namespace

std::string describe_kind(const schema_type& type)
{
    const std::string bits = std::to_string(type.size * 8) + "-bit ";
    switch (type.kind) {
    case schema_kind::opaque: return "not known";
    case schema_kind::nothing: return "nothing";
    case schema_kind::boolean: return "a bool";
    case schema_kind::integer:
        return "a " + bits + (type.is_signed ? "signed integer" : "unsigned integer");
    case schema_kind::real: return "a " + bits + "floating-point number";
    case schema_kind::enumeration: return "an enum of " + bits.substr(0, bits.size() - 1);
    case schema_kind::string: return type.is_utf8 ? "UTF-8 text" : "a string";
    case schema_kind::bytes: return "bytes";
    case schema_kind::fixed_bytes: return count_of(type) + " bytes";
    case schema_kind::list: return "a list";
    case schema_kind::set: return type.is_unordered ? "an unordered set" : "a set";
    case schema_kind::map: return type.is_unordered ? "an unordered map" : "a map";
    case schema_kind::array: return "an array of " + count_of(type);
    case schema_kind::run: return "a run of " + count_of(type);
    case schema_kind::bits: return type.count == 0 ? "bits" : count_of(type) + " bits";
    case schema_kind::tuple: return "a tuple";
    case schema_kind::optional: return "optional";
    case schema_kind::variant: return "a variant";
    case schema_kind::record: return "a class";
    case schema_kind::pointer: return "a pointer";
    case schema_kind::tracked: return "a tracked value";
    case schema_kind::varint: return "a count";
    case schema_kind::constructed: return "a class with construct data";
    case schema_kind::registered: return "a registered class";
    }
    return "not known";
}

namespace {

/// "a list, was a set"
std::string is_was(const schema_type& before, const schema_type& after)
{
    return "it is " + describe_kind(after) + ", was " + describe_kind(before);
}

} // namespace

bool kind_comparison::compare_enums(std::vector<schema_finding>& to) const
{
    if (before_.kind != after_.kind) {
        to.push_back({kind::enum_or_integer, covers_range(after_, before_) ? same : refused,
                      covers_range(before_, after_) ? same : refused, is_was(before_, after_),
                      true});
        return true;
    }
    const bool are_named = !before_.values.empty() && !after_.values.empty();
    for (const schema_enumerator& each : before_.values) {
        if (!are_named)
            break;
        if (const auto* now = find_name(after_, each.name)) {
            if (now->value != each.value)
                to.push_back({kind::enum_renumbered, misread, misread,
                              each.name + " is " + std::to_string(now->value) + ", was " +
                                  std::to_string(each.value),
                              false});
        }
        else if (const auto* other = find_value(after_, each.value);
                 other != nullptr && find_name(before_, other->name) == nullptr)
            to.push_back(
                {kind::enum_renamed, same, same, each.name + " has the name " + other->name, true});
        else if (other == nullptr)
            to.push_back({kind::enum_shrunk, accepts(after_, each.value) ? lost : refused, same,
                          each.name + " is gone", true});
    }
    for (const schema_enumerator& each : after_.values)
        if (are_named && find_name(before_, each.name) == nullptr &&
            find_value(before_, each.value) == nullptr)
            to.push_back({kind::enum_grown, same, accepts(before_, each.value) ? lost : refused,
                          each.name + " is new", false});
    if (are_named)
        return true;
    // Without names the range is all that is known; where it is named, compilers differ in it.
    if (!covers_range(before_, after_))
        to.push_back({kind::enum_grown, same, refused, "it has more values than it had", false});
    if (!covers_range(after_, before_))
        to.push_back({kind::enum_shrunk, refused, same, "it has fewer values than it had", false});
    return true;
}

bool kind_comparison::compare_numbers(std::vector<schema_finding>& to) const
{
    if (before_.size != after_.size) {
        to.push_back({kind::integer_width, misread, misread, is_was(before_, after_), false});
        return false;
    }
    if (before_.is_signed != after_.is_signed) {
        to.push_back({kind::integer_sign, misread, misread, is_was(before_, after_), false});
        return false;
    }
    if (before_.kind == schema_kind::enumeration || after_.kind == schema_kind::enumeration)
        return compare_enums(to);
    return true;
}

bool kind_comparison::compare_texts(std::vector<schema_finding>& to) const
{
    if (before_.size != after_.size && before_.kind == after_.kind) {
        to.push_back({kind::text_encoding, misread, misread,
                      "characters have " + std::to_string(after_.size) + " bytes, had " +
                          std::to_string(before_.size),
                      false});
        return false;
    }
    const schema_effect forward = after_.is_utf8 && !before_.is_utf8 ? refused : same;
    const schema_effect backward = before_.is_utf8 && !after_.is_utf8 ? refused : same;
    if (before_.kind != after_.kind)
        to.push_back({kind::text_or_bytes, forward, backward, is_was(before_, after_), true});
    else if (before_.is_utf8 != after_.is_utf8)
        to.push_back({kind::text_encoding, forward, backward, is_was(before_, after_), false});
    return true;
}

bool kind_comparison::compare_containers(std::vector<schema_finding>& to) const
{
    if ((before_.kind == schema_kind::map) != (after_.kind == schema_kind::map)) {
        to.push_back({kind::container_changed, misread, misread, is_was(before_, after_), false});
        return false;
    }
    const bool was_array = before_.kind == schema_kind::array;
    const bool is_array = after_.kind == schema_kind::array;
    if (was_array && is_array) {
        if (before_.count != after_.count)
            to.push_back(
                {kind::array_size_changed, refused, refused, is_was(before_, after_), false});
        return true;
    }
    const container_rules from = rules_of(before_), into = rules_of(after_);
    const bool is_same = before_.kind == after_.kind && from.is_unique == into.is_unique &&
                         from.is_unordered == into.is_unordered;
    if (is_same && from.order == into.order)
        return true;
    to.push_back({is_same ? kind::key_order_changed : kind::container_changed,
                  is_array ? refused : move_elements(from, into),
                  was_array ? refused : move_elements(into, from),
                  is_same ? "its keys are in another order" : is_was(before_, after_), false});
    return true;
}

bool kind_comparison::compare_counts(std::vector<schema_finding>& to) const
{
    if (before_.count == after_.count)
        return true;
    if (before_.kind != schema_kind::bits) {
        to.push_back({kind::array_size_changed, misread, misread, is_was(before_, after_), false});
        return false;
    }
    to.push_back({kind::array_size_changed, after_.count == 0 ? same : refused,
                  before_.count == 0 ? same : refused, is_was(before_, after_), false});
    return true;
}

bool kind_comparison::compare_pointers(std::vector<schema_finding>& to) const
{
    if (before_.is_polymorphic != after_.is_polymorphic) {
        to.push_back({kind::type_changed, misread, misread,
                      after_.is_polymorphic ? "its class is polymorphic, was not"
                                            : "its class is not polymorphic, was",
                      false});
        return false;
    }
    const auto name = [](const schema_type& type) {
        return (type.is_weak ? "a weak " : "a ") +
               std::string(owners[std::min<std::size_t>(type.ownership, 4)]);
    };
    const std::string what = "it is " + name(after_) + ", was " + name(before_);
    if (before_.ownership != after_.ownership) {
        // What only one pointer owns has no references; others may have.
        const auto move = [](const schema_type& from, const schema_type& into) {
            return from.ownership == 1 ? same : into.ownership == 1 ? refused : lost;
        };
        to.push_back(
            {kind::ownership_changed, move(before_, after_), move(after_, before_), what, false});
    }
    else if (before_.is_weak != after_.is_weak)
        to.push_back({kind::ownership_changed, after_.is_weak ? lost : refused,
                      before_.is_weak ? lost : refused, what, false});
    return true;
}

bool kind_comparison::run(std::vector<schema_finding>& to) const
{
    if (before_.kind == schema_kind::opaque || after_.kind == schema_kind::opaque) {
        const bool was = before_.kind == schema_kind::opaque;
        to.push_back({was ? kind::opaque : kind::became_opaque, unknown, unknown,
                      (was ? before_ : after_).name, after_.kind == schema_kind::opaque});
        return false;
    }
    if (is_integer(before_) && is_integer(after_))
        return compare_numbers(to);
    if ((is_bytes_like(before_) && is_bytes_like(after_)) ||
        (before_.kind == schema_kind::string && after_.kind == schema_kind::string))
        return compare_texts(to);
    if (is_container(before_) && is_container(after_))
        return compare_containers(to);
    // The bytes 0 and 1, before nothing more or one value: as a list of at most one element.
    if (before_.kind == schema_kind::optional && after_.kind == schema_kind::list) {
        to.push_back({kind::container_changed, same, refused, is_was(before_, after_), true});
        return true;
    }
    if (before_.kind == schema_kind::list && after_.kind == schema_kind::optional) {
        to.push_back({kind::container_changed, refused, same, is_was(before_, after_), true});
        return true;
    }
    const auto is_byte = [](const schema_type& type) { return is_integer(type) && type.size == 1; };
    if (before_.kind == schema_kind::boolean && is_byte(after_)) {
        to.push_back({kind::enum_or_integer, same, refused, is_was(before_, after_), true});
        return true;
    }
    if (is_byte(before_) && after_.kind == schema_kind::boolean) {
        to.push_back({kind::enum_or_integer, refused, same, is_was(before_, after_), true});
        return true;
    }
    if (before_.kind != after_.kind) {
        const bool is_optional =
            before_.kind == schema_kind::optional || after_.kind == schema_kind::optional;
        to.push_back({is_optional ? kind::optional_changed : kind::type_changed, misread, misread,
                      is_was(before_, after_), false});
        return false;
    }
    switch (before_.kind) {
    case schema_kind::real:
        if (before_.size == after_.size)
            return true;
        to.push_back({kind::real_width, misread, misread, is_was(before_, after_), false});
        return false;
    case schema_kind::fixed_bytes:
    case schema_kind::run:
    case schema_kind::bits: return compare_counts(to);
    case schema_kind::pointer: return compare_pointers(to);
    default: return true;
    }
}

} // namespace wharf::detail
