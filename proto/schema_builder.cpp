// How a schema is built: each class is visited once, over a default object.
#include "schema_builder.hpp"

#include "default_object.hpp"

#include <wharf/schema_history.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <cxxabi.h>

namespace wharf::detail {
namespace {

std::string name_of(const class_shape& shape)
{
    return boost::core::demangle(shape.type->name());
}

/// What a function of a user's class threw.
std::string text_of_exception()
{
    try {
        throw;
    }
    catch (const std::bad_alloc&) {
        throw;
    }
    catch (const std::exception& e) {
        return e.what();
    }
    catch (...) {
        return "not a std::exception";
    }
}

/// Is this part of an object a base of it, and no member of the same type? By what the
/// implementation of typeid knows. Where a virtual base is depends on the object: any place will
/// do.
bool is_base_at(const std::type_info& base, const void* base_at, const std::type_info& derived,
                const void* derived_at) noexcept
{
    if (base == derived)
        return base_at == derived_at;
    if (const auto* one = dynamic_cast<const abi::__si_class_type_info*>(&derived))
        return is_base_at(base, base_at, *one->__base_type, derived_at);
    if (const auto* many = dynamic_cast<const abi::__vmi_class_type_info*>(&derived))
        for (unsigned i = 0; i < many->__base_count; ++i) {
            const auto& each = many->__base_info[i];
            if (each.__is_virtual_p()
                    ? is_base_of(base, *each.__base_type)
                    : is_base_at(base, base_at, *each.__base_type,
                                 static_cast<const char*>(derived_at) + each.__offset()))
                return true;
        }
    return false;
}

/// ", "-separated, outside of any bracket.
std::vector<std::string_view> split_list(std::string_view list)
{
    std::vector<std::string_view> parts;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const char c = list[i];
        if (c == '(' || c == '{' || c == '[' || c == '<')
            ++depth;
        else if (c == ')' || c == '}' || c == ']' || c == '>')
            --depth;
        else if (c == ',' && depth == 0) {
            parts.push_back(list.substr(begin, i - begin));
            begin = i + 2;
        }
    }
    if (begin < list.size())
        parts.push_back(list.substr(begin));
    return parts;
}

/// g++: "... [with Enum = X; Enum ...Values = {X::a, (X)7}]"; clang: "[Enum = X, Values = <...>]".
std::vector<schema_enumerator> find_enumerators(const enum_shape& shape)
{
    std::string_view text = shape.spelled;
    const std::size_t values = text.rfind("Values = ");
    if (values == text.npos || text.size() < 2)
        return {};
    text = text.substr(values + 10, text.size() - values - 12);
    const auto spelled = split_list(text);
    if (spelled.size() != shape.count)
        return {};
    std::vector<schema_enumerator> named;
    for (std::size_t i = 0; i < spelled.size(); ++i) {
        if (spelled[i].starts_with('(') || (i != 0 && shape.values[i] == 0))
            continue;
        const std::size_t scope = spelled[i].rfind("::");
        named.push_back(
            {std::string(scope == text.npos ? spelled[i] : spelled[i].substr(scope + 2)),
             shape.values[i]});
    }
    std::sort(named.begin(), named.end(),
              [](const auto& a, const auto& b) { return a.value < b.value; });
    return named;
}

class builder;

/// The fields of one visit of a class.
class field_recorder final : public visit_recorder {
public:
    field_recorder(builder& to, const class_shape& of) : to_(to), of_(of), recording_(*this) {}
    std::vector<schema_field> visit(const void* object, unsigned version, bool is_construct_data);

    void record(const type_shape& shape, const void* value, const char* name) override;
    void record_bytes(std::size_t n) override;

private:
    void add(std::uint32_t type, const char* name, bool is_base);
    void add_registered();

