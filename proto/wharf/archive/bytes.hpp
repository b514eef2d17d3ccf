// One value to one message and back: what tests, stores and small programs need of the archives.
#pragma once

#include <wharf/archive/class_functions.hpp>

namespace wharf {

/// A complete message that holds `value`; throws as store_archive does. Any thread.
template <class T>
std::vector<std::byte> to_bytes(const T& value)
{
    byte_buffer out;
    store_archive archive(out);
    archive << value;
    archive.flush();
    return {out.data(), out.data() + out.size()};
}

/// The value of a complete message; throws as load_archive does, finish() included. Any
/// thread.
template <class T>
T from_bytes(std::span<const std::byte> message, const limits& limit = {})
{
    static_assert(std::is_default_constructible_v<T>,
                  "wharf: from_bytes needs a default constructor; load_archive does not");
    T value{};
    load_archive archive(message, limit);
    archive >> value;
    archive.finish();
    return value;
}

} // namespace wharf
