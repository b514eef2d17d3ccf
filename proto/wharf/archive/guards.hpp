// Names of checks that the fuzzers' negative controls remove, one at a time: a fuzzer that does not
// notice is worth nothing. Everybody else has them all.
#pragma once

namespace wharf::detail {

enum class guard {
    none,
    count,      ///< of elements, against the bytes that are left
    varint,     ///< in its shortest form
    key_order,  ///< of maps and sets
    reference,  ///< to an object of a class that the pointer can point to
    ownership,  ///< by pointers of one kind only
    collisions, ///< of keys in one bucket
    cycle,      ///< of objects that would own one another
    credit,     ///< of the streams of a conversation
    partials,   ///< of a conversation: the bytes of messages that have not arrived as a whole
};

#ifdef WHARF_BREAK
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#error "WHARF_BREAK removes a check that keeps hostile bytes out: it is for fuzzing builds only"
#endif
inline constexpr guard removed_guard = guard::WHARF_BREAK;
#else
inline constexpr guard removed_guard = guard::none;
#endif

template <guard Guard>
inline constexpr bool checks = Guard != removed_guard;

} // namespace wharf::detail
