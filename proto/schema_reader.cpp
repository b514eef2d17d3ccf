// The bytes of values, by kind; those of sets and maps and of objects are in files of their own.
#include "schema_reader.hpp"

#include "json_numbers.hpp"
#include "json_strings.hpp"
#include "schema_values.hpp"

#include <wharf/archive/byte_reader.hpp>
#include <wharf/archive_error.hpp>
#include <wharf/utf8.hpp>

#include <algorithm>
#include <limits>

namespace wharf::detail {

schema_reader::schema_reader(const schema_view& types, std::span<const std::byte> message,
                             const limits& limit, json_writer* out)
    : types_(types),
      message_(message),
      limit_(limit),
      out_(out),
      budget_(memory_budget(limit, message.size())),
      levels_(limit.depth_max),
      objects_(limit.chain_max)
{}

void schema_reader::fail(errc code, const std::string& why) const
{
    fail_at_byte(code, at_, why);
}

void schema_reader::fail_at_byte(errc code, std::size_t offset, const std::string& why) const
{
    throw archive_error(code, shows_offsets_ ? offset : archive_error::no_offset, path_.to_string(),
                        why);
}

void schema_reader::charge(std::size_t bytes)
{
    if (budget_ < bytes)
        fail(errc::memory_limit);
    budget_ -= bytes;
}

std::span<const std::byte> schema_reader::take(std::size_t n)
{
    if (n > left())
        fail(errc::truncated);
    at_ += n;
    return message_.subspan(at_ - n, n);
}

std::uint64_t schema_reader::take_varint()
{
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<std::uint64_t>(take(1)[0]);
        if (shift == 63 && byte > 1)
            fail(errc::bad_varint);
        value |= (byte & 127) << shift;
        if (byte >= 128)
            continue;
        if (byte == 0 && shift != 0)
            fail(errc::not_canonical);
        return value;
    }
}

std::size_t schema_reader::take_count(std::size_t element_bytes_min)
{
    const std::uint64_t n = take_varint();
    if (n > left() / std::max<std::size_t>(element_bytes_min, 1))
        fail(errc::bad_length);
    return static_cast<std::size_t>(n);
}

bool schema_reader::take_bool()
{
    if (left() != 0 && static_cast<unsigned>(message_[at_]) > 1)
        fail(errc::bad_bool);
    return take(1)[0] != std::byte{0};
}

void schema_reader::read(const std::vector<bool>& referred)
{
    referred_ = referred;
    if (message_.size() > limit_.message_bytes_max)
        fail_at_byte(errc::message_limit, 0);
    is_met_.resize(types_.size());
    read_prelude();
    read_element(0);
    if (left() != 0)
        fail(errc::trailing_data);
    if (table_used_ != table_.size())
        fail(errc::not_canonical, "the table has versions of classes that do not occur");
}

void schema_reader::read_prelude()
{
    const auto prelude = static_cast<unsigned>(take(1)[0]);
    if (prelude > 1)
        fail_at_byte(errc::bad_prelude, 0);
    has_table_ = prelude == 1;
    if (!has_table_)
        return;
    const std::size_t n = take_count(1);
    charge(n * sizeof(std::uint32_t));
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t version = take_varint();
        if (version >= std::numeric_limits<std::uint32_t>::max())
            fail(errc::bad_value);
        table_.push_back(static_cast<std::uint32_t>(version));
    }
    if (std::ranges::all_of(table_, [](std::uint32_t version) { return version == 0; }))
        fail(errc::not_canonical);
}

void schema_reader::read_version(std::uint32_t place)
{
    const schema_type& type = types_[place];
    if (!type.is_versioned || is_met_[place])
        return;
    is_met_[place] = true;
    std::uint32_t version = 0;
    if (has_table_) {
        if (table_used_ == table_.size())
            fail(errc::not_canonical, "the table has no version for this class");
        version = table_[table_used_++];
    }
    if (version != type.version)
        fail(version > type.version ? errc::newer_version : errc::bad_value,
             "a class is at version " + std::to_string(version) + ", and the schema knows " +
                 std::to_string(type.version));
}

void schema_reader::read_element(std::uint32_t type)
{
    const std::size_t begun = at_;
    read_value(type);
    read_pad(begun);
}

