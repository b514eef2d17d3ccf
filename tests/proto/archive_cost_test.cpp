// What hostile bytes cost: counted memory for each attack, and time where the build is optimised.
#include "archive_attacks.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHARF_COUNTS_MEMORY 0 // the sanitizers bring their own allocator
#else
#define WHARF_COUNTS_MEMORY 1
#endif

namespace {

thread_local std::size_t allocated_bytes = 0;
thread_local std::size_t allocations = 0;

void count(std::size_t n)
{
    allocated_bytes += n;
    ++allocations;
}

} // namespace

#if WHARF_COUNTS_MEMORY
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n)
{
    count(n);
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size)
{
    count(n * size);
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n)
{
    count(n);
    return __libc_realloc(p, n);
}
void* memalign(std::size_t alignment, std::size_t n)
{
    count(n);
    return __libc_memalign(alignment, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n)
{
    count(n);
    return __libc_memalign(alignment, n);
}
}
#endif

using namespace archive_attacks;

BOOST_AUTO_TEST_SUITE(archive_cost)

BOOST_AUTO_TEST_CASE(the_counter_counts)
{
    if (!WHARF_COUNTS_MEMORY)
        return;
    allocated_bytes = 0;
    const auto control = std::make_unique<std::array<char, 5000>>();
    BOOST_TEST(control != nullptr);
    BOOST_TEST(allocated_bytes >= 5000u);
}

BOOST_AUTO_TEST_CASE(no_attack_allocates_a_mebibyte_or_takes_100_microseconds)
{
    using clock = std::chrono::steady_clock;
    std::size_t most_bytes = 0;
    clock::duration longest{};
    const char* longest_name = "";
    for (const attack& a : all_attacks()) {
        BOOST_TEST_CONTEXT(a.name)
        {
            std::array<clock::duration, 9> times;
            for (clock::duration& time : times) {
                allocated_bytes = 0;
                const auto begin = clock::now();
                try {
                    a.load(a.message);
                }
                catch (const wharf::error&) {
                }
                time = clock::now() - begin;
                most_bytes = std::max(most_bytes, allocated_bytes);
                BOOST_TEST(allocated_bytes < 1u << 20);
            }
            std::nth_element(times.begin(), times.begin() + 4, times.end());
            if (times[4] > longest) {
                longest = times[4];
                longest_name = a.name;
            }
        }
    }
    BOOST_TEST_MESSAGE("at most " << most_bytes << " bytes allocated; at most "
                                  << longest / std::chrono::nanoseconds(1)
                                  << " ns: " << longest_name);
#ifdef NDEBUG
    BOOST_TEST((longest < std::chrono::microseconds(100)), longest_name);
#endif
}

BOOST_AUTO_TEST_CASE(archives_themselves_do_not_allocate)
{
    if (!WHARF_COUNTS_MEMORY)
        return;
    wharf::byte_buffer out(1000);
    allocations = 0;
    int value = 0;
    for (int i = 0; i < 10; ++i) {
        wharf::store_archive store(out);
        store << i;
        store.flush();
        wharf::load_archive load(out.view());
        load >> value;
        load.finish();
        out.clear();
    }
    const std::size_t counted = allocations;
    BOOST_TEST(value == 9);
    BOOST_TEST(counted == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