    builder& to_;
    const class_shape& of_;
    const void* object_ = nullptr;
    recording recording_;
    std::size_t registered_ = 0;
    std::vector<schema_field> fields_;
};

class builder {
public:
    explicit builder(const class_versions& versions) : versions_(versions) {}
    std::uint32_t add(const type_shape& shape, const void* value);
    std::uint32_t add_type(schema_type type)
    {
        types_.push_back(std::move(type));
        return static_cast<std::uint32_t>(types_.size() - 1);
    }
    std::uint32_t add_registered(const class_entry& entry);
    built_schema finish(std::uint32_t root);
    /// Behind what was added: the classes at each version before their newest.
    void add_older();
    std::vector<built_history::entry> take_older();

private:
    struct older_place {
        const class_shape* of;
        std::uint32_t version, layout;
    };
    void add_older(const class_shape& shape, std::uint32_t version);
    struct place {
        std::uint32_t index;
        bool is_walked;
    };
    std::uint32_t add_class(const class_shape& shape, const void* value);
    void walk(const class_shape& shape, place& at, const void* value);
    void add_parts(std::uint32_t index, const type_shape& shape);
    void add_derived(std::uint32_t index, const type_shape& shape);
    void add_registered_to_pointers();
    void add_construct_data(std::uint32_t index, const class_shape& shape);
    void intern();
    void renumber(std::uint32_t root);
    unsigned version_of(const class_shape& shape) const
    {
        const auto found = versions_.find(shape.cell);
        return found == versions_.end() ? shape.version : found->second;
    }

