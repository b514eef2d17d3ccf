// Streams of the blocking client, against a daemon that the test controls.
#include <wharf/blocking_client.hpp>

#include "stream_daemon.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <ranges>
#include <thread>

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using wharf::errc;

static_assert(std::ranges::input_range<wharf::blocking_stream<ticks>>);
static_assert(std::movable<wharf::blocking_stream<ticks>>);

namespace {

auto has(errc code)
{
    return [code](const wharf::error& e) { return e.code() == code; };
}

/// How an operation ends.
template <class Operation>
errc end_of(Operation&& operation)
{
    try {
        operation();
        return {};
    }
    catch (const wharf::error& e) {
        return e.code();
    }
}

/// The same on a thread of its own: Boost.Test's macros are for one thread.
class ended {
public:
    explicit ended(std::function<void()> operation)
        : thread_([this, operation = std::move(operation)] {
              id_ = ::gettid();
              code_ = end_of(operation);
          })
    {}
    /// Returns when the operation sleeps: by then it waits for something to come.
    void await_sleep()
    {
        for (int times = 0; times != 20;) {
            std::ifstream stat("/proc/self/task/" + std::to_string(id_.load()) + "/stat");
            std::string number, name, state;
            stat >> number >> name >> state; // the name of this program has no space
            times = state == "S" ? times + 1 : 0;
            std::this_thread::yield();
        }
    }
    errc join()
    {
        thread_.join();
        return code_;
    }

private:
    errc code_{};
    std::atomic<pid_t> id_{0};
    std::jthread thread_;
};

struct fixture : stream_daemon {
    wharf::blocking_client client{daemon->endpoint()};

