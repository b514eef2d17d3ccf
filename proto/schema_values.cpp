// Enumerators by number and name, maps that are objects, classes behind pointers.
#include "schema_values.hpp"

#include <algorithm>

namespace wharf::detail {
namespace {

wide_integer to_wide(std::int64_t value) noexcept
{
    const auto bits = static_cast<std::uint64_t>(value);
    return value < 0 ? wide_integer{std::uint64_t{0} - bits, true} : wide_integer{bits, false};
}

} // namespace

wide_integer to_integer(const schema_type& type, const schema_enumerator& named) noexcept
{
    if (type.is_signed)
        return to_wide(named.value);
    return {static_cast<std::uint64_t>(named.value), false};
}

bool is_enumerator(const schema_type& type, wide_integer value) noexcept
{
    if (type.least == 0 && type.greatest == 0)
        return true;
    return !is_less(value, to_wide(type.least)) && !is_less({type.greatest, false}, value);
}

const schema_enumerator* find_enumerator(const schema_type& type, wide_integer value) noexcept
{
    const auto is_same = [&](const schema_enumerator& each) {
        const wide_integer known = to_integer(type, each);
        return known.magnitude == value.magnitude && known.is_negative == value.is_negative;
    };
    const auto found = std::ranges::find_if(type.values, is_same);
    return found == type.values.end() || found->name.empty() ? nullptr : &*found;
}

bool is_object_map(const schema_view& types, const schema_type& map) noexcept
{
    return map.kind == schema_kind::map && !map.is_multi &&
           types[map.parts[0]].kind == schema_kind::string;
}

const schema_derived* find_derived(const schema_view& types, const schema_type& pointer,
                                   std::uint32_t of) noexcept
{
    of = types.body_of(of);
    const auto found = std::ranges::find_if(pointer.derived, [&](const schema_derived& each) {
        return types.body_of(each.type) == of;
    });
    return found == pointer.derived.end() ? nullptr : &*found;
}

std::string type_name(const schema_view& types, const schema_type& pointer,
                      const schema_derived& derived)
{
    if (!derived.key.empty())
        return derived.key;
    if (types.body_of(derived.type) == types.body_of(pointer.parts[0]))
        return {};
    return "#" + std::to_string(&derived - pointer.derived.data());
}

} // namespace wharf::detail