    const class_versions& versions_;
    std::vector<schema_type> types_;
    std::map<const type_shape*, std::uint32_t> known_;
    std::map<const class_shape*, place> classes_;
    std::map<std::uint32_t, const std::type_info*> pointers_; ///< polymorphic: to which class
    std::map<const std::type_info*, std::uint32_t> keyless_;  ///< registered, without a key
    std::vector<older_place> older_;
    std::vector<std::uint32_t> renamed_; ///< by place: the place that has its type, and at last
                                         ///< the number of that
};

std::vector<schema_field> field_recorder::visit(const void* object, unsigned version,
                                                bool is_construct_data)
{
    object_ = object;
    if (is_construct_data)
        recording_.visit_construct_data(of_, object, version);
    else
        recording_.visit(of_, object, version);
    add_registered();
    return std::move(fields_);
}

void field_recorder::add(std::uint32_t type, const char* name, bool is_base)
{
    const std::string place = "#" + std::to_string(fields_.size());
    std::string unique = name == nullptr ? "" : name;
    if (unique.empty() || std::any_of(fields_.begin(), fields_.end(),
                                      [&](const schema_field& f) { return f.name == unique; }))
        unique += place;
    fields_.push_back({std::move(unique), type, is_base});
}

void field_recorder::add_registered()
{
    for (; registered_ < recording_.registered().size(); ++registered_) {
        add(to_.add_registered(*recording_.registered()[registered_]), nullptr, false);
    }
}

void field_recorder::record(const type_shape& shape, const void* value, const char* name)
{
    add_registered();
    if (shape.is_silent)
        return;
    const class_shape* base =
        shape.kind == schema_kind::tracked ? shape.parts[0]->of_class : shape.of_class;
    const bool is_base = base != nullptr && *base->type != *of_.type &&
                         is_base_at(*base->type, value, *of_.type, object_);
    add(to_.add(shape, value), name, is_base);
}

void field_recorder::record_bytes(std::size_t n)
{
    add_registered();
    schema_type type;
    type.kind = schema_kind::fixed_bytes;
    type.count = n;
    add(to_.add_type(std::move(type)), nullptr, false);
}

std::uint32_t builder::add(const type_shape& shape, const void* value)
{
    if (shape.kind == schema_kind::record && shape.of_class != nullptr)
        return add_class(*shape.of_class, value);
    if (shape.kind == schema_kind::tracked && value != nullptr)
        add_class(*shape.parts[0]->of_class, value);
    // What only the value knows differs from one to another.
    if (shape.count_of == nullptr)
        if (const auto known = known_.find(&shape); known != known_.end())
            return known->second;
    const std::uint32_t index = add_type(make_type(shape, value));
    if (shape.count_of == nullptr)
        known_.emplace(&shape, index);
    add_parts(index, shape);
    return index;
}

void builder::add_parts(std::uint32_t index, const type_shape& shape)
{
    for (std::uint32_t i = 0; i < shape.part_count; ++i) {
        const std::uint32_t part = add(*shape.parts[i], nullptr);
        if (shape.names != nullptr)
            types_[index].fields.push_back({shape.names[i], part, false});
        else
            types_[index].parts.push_back(part);
    }
    if (shape.kind == schema_kind::constructed)
        add_construct_data(index, *shape.of_class);
    if (shape.is_polymorphic)
        add_derived(index, shape);
}

void builder::add_derived(std::uint32_t index, const type_shape& shape)
{
    const type_shape& object = *shape.parts[0];
    const class_shape& own = *object.of_class;
    std::vector<schema_derived> derived;
    const class_entry* entry = find_class(*own.type);
    if (!own.is_abstract && (entry == nullptr || entry->key() == nullptr))
        derived.push_back({"", types_[index].parts[0]});
    for (const class_entry* each : keyed_classes())
        if (is_base_of(*own.type, *each->type))
            derived.push_back({each->key(), add(*each->shape, nullptr)});
    pointers_.emplace(index, own.type);
    schema_type& type = types_[index];
    type.derived = std::move(derived);
    if (types_[type.parts[0]].kind == schema_kind::constructed)
        type.parts[0] = types_[type.parts[0]].parts[0];
}

std::uint32_t builder::add_registered(const class_entry& entry)
{
    schema_type type;
    type.kind = schema_kind::registered;
    type.parts.push_back(add(*entry.shape, nullptr));
    if (entry.key() == nullptr)
        keyless_.emplace(entry.type, type.parts[0]);
    return add_type(std::move(type));
}

/// Classes that have no key, and only a number from where they are registered on.
void builder::add_registered_to_pointers()
{
    for (const auto& [pointer, own] : pointers_)
        for (const auto& [type, index] : keyless_)
            if (*type != *own && is_base_of(*own, *type))
                types_[pointer].derived.push_back({"", index});
}

/// The object that is walked: a new one, else the one that is there.
class walked_object {
public:
    walked_object(const class_shape& shape, const void* there) : made_(*shape.object), there_(there)
    {}
    const void* get() const { return made_.get() != nullptr ? made_.get() : there_; }

private:
    default_object made_;
    const void* there_;
};

void builder::add_construct_data(std::uint32_t index, const class_shape& shape)
{
    try {
        const walked_object object(shape, nullptr);
        if (object.get() == nullptr)
            return; // Its record says so.
        field_recorder recorder(*this, shape);
        auto fields = recorder.visit(object.get(), version_of(shape), true);
        types_[index].fields = std::move(fields);
    }
    catch (...) {
        types_[index] = {};
        types_[index].name =
            name_of(shape) + ": its construct data cannot be walked: " + text_of_exception();
    }
}

std::uint32_t builder::add_class(const class_shape& shape, const void* value)
{
    auto known = classes_.find(&shape);
    if (known == classes_.end()) {
        schema_type type;
        type.kind = schema_kind::record;
        type.is_versioned = shape.has_version;
        type.version = shape.has_version ? version_of(shape) : 0;
        const class_entry* entry = find_class(*shape.type);
        if (entry != nullptr && entry->key() != nullptr)
            type.name = entry->key();
        const std::uint32_t index = add_type(std::move(type));
        known = classes_.emplace(&shape, place{index, false}).first;
    }
    if (!known->second.is_walked)
        walk(shape, known->second, value);
    return known->second.index;
}

void builder::walk(const class_shape& shape, place& at, const void* value)
{
    at.is_walked = true;
    std::string why;
    try {
        const walked_object object(shape, value);
        if (object.get() == nullptr) {
            at.is_walked = false;
            return;
        }
        field_recorder recorder(*this, shape);
        auto fields = recorder.visit(object.get(), version_of(shape), false);
        types_[at.index].fields = std::move(fields);
        return;
    }
    catch (...) {
        why = name_of(shape) + ": a default object cannot be visited: " + text_of_exception();
    }
    types_[at.index] = {};
    types_[at.index].name = std::move(why);
}

void builder::add_older(const class_shape& shape, std::uint32_t version)
{
    schema_type record;
    record.kind = schema_kind::record;
    record.is_versioned = true;
    record.version = version;
    try {
        const walked_object object(shape, nullptr);
        if (object.get() == nullptr)
            return;
        record.fields = field_recorder(*this, shape).visit(object.get(), version, false);
        std::vector<schema_field> data;
        if (shape.save_construct != nullptr)
            data = field_recorder(*this, shape).visit(object.get(), version, true);
        std::uint32_t layout = add_type(std::move(record));
        if (!data.empty()) {
            schema_type constructed;
            constructed.kind = schema_kind::constructed;
            constructed.fields = std::move(data);
            constructed.parts.push_back(layout);
            layout = add_type(std::move(constructed));
        }
        older_.push_back({&shape, version, layout});
    }
    catch (...) {
        schema_type opaque;
        opaque.name = name_of(shape) + ": a default object cannot be visited at version " +
                      std::to_string(version) + ": " + text_of_exception();
        older_.push_back({&shape, version, add_type(std::move(opaque))});
    }
}

void builder::add_older()
{
    // Older versions may have classes that the newest has not, which have older versions too.
    std::vector<const class_shape*> done;
    for (;;) {
        const class_shape* next = nullptr;
        for (const auto& [shape, at] : classes_)
            if (shape->has_version && shape->version != 0 && at.is_walked &&
                std::find(done.begin(), done.end(), shape) == done.end() &&
                (next == nullptr || at.index < classes_.at(next).index))
                next = shape;
        if (next == nullptr)
            return;
        done.push_back(next);
        for (std::uint32_t v = oldest_version(next->version); v < next->version; ++v)
            add_older(*next, v);
    }
}

std::vector<built_history::entry> builder::take_older()
{
    std::vector<built_history::entry> taken;
    for (const older_place& each : older_)
        taken.push_back({name_of(*each.of), renamed_[classes_.at(each.of).index], each.version,
                         renamed_[each.layout]});
    return taken;
}

/// Equal types become one, so that a schema does not depend on which of two C++ types of the same
/// bytes a member has. Classes stay apart, as each has a version of its own.
void builder::intern()
{
    std::vector<bool> is_class(types_.size());
    for (const auto& [shape, at] : classes_)
        is_class[at.index] = true;
    renamed_.resize(types_.size());
    for (std::uint32_t i = 0; i < renamed_.size(); ++i)
        renamed_[i] = i;
    const auto rename = [this](std::uint32_t& type) { type = renamed_[type]; };
    for (bool changes = true; changes;) {
        changes = false;
        std::map<std::string, std::uint32_t, std::less<>> first; // by the bytes of the type
        for (std::uint32_t i = 0; i < types_.size(); ++i) {
            std::for_each(types_[i].parts.begin(), types_[i].parts.end(), rename);
            for (schema_field& field : types_[i].fields)
                rename(field.type);
            for (schema_derived& each : types_[i].derived)
                rename(each.type);
            if (is_class[i] || renamed_[i] != i)
                continue;
            const std::vector<std::byte> bytes = to_bytes(types_[i]);
            const std::string key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            const auto [same, is_new] = first.emplace(key, i);
            if (!is_new) {
                renamed_[i] = same->second;
                changes = true;
            }
        }
        for (std::uint32_t& each : renamed_)
            while (each != renamed_[each])
                each = renamed_[each];
    }
}

void builder::renumber(std::uint32_t root)
{
    constexpr auto none = static_cast<std::uint32_t>(-1);
    std::vector<std::uint32_t> number(types_.size(), none);
    std::vector<std::uint32_t> order;
    std::vector<std::uint32_t> open;
    for (auto each = older_.rbegin(); each != older_.rend(); ++each)
        open.push_back(renamed_[each->layout]);
    open.push_back(renamed_[root]);
    while (!open.empty()) {
        const std::uint32_t at = open.back();
        open.pop_back();
        if (number[at] != none)
            continue;
        number[at] = static_cast<std::uint32_t>(order.size());
        order.push_back(at);
        const schema_type& type = types_[at];
        for (auto each = type.derived.rbegin(); each != type.derived.rend(); ++each)
            open.push_back(each->type);
        for (auto each = type.fields.rbegin(); each != type.fields.rend(); ++each)
            open.push_back(each->type);
        for (auto each = type.parts.rbegin(); each != type.parts.rend(); ++each)
            open.push_back(*each);
    }
    std::vector<schema_type> ordered;
    for (const std::uint32_t at : order) {
        schema_type& type = ordered.emplace_back(std::move(types_[at]));
        for (std::uint32_t& part : type.parts)
            part = number[part];
        for (schema_field& field : type.fields)
            field.type = number[field.type];
        for (schema_derived& each : type.derived)
            each.type = number[each.type];
    }
    types_ = std::move(ordered);
    for (std::uint32_t& each : renamed_)
        each = number[each];
}

built_schema builder::finish(std::uint32_t root)
{
    for (const auto& [shape, at] : classes_)
        if (!at.is_walked && !shape->is_abstract) {
            types_[at.index] = {};
            types_[at.index].name = name_of(*shape) + " has no default constructor";
        }
    add_registered_to_pointers();
    intern();
    renumber(root);
    built_schema built{std::move(types_), {}, {}};
    for (const auto& [shape, index] : known_)
        if (renamed_[index] < built.types.size())
            built.shapes.emplace(shape, renamed_[index]);
    for (const auto& [shape, at] : classes_)
        if (renamed_[at.index] < built.types.size())
            built.places.emplace(shape, renamed_[at.index]);
    return built;
}

} // namespace

