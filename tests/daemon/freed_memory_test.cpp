// Malloc keeps what calls of some MiB free, where it is told to.
#include <wharf/daemon.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/resource.h>

namespace {

constexpr int rounds = 20;
constexpr std::size_t block_bytes = 1u << 20;
using blocks = std::array<void*, 4>;
constexpr long pages_per_round = static_cast<long>(blocks().size() * block_bytes / 4096);

long page_faults()
{
    rusage used{};
    BOOST_REQUIRE(::getrusage(RUSAGE_THREAD, &used) == 0);
    return used.ru_minflt;
}

void hold_some_blocks()
{
    blocks all;
    for (void*& each : all) {
        each = std::malloc(block_bytes);
        BOOST_REQUIRE(each != nullptr);
        std::memset(each, 1, block_bytes);
    }
    for (void* each : all)
        std::free(each);
}

/// How many pages each round had to be given, once warm.
long faults_per_round()
{
    for (int i = 0; i < 3; ++i)
        hold_some_blocks();
    const long before = page_faults();
    for (int i = 0; i < rounds; ++i)
        hold_some_blocks();
    return (page_faults() - before) / rounds;
}

} // namespace

BOOST_AUTO_TEST_SUITE(freed_memory)

BOOST_AUTO_TEST_CASE(is_kept_for_the_next_call)
{
    wharf::keep_freed_memory(0);
    // The control: glibc's own rule gives it back each time.
    BOOST_TEST(faults_per_round() >= pages_per_round / 2);
    wharf::keep_freed_memory(64u << 20);
    BOOST_TEST(faults_per_round() < pages_per_round / 100);
}

BOOST_AUTO_TEST_SUITE_END()
