// Whether a schema is true: made-up messages must load, and be stored as they were.
#include "default_object.hpp"
#include "schema_builder.hpp"
#include "schema_filler.hpp"

#include <wharf/schema.hpp>
#include <wharf/schema_history.hpp>

#include <boost/core/demangle.hpp>

#include <algorithm>
#include <tuple>

namespace wharf::detail {
namespace {

struct schema_flaw {
    std::uint32_t type = 0; ///< place of the type that is not as the schema says
    std::string why;
};

/// Visits an object, and what is inside of it, and compares with the schema: another object than
/// the one that the schema was made from shows whether values decide what is visited.
class object_checker final : public visit_recorder {
public:
    object_checker(const built_schema& built, const class_shape& of, schema_flaw& flaw)
        : built_(built), of_(of), at_(built.places.at(&of)), flaw_(flaw), recording_(*this)
    {}
    void visit(const void* object)
    {
        const schema_type& type = built_.types[at_];
        recording_.visit(of_, object, type.is_versioned ? type.version : of_.version);
        skip_registered();
        if (next_ != type.fields.size())
            note_flaw();
    }

    void record(const type_shape& shape, const void* value, const char* name) override;
    void record_bytes(std::size_t n) override;
    /// What is inside of a value, as far as it can be reached.
    static void check_value(const built_schema& built, const type_shape& shape, const void* value,
                            schema_flaw& flaw);

private:
    void skip_registered()
    {
        const auto& fields = built_.types[at_].fields;
        while (next_ < fields.size() &&
               built_.types[fields[next_].type].kind == schema_kind::registered)
            ++next_;
    }
    /// The field that should come now; null where there is none.
    const schema_field* take_field()
    {
        skip_registered();
        const auto& fields = built_.types[at_].fields;
        return next_ < fields.size() ? &fields[next_++] : nullptr;
    }
    void note_flaw()
    {
        if (flaw_.why.empty())
            flaw_ = {at_, boost::core::demangle(of_.type->name()) +
                              " visits other members where its values are others"};
    }
    bool is_type(const schema_type& type, std::uint32_t place, const type_shape& shape,
                 const void* value) const;
    static bool is_name(const std::string& expected, const char* name)
    {
        return name == nullptr || *name == '\0'
                   ? expected.starts_with('#')
                   : expected == name || expected.starts_with(std::string(name) + '#');
    }

