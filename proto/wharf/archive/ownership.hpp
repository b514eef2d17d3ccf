// Who owns an object of a message: what pointers to it must agree on.
#pragma once

#include <cstdint>

namespace wharf::detail {

enum class ownership : std::uint8_t {
    value,        ///< a track_always object stored by value
    unique,       ///< one pointer
    shared,       ///< std::shared_ptr
    boost_shared, ///< boost::shared_ptr
    aliased,      ///< raw pointers, none of which deletes
};

} // namespace wharf::detail