schema_type make_type(const type_shape& shape, const void* value)
{
    schema_type type;
    type.kind = shape.kind;
    type.size = shape.size;
    type.is_signed = shape.is_signed;
    type.is_utf8 = shape.is_utf8;
    type.is_unordered = shape.is_unordered;
    type.is_multi = shape.is_multi;
    type.is_polymorphic = shape.is_polymorphic;
    type.is_weak = shape.is_weak;
    type.is_untracked = shape.is_untracked;
    type.order = shape.order;
    type.ownership = shape.ownership;
    type.count = shape.count;
    if (shape.count_of != nullptr) {
        if (value != nullptr)
            type.count = shape.count_of(value);
        else {
            type = {};
            type.name = "a wrapper is an element";
        }
    }
    if (shape.why != nullptr)
        type.name = shape.why;
    if (shape.of_enum != nullptr) {
        type.least = shape.of_enum->least;
        type.greatest = shape.of_enum->greatest;
        type.values = find_enumerators(*shape.of_enum);
    }
    return type;
}

built_schema build_schema(const type_shape& root, const class_versions& versions)
{
    builder to(versions);
    return to.finish(to.add(root, nullptr));
}

built_history build_history(const type_shape& root)
{
    const class_versions newest;
    builder to(newest);
    const std::uint32_t place = to.add(root, nullptr);
    to.add_older();
    built_history built;
    built.types = to.finish(place).types;
    built.older = to.take_older();
    return built;
}

/// By what the implementation of typeid knows, which no code of each class has to say.
bool is_base_of(const std::type_info& base, const std::type_info& derived) noexcept
{
    if (base == derived)
        return true;
    if (const auto* one = dynamic_cast<const abi::__si_class_type_info*>(&derived))
        return is_base_of(base, *one->__base_type);
    if (const auto* many = dynamic_cast<const abi::__vmi_class_type_info*>(&derived))
        for (unsigned i = 0; i < many->__base_count; ++i)
            if (is_base_of(base, *many->__base_info[i].__base_type))
                return true;
    return false;
}

} // namespace wharf::detail
