// A schema as people read it.
#include <wharf/schema.hpp>

#include <algorithm>

namespace wharf {
namespace {

/// A schema that a peer sent may be nested, or grow, without bound.
constexpr std::size_t text_bytes_max = 256u << 10;
constexpr unsigned depth_max = 64;

class text_writer {
public:
    text_writer(const std::vector<schema_type>& types, bool has_lines)
        : types_(types), state_(types.size()), has_lines_(has_lines)
    {
        count_references(0, 0);
    }
    std::string write()
    {
        put(0);
        return std::move(text_);
    }

private:
    struct state {
        bool is_seen = false;     ///< by count_references
        bool is_open = false;     ///< between its begin and its end
        bool is_repeated = false; ///< a class met again, or a type inside of itself
        unsigned label = 0;       ///< of one that is repeated, from 1
    };
    void count_references(std::uint32_t at, unsigned depth);
    void put(std::uint32_t at);
    void put_type(const schema_type& type);
    void put_number(const schema_type& type, char kind);
    void put_enumeration(const schema_type& type);
    void put_keyed(const schema_type& type, const char* name);
    void put_parts(const schema_type& type, const char* between);
    void put_fields(const schema_type& type);
    void put_record(const schema_type& type);
    void put_pointer(const schema_type& type);
    void put_around(const char* before, const schema_type& type, const std::string& behind)
    {
        text_ += before;
        put(type.parts.at(0));
        text_ += behind;
    }
    void begin_line() { text_ += has_lines_ ? "\n" + std::string(4 * indent_, ' ') : ""; }

