// What a schema says about itself: whether it can be used, and its fingerprint.
#include <wharf/schema.hpp>

#include "schema_parts.hpp"
#include "siphash.hpp"

#include <algorithm>

namespace wharf {
namespace {

constexpr auto not_numbered = static_cast<std::uint32_t>(-1);

/// Bytes of a schema that do not depend on how its types are numbered.
class canonical_writer {
public:
    explicit canonical_writer(const std::vector<schema_type>& types)
        : types_(types), numbers_(types.size(), not_numbered)
    {}
    std::vector<std::byte> write();

private:
    void put(std::uint64_t number)
    {
        for (int i = 0; i < 8; ++i)
            bytes_.push_back(static_cast<std::byte>(number >> (8 * i)));
    }
    void put(const std::string& text)
    {
        put(text.size());
        for (const char c : text)
            bytes_.push_back(static_cast<std::byte>(c));
    }
    /// The types are numbered in the order in which they are named.
    void put_type(std::uint32_t type)
    {
        if (numbers_[type] == not_numbered) {
            numbers_[type] = static_cast<std::uint32_t>(order_.size());
            order_.push_back(type);
        }
        put(numbers_[type]);
    }
    void put_body(const schema_type& type);

    const std::vector<schema_type>& types_;
    std::vector<std::uint32_t> numbers_;
    std::vector<std::uint32_t> order_;
    std::vector<std::byte> bytes_;
};

void canonical_writer::put_body(const schema_type& type)
{
    put(static_cast<std::uint64_t>(type.kind));
    put(type.size);
    std::uint64_t flags = 0;
    for (const bool flag : {type.is_signed, type.is_utf8, type.is_unordered, type.is_multi,
                            type.is_versioned, type.is_polymorphic, type.is_untracked})
        flags = flags * 2 + (flag ? 1 : 0);
    put(flags);
    put(type.order);
    put(type.ownership);
    put(type.version);
    put(type.count);
    // Not the range of an enumeration: compilers do not agree on how much of it they show.
    put(type.parts.size());
    for (const std::uint32_t part : type.parts)
        put_type(part);
    put(type.fields.size());
    for (const schema_field& field : type.fields) {
        put(field.name);
        put(field.is_base ? 1 : 0);
        put_type(field.type);
    }
    if (type.is_polymorphic)
        for (const schema_derived& each : type.derived)
            if (each.type == type.parts.front())
                put(each.key);
}

std::vector<std::byte> canonical_writer::write()
{
    put_type(0);
    for (std::size_t i = 0; i < order_.size(); ++i) {
        if (types_[order_[i]].kind == schema_kind::opaque)
            return {};
        put_body(types_[order_[i]]);
    }
    return std::move(bytes_);
}

/// The way to the first opaque type: fields by their names, elements by [].
class opaque_finder {
public:
    explicit opaque_finder(const std::vector<schema_type>& types)
        : types_(types), from_(types.size(), not_numbered), step_(types.size())
    {}
    std::string find();

private:
    void reach(std::uint32_t type, std::uint32_t from, std::string step)
    {
        if (type == 0 || from_[type] != not_numbered)
            return;
        from_[type] = from;
        step_[type] = std::move(step);
        order_.push_back(type);
    }
    std::string path_to(std::uint32_t type) const;

    const std::vector<schema_type>& types_;
    std::vector<std::uint32_t> from_;
    std::vector<std::string> step_;
    std::vector<std::uint32_t> order_{0};
};

std::string opaque_finder::path_to(std::uint32_t type) const
{
    std::vector<std::uint32_t> way;
    for (; type != 0; type = from_[type])
        way.push_back(type);
    std::string path;
    for (auto at = way.rbegin(); at != way.rend(); ++at) {
        const std::string& step = step_[*at];
        if (!path.empty() && !step.empty() && step[0] != '[' && step[0] != '<')
            path += '.';
        path += step;
    }
    return path;
}

std::string opaque_finder::find()
{
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const std::uint32_t at = order_[i];
        const schema_type& type = types_[at];
        if (type.kind == schema_kind::opaque) {
            const std::string path = path_to(at);
            return path.empty() ? type.name : path + ": " + type.name;
        }
        const bool has_elements = type.kind == schema_kind::list || type.kind == schema_kind::set ||
                                  type.kind == schema_kind::map ||
                                  type.kind == schema_kind::array || type.kind == schema_kind::run;
        for (const std::uint32_t part : type.parts)
            reach(part, at, has_elements ? "[]" : "");
        for (const schema_field& field : type.fields)
            reach(field.type, at, field.name);
        for (const schema_derived& each : type.derived)
            reach(each.type, at, "<" + each.key + ">");
    }
    return {};
}

} // namespace

schema schema::opaque(std::string why)
{
    schema_type type;
    type.name = std::move(why);
    return schema(std::vector{std::move(type)});
}

bool schema::is_valid() const noexcept
{
    const auto is_place = [this](std::uint32_t type) { return type < types_.size(); };
    return std::all_of(types_.begin(), types_.end(), [&](const schema_type& type) {
        const int parts = detail::parts_of(type.kind);
        return type.kind <= schema_kind::registered && detail::is_valid_size(type) &&
               (parts == -1 || type.parts.size() == static_cast<std::size_t>(parts)) &&
               (type.kind != schema_kind::variant || !type.parts.empty()) &&
               (!type.is_polymorphic || type.kind == schema_kind::pointer) &&
               std::all_of(type.parts.begin(), type.parts.end(), is_place) &&
               std::all_of(type.fields.begin(), type.fields.end(),
                           [&](const schema_field& field) { return is_place(field.type); }) &&
               std::all_of(type.derived.begin(), type.derived.end(),
                           [&](const schema_derived& each) { return is_place(each.type); });
    });
}

bool schema::is_walkable() const noexcept
{
    return std::none_of(types_.begin(), types_.end(),
                        [](const schema_type& type) { return type.kind == schema_kind::opaque; });
}

std::string schema::opaque_reason() const
{
    if (!is_valid())
        throw error(errc::bad_value, "this is no schema");
    return opaque_finder(types_).find();
}

std::uint64_t schema::fingerprint() const
{
    if (!is_valid())
        throw error(errc::bad_value, "this is no schema");
    const std::vector<std::byte> bytes = canonical_writer(types_).write();
    if (bytes.empty())
        return 0;
    // "wharf schema v1", and a zero.
    const std::uint64_t found = detail::siphash({0x6373206672616877, 0x00317620616d6568}, bytes);
    return found == 0 ? 1 : found;
}

} // namespace wharf
