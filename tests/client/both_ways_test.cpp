// A client and a real server that call each other over one connection.
#include <wharf/client.hpp>
#include <wharf/server.hpp>
#include <wharf/service.hpp>

#include "client_fixture.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run;

namespace {

/// Answered by asking the other end for one less.
struct descend {
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.descend";
    std::int64_t levels{};
};

struct packet {
    using reply = std::int64_t; ///< the number: the acknowledgement
    static constexpr std::string_view name = "test.packet";
    std::int64_t number{};
    std::string text;
};

/// Asks the daemon to send as many packets to its caller; answers how many were acknowledged.
struct send_packets {
    using reply = std::int64_t;
    static constexpr std::string_view name = "test.send_packets";
    std::int64_t count{};
};

/// How deep handlers of one end stand in one another on the stack.
class recursion {
public:
    void enter() { deepest_ = std::max(deepest_.load(), ++depth_); }
    void leave() { --depth_; }
    int deepest() const { return deepest_; }

private:
    std::atomic<int> depth_{0}, deepest_{0};
};

/// The same for both ends.
struct peer {
    recursion stack;
    std::int64_t received = 0; ///< packets, in order
    bool in_order = true;

    void serve(wharf::router& router)
    {
        router.on<descend>(
            [this](descend c, wharf::call& current) -> wharf::awaitable<std::int64_t> {
                stack.enter();
                std::int64_t below = 0;
                if (c.levels > 0) {
                    wharf::session_handle other = current.session();
                    auto answer = other.async_call<descend>(c.levels - 1);
                    stack.leave();
                    below = co_await std::move(answer);
                    stack.enter();
                }
                stack.leave();
                co_return below + 1;
            });
        router.on<packet>([this](const packet& p) {
            in_order &= p.number == received++ && p.text == std::to_string(p.number);
            return p.number;
        });
        router.on<send_packets>(
            [](send_packets c, wharf::call& current) -> wharf::awaitable<std::int64_t> {
                wharf::session_handle to = current.session();
                std::int64_t acknowledged = 0;
                for (std::int64_t i = 0; i != c.count; ++i) {
                    const packet p{i, std::to_string(i)};
                    acknowledged += co_await to.async_call(p) == i;
                }
                co_return acknowledged;
            });
    }
};

struct fixture {
    fake::directory directory;
    peer here, there;
    wharf::server server{options(directory)};
    asio::io_context context;
    wharf::client client{context, to_string(directory.socket())};

    static wharf::server_options options(const fake::directory& in)
    {
        wharf::server_options all;
        all.threads = 1;
        all.listeners.emplace_back();
        all.listeners.back().name = "local";
        all.listeners.back().where = in.socket();
        all.allow.push_back({"*", "unix", "*", "all"});
        all.roles.push_back({"all", {"*"}});
        return all;
    }
    fixture()
    {
        server.serve(there);
        server.start();
        client.serve(here);
    }
};

constexpr std::int64_t count = 1000;

} // namespace

BOOST_FIXTURE_TEST_SUITE(both_ways_suite, fixture)

// Row 42: no handler stands in another, however deep the two ends call each other.
BOOST_AUTO_TEST_CASE(row_42_a_client_and_a_daemon_call_each_other_100_deep)
{
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        BOOST_TEST(co_await c.async_call<descend>(200) == 201);
    }(client));
    BOOST_TEST(here.stack.deepest() == 1);
    BOOST_TEST(there.stack.deepest() == 1);
    BOOST_TEST(server.status().sessions_total == 1u);
}

// Row 32: either side initiates, each packet is acknowledged, with the roles swapped on one
// connection.
BOOST_AUTO_TEST_CASE(row_32_1000_packets_are_acknowledged_in_either_direction)
{
    run(context, [](wharf::client& c) -> asio::awaitable<void> {
        for (std::int64_t i = 0; i != count; ++i) {
            const packet p{i, std::to_string(i)};
            BOOST_TEST(co_await c.async_call(p) == i);
        }
        BOOST_TEST(co_await c.async_call<send_packets>(count) == count);
    }(client));
    BOOST_TEST(there.received == count);
    BOOST_TEST(there.in_order);
    BOOST_TEST(here.received == count);
    BOOST_TEST(here.in_order);
    BOOST_TEST(server.status().sessions_total == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