    const std::vector<schema_type>& types_;
    std::vector<state> state_;
    bool has_lines_;
    unsigned indent_ = 0;
    unsigned depth_ = 0;
    unsigned labels_ = 0;
    std::string text_;
};

void text_writer::count_references(std::uint32_t at, unsigned depth)
{
    state& own = state_[at];
    const schema_type& type = types_[at];
    if (own.is_seen) {
        own.is_repeated = own.is_repeated || own.is_open ||
                          (type.kind == schema_kind::record && type.fields.size() > 2);
        return;
    }
    own.is_seen = true;
    if (depth == depth_max)
        return;
    own.is_open = true;
    for (const std::uint32_t part : type.parts)
        if (!type.is_polymorphic)
            count_references(part, depth + 1);
    for (const schema_field& field : type.fields)
        count_references(field.type, depth + 1);
    for (const schema_derived& each : type.derived)
        count_references(each.type, depth + 1);
    own.is_open = false;
}

void text_writer::put(std::uint32_t at)
{
    state& own = state_[at];
    if (own.label != 0) {
        text_ += '#' + std::to_string(own.label);
        return;
    }
    if (depth_ >= depth_max || text_.size() > text_bytes_max) {
        text_ += "...";
        return;
    }
    if (own.is_repeated) {
        own.label = ++labels_;
        text_ += '#' + std::to_string(own.label) + '=';
    }
    ++depth_;
    put_type(types_[at]);
    --depth_;
}

void text_writer::put_number(const schema_type& type, char kind)
{
    text_ += kind + std::to_string(type.size * 8);
}

void text_writer::put_enumeration(const schema_type& type)
{
    text_ += "enum ";
    put_number(type, type.is_signed ? 'i' : 'u');
    if (type.values.empty())
        return;
    const char* between = " (";
    for (const schema_enumerator& each : type.values) {
        text_ += between + each.name + '=' + std::to_string(each.value);
        between = ", ";
    }
    text_ += ')';
}

void text_writer::put_keyed(const schema_type& type, const char* name)
{
    text_ += type.is_unordered ? "unordered_" : "";
    text_ += type.is_multi ? "multi" : "";
    text_ += name;
    text_ += '<';
    put_parts(type, ", ");
    text_ += '>';
}

void text_writer::put_parts(const schema_type& type, const char* between)
{
    bool is_first = true;
    for (const std::uint32_t part : type.parts) {
        text_ += is_first ? "" : between;
        is_first = false;
        put(part);
    }
}

void text_writer::put_fields(const schema_type& type)
{
    ++indent_;
    bool is_first = true;
    for (const schema_field& field : type.fields) {
        text_ += is_first || has_lines_ ? "" : ", ";
        is_first = false;
        begin_line();
        text_ += (field.is_base ? "base " : "") + field.name + ": ";
        put(field.type);
    }
    --indent_;
    if (!is_first)
        begin_line();
}

void text_writer::put_record(const schema_type& type)
{
    text_ += '{';
    put_fields(type);
    text_ += '}';
    if (type.is_versioned && type.version != 0)
        text_ += " v" + std::to_string(type.version);
}

void text_writer::put_pointer(const schema_type& type)
{
    constexpr const char* names[] = {"pointer ", "unique ", "shared ", "boost_shared ", "raw "};
    text_ += type.is_weak ? "weak " : "";
    text_ += names[type.ownership < std::size(names) ? type.ownership : 0];
    if (!type.is_polymorphic) {
        put(type.parts.at(0));
        return;
    }
    const char* between = "(";
    for (const schema_derived& each : type.derived) {
        text_ += between +
                 (!each.key.empty()               ? '"' + each.key + '"'
                  : each.type == type.parts.at(0) ? std::string("its own")
                                                  : std::string("registered")) +
                 ": ";
        between = " | ";
        put(each.type);
    }
    text_ += type.derived.empty() ? "(no class)" : ")";
}

void text_writer::put_type(const schema_type& type)
{
    const auto count = [&] { return std::to_string(type.count); };
    switch (type.kind) {
    case schema_kind::opaque: text_ += "opaque (" + type.name + ')'; break;
    case schema_kind::nothing: text_ += "nothing"; break;
    case schema_kind::boolean: text_ += "bool"; break;
    case schema_kind::integer: put_number(type, type.is_signed ? 'i' : 'u'); break;
    case schema_kind::real: put_number(type, 'f'); break;
    case schema_kind::enumeration: put_enumeration(type); break;
    case schema_kind::string:
        text_ += type.is_utf8     ? "utf8"
                 : type.size == 1 ? "string"
                                  : "string of u" + std::to_string(type.size * 8);
        break;
    case schema_kind::bytes: text_ += "bytes"; break;
    case schema_kind::fixed_bytes: text_ += "bytes[" + count() + ']'; break;
    case schema_kind::list: put_around("[", type, "]"); break;
    case schema_kind::set: put_keyed(type, "set"); break;
    case schema_kind::map: put_keyed(type, "map"); break;
    case schema_kind::array: put_around("[", type, "; " + count() + ']'); break;
    case schema_kind::run: put_around("run<", type, ", " + count() + '>'); break;
    case schema_kind::bits: text_ += type.count == 0 ? "bits" : "bits[" + count() + ']'; break;
    case schema_kind::tuple:
        text_ += '(';
        put_parts(type, ", ");
        text_ += ')';
        break;
    case schema_kind::optional: put_around("", type, "?"); break;
    case schema_kind::variant:
        text_ += '(';
        put_parts(type, " | ");
        text_ += ')';
        break;
    case schema_kind::record: put_record(type); break;
    case schema_kind::pointer: put_pointer(type); break;
    case schema_kind::tracked: put_around("tracked ", type, ""); break;
    case schema_kind::varint: text_ += "count"; break;
    case schema_kind::constructed:
        text_ += "construct(";
        put_fields(type);
        put_around(") ", type, "");
        break;
    case schema_kind::registered: put_around("register ", type, ""); break;
    }
}

std::string to_text_of(const schema& of, bool has_lines)
{
    if (!of.is_valid())
        throw error(errc::bad_value, "this is no schema");
    return text_writer(of.types(), has_lines).write();
}

} // namespace

std::string schema::to_line() const
{
    return to_text_of(*this, false);
}

std::string schema::to_text() const
{
    return to_text_of(*this, true);
}

} // namespace wharf
