// The pauses before a client connects again, with chance given by the test.
#include "../../client/backoff.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using wharf::backoff;

namespace {

constexpr std::uint32_t most = 0xffffffff;

/// When each of 500 clients, which lost their daemon at the same moment, reaches it after it came
/// back at `ready`: its first attempt from then on.
std::vector<std::chrono::nanoseconds> arrivals(std::chrono::nanoseconds ready,
                                               const std::function<std::uint32_t()>& random)
{
    std::vector<std::chrono::nanoseconds> all;
    for (int i = 0; i != 500; ++i) {
        backoff pauses(50ms, 5s);
        std::chrono::nanoseconds at = pauses.next(random());
        while (at < ready)
            at += pauses.next(random());
        all.push_back(at - ready);
    }
    return all;
}

/// The most arrivals within any tenth of a second.
std::ptrdiff_t busiest(const std::vector<std::chrono::nanoseconds>& all)
{
    std::ptrdiff_t worst = 0;
    for (auto from = 0ms; from <= 5s; from += 100ms)
        worst = std::max(worst, std::count_if(all.begin(), all.end(), [&](auto t) {
                             return t >= from && t < from + 100ms;
                         }));
    return worst;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_step_doubles_from_50_ms_to_5_s_and_starts_again_after_a_success)
{
    backoff pauses(50ms, 5s);
    for (const auto expected : {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        BOOST_TEST((pauses.step() == expected));
        BOOST_TEST((pauses.next(most) == expected));
    }
    pauses.reset();
    BOOST_TEST((pauses.next(most) == 50ms));
}

BOOST_AUTO_TEST_CASE(a_pause_is_anywhere_within_its_step)
{
    BOOST_TEST((backoff(50ms, 5s).next(0) == 0ns));
    const auto half = backoff(50ms, 5s).next(most / 2);
    BOOST_TEST((half > 24ms && half < 26ms));
}

// Row 25: a daemon that comes back is found within one step, and not by all at once.
BOOST_AUTO_TEST_CASE(row_25_500_clients_spread_over_one_step)
{
    std::mt19937 random(25);
    const auto spread = arrivals(60s, [&] { return random(); });
    BOOST_TEST((*std::max_element(spread.begin(), spread.end()) <= 5s));
    BOOST_TEST(busiest(spread) <= 40); // twenty would be even

    // What the measure says of clients without jitter.
    BOOST_TEST(busiest(arrivals(60s, [] { return most; })) == 500);
}
