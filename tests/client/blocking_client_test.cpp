// The blocking client, alone and shared by threads.
#include <wharf/blocking_client.hpp>

#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace std::chrono_literals;
using wharf::errc;

namespace {

std::map<std::string, fake::handler> handlers()
{
    return {fake::on<echo>([](const echo& c) { return c.text; }),
            fake::on<twice>([](const twice& c) {
                if (c.number < 0)
                    throw wharf::error(errc::bad_argument, "not a negative one");
                return c.number * 2;
            }),
            {std::string(touch::name),
             [](fake::session& with, const fake::request& call) {
                 with.talk.end_reply(with.talk.begin_reply(call.id));
             }},
            fake::hold<wait_for_ever>()};
}

auto has(errc code)
{
    return [code](const wharf::error& e) { return e.code() == code; };
}

/// How a call ends, on a thread of its own: Boost.Test's macros are for one thread.
class ended_call {
public:
    ended_call(wharf::blocking_client& client, wharf::call_options how = {})
        : thread_([this, &client, how] {
              try {
                  client.call(wait_for_ever{}, how);
              }
              catch (const wharf::error& e) {
                  code_ = e.code();
              }
          })
    {}
    errc join()
    {
        thread_.join();
        return code_;
    }

private:
    errc code_{};
    std::thread thread_;
};

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(), handlers()};
    wharf::blocking_client client{daemon.endpoint()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_suite, fixture)

