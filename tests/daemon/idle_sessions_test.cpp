// Sessions on which nothing happens: what they hold, and that they go on.
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <malloc.h>

using namespace wharf;
using namespace wharf::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool counts_memory = false; // a sanitizer's allocator does not say
#else
constexpr bool counts_memory = true;
#endif

/// Bytes that are allocated, by all threads together.
std::size_t allocated()
{
    const struct mallinfo2 now = ::mallinfo2();
    return now.uordblks + now.hblkhd;
}

void check_idle_sessions(bool has_called)
{
    constexpr std::size_t count = 400;
    constexpr std::size_t bytes_max = 4096;
    const scratch_directory dir;
    server_options o = open_options();
    o.listeners[0].where = unix_endpoint{dir / "s"};
    server s(o);
    s.serve(basic_service{});
    s.start();
    const endpoint where = s.endpoints().at(0);
    peer witness(where);
    BOOST_TEST(witness.ask(add{1, 1}).as<std::int64_t>() == 2);
    std::vector<owned_fd> idle;
    const std::size_t before = allocated();
    for (std::size_t i = 0; i < count; ++i) {
        peer p(where);
        if (has_called)
            BOOST_REQUIRE(p.ask(add{1, 1}).as<std::int64_t>() == 2);
        else
            p.open();
        idle.push_back(p.take());
    }
    BOOST_TEST(s.status().sessions == count + 1);
    const auto each = [&] {
        const std::size_t now = allocated();
        return now > before ? (now - before) / count : 0;
    };
    if (counts_memory) {
        BOOST_TEST(eventually([&] { return each() <= bytes_max; }));
        BOOST_TEST(each() <= bytes_max);
    }
    // The one that rested too is served as before, with more than a buffer full.
    const std::string much(100000, 'm');
    BOOST_TEST(witness.ask(echo{much}).as<std::string>() == much);
    BOOST_TEST(witness.ask(add{2, 2}).as<std::int64_t>() == 4);
    // The end of one that rests is noticed, and so is a stop.
    idle.resize(count / 2);
    BOOST_TEST(eventually([&] { return s.status().sessions == count / 2 + 1; }));
    s.stop();
    BOOST_TEST(s.status().sessions == 0u);
}

} // namespace

BOOST_AUTO_TEST_CASE(an_idle_session_that_has_called_holds_at_most_4_kib)
{
    check_idle_sessions(true);
}

BOOST_AUTO_TEST_CASE(an_idle_session_in_the_lobby_holds_at_most_4_kib)
{
    check_idle_sessions(false);
}
