// How messages are made up from a schema.
#include "schema_filler.hpp"

#include <wharf/archive/wire.hpp>

#include <algorithm>
#include <map>
#include <string>

namespace wharf::detail {
namespace {

/// Beyond this what can be left out is left out.
constexpr std::size_t message_bytes_max = 64u << 10;
constexpr unsigned fillings_max = 16;

class filler {
public:
    filler(const std::vector<schema_type>& types, unsigned filling)
        : types_(types), filling_(filling), is_open_(types.size())
    {
        find_heights();
    }
    std::vector<std::byte> fill();

private:
    void find_heights();
    unsigned height_of(const schema_type& type) const;
    void put_byte(unsigned value) { body_.push_back(static_cast<std::byte>(value)); }
    static void put_varint(std::vector<std::byte>& to, std::uint64_t value)
    {
        std::byte room[varint_bytes_max];
        to.insert(to.end(), room, put_long_varint(room, value));
    }
    void put_varint(std::uint64_t value) { put_varint(body_, value); }
    void put_image(std::uint64_t value, unsigned size)
    {
        for (unsigned i = 0; i < size; ++i)
            put_byte(i < 8 ? static_cast<unsigned>(value >> (8 * i)) & 0xff : 0);
    }
    void put(std::uint32_t at);
    void put_type(const schema_type& type);
    void put_real(unsigned size);
    void put_enumeration(const schema_type& type);
    void put_string(const schema_type& type);
    void put_elements(const schema_type& type, std::uint64_t n);
    void put_bits(const schema_type& type);
    void put_variant(const schema_type& type);
    void put_record(std::uint32_t at);
    void put_fields(const schema_type& type);
    void put_pointer(const schema_type& type);
    const schema_derived& choose_derived(const schema_type& type) const;
    void put_class_name(const schema_derived& derived);
    void note_class(std::uint32_t at);
    /// The record of a type behind a pointer.
    std::uint32_t record_of(std::uint32_t at) const
    {
        const schema_type& type = types_[at];
        const bool is_around = type.kind == schema_kind::constructed ||
                               type.kind == schema_kind::registered ||
                               type.kind == schema_kind::tracked;
        return is_around ? type.parts[0] : at;
    }
    bool is_brief() const { return repeated_ != 0 || body_.size() > message_bytes_max; }