    fixture() { connect(client); }
    /// So that a call leaves when it is made.
    static void connect(wharf::blocking_client& one)
    {
        BOOST_TEST(one.call(twice{1}, {.timeout = 20s}) == 2);
    }
    void await(const std::function<bool()>& holds)
    {
        const auto until = clock_type::now() + 60s;
        while (!holds() && clock_type::now() < until)
            std::this_thread::yield();
        BOOST_REQUIRE(holds());
    }
    void await_held()
    {
        await([&] { return holds(); });
    }
    /// One more item of the call that is held.
    void tick(std::int64_t number)
    {
        daemon->run([&](auto& sessions) {
            sessions.front()->send(sessions.front()->held.front(), number);
        });
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(blocking_stream_suite, fixture)

BOOST_AUTO_TEST_CASE(items_come_in_order_and_then_the_end_again_and_again)
{
    auto numbers = client.stream(ticks{1000});
    for (std::int64_t i = 0; i != 1000; ++i)
        BOOST_REQUIRE((numbers.next() == i));
    BOOST_TEST(!numbers.next().has_value());
    BOOST_TEST(!numbers.next().has_value());
    BOOST_TEST(client.call<twice>(1) == 2);
    BOOST_TEST(client.in_flight() == 0u);
    BOOST_TEST(daemon->accepted() == 1);
}

BOOST_AUTO_TEST_CASE(a_stream_is_a_range_of_its_items)
{
    std::int64_t expected = 0;
    for (const std::int64_t& number : client.stream(ticks{100}))
        BOOST_REQUIRE(number == expected++);
    BOOST_TEST(expected == 100);
    for ([[maybe_unused]] const auto& none : client.stream(ticks{0}))
        BOOST_ERROR("an item of an empty stream");
}

BOOST_AUTO_TEST_CASE(an_error_comes_after_the_items_that_were_sent_before_it)
{
    std::string said;
    auto numbers = client.stream(ticks{-1}, {.diagnostics = &said});
    await_held();
    for (std::int64_t i = 0; i != 3; ++i)
        tick(i);
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.front();
        with.talk.reply_error(with.held.front(), errc::not_found, "the spring is dry");
    });
    for (std::int64_t i = 0; i != 3; ++i)
        BOOST_TEST((numbers.next() == i));
    for (int again = 0; again != 2; ++again)
        BOOST_CHECK_EXCEPTION(numbers.next(), wharf::error, [](const wharf::error& e) {
            return e.code() == errc::not_found && e.text() == "the spring is dry";
        });
    BOOST_TEST(said == "the spring is dry");
}

BOOST_AUTO_TEST_CASE(dropping_a_stream_cancels_its_call_and_keeps_the_connection)
{
    {
        auto numbers = client.stream(ticks{-1});
        await_held();
        BOOST_TEST(client.in_flight() == 1u);
    }
    BOOST_TEST(client.in_flight() == 0u);
    await([&] { return cancelled() == 1; }); // without any further operation
    BOOST_TEST(client.call<twice>(4) == 8);
    BOOST_TEST(daemon->accepted() == 1);
}

BOOST_AUTO_TEST_CASE(breaking_out_of_the_loop_cancels_the_call)
{
    ended loop([&] {
        for (const std::int64_t number : client.stream(ticks{-1}))
            if (number == 2)
                break;
    });
    await_held();
    for (std::int64_t i = 0; i != 4; ++i)
        tick(i);
    BOOST_TEST((loop.join() == errc{}));
    await([&] { return cancelled() == 1; });
    BOOST_TEST(client.call<twice>(4) == 8);
    BOOST_TEST(daemon->accepted() == 1);
}

BOOST_AUTO_TEST_CASE(an_upload_arrives_whole_and_is_answered)
{
    auto up = client.stream(pour{});
    const std::string chunk(100000, 'x');
    for (int i = 0; i != 50; ++i)
        up.send(chunk);
    BOOST_TEST(up.finish() == 5000000);
    BOOST_CHECK_EXCEPTION(up.finish(), wharf::error, has(errc::bad_argument));
    BOOST_TEST(saw.uploads == 50u);
}

BOOST_AUTO_TEST_CASE(items_travel_both_ways_at_once)
{
    auto both = client.stream(mirror{});
    for (int i = 0; i != 200; ++i) {
        const std::string text = std::to_string(i);
        both.send(text);
        BOOST_REQUIRE((both.next() == text));
    }
    both.end_upload();
    BOOST_TEST(!both.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_send_waits_for_the_daemon_not_longer_than_it_may)
{
    saw.consumes = false;
    auto up = client.stream(pour{});
    await_held();
    const std::string chunk(10000, 'x');
    std::size_t sent = 0;
    const errc code = end_of([&] {
        for (;; ++sent)
            up.send(chunk, 100ms);
    });
    BOOST_TEST((code == errc::deadline_exceeded));
    BOOST_TEST(sent <= wharf::conversation_limits{}.stream_window_bytes / 10000 + 1);
    BOOST_TEST(client.call<twice>(4) == 8); // calls go on
    std::size_t consumed = 0;
    await([&] {
        daemon->run([&](auto& sessions) {
            fake::session& with = *sessions.front();
            saw.consumes = true;
            for (; consumed != saw.uploads; ++consumed) // what it did not consume at once
                if (consumed < sent)
                    with.talk.consumed(with.held.front(), wharf::flow::upload, 10003);
        });
        return consumed >= sent;
    });
    up.send(chunk, 20s);
    BOOST_TEST(up.finish() == static_cast<std::int64_t>((sent + 1) * chunk.size()));
}

BOOST_AUTO_TEST_CASE(a_wait_for_an_item_that_takes_too_long_loses_none)
{
    auto numbers = client.stream(ticks{-1});
    await_held();
    const auto before = clock_type::now();
    BOOST_CHECK_EXCEPTION(numbers.next(50ms), wharf::error, has(errc::deadline_exceeded));
    BOOST_TEST((clock_type::now() - before >= 50ms));
    tick(9);
    BOOST_TEST((numbers.next(20s) == 9));
    BOOST_CHECK_EXCEPTION(numbers.next(-1s), wharf::error, has(errc::deadline_exceeded));
    tick(10);
    BOOST_TEST((numbers.next(std::chrono::nanoseconds::max()) == 10));
}

// Row 84: streams too.
BOOST_AUTO_TEST_CASE(row_84_a_stream_outlives_the_default_deadline_but_not_one_of_its_own)
{
    wharf::blocking_client brief(daemon->endpoint(), {.timeout = 200ms});
    connect(brief);
    auto open_ended = brief.stream(ticks{-1});
    auto bounded = brief.stream(ticks{-1}, {.timeout = 400ms});
    const auto before = clock_type::now();
    BOOST_CHECK_EXCEPTION(bounded.next(), wharf::error, has(errc::deadline_exceeded));
    BOOST_TEST((clock_type::now() - before >= 300ms));
    await([&] { return cancelled() == 1; });
    daemon->run([](auto& sessions) {
        fake::session& with = *sessions.back();
        with.send(with.held.front(), std::int64_t(7));
    });
    BOOST_TEST((open_ended.next() == 7));
}

BOOST_AUTO_TEST_CASE(a_stream_waits_for_a_daemon_that_starts_later_until_its_deadline)
{
    const auto where = directory.socket("later");
    wharf::blocking_client early(to_string(where), {.timeout = 150ms, .reconnect_delay_max = 50ms});
    auto never = early.stream(ticks{1});
    const auto before = clock_type::now();
    BOOST_CHECK_EXCEPTION(never.next(), wharf::error, [&](const wharf::error& e) {
        return e.code() == errc::deadline_exceeded &&
               e.text().find(to_string(where)) != std::string::npos;
    });
    BOOST_TEST((clock_type::now() - before < 5s));
    std::atomic<std::int64_t> sum{0};
    ended reader([&] {
        for (const std::int64_t number : early.stream(ticks{5}, {.timeout = 60s}))
            sum += number;
    });
    fake::daemon later(where, handlers, how);
    BOOST_TEST((reader.join() == errc{}));
    BOOST_TEST(sum == 10);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_ends_a_stream_with_its_outcome_unknown)
{
    auto numbers = client.stream(ticks{-1});
    await_held();
    daemon->close_connections();
    BOOST_CHECK_EXCEPTION(numbers.next(), wharf::error, has(errc::outcome_unknown));
    BOOST_TEST(client.call<twice>(4) == 8);
    BOOST_TEST(daemon->accepted() == 2); // and the stream was not repeated
    BOOST_TEST(!holds());
}

BOOST_AUTO_TEST_CASE(a_silent_connection_is_given_up)
{
    // It accepts, completes the handshake and then neither reads nor writes.
    boost::asio::io_context silent_context;
    const auto where = directory.socket("silent");
    auto listener = wharf::open_listener(silent_context.get_executor(), where);
    wharf::blocking_client one(to_string(where), {.ping_interval = 50ms, .ping_timeout = 50ms});
    auto numbers = one.stream(ticks{-1});
    ended reader([&] { numbers.next(); });
    wharf::transport peer(silent_context);
    wharf::error_code ec;
    await([&] { return peer.is_open() || !listener.accept(peer, ec); });
    wharf::conversation talk(wharf::side::server, {}, "silent", clock_type::now());
    peer.write_some(boost::asio::buffer(talk.unsent().data(), talk.unsent().size()));
    BOOST_TEST((reader.join() == errc::outcome_unknown));
    BOOST_CHECK_EXCEPTION(numbers.next(), wharf::error, [](const wharf::error& e) {
        return e.text().find("no sign of life") != std::string::npos;
    });
}

// ---- Stopping and meanwhile ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_stop_ends_a_wait_at_once_and_cancels_the_call)
{
    saw.acknowledges = false; // so that nothing arrives which would end the wait
    std::stop_source stop;
    auto numbers = client.stream(ticks{-1}, {}, stop.get_token());
    await_held();
    ended reader([&] { numbers.next(); });
    reader.await_sleep();
    const auto before = clock_type::now();
    stop.request_stop();
    BOOST_TEST((reader.join() == errc::cancelled));
    BOOST_TEST((clock_type::now() - before < 5s));
    await([&] { return cancelled() == 1; });
    BOOST_CHECK_EXCEPTION(numbers.next(), wharf::error, has(errc::cancelled));
    BOOST_TEST(client.call<twice>(4) == 8);
    BOOST_TEST(daemon->accepted() == 1);
}

BOOST_AUTO_TEST_CASE(a_stop_between_operations_tells_the_daemon_without_one)
{
    std::stop_source stop;
    auto numbers = client.stream(ticks{-1}, {}, stop.get_token());
    await_held();
    tick(1);
    BOOST_TEST((numbers.next() == 1));
    tick(2);
    stop.request_stop();
    await([&] { return cancelled() == 1; });
    BOOST_CHECK_EXCEPTION(numbers.next(), wharf::error, has(errc::cancelled));
    auto never = client.stream(ticks{3}, {}, stop.get_token());
    BOOST_CHECK_EXCEPTION(never.next(), wharf::error, has(errc::cancelled));
    BOOST_TEST(client.in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(progress_runs_while_a_stream_waits_and_may_call)
{
    int runs = 0;
    std::int64_t doubled = 0;
    auto numbers = client.stream(ticks{-1}, {},
                                 {.progress =
                                      [&] {
                                          doubled = client.call<twice>(++runs);
                                          if (runs == 3)
                                              tick(5);
                                          if (runs == 5)
                                              throw std::runtime_error("enough");
                                      },
                                  .interval = 5ms});
    await_held();
    BOOST_TEST((numbers.next() == 5));
    BOOST_TEST(runs >= 3);
    BOOST_TEST(doubled == 2 * runs);
    BOOST_CHECK_EXCEPTION(numbers.next(), std::runtime_error,
                          [](const auto& e) { return std::string_view(e.what()) == "enough"; });
    await([&] { return cancelled() == 1; });
}

// ---- Ends of the client, and several threads ----------------------------------------------------

BOOST_AUTO_TEST_CASE(closing_the_client_ends_a_stream_that_waits_and_one_that_does_not)
{
    auto waits = client.stream(ticks{-1});
    auto rests = client.stream(ticks{-1});
    await_held();
    ended reader([&] { waits.next(); });
    reader.await_sleep();
    client.close();
    BOOST_TEST((reader.join() == errc::cancelled));
    BOOST_CHECK_EXCEPTION(rests.next(), wharf::error, has(errc::cancelled));
    BOOST_CHECK_EXCEPTION(client.stream(ticks{1}).next(), wharf::error, has(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_stream_that_outlives_its_client_is_closed_behind_what_came_before)
{
    auto passing = std::make_unique<wharf::blocking_client>(daemon->endpoint());
    connect(*passing);
    auto numbers = passing->stream(ticks{3});
    BOOST_TEST((numbers.next() == 0));
    auto unread = passing->stream(ticks{-1});
    auto up = passing->stream(pour{});
    passing.reset();
    BOOST_TEST((numbers.next() == 1));
    BOOST_CHECK_EXCEPTION(unread.next(), wharf::error, has(errc::cancelled));
    BOOST_CHECK_EXCEPTION(up.send(std::string("a")), wharf::error, has(errc::cancelled));
    BOOST_CHECK_EXCEPTION(up.finish(), wharf::error, has(errc::cancelled));
}

BOOST_AUTO_TEST_CASE(a_thread_that_waits_does_not_keep_others_from_theirs)
{
    auto silent = client.stream(ticks{-1});
    await_held();
    ended leader([&] { silent.next(); });
    leader.await_sleep();
    for (int round = 0; round != 20; ++round) {
        std::int64_t sum = 0;
        for (const std::int64_t number : client.stream(ticks{50}))
            sum += number;
        BOOST_REQUIRE(sum == 49 * 50 / 2);
        BOOST_REQUIRE(client.call<twice>(round) == 2 * round);
    }
    tick(1);
    BOOST_TEST((leader.join() == errc{}));
}

// What the socket does not take at once is sent by the thread that waits for something else.
BOOST_AUTO_TEST_CASE(what_is_unsent_leaves_while_another_thread_waits)
{
    auto silent = client.stream(ticks{-1});
    await_held();
    ended leader([&] { silent.next(); });
    leader.await_sleep();
    auto up = client.stream(pour{}, {.timeout = 5s});
    up.send(std::string(1 << 20, 'x'));
    BOOST_TEST(up.finish() == 1 << 20);
    tick(1);
    BOOST_TEST((leader.join() == errc{}));
}

// The leader waits in poll() for a call that another thread ends.
BOOST_AUTO_TEST_CASE(a_leader_is_woken_where_another_thread_ends_its_call)
{
    saw.acknowledges = false;
    auto both = client.stream(mirror{}, {.timeout = 20s});
    await_held();
    ended leader([&] { both.next(); });
    leader.await_sleep();
    const auto before = clock_type::now();
    both.close();
    BOOST_TEST((leader.join() == errc::cancelled));
    BOOST_TEST((clock_type::now() - before < 10s));
}

BOOST_AUTO_TEST_SUITE_END()
