// What a call costs beside its handler: allocations, and writes to the socket.
#include "session_support.hpp"

#include "../bench/allocations.hpp"

#include <atomic>
#include <vector>

#include <sys/syscall.h>

using namespace wharf;
using namespace wharf::test;

namespace {

std::atomic<std::uint64_t> sends{0};

/// The same sum by a handler that awaits nothing, as a coroutine.
struct add_late {
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.add_late";
    std::int64_t a{}, b{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b;
    }
};

struct adders {
    void serve(router& commands)
    {
        commands.on<add>([](const add& c) { return c.a + c.b; });
        commands.on<add_late>([](add_late c) -> awaitable<std::int64_t> { co_return c.a + c.b; });
    }
};

struct cost {
    double allocations, sends; ///< for each call
};

/// Of calls that are sent so many at once. This thread neither allocates nor calls send()
/// meanwhile: all requests are made before.
cost cost_of(std::string_view name, const byte_buffer& message, std::size_t at_once)
{
    server s(open_options());
    s.serve(adders{});
    s.start();
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    s.adopt(ends[0], "test");
    peer p{owned_fd(ends[1])};
    p.open();
    const auto exchange = [&](std::string_view requests, std::size_t bytes) {
        BOOST_REQUIRE(::write(p.fd(), requests.data(), requests.size()) ==
                      static_cast<ssize_t>(requests.size()));
        static char room[64 << 10];
        std::size_t got = 0;
        while (got < bytes) {
            const ssize_t n = ::read(p.fd(), room, sizeof room);
            BOOST_REQUIRE(n > 0);
            got += static_cast<std::size_t>(n);
        }
        BOOST_REQUIRE(got == bytes);
    };
    std::vector<std::string> turns;
    constexpr std::size_t warm = 50, counted = 200;
    for (std::size_t t = 0; t < warm + counted; ++t) {
        for (std::size_t i = 0; i < at_once; ++i)
            p.words().call(p.words().declare(name), message.view(), clock::now() + patience,
                           clock::now());
        turns.push_back(take_unsent(p.words()));
    }
    const std::size_t reply_bytes = 16 + encode(std::int64_t(42)).size();
    for (std::size_t t = 0; t < warm; ++t)
        exchange(turns[t], at_once * reply_bytes);
    const std::uint64_t allocated = bench::allocations(), sent = sends;
    for (std::size_t t = warm; t < warm + counted; ++t)
        exchange(turns[t], at_once * reply_bytes);
    const double calls = static_cast<double>(counted * at_once);
    return {static_cast<double>(bench::allocations() - allocated) / calls,
            static_cast<double>(sends - sent) / calls};
}

} // namespace

// Every send of the process, which the test itself does by write().
extern "C" ssize_t send(int fd, const void* bytes, size_t size, int flags)
{
    ++sends;
    return ::syscall(SYS_sendto, fd, bytes, size, flags, nullptr, 0);
}
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags)
{
    ++sends;
    return ::syscall(SYS_sendmsg, fd, message, flags);
}

BOOST_AUTO_TEST_CASE(what_counts_counts)
{
    const auto before = bench::allocations();
    const auto each = bench::allocate_by_each();
    BOOST_TEST(bench::allocations() - before == each);
    BOOST_TEST(each >= 5u);
}

// Row 34: a call is answered by one send, calls that came together by one too, and none allocates.
BOOST_AUTO_TEST_CASE(row_34_an_inline_call_costs_one_send_and_no_allocation)
{
    const cost one = cost_of(add::name, encode(add{20, 22}), 1);
    BOOST_TEST(one.allocations == 0.0);
    BOOST_TEST(one.sends <= 1.0);
    BOOST_TEST(one.sends > 0.0);
    const cost many = cost_of(add::name, encode(add{20, 22}), 64);
    BOOST_TEST(many.allocations == 0.0);
    BOOST_TEST(many.sends <= 0.1);
}

BOOST_AUTO_TEST_CASE(an_awaitable_call_costs_few_allocations_and_at_most_one_send)
{
    const cost one = cost_of(add_late::name, encode(add_late{20, 22}), 1);
    BOOST_TEST(one.allocations <= 6.0);
    BOOST_TEST(one.sends <= 1.0);
    const cost many = cost_of(add_late::name, encode(add_late{20, 22}), 64);
    BOOST_TEST(many.allocations <= 6.0);
    BOOST_TEST(many.sends <= 0.1);
}
