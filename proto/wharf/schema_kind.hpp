// The kinds of types that messages are made of.
#pragma once

#include <cstdint>

namespace wharf {

/// How a type's bytes are read; proto/README.md has the layout of each.
enum class schema_kind : std::uint8_t {
    opaque,      ///< not known: `name` says why
    nothing,     ///< takes no bytes: monostate, void
    boolean,     ///<
    integer,     ///< `size` bytes, `is_signed`
    real,        ///< IEEE 754 of `size` bytes: 4, 8, 16
    enumeration, ///< as integer; `values` where they are known; `least` to `greatest`
    string,      ///< varint n, n characters of `size` bytes; `is_utf8`: checked to be UTF-8
    bytes,       ///< varint n, n bytes that are no text: vectors of std::byte
    fixed_bytes, ///< `count` bytes without a length: uuid, binary_object
    list,        ///< varint n, n elements: parts[0]
    set,         ///< as list; no element twice unless `is_multi`; `order`
    map,         ///< varint n, n times key and value: parts[0], parts[1]; as set
    array,       ///< varint, which is `count`, then so many parts[0]
    run,         ///< `count` times parts[0] without a length: make_array
    bits,        ///< varint n, n bits in bytes; `count` where n is fixed, else 0
    tuple,       ///< parts in order: pair, tuple, complex
    optional,    ///< 0, or 1 and parts[0]
    variant,     ///< varint index, parts[index]
    record,      ///< a class: `fields` in order, `version` in the table if it is `is_versioned`
    pointer,     ///< a tag, then parts[0]; `is_polymorphic`: a class name, then one of `derived`
    tracked,     ///< a tag, then parts[0]
    varint,      ///< a count of its own: collection_size_type
    constructed, ///< construct data, which are `fields`, then the record parts[0]
    registered,  ///< no bytes: gives parts[0] the next class number, as register_type() does
};

} // namespace wharf