    const std::vector<schema_type>& types_;
    unsigned filling_;
    std::vector<bool> is_open_;
    std::vector<unsigned> heights_; ///< of the smallest value of each type
    unsigned repeated_ = 0;         ///< types that are inside of themselves
    std::vector<std::byte> body_;
    std::vector<std::uint32_t> classes_met_;
    std::map<std::uint32_t, std::uint64_t> named_; ///< records: their class numbers
};

constexpr unsigned infinite = 1u << 20;

unsigned filler::height_of(const schema_type& type) const
{
    const auto of_part = [this](std::uint32_t part) { return heights_[part]; };
    const auto largest = [&](auto const& all, auto place) {
        unsigned height = 0;
        for (const auto& each : all)
            height = std::max(height, of_part(place(each)));
        return height;
    };
    const auto itself = [](std::uint32_t part) { return part; };
    switch (type.kind) {
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::map:
    case schema_kind::optional:
    case schema_kind::pointer:
    case schema_kind::registered: return 1;
    case schema_kind::variant: {
        unsigned height = infinite;
        for (const std::uint32_t part : type.parts)
            height = std::min(height, of_part(part));
        return std::min(infinite, height + 1);
    }
    default:
        return std::min(infinite, 1 + std::max(largest(type.parts, itself),
                                               largest(type.fields, [](const schema_field& f) {
                                                   return f.type;
                                               })));
    }
}

void filler::find_heights()
{
    heights_.assign(types_.size(), infinite);
    for (bool changes = true; changes;) {
        changes = false;
        for (std::size_t i = types_.size(); i-- > 0;) {
            const unsigned height = height_of(types_[i]);
            changes = changes || height != heights_[i];
            heights_[i] = height;
        }
    }
}

void filler::note_class(std::uint32_t at)
{
    if (types_[at].is_versioned &&
        std::find(classes_met_.begin(), classes_met_.end(), at) == classes_met_.end())
        classes_met_.push_back(at);
}

void filler::put(std::uint32_t at)
{
    const bool is_repeated = is_open_[at];
    repeated_ += is_repeated ? 1 : 0;
    is_open_[at] = true;
    if (types_[at].kind == schema_kind::record)
        put_record(at);
    else
        put_type(types_[at]);
    repeated_ -= is_repeated ? 1 : 0;
    is_open_[at] = is_repeated;
}

void filler::put_real(unsigned size)
{
    // 1, or 2.
    const bool is_one = filling_ % 2 == 0;
    if (size == 4)
        put_image(is_one ? 0x3f800000 : 0x40000000, 4);
    else {
        put_image(0, size - 2);
        put_image(size == 8 ? (is_one ? 0x3ff0 : 0x4000) : (is_one ? 0x3fff : 0x4000), 2);
    }
}

void filler::put_enumeration(const schema_type& type)
{
    std::uint64_t value = 1 + filling_ % 2;
    if (!type.values.empty())
        value = static_cast<std::uint64_t>(
            type.values[(filling_ + type.values.size() / 2) % type.values.size()].value);
    else if (type.greatest != 0)
        value = std::min(value, type.greatest);
    put_image(value, type.size);
}

void filler::put_string(const schema_type& type)
{
    const unsigned n = 1 + filling_ % 2;
    put_varint(n);
    for (unsigned i = 0; i < n; ++i)
        put_image('a' + i, type.size);
}

void filler::put_elements(const schema_type& type, std::uint64_t n)
{
    for (std::uint64_t i = 0; i < n; ++i) {
        const std::size_t begun = body_.size();
        for (const std::uint32_t part : type.parts)
            put(part);
        if (body_.size() == begun)
            put_byte(0);
    }
}

void filler::put_bits(const schema_type& type)
{
    const std::uint64_t n = type.count != 0 ? type.count : 1 + filling_ % 2;
    put_varint(n);
    for (std::uint64_t i = 0; i < n; i += 8)
        put_byte(1);
}

void filler::put_variant(const schema_type& type)
{
    std::size_t index = filling_ % type.parts.size();
    if (is_brief())
        index = static_cast<std::size_t>(std::min_element(type.parts.begin(), type.parts.end(),
                                                          [this](std::uint32_t a, std::uint32_t b) {
                                                              return heights_[a] < heights_[b];
                                                          }) -
                                         type.parts.begin());
    put_varint(index);
    put(type.parts[index]);
}

void filler::put_fields(const schema_type& type)
{
    for (const schema_field& field : type.fields)
        put(field.type);
}

void filler::put_record(std::uint32_t at)
{
    note_class(at);
    put_fields(types_[at]);
}

/// In turn, but a class without a key only where it has a number.
const schema_derived& filler::choose_derived(const schema_type& type) const
{
    for (std::size_t i = 0; i < type.derived.size(); ++i) {
        const schema_derived& each = type.derived[(filling_ + i) % type.derived.size()];
        const std::uint32_t record = record_of(each.type);
        if (!each.key.empty() || record == type.parts[0] || named_.contains(record))
            return each;
    }
    return type.derived.front();
}

void filler::put_class_name(const schema_derived& derived)
{
    const auto [named, is_new] = named_.emplace(record_of(derived.type), named_.size());
    if (!is_new) {
        put_varint(named->second + 1);
        return;
    }
    put_varint(0);
    put_varint(derived.key.size());
    for (const char c : derived.key)
        put_byte(static_cast<unsigned char>(c));
}

void filler::put_pointer(const schema_type& type)
{
    // Nobody would own what a weak pointer or a raw one that does not own points to.
    constexpr std::uint8_t aliased = 4;
    const bool is_null = is_brief() || type.is_weak || type.ownership == aliased ||
                         (type.is_polymorphic && type.derived.empty());
    put_byte(is_null ? 0 : 1);
    if (is_null)
        return;
    if (type.is_polymorphic) {
        const schema_derived& derived = choose_derived(type);
        put_class_name(derived);
        put(derived.type);
    }
    else
        put(type.parts[0]);
}

void filler::put_type(const schema_type& type)
{
    switch (type.kind) {
    case schema_kind::boolean: put_byte(filling_ % 2 == 0 ? 1 : 0); break;
    case schema_kind::integer: put_image(1 + filling_ % 2, type.size); break;
    case schema_kind::real: put_real(type.size); break;
    case schema_kind::enumeration: put_enumeration(type); break;
    case schema_kind::string: put_string(type); break;
    case schema_kind::bytes:
        put_varint(1);
        put_byte(1);
        break;
    case schema_kind::fixed_bytes:
        for (std::uint64_t i = 0; i < type.count; ++i)
            put_byte(1 + filling_ % 2);
        break;
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::map:
        put_varint(is_brief() ? 0 : 1);
        put_elements(type, is_brief() ? 0 : 1);
        break;
    case schema_kind::array:
        put_varint(type.count);
        put_elements(type, type.count);
        break;
    case schema_kind::run: put_elements(type, type.count); break;
    case schema_kind::bits: put_bits(type); break;
    case schema_kind::optional:
        put_byte(is_brief() ? 0 : 1);
        if (!is_brief())
            put(type.parts[0]);
        break;
    case schema_kind::variant: put_variant(type); break;
    case schema_kind::pointer: put_pointer(type); break;
    case schema_kind::tracked:
        put_byte(1);
        put(type.parts[0]);
        break;
    case schema_kind::varint: put_varint(1); break;
    case schema_kind::tuple:
        for (const std::uint32_t part : type.parts)
            put(part);
        break;
    case schema_kind::constructed:
        note_class(record_of(type.parts[0]));
        put_fields(type);
        put(type.parts[0]);
        break;
    case schema_kind::registered: named_.emplace(record_of(type.parts[0]), named_.size()); break;
    case schema_kind::record:
    case schema_kind::nothing:
    case schema_kind::opaque: break;
    }
}

std::vector<std::byte> filler::fill()
{
    put(0);
    if (body_.empty())
        put_byte(0);
    std::vector<std::byte> message;
    const bool has_table =
        std::any_of(classes_met_.begin(), classes_met_.end(),
                    [this](std::uint32_t at) { return types_[at].version != 0; });
    message.push_back(static_cast<std::byte>(has_table ? 1 : 0));
    if (has_table) {
        put_varint(message, classes_met_.size());
        for (const std::uint32_t at : classes_met_)
            put_varint(message, types_[at].version);
    }
    message.insert(message.end(), body_.begin(), body_.end());
    return message;
}

} // namespace

unsigned fillings_of(const std::vector<schema_type>& types)
{
    std::size_t n = 2;
    for (const schema_type& type : types) {
        if (type.kind == schema_kind::variant)
            n = std::max(n, type.parts.size());
        n = std::max(n, type.derived.size());
    }
    return static_cast<unsigned>(std::min<std::size_t>(n, fillings_max));
}

std::vector<std::byte> fill_message(const std::vector<schema_type>& types, unsigned filling)
{
    return filler(types, filling).fill();
}

} // namespace wharf::detail