    const built_schema& built_;
    const class_shape& of_;
    std::uint32_t at_;
    schema_flaw& flaw_;
    recording recording_;
    std::size_t next_ = 0;
};

bool object_checker::is_type(const schema_type& type, std::uint32_t place, const type_shape& shape,
                             const void* value) const
{
    if (shape.count_of != nullptr)
        return type.kind == shape.kind && type.count == shape.count_of(value);
    if (shape.kind == schema_kind::record && shape.of_class != nullptr) {
        const auto known = built_.places.find(shape.of_class);
        return known != built_.places.end() && known->second == place;
    }
    const auto known = built_.shapes.find(&shape);
    return known != built_.shapes.end() && known->second == place;
}

void object_checker::record(const type_shape& shape, const void* value, const char* name)
{
    if (shape.is_silent || !flaw_.why.empty())
        return;
    const schema_field* field = take_field();
    if (field == nullptr || !is_name(field->name, name) ||
        !is_type(built_.types[field->type], field->type, shape, value)) {
        note_flaw();
        return;
    }
    check_value(built_, shape, value, flaw_);
}

void object_checker::record_bytes(std::size_t n)
{
    const schema_field* field = take_field();
    if (field == nullptr || built_.types[field->type].kind != schema_kind::fixed_bytes ||
        built_.types[field->type].count != n)
        note_flaw();
}

void object_checker::check_value(const built_schema& built, const type_shape& shape,
                                 const void* value, schema_flaw& flaw)
{
    if (shape.kind == schema_kind::record && shape.of_class != nullptr)
        object_checker(built, *shape.of_class, flaw).visit(value);
    else if (shape.kind == schema_kind::tracked || shape.kind == schema_kind::constructed)
        check_value(built, *shape.parts[0], value, flaw);
    else if (shape.part_of != nullptr)
        for (std::uint32_t i = 0; i < shape.part_count; ++i)
            if (const void* part = shape.part_of(value, i))
                check_value(built, *shape.parts[i], part, flaw);
}

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

schema_flaw check_object(const built_schema& built, const type_shape& shape, const void* object)
{
    schema_flaw flaw;
    try {
        object_checker::check_value(built, shape, object, flaw);
    }
    catch (...) {
        return {0, "a loaded object cannot be visited: " + text_of_exception()};
    }
    return flaw;
}

std::vector<std::byte> store(const type_shape& shape, const void* object,
                             const older_versions& versions)
{
    byte_buffer out;
    store_archive archive(out);
    archive.store_at(versions);
    recording::store(archive, shape, object);
    archive.flush();
    return {out.data(), out.data() + out.size()};
}

bool has_tracked(const std::vector<schema_type>& types)
{
    return std::any_of(types.begin(), types.end(),
                       [](const schema_type& type) { return type.kind == schema_kind::tracked; });
}

/// At an older version a class may have members that it drops, and stores by their defaults: but
/// what it stores must load, and be stored again as it was.
bool is_stored_again(const std::vector<std::byte>& stored, const message_type& type,
                     const older_versions& versions)
{
    try {
        const default_object object(*type.object);
        load_archive archive(stored);
        type.load(archive, object.get());
        archive.finish();
        return store(*type.shape, object.get(), versions) == stored;
    }
    catch (const std::bad_alloc&) {
        throw;
    }
    catch (...) {
        return false;
    }
}

enum class at_version { newest, older };

/// One made-up message: it must load, to its end, and be stored again as it was.
schema_flaw check_message(const built_schema& built, const message_type& type,
                          const older_versions& versions, unsigned filling, at_version at)
{
    const std::vector<std::byte> message = fill_message(built.types, filling);
    const default_object object(*type.object);
    std::string refusal;
    try {
        load_archive archive(message);
        type.load(archive, object.get());
        archive.finish();
    }
    catch (...) {
        refusal = "a made-up message does not load: " + text_of_exception();
    }
    // First, as it names the class.
    if (schema_flaw flaw = check_object(built, *type.shape, object.get()); !flaw.why.empty())
        return flaw;
    if (!refusal.empty())
        return {0, refusal};
    const std::vector<std::byte> stored = store(*type.shape, object.get(), versions);
    // Of tracked values, a store may see that two are one object.
    if (stored != message && !has_tracked(built.types) &&
        (at == at_version::newest || !is_stored_again(stored, type, versions)))
        return {0, "what was loaded from a made-up message is stored as other bytes"};
    return {};
}

schema_flaw check_schema(const built_schema& built, const message_type& type,
                         const older_versions& versions, at_version at)
{
    if (type.shape->kind == schema_kind::nothing || !schema(built.types).is_walkable())
        return {};
    if (type.load == nullptr)
        return {0, "it has no default constructor, so that no message of it can be loaded"};
    try {
        const unsigned fillings = fillings_of(built.types);
        for (unsigned filling = 0; filling < fillings; ++filling)
            if (schema_flaw flaw = check_message(built, type, versions, filling, at);
                !flaw.why.empty())
                return flaw;
    }
    catch (...) {
        return {0, "it cannot be checked: " + text_of_exception()};
    }
    return {};
}

schema make_checked(const message_type& type, const class_versions& versions)
{
    built_schema built = build_schema(*type.shape, versions);
    older_versions older;
    for (const auto& [cell, version] : versions)
        older.set(*cell, version);
    const at_version at = versions.empty() ? at_version::newest : at_version::older;
    if (schema_flaw flaw = check_schema(built, type, older, at); !flaw.why.empty()) {
        built.types[flaw.type] = {};
        built.types[flaw.type].name = std::move(flaw.why);
        if (flaw.type == 0)
            built.types.resize(1);
    }
    return schema(std::move(built.types));
}

const class_shape* class_of(const type_shape& shape)
{
    return shape.kind == schema_kind::tracked ? shape.parts[0]->of_class : shape.of_class;
}

} // namespace

const schema& find_schema(const message_type& type)
{
    const schema* made = type.made.load(std::memory_order_acquire);
    if (made != nullptr)
        return *made;
    // No lock: a serialize() that is walked may ask for schemas itself.
    auto own = std::make_unique<const schema>(make_checked(type, {}));
    if (type.made.compare_exchange_strong(made, own.get(), std::memory_order_acq_rel))
        made = own.release();
    return *made;
}

schema make_schema_of_version(const message_type& type, std::uint32_t version)
{
    const class_shape* own = class_of(*type.shape);
    if (own == nullptr || !own->has_version)
        return schema::opaque("it is no class with a version");
    if (version > own->version)
        return schema::opaque("its newest version is " + std::to_string(own->version));
    return make_checked(type, {{own->cell, version}});
}

std::string find_flaw(const message_type& type, const class_versions& versions)
{
    older_versions older;
    for (const auto& [cell, version] : versions)
        older.set(*cell, version);
    const built_schema built = build_schema(*type.shape, versions);
    const at_version at = versions.empty() ? at_version::newest : at_version::older;
    std::string why = check_schema(built, type, older, at).why;
    return why.empty() ? schema(built.types).opaque_reason() : why;
}

std::vector<version_problem> find_version_problems(const message_type& type)
{
    std::vector<version_problem> problems;
    const built_schema newest = build_schema(*type.shape, {});
    for (const auto& [of, place] : newest.places)
        for (std::uint32_t version = oldest_version(of->version);
             of->has_version && version <= of->version; ++version) {
            class_versions versions;
            if (version != of->version)
                versions.emplace(of->cell, version);
            std::string why = find_flaw(type, versions);
            if (!why.empty())
                problems.push_back(
                    {boost::core::demangle(of->type->name()), version, std::move(why)});
        }
    std::sort(problems.begin(), problems.end(),
              [](const version_problem& a, const version_problem& b) {
                  return std::tie(a.type, a.version) < std::tie(b.type, b.version);
              });
    return problems;
}

} // namespace wharf::detail
