// Counts the bytes that this program copies in user space. Link with the options that
// CMakeLists.txt gives proto_attachment_test.
#pragma once

#include <cstdint>

namespace wharf::test {

/// Bytes of all calls of memcpy() and memmove() by the program and the libraries linked into it,
/// and of blocks that realloc() may have copied. Calls of a length known while compiling do not
/// count.
std::uint64_t copied_bytes() noexcept;

/// Copies in its scope are the system's part: they are not counted.
class system_copies {
public:
    system_copies() noexcept;
    ~system_copies();
    system_copies(const system_copies&) = delete;
    system_copies& operator=(const system_copies&) = delete;
};

} // namespace wharf::test
