// Classes, and objects behind pointers.
#include "json_encoder.hpp"
#include "schema_values.hpp"

#include <wharf/detail/near_names.hpp>

#include <algorithm>
#include <utility>

namespace wharf::detail {
namespace {

constexpr std::size_t shown_max = 40;

std::string quoted(std::string_view text)
{
    return "\"" + to_printable(text, shown_max) + "\"";
}

} // namespace

void json_encoder::put_version(std::uint32_t place)
{
    const schema_type& type = types_[place];
    if (!type.is_versioned || is_met_[place])
        return;
    is_met_[place] = true;
    versions_.push_back(type.version);
    has_versions_ = has_versions_ || type.version != 0;
}

/// The first member of this key; none where `object` is none, or no object.
json_encoder::value json_encoder::find_member(const value& object, std::string_view key)
{
    if (!object || object.kind() != json_kind::object)
        return {};
    value each = object.first();
    for (std::uint32_t i = 0; i < object.count(); ++i, each = each.next().next()) {
        charge(1);
        if (each.text() == key)
            return each.next();
    }
    return {};
}

void json_encoder::put_class(std::uint32_t place, const value& v, const value& fallback,
                             unsigned allowed)
{
    const std::uint32_t body = types_.body_of(place);
    put_version(body);
    if (body != place) {
        allowed |= construct_word;
        const path_step in(path_, std::string_view("$construct"));
        const value data = find_member(v, "$construct");
        if (data)
            need(json_kind::object, "an object", data);
        put_fields(place, data, find_member(fallback, "$construct"), no_words);
    }
    put_fields(body, v, fallback, allowed);
}

void json_encoder::put_fields(std::uint32_t place, const value& v, const value& fallback,
                              unsigned allowed)
{
    const schema_type& type = types_[place];
    const auto& keys = types_.keys(place);
    charge(type.fields.size() * sizeof(value));
    std::vector<value> given(type.fields.size());
    unsigned met = no_words;
    value each = v ? v.first() : value{};
    for (std::uint32_t i = 0; v && i < v.count(); ++i) {
        const std::string_view key = each.text();
        const unsigned word = key == "$id"          ? id_word
                              : key == "$type"      ? type_word
                              : key == "$construct" ? construct_word
                                                    : no_words;
        const std::uint32_t field = types_.find_key(place, key);
        const bool is_field = field != schema_view::none &&
                              types_[type.fields[field].type].kind != schema_kind::registered;
        if ((word & allowed) == 0 && !is_field)
            fail("unknown key " + quoted(key) + suggest_name(key, keys));
        if ((met & word) != 0 || (is_field && given[field]))
            fail("the key " + quoted(key) + " is there twice");
        met |= word;
        each = each.next();
        if (is_field)
            given[field] = each;
        each = each.next();
    }
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
        const schema_field& field = type.fields[i];
        if (types_[field.type].kind == schema_kind::registered) {
            objects_.name_class(types_.body_of(types_[field.type].parts[0]));
            continue;
        }
        const path_step in(path_, std::string_view(keys[i]));
        put_value(field.type, given[i], find_member(fallback, keys[i]));
    }
}

std::uint64_t json_encoder::take_label(const value& v, std::string_view word) const
{
    wide_integer number;
    if (v.kind() != json_kind::number || parse_integer(v.text(), number) != number_fault::none ||
        number.is_negative || !is_safe_integer(number))
        fail_expected("a number in \"" + std::string(word) + "\"", v);
    return static_cast<std::uint64_t>(number.magnitude);
}

/// Is it {"$ref": n}? Then writes the number of that object.
bool json_encoder::put_reference(const value& v)
{
    const value label = find_member(v, "$ref");
    if (!label)
        return false;
    if (v.count() != 1)
        fail("an object with \"$ref\" has no other key");
    const std::uint64_t number = take_label(label, "$ref");
    const auto found = labels_.find({v.document, number});
    if (found == labels_.end())
        fail("no object before this one has \"$id\": " + std::to_string(number),
             errc::bad_reference);
    put_varint(std::uint64_t{found->second} + 2);
    return true;
}

/// A new object takes its number, and its label if it has one.
void json_encoder::add_object(const value& v)
{
    charge(sizeof(schema_objects::object));
    const std::uint32_t number = objects_.add({});
    if (const value label = find_member(v, "$id")) {
        const std::uint64_t name = take_label(label, "$id");
        if (!labels_.emplace(std::pair(v.document, name), number).second)
            fail("another object has \"$id\": " + std::to_string(name));
    }
    put_byte(1);
}

const schema_derived& json_encoder::take_type(const schema_type& type, const value& v)
{
    std::vector<std::string> names;
    const value given = find_member(v, "$type");
    if (!given) {
        if (const schema_derived* own = find_derived(types_, type, type.parts[0]))
            return *own;
    }
    else
        need(json_kind::string, "a string in \"$type\"", given);
    for (const schema_derived& each : type.derived) {
        names.push_back(type_name(types_, type, each));
        if (given && names.back() == given.text() && !names.back().empty())
            return each;
    }
    if (given)
        fail("unknown class " + quoted(given.text()) + " in \"$type\"" +
                 suggest_name(given.text(), names),
             errc::bad_class);
    constexpr std::size_t names_max = 8;
    std::string expected;
    for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i)
        expected += (i == 0 ? "" : ", ") + quoted(names[i]);
    fail("expected \"$type\"" + (names.empty() ? std::string() : ", one of " + expected));
}

void json_encoder::put_class_name(const schema_type& type, const schema_derived& of)
{
    const std::uint32_t known = objects_.number_of_class(types_.body_of(of.type));
    if (known != schema_objects::none)
        return put_varint(std::uint64_t{known} + 1);
    if (of.key.empty() && types_.body_of(of.type) != types_.body_of(type.parts[0]))
        fail({}, errc::unregistered_class);
    objects_.name_class(types_.body_of(of.type));
    put_byte(0);
    put_varint(of.key.size());
    put_bytes(std::as_bytes(std::span(of.key)));
}

void json_encoder::put_pointer(const schema_type& type, const value& v)
{
    if (v.kind() == json_kind::null)
        return put_byte(0);
    need(json_kind::object, "null or an object", v);
    if (put_reference(v))
        return;
    add_object(v);
    std::uint32_t of = type.parts[0];
    if (type.is_polymorphic) {
        const schema_derived& derived = take_type(type, v);
        put_class_name(type, derived);
        of = derived.type;
    }
    if (types_.is_record(of))
        return put_class(of, v, {}, id_word | (type.is_polymorphic ? type_word : no_words));
    value content;
    value each = v.first();
    for (std::uint32_t i = 0; i < v.count(); ++i, each = each.next().next()) {
        const bool is_value = each.text() == "$value";
        if (!is_value && each.text() != "$id")
            fail("unknown key " + quoted(each.text()) + "; expected \"$value\"");
        if (is_value && content)
            fail("the key \"$value\" is there twice");
        if (is_value)
            content = each.next();
    }
    put_value(of, content);
}

void json_encoder::put_tracked(const schema_type& type, const value& v, const value& fallback)
{
    if (v) {
        need(json_kind::object, "an object", v);
        if (put_reference(v))
            return;
    }
    add_object(v);
    put_class(type.parts[0], v, fallback, id_word);
}

} // namespace wharf::detail
