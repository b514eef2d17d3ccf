// Where a session goes.
#include "placement.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace wharf;
using namespace std::chrono_literals;

namespace {

std::optional<std::size_t> choose(const std::vector<worker_load>& workers, std::size_t first = 0)
{
    return choose_worker(workers, first);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_least_late_worker_gets_the_session)
{
    BOOST_CHECK(choose({{100ms, 0}, {5ms, 90}, {20ms, 0}}) == 1u);
}

BOOST_AUTO_TEST_CASE(ties_go_to_the_least_loaded_and_then_round)
{
    BOOST_CHECK(choose({{1ms, 5}, {9ms, 3}, {0ms, 4}}) == 1u);
    BOOST_CHECK(choose({{0ms, 3}, {0ms, 3}, {0ms, 3}}, 2) == 2u);
    BOOST_CHECK(choose({{0ms, 2}, {0ms, 3}, {0ms, 3}}, 2) == 0u);
    BOOST_CHECK(choose({{0ms, 3}, {0ms, 3}}, 7) == 1u);
}

BOOST_AUTO_TEST_CASE(a_worker_late_by_more_than_a_second_gets_none)
{
    BOOST_CHECK(choose({{1001ms, 0}, {1000ms, 9000}}) == 1u);
    BOOST_CHECK(choose({{2s, 0}, {3s, 0}}) == std::nullopt);
    BOOST_CHECK(choose({}) == std::nullopt);
}
