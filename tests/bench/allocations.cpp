// The malloc family of this process, counted. Asio allocates by aligned_alloc, which a count of
// operator new would miss.
#include "allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <malloc.h>

namespace {
std::atomic<std::uint64_t> total{0};

void count()
{
    total.fetch_add(1, std::memory_order_relaxed);
}
} // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n)
{
    count();
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size)
{
    count();
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n)
{
    count();
    return __libc_realloc(p, n);
}
void* memalign(std::size_t alignment, std::size_t n)
{
    count();
    return __libc_memalign(alignment, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n)
{
    count();
    return __libc_memalign(alignment, n);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t n)
{
    count();
    *to = __libc_memalign(alignment, n);
    return *to != nullptr ? 0 : ENOMEM;
}
}

namespace bench {

std::uint64_t allocations()
{
    return total.load(std::memory_order_relaxed);
}

std::uint64_t allocate_by_each()
{
    // Kept from the optimiser, which may take out an allocation that nobody looks at.
    void* volatile p = std::malloc(8);
    p = std::realloc(p, 4096);
    std::free(p);
    p = std::calloc(1, 8);
    std::free(p);
    p = ::memalign(64, 64);
    std::free(p);
    p = std::aligned_alloc(64, 64);
    std::free(p);
    void* q = nullptr;
    if (::posix_memalign(&q, 64, 64) == 0)
        p = q;
    std::free(p);
    p = ::operator new(8);
    ::operator delete(p);
    return 7;
}

} // namespace bench