void schema_reader::read_pad(std::size_t begun)
{
    if (at_ != begun)
        return;
    if (left() != 0 && message_[at_] != std::byte{0})
        fail(errc::not_canonical);
    take(1);
}

void schema_reader::read_value(std::uint32_t type, bool is_member)
{
    charge(2);
    if (nesting_ >= nesting_max(limit_))
        fail(errc::depth_limit);
    ++nesting_;
    const std::uint64_t scope = scope_;
    if (!is_member)
        scope_ = ++scopes_;
    read_kind(type);
    scope_ = scope;
    --nesting_;
    if (out_ != nullptr && out_->is_full())
        fail(errc::memory_limit, "its JSON is longer than json_bytes_max");
}

void schema_reader::write_null()
{
    if (out_ != nullptr)
        out_->plain("null");
}

void schema_reader::read_kind(std::uint32_t place)
{
    const schema_type& type = types_[place];
    switch (type.kind) {
    case schema_kind::opaque:
        fail(errc::bad_json,
             "this part cannot be read without its C++ type: " + to_printable(type.name, 200));
    case schema_kind::nothing: return write_null();
    case schema_kind::boolean: {
        const bool value = take_bool();
        if (out_ != nullptr)
            out_->plain(value ? "true" : "false");
        return;
    }
    case schema_kind::integer: return read_integer(type);
    case schema_kind::real: return read_real(type);
    case schema_kind::enumeration: return read_enumeration(type);
    case schema_kind::string: {
        const std::string text = read_text(type);
        if (out_ != nullptr)
            out_->string(text);
        return;
    }
    case schema_kind::bytes:
    case schema_kind::fixed_bytes: {
        const bool is_fixed = type.kind == schema_kind::fixed_bytes;
        if (is_fixed && type.count > left())
            fail(errc::truncated);
        const auto bytes = take(is_fixed ? static_cast<std::size_t>(type.count) : take_count(1));
        if (out_ != nullptr)
            out_->string(to_base64(bytes));
        return;
    }
    case schema_kind::list: return read_elements(type, take_count(types_.bytes_min(type.parts[0])));
    case schema_kind::array:
        if (take_varint() != type.count)
            fail(errc::bad_length);
        return read_elements(type, type.count);
    case schema_kind::run: return read_elements(type, type.count);
    case schema_kind::set:
    case schema_kind::map: return read_keyed(type);
    case schema_kind::bits: {
        const std::vector<bool> bits = take_bits(type);
        if (out_ == nullptr)
            return;
        out_->begin('[');
        for (const bool bit : bits)
            out_->plain(bit ? "true" : "false");
        return out_->end(']');
    }
    case schema_kind::tuple: {
        if (out_ != nullptr)
            out_->begin('[');
        for (std::size_t i = 0; i < type.parts.size(); ++i) {
            const path_step in(path_, i);
            read_value(type.parts[i]);
        }
        if (out_ != nullptr)
            out_->end(']');
        return;
    }
    case schema_kind::optional: return read_optional(type);
    case schema_kind::variant: return read_variant(place);
    case schema_kind::record:
    case schema_kind::constructed:
        if (out_ != nullptr)
            out_->begin('{');
        read_class(place);
        if (out_ != nullptr)
            out_->end('}');
        return;
    case schema_kind::pointer: return read_pointer(type);
    case schema_kind::tracked: return read_tracked(type);
    case schema_kind::varint: {
        const std::size_t n = take_count(1);
        if (out_ != nullptr)
            out_->plain(std::to_string(n));
        return;
    }
    case schema_kind::registered: objects_.name_class(types_.body_of(type.parts[0])); return;
    }
}

void schema_reader::read_integer(const schema_type& type)
{
    const wide_integer value = to_integer(take(type.size), type.is_signed);
    if (out_ != nullptr)
        out_->string_or_plain(to_text(value), type.size == 16 || !is_safe_integer(value));
}

void schema_reader::read_real(const schema_type& type)
{
    const auto image = take(type.size);
    if (out_ == nullptr)
        return;
    const real_text text = to_real_text(image);
    out_->string_or_plain(text.text, type.size == 16 || !text.is_number);
}

