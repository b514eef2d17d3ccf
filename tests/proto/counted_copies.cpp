// The functions that copy, which count. One thread.
#include "counted_copies.hpp"

#include <cstddef>

#include <malloc.h>

namespace {

std::uint64_t copied = 0;
bool is_counted = true;

/// malloc() maps blocks of at least this size, which realloc() moves without copying.
constexpr std::size_t mapped_min = 128u << 10;

} // namespace

extern "C" {
void* __real_memcpy(void* to, const void* from, std::size_t n);
void* __real_memmove(void* to, const void* from, std::size_t n);
void* __real_realloc(void* p, std::size_t n);
void* __wrap_memcpy(void* to, const void* from, std::size_t n);
void* __wrap_memmove(void* to, const void* from, std::size_t n);
void* __wrap_realloc(void* p, std::size_t n);

void* __wrap_memcpy(void* to, const void* from, std::size_t n)
{
    copied += is_counted ? n : 0;
    return __real_memcpy(to, from, n);
}

void* __wrap_memmove(void* to, const void* from, std::size_t n)
{
    copied += is_counted ? n : 0;
    return __real_memmove(to, from, n);
}

void* __wrap_realloc(void* p, std::size_t n)
{
    // A fixed threshold: else it follows what is freed. The address sanitizer's realloc() copies
    // always, which is no business of the program.
#ifdef __SANITIZE_ADDRESS__
    constexpr bool is_fixed = true;
#else
    static const bool is_fixed = ::mallopt(M_MMAP_THRESHOLD, mapped_min) == 1;
#endif
    const std::size_t had = p == nullptr ? 0 : ::malloc_usable_size(p);
    if (is_counted && (had < mapped_min || !is_fixed))
        copied += had;
    return __real_realloc(p, n);
}
}

namespace wharf::test {

std::uint64_t copied_bytes() noexcept
{
    return copied;
}

system_copies::system_copies() noexcept
{
    is_counted = false;
}

system_copies::~system_copies()
{
    is_counted = true;
}

} // namespace wharf::test
