// Pointers and tracked values, as load_pointers.hpp reads them.
#include "schema_reader.hpp"
#include "schema_values.hpp"

#include <wharf/archive_error.hpp>

#include <algorithm>

namespace wharf::detail {
namespace {

constexpr std::size_t object_bytes = 64; ///< charged for each
constexpr std::size_t class_key_bytes_max = 127;

} // namespace

void schema_reader::write_reference(std::uint64_t number)
{
    if (out_ == nullptr) {
        if (referred_.size() <= number)
            referred_.resize(number + 1);
        referred_[number] = true;
        return;
    }
    out_->begin('{');
    out_->key("$ref");
    out_->plain(std::to_string(number));
    out_->end('}');
}

void schema_reader::write_id(std::uint32_t number)
{
    if (out_ == nullptr || number >= referred_.size() || !referred_[number])
        return;
    out_->key("$id");
    out_->plain(std::to_string(number));
}

void schema_reader::write_type(const schema_type& type, std::uint32_t of)
{
    const schema_derived* derived = find_derived(types_, type, of);
    if (out_ == nullptr || derived == nullptr)
        return;
    if (const std::string name = type_name(types_, type, *derived); !name.empty()) {
        out_->key("$type");
        out_->string(name);
    }
}

void schema_reader::read_pointer(const schema_type& type)
{
    const std::uint64_t tag = take_varint();
    if (tag == 0)
        return write_null();
    if (tag == 1)
        return read_pointee(type);
    const auto kind = static_cast<ownership>(type.ownership);
    check(objects_.refer(tag - 2, kind, type.is_weak));
    const std::uint32_t found = objects_[tag - 2].type;
    const std::uint32_t wanted = type.parts[0];
    const bool is_same =
        types_.is_record(found) && types_.is_record(wanted)
            ? types_.is_derived(found, wanted) || find_derived(types_, type, found) != nullptr
            : types_.is_same(found, wanted);
    if (!is_same)
        fail(errc::bad_class);
    write_reference(tag - 2);
}

void schema_reader::read_pointee(const schema_type& type)
{
    const std::uint32_t of = type.is_polymorphic ? read_class_name(type) : type.parts[0];
    charge(object_bytes);
    if (objects_.size() >= limit_.objects_max)
        fail(errc::object_limit);
    const std::uint32_t number = objects_.add({.type = of,
                                               .kind = static_cast<ownership>(type.ownership),
                                               .is_untracked = type.is_untracked});
    const std::uint32_t before = objects_.enter(number);
    if (levels_ == 0)
        fail(errc::depth_limit);
    if (out_ != nullptr)
        out_->begin('{');
    if (type.is_polymorphic)
        write_type(type, of);
    write_id(number);
    if (types_.is_record(of)) {
        const std::uint64_t scope = std::exchange(scope_, ++scopes_);
        read_class(of, number);
        scope_ = scope;
    }
    else {
        objects_[number].is_constructed = true;
        if (out_ != nullptr)
            out_->key("$value");
        read_value(of);
    }
    if (out_ != nullptr)
        out_->end('}');
    check(objects_.leave(number, before, type.is_weak));
}

/// The class of a new object behind a polymorphic pointer.
std::uint32_t schema_reader::read_class_name(const schema_type& type)
{
    const std::uint64_t place = take_varint();
    if (place != 0) {
        const std::uint32_t known = objects_.class_at(place - 1);
        if (known == schema_objects::none)
            fail(errc::bad_class, "the message names no class of this number");
        const schema_derived* derived = find_derived(types_, type, known);
        if (derived == nullptr)
            fail(errc::bad_class);
        return derived->type;
    }
    const std::size_t size = take_count(1);
    if (size > class_key_bytes_max)
        fail(errc::bad_class, "an export key is longer than 127 bytes");
    const auto bytes = take(size);
    const std::string_view key(reinterpret_cast<const char*>(bytes.data()), size);
    const schema_derived* derived = nullptr;
    if (size == 0) {
        derived = find_derived(types_, type, type.parts[0]);
        if (derived != nullptr && !derived->key.empty())
            fail(errc::not_canonical, "a class goes by its export key");
    }
    else {
        const auto found = std::ranges::find(type.derived, key, &schema_derived::key);
        derived = found == type.derived.end() ? nullptr : &*found;
    }
    if (derived == nullptr)
        fail(errc::bad_class,
             size == 0 ? "an abstract class" : "the schema has no class of this export key here");
    if (!objects_.name_class(types_.body_of(derived->type)))
        fail(errc::not_canonical, "the message named this class before");
    return derived->type;
}

/// Where it is again, a value has to be a part of what it was a part of: a virtual base, or a
/// member that is visited twice.
void schema_reader::read_tracked(const schema_type& type)
{
    const std::uint32_t of = type.parts[0];
    const std::uint64_t tag = take_varint();
    if (tag != 1) {
        if (tag == 0 || tag - 2 >= objects_.size())
            fail(errc::bad_reference);
        const auto& target = objects_[tag - 2];
        if (target.kind != ownership::value || target.scope != scope_ ||
            types_.body_of(target.type) != types_.body_of(of))
            fail(errc::bad_reference, "a value is referred to only where it is again");
        return write_reference(tag - 2);
    }
    charge(object_bytes);
    if (objects_.size() >= limit_.objects_max)
        fail(errc::object_limit);
    const std::uint32_t number =
        objects_.add({.type = of, .kind = ownership::value, .scope = scope_});
    if (out_ != nullptr)
        out_->begin('{');
    write_id(number);
    read_class(of, number);
    if (out_ != nullptr)
        out_->end('}');
}

} // namespace wharf::detail