void schema_reader::read_enumeration(const schema_type& type)
{
    const std::size_t begun = at_;
    const wide_integer value = to_integer(take(type.size), type.is_signed);
    if (!is_enumerator(type, value))
        fail_at_byte(errc::bad_enum, begun);
    if (out_ == nullptr)
        return;
    if (const schema_enumerator* named = find_enumerator(type, value))
        out_->string(named->name);
    else
        out_->string_or_plain(to_text(value), !is_safe_integer(value));
}

std::string schema_reader::read_text(const schema_type& type)
{
    const std::size_t n = take_count(type.size);
    const std::size_t begun = at_;
    const auto characters = take(n * type.size);
    if (type.is_utf8 && type.size == 1) {
        const std::string_view text(reinterpret_cast<const char*>(characters.data()), n);
        if (const std::size_t bad = find_bad_utf8(text); bad != n)
            fail_at_byte(errc::bad_utf8, begun + bad);
    }
    if (out_ == nullptr)
        return {};
    auto text = to_utf8(characters, type.size);
    if (!text)
        fail_at_byte(errc::bad_utf8, begun, "JSON holds Unicode only");
    return *std::move(text);
}

void schema_reader::read_elements(const schema_type& type, std::uint64_t n)
{
    if (out_ != nullptr)
        out_->begin('[');
    for (std::uint64_t i = 0; i < n; ++i) {
        const path_step in(path_, i);
        read_element(type.parts[0]);
    }
    if (out_ != nullptr)
        out_->end(']');
}

std::vector<bool> schema_reader::take_bits(const schema_type& type)
{
    const std::uint64_t n = take_varint();
    const std::uint64_t bytes = n / 8 + (n % 8 != 0 ? 1 : 0);
    if (type.count != 0 && n != type.count)
        fail(errc::bad_length);
    if (bytes > left())
        fail(type.count != 0 ? errc::truncated : errc::bad_length);
    charge(static_cast<std::size_t>(bytes) * 2);
    std::vector<bool> bits;
    if (out_ != nullptr)
        bits.reserve(n);
    for (std::uint64_t i = 0; i < n; i += 8) {
        auto byte = static_cast<unsigned>(take(1)[0]);
        for (std::uint64_t j = 0; j < 8 && i + j < n; ++j, byte >>= 1)
            if (out_ != nullptr)
                bits.push_back((byte & 1) != 0);
        if (n - i < 8 && byte != 0)
            fail(errc::not_canonical);
    }
    return bits;
}

void schema_reader::read_optional(const schema_type& type)
{
    if (!take_bool())
        return write_null();
    const bool is_wrapped = out_ != nullptr && types_.may_be_null(type.parts[0]);
    if (is_wrapped) {
        out_->begin('{');
        out_->key("value");
    }
    read_value(type.parts[0]);
    if (is_wrapped)
        out_->end('}');
}

void schema_reader::read_variant(std::uint32_t place)
{
    const schema_type& type = types_[place];
    const std::uint64_t index = take_varint();
    if (index >= type.parts.size())
        fail(errc::bad_value);
    const std::string& key = types_.keys(place)[index];
    if (out_ != nullptr) {
        out_->begin('{');
        out_->key(key);
    }
    {
        const path_step in(path_, std::string_view(key));
        read_value(type.parts[index]);
    }
    if (out_ != nullptr)
        out_->end('}');
}

void schema_reader::read_fields(std::uint32_t place)
{
    const schema_type& type = types_[place];
    const auto& keys = types_.keys(place);
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
        const schema_field& field = type.fields[i];
        const path_step in(path_, std::string_view(keys[i]));
        if (out_ != nullptr && types_[field.type].kind != schema_kind::registered)
            out_->key(keys[i]);
        read_value(field.type, true);
    }
}

void schema_reader::read_class(std::uint32_t place, std::uint32_t object)
{
    const auto read_level = [&](std::uint32_t type, std::uint32_t version_of) {
        if (levels_ == 0)
            fail(errc::depth_limit);
        --levels_;
        read_version(version_of);
        read_fields(type);
        ++levels_;
    };
    const std::uint32_t body = types_.body_of(place);
    if (body != place) {
        if (out_ != nullptr) {
            out_->key("$construct");
            out_->begin('{');
        }
        read_level(place, body);
        if (out_ != nullptr)
            out_->end('}');
    }
    if (object != schema_objects::none)
        objects_[object].is_constructed = true;
    read_level(body, body);
}

} // namespace wharf::detail
