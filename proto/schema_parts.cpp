// The parts and sizes of each kind, for all that checks a schema.
#include "schema_parts.hpp"

namespace wharf::detail {

int parts_of(schema_kind kind) noexcept
{
    switch (kind) {
    case schema_kind::list:
    case schema_kind::set:
    case schema_kind::array:
    case schema_kind::run:
    case schema_kind::optional:
    case schema_kind::pointer:
    case schema_kind::tracked:
    case schema_kind::constructed:
    case schema_kind::registered: return 1;
    case schema_kind::map: return 2;
    case schema_kind::tuple:
    case schema_kind::variant: return -1;
    default: return 0;
    }
}

bool is_valid_size(const schema_type& type) noexcept
{
    const unsigned size = type.size;
    const bool is_power = size == 1 || size == 2 || size == 4 || size == 8 || size == 16;
    switch (type.kind) {
    case schema_kind::integer: return is_power;
    case schema_kind::enumeration: return is_power && size != 16;
    case schema_kind::real: return is_power && size >= 4;
    case schema_kind::string: return is_power && size <= 4;
    default: return true;
    }
}

} // namespace wharf::detail