BOOST_AUTO_TEST_CASE(a_call_returns_the_reply)
{
    BOOST_TEST(client.call(twice{21}) == 42);
    BOOST_TEST(client.call<twice>(4) == 8);
    BOOST_TEST(client.call(echo{"hello"}, {.timeout = 2s}) == "hello");
    client.call(touch{1});
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(messages_of_a_mebibyte_come_back)
{
    std::string text(1 << 20, 'x');
    for (std::size_t i = 0; i < text.size(); i += 97)
        text[i] = static_cast<char>(i);
    for (int i = 0; i != 5; ++i)
        BOOST_TEST((client.call(echo{text}) == text));
}

BOOST_AUTO_TEST_CASE(an_error_is_thrown_with_the_daemons_text)
{
    BOOST_CHECK_EXCEPTION(client.call(twice{-1}), wharf::error, [](const wharf::error& e) {
        return e.code() == errc::bad_argument && e.text() == "not a negative one";
    });
    BOOST_TEST(client.call(twice{1}) == 2);
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_at_its_deadline_and_keeps_the_connection)
{
    const auto before = std::chrono::steady_clock::now();
    BOOST_CHECK_EXCEPTION(client.call(wait_for_ever{}, {.timeout = 50ms}), wharf::error,
                          has(errc::deadline_exceeded));
    const auto took = std::chrono::steady_clock::now() - before;
    BOOST_TEST((took >= 50ms && took < 1s));
    BOOST_TEST(client.call(twice{1}) == 2);
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(row_25_a_call_waits_for_a_daemon_that_starts_later)
{
    const auto where = directory.socket("later");
    wharf::blocking_client early(to_string(where), {.reconnect_delay_max = 100ms});
    BOOST_CHECK_EXCEPTION(early.call(twice{1}, {.timeout = 100ms}), wharf::error,
                          [&](const wharf::error& e) {
                              return e.code() == errc::deadline_exceeded &&
                                     e.text().find(to_string(where)) != std::string::npos;
                          });
    std::optional<fake::daemon> later;
    std::int64_t got = 0;
    std::thread caller([&] { got = early.call(twice{1}); });
    later.emplace(where, handlers());
    caller.join();
    BOOST_TEST(got == 2);
}

BOOST_AUTO_TEST_CASE(without_waiting_the_connect_error_is_thrown)
{
    wharf::blocking_client hasty(to_string(directory.socket("absent")), {.wait_for_ready = false});
    BOOST_CHECK_EXCEPTION(hasty.call(twice{1}), wharf::error, has(errc::connection_refused));
}

BOOST_AUTO_TEST_CASE(a_lost_connection_leaves_the_outcome_unknown_and_the_client_usable)
{
    ended_call caller(client);
    for (bool sent = false; !sent;)
        daemon.run([&](auto& sessions) { sent = !sessions.empty() && !sessions[0]->held.empty(); });
    daemon.close_connections();
    BOOST_TEST((caller.join() == errc::outcome_unknown));
    BOOST_TEST(client.call(twice{1}) == 2);
    BOOST_TEST(daemon.accepted() == 2);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ended_between_calls_is_replaced)
{
    for (int i = 0; i != 3; ++i) {
        BOOST_TEST(client.call(twice{1}) == 2);
        daemon.close_connections();
    }
    BOOST_TEST(daemon.accepted() == 3);
}

// Over TCP the first write after the peer's end succeeds: only looking first tells.
BOOST_AUTO_TEST_CASE(a_tcp_connection_that_ended_between_calls_is_replaced)
{
    fake::daemon other(wharf::tcp_endpoint{"127.0.0.1", 0}, handlers());
    wharf::blocking_client c(other.endpoint());
    for (int i = 0; i != 3; ++i) {
        BOOST_TEST(c.call(twice{1}) == 2);
        other.close_connections();
        const auto since = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - since < 5ms)
            other.run([](auto&) {});
    }
    BOOST_TEST(other.accepted() == 3);
}

BOOST_AUTO_TEST_CASE(close_ends_the_calls_of_other_threads)
{
    std::vector<std::thread> callers;
    std::atomic<int> cancelled{0};
    for (int i = 0; i != 4; ++i)
        callers.emplace_back([&] {
            try {
                client.call(wait_for_ever{});
            }
            catch (const wharf::error& e) {
                cancelled += e.code() == errc::cancelled;
            }
        });
    for (std::size_t sent = 0; sent != 4;)
        daemon.run([&](auto& sessions) { sent = sessions.empty() ? 0 : sessions[0]->held.size(); });
    client.close();
    for (auto& each : callers)
        each.join();
    BOOST_TEST(cancelled == 4);
    BOOST_CHECK_EXCEPTION(client.call(twice{1}), wharf::error, has(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_followers_own_deadline_is_kept_while_another_leads)
{
    ended_call leader(client, {.timeout = 500ms});
    for (bool sent = false; !sent;)
        daemon.run([&](auto& sessions) { sent = !sessions.empty() && !sessions[0]->held.empty(); });
    const auto before = std::chrono::steady_clock::now();
    BOOST_CHECK_EXCEPTION(client.call(wait_for_ever{}, {.timeout = 50ms}), wharf::error,
                          has(errc::deadline_exceeded));
    BOOST_TEST((std::chrono::steady_clock::now() - before < 400ms));
    BOOST_TEST(client.call(twice{3}) == 6); // while the leader still waits
    BOOST_TEST((leader.join() == errc::deadline_exceeded));
}

BOOST_AUTO_TEST_CASE(close_ends_a_call_whose_thread_waits_alone)
{
    ended_call only(client, {.timeout = 20s});
    for (bool sent = false; !sent;)
        daemon.run([&](auto& sessions) { sent = !sessions.empty() && !sessions[0]->held.empty(); });
    const auto before = std::chrono::steady_clock::now();
    client.close();
    BOOST_TEST((only.join() == errc::cancelled));
    BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
}

BOOST_AUTO_TEST_CASE(a_thread_sends_more_than_the_connection_takes_while_another_waits_alone)
{
    ended_call first(client, {.timeout = 20s});
    for (bool sent = false; !sent;)
        daemon.run([&](auto& sessions) { sent = !sessions.empty() && !sessions[0]->held.empty(); });
    const auto before = std::chrono::steady_clock::now();
    const std::string long_text(8 << 20, 'l');
    BOOST_TEST((client.call(echo{long_text}) == long_text));
    BOOST_TEST((std::chrono::steady_clock::now() - before < 10s));
    client.close();
    BOOST_TEST((first.join() == errc::cancelled));
}

// Row 23: one object, many threads.
BOOST_AUTO_TEST_CASE(row_23_16_threads_share_one_blocking_client)
{
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t != 16; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i != 1000; ++i)
                right += client.call(twice{t * 1000 + i}) == 2 * (t * 1000 + i);
        });
    for (auto& each : threads)
        each.join();
    BOOST_TEST(right == 16000);
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
