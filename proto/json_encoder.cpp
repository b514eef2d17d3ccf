// The bytes of values, by kind; those of sets and maps and of classes are in files of their own.
#include "json_encoder.hpp"

#include "json_strings.hpp"
#include "schema_values.hpp"

#include <wharf/archive_error.hpp>
#include <wharf/detail/near_names.hpp>

#include <algorithm>
#include <utility>

namespace wharf::detail {
namespace {

constexpr std::size_t shown_max = 40; ///< of a string in an error

} // namespace

json_encoder::json_encoder(const schema_view& types, const json_document& text,
                           const json_document* defaults, const limits& limit)
    : types_(types),
      text_(text),
      defaults_(defaults),
      limit_(limit),
      budget_(limit.memory_bytes_max),
      is_met_(types.size()),
      objects_(limit.chain_max)
{}

void json_encoder::fail(const std::string& why, errc code) const
{
    throw archive_error(code, archive_error::no_offset, path_.to_string(), why);
}

void json_encoder::fail_expected(const std::string& expected, const value& found) const
{
    std::string shown;
    switch (found.kind()) {
    case json_kind::null: shown = "null"; break;
    case json_kind::boolean:
    case json_kind::number: shown = to_printable(found.text(), shown_max); break;
    case json_kind::string: shown = "\"" + to_printable(found.text(), shown_max) + "\""; break;
    case json_kind::array: shown = "an array of " + std::to_string(found.count()); break;
    case json_kind::object: shown = "an object"; break;
    }
    fail("expected " + expected + ", found " + shown);
}

void json_encoder::need(json_kind kind, const char* expected, const value& v) const
{
    if (v.kind() != kind)
        fail_expected(expected, v);
}

void json_encoder::charge(std::size_t bytes)
{
    if (budget_ < bytes)
        fail({}, errc::memory_limit);
    budget_ -= bytes;
}

/// Before bytes are made that the text does not have one by one.
void json_encoder::need_room(std::uint64_t bytes) const
{
    if (bytes > limit_.message_bytes_max || out_.size() > limit_.message_bytes_max - bytes)
        fail({}, errc::message_limit);
}

void json_encoder::put_varint(std::uint64_t number)
{
    for (; number >= 128; number >>= 7)
        put_byte(static_cast<unsigned>(number & 127) | 128);
    put_byte(static_cast<unsigned>(number));
}

void json_encoder::put_bytes(std::span<const std::byte> bytes)
{
    need_room(bytes.size());
    out_.insert(out_.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> json_encoder::encode()
{
    put_element(0, {&text_, 0}, defaults_ == nullptr ? value{} : value{defaults_, 0});
    const std::vector<std::byte> body = std::exchange(out_, {});
    put_byte(has_versions_ ? 1 : 0);
    if (has_versions_) {
        put_varint(versions_.size());
        for (const std::uint32_t version : versions_)
            put_varint(version);
    }
    put_bytes(body);
    return std::move(out_);
}

void json_encoder::put_element(std::uint32_t type, value v, value fallback)
{
    const std::size_t begun = out_.size();
    put_value(type, v, fallback);
    if (out_.size() == begun)
        put_byte(0);
}

void json_encoder::put_value(std::uint32_t type, value v, value fallback)
{
    charge(4);
    need_room(0);
    if (nesting_ >= nesting_max(limit_))
        fail({}, errc::depth_limit);
    ++nesting_;
    if (!v)
        v = std::exchange(fallback, {});
    if (v)
        put_kind(type, v, fallback);
    else
        put_default(type);
    --nesting_;
}

void json_encoder::put_kind(std::uint32_t place, value v, value fallback)
{
    const schema_type& type = types_[place];
    switch (type.kind) {
    case schema_kind::opaque:
        fail("this part cannot be written without its C++ type: " + to_printable(type.name, 200));
    case schema_kind::nothing: return need(json_kind::null, "null", v);
    case schema_kind::boolean:
        need(json_kind::boolean, "true or false", v);
        return put_byte(v.text() == "true" ? 1 : 0);
    case schema_kind::integer: return put_integer(type, v);
    case schema_kind::real: return put_real(type, v);
    case schema_kind::enumeration: return put_enumeration(type, v);
    case schema_kind::string:
        need(json_kind::string, "a string", v);
        return put_text(type, v.text());
    case schema_kind::bytes:
    case schema_kind::fixed_bytes: return put_base64(type, v);
    case schema_kind::list:
        need(json_kind::array, "an array", v);
        put_varint(v.count());
        return put_parts(type, v, {});
    case schema_kind::array:
    case schema_kind::run:
    case schema_kind::tuple: {
        const std::uint64_t n = type.kind == schema_kind::tuple ? type.parts.size() : type.count;
        if (v.kind() != json_kind::array || v.count() != n)
            fail_expected("an array of " + std::to_string(n), v);
        if (type.kind == schema_kind::array)
            put_varint(n);
        const bool fits =
            fallback && fallback.kind() == json_kind::array && fallback.count() == v.count();
        return put_parts(type, v, fits ? fallback : value{});
    }
    case schema_kind::set:
    case schema_kind::map: return put_keyed(type, v);
    case schema_kind::bits: return put_bits(type, v);
    case schema_kind::optional: return put_optional(type, v);
    case schema_kind::variant: return put_variant(place, v);
    case schema_kind::record:
    case schema_kind::constructed:
        need(json_kind::object, "an object", v);
        return put_class(place, v, fallback, no_words);
    case schema_kind::pointer: return put_pointer(type, v);
    case schema_kind::tracked: return put_tracked(type, v, fallback);
    case schema_kind::varint:
        return put_varint(
            static_cast<std::uint64_t>(take_integer(v, {}, greatest_integer(8, false)).magnitude));
    case schema_kind::registered: return; // No value: put_fields() sees to it.
    }
}

wide_integer json_encoder::take_integer(const value& v, wide_integer least,
                                        wide_integer greatest) const
{
    wide_integer number;
    const bool is_text = v.kind() == json_kind::number || v.kind() == json_kind::string;
    if (!is_text || parse_integer(v.text(), number) != number_fault::none ||
        is_less(number, least) || is_less(greatest, number))
        fail_expected("a whole number from " + to_text(least) + " to " + to_text(greatest), v);
    return number;
}

void json_encoder::put_integer(const schema_type& type, const value& v)
{
    append_integer(out_,
                   take_integer(v, least_integer(type.size, type.is_signed),
                                greatest_integer(type.size, type.is_signed)),
                   type.size);
}

void json_encoder::put_real(const schema_type& type, const value& v)
{
    const bool is_number = v.kind() == json_kind::number;
    if (!is_number && v.kind() != json_kind::string)
        fail_expected("a number", v);
    if (append_real(out_, v.text(), type.size))
        return;
    if (is_number)
        fail_expected("a number in the range of a real of " + std::to_string(type.size) + " bytes",
                      v);
    fail_expected(R"(a number, "NaN", "Infinity" or "-Infinity")", v);
}

void json_encoder::put_enumeration(const schema_type& type, const value& v)
{
    if (v.kind() == json_kind::string)
        for (const schema_enumerator& each : type.values)
            if (each.name == v.text())
                return append_integer(out_, to_integer(type, each), type.size);
    wide_integer number;
    const bool is_text = v.kind() == json_kind::number || v.kind() == json_kind::string;
    if (is_text && parse_integer(v.text(), number) == number_fault::none &&
        !is_less(number, least_integer(type.size, type.is_signed)) &&
        !is_less(greatest_integer(type.size, type.is_signed), number) &&
        is_enumerator(type, number))
        return append_integer(out_, number, type.size);

    constexpr std::size_t names_max = 8;
    std::vector<std::string> names;
    for (const schema_enumerator& each : type.values)
        names.push_back(each.name);
    std::string expected;
    for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i)
        expected += (i == 0 ? "one of \"" : "\", \"") + to_printable(names[i], shown_max);
    if (names.empty())
        expected = "the number of an enumerator";
    else
        expected += names.size() > names_max ? "\", ..." : "\"";
    if (v.kind() == json_kind::string)
        if (const std::string near = suggest_name(v.text(), names); !near.empty())
            fail("no enumerator \"" + to_printable(v.text(), shown_max) + "\"" + near);
    fail_expected(expected, v);
}

void json_encoder::put_text(const schema_type& type, std::string_view text)
{
    const std::vector<std::byte> characters = from_utf8(text, type.size);
    put_varint(characters.size() / type.size);
    put_bytes(characters);
}

void json_encoder::put_base64(const schema_type& type, const value& v)
{
    need(json_kind::string, "bytes as a string of base64", v);
    const auto bytes = from_base64(v.text());
    if (!bytes)
        fail_expected("bytes as a string of base64", v);
    if (type.kind == schema_kind::bytes)
        put_varint(bytes->size());
    else if (bytes->size() != type.count)
        fail("expected " + std::to_string(type.count) + " bytes as a string of base64, found " +
             std::to_string(bytes->size()));
    put_bytes(*bytes);
}

void json_encoder::put_bits(const schema_type& type, const value& v)
{
    need(json_kind::array, "an array of true and false", v);
    const std::uint32_t n = v.count();
    if (type.count != 0 && n != type.count)
        fail_expected("an array of " + std::to_string(type.count), v);
    put_varint(n);
    unsigned byte = 0;
    value each = v.first();
    for (std::uint32_t i = 0; i < n; ++i, each = each.next()) {
        const path_step in(path_, i);
        need(json_kind::boolean, "true or false", each);
        byte |= (each.text() == "true" ? 1u : 0u) << i % 8;
        if (i % 8 == 7 || i + 1 == n)
            put_byte(std::exchange(byte, 0));
    }
}

/// The elements of an array of JSON, or the members of a tuple.
void json_encoder::put_parts(const schema_type& type, const value& v, const value& fallback)
{
    const bool is_tuple = type.kind == schema_kind::tuple;
    value each = v.first();
    value known = fallback ? fallback.first() : value{};
    for (std::uint32_t i = 0; i < v.count(); ++i, each = each.next()) {
        const path_step in(path_, i);
        if (is_tuple)
            put_value(type.parts[i], each, known);
        else
            put_element(type.parts[0], each, known);
        if (known)
            known = known.next();
    }
}

void json_encoder::put_optional(const schema_type& type, const value& v)
{
    put_byte(v.kind() == json_kind::null ? 0 : 1);
    if (v.kind() == json_kind::null)
        return;
    value content = v;
    if (types_.may_be_null(type.parts[0])) {
        if (v.kind() != json_kind::object || v.count() != 1 || v.first().text() != "value")
            fail_expected(R"(null or {"value": ...})", v);
        content = v.first().next();
    }
    put_value(type.parts[0], content);
}

void json_encoder::put_variant(std::uint32_t place, const value& v)
{
    const auto& keys = types_.keys(place);
    if (v.kind() != json_kind::object || v.count() != 1) {
        const std::string key = keys.empty() ? "#0" : keys.front();
        fail_expected(
            "an object of one alternative, as {\"" + to_printable(key, shown_max) + "\": ...}", v);
    }
    const std::string_view key = v.first().text();
    const std::uint32_t index = types_.find_key(place, key);
    if (index == schema_view::none)
        fail("unknown alternative \"" + to_printable(key, shown_max) + "\"" +
             suggest_name(key, keys));
    put_varint(index);
    const path_step in(path_, std::string_view(keys[index]));
    put_value(types_[place].parts[index], v.first().next());
}

void json_encoder::put_default(std::uint32_t place)
{
    const schema_type& type = types_[place];
    switch (type.kind) {
    case schema_kind::opaque:
        fail("this part cannot be written without its C++ type: " + to_printable(type.name, 200));
    case schema_kind::nothing:
    case schema_kind::registered: return;
    case schema_kind::integer:
    case schema_kind::real: return append_integer(out_, {}, type.size);
    case schema_kind::enumeration: {
        wide_integer number;
        if (!type.values.empty() && find_enumerator(type, {}) == nullptr)
            number = to_integer(type, type.values.front());
        return append_integer(out_, number, type.size);
    }
    case schema_kind::fixed_bytes:
        need_room(type.count);
        out_.resize(out_.size() + type.count);
        return;
    case schema_kind::bits:
        put_varint(type.count);
        need_room(type.count / 8 + 1);
        out_.resize(out_.size() + (type.count + 7) / 8);
        return;
    case schema_kind::array: put_varint(type.count); [[fallthrough]];
    case schema_kind::run:
        for (std::uint64_t i = 0; i < type.count; ++i)
            put_element(type.parts[0], {});
        return;
    case schema_kind::tuple:
        for (const std::uint32_t part : type.parts)
            put_value(part, {});
        return;
    case schema_kind::variant:
        if (type.parts.empty())
            fail("a variant without alternatives has no value");
        put_varint(0);
        return put_value(type.parts[0], {});
    case schema_kind::record:
    case schema_kind::constructed: return put_class(place, {}, {}, no_words);
    case schema_kind::tracked: return put_tracked(type, {}, {});
    case schema_kind::boolean:
    case schema_kind::string:
    case schema_kind::bytes:
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::map:
    case schema_kind::optional:
    case schema_kind::pointer:
    case schema_kind::varint: return put_byte(0);
    }
}

} // namespace wharf::detail
