// The allocation functions of the test, which count down.
#include "failing_allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

long successes_left = -1;
bool failed = false;
bool counts = false;

bool fails() noexcept
{
    if (!counts || successes_left < 0 || successes_left-- != 0)
        return false;
    failed = true;
    return true;
}

} // namespace

extern "C" {
void* __real_realloc(void* p, std::size_t n);
void* __wrap_realloc(void* p, std::size_t n);

void* __wrap_realloc(void* p, std::size_t n)
{
    return fails() ? nullptr : __real_realloc(p, n);
}
}

[[gnu::noinline]] void* operator new(std::size_t n)
{
    void* p = fails() ? nullptr : std::malloc(n == 0 ? 1 : n);
    if (p == nullptr)
        throw std::bad_alloc();
    return p;
}

[[gnu::noinline]] void operator delete(void* p) noexcept
{
    std::free(p);
}

[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept
{
    std::free(p);
}

namespace wharf::test {

failing_allocations::failing_allocations(long successes) noexcept
{
    successes_left = successes;
    failed = false;
}

failing_allocations::~failing_allocations()
{
    successes_left = -1;
}

bool failing_allocations::has_failed() noexcept
{
    return failed;
}

failing_allocations::scope::scope() noexcept
{
    counts = true;
}

failing_allocations::scope::~scope()
{
    counts = false;
}

} // namespace wharf::test
