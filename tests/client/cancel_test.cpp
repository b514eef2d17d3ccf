// Calls that are given up: the daemon is told and stops, and the others are not touched.
#include <wharf/client.hpp>

#include "client_fixture.hpp"
#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run_until;
using wharf::errc;
using wharf::error_code;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int calls = 10000;
#else
constexpr int calls = 100000;
#endif

/// Answers each call some calls later, in another order, and stops where it is told.
struct slow_doubler {
    struct held {
        std::uint64_t id;
        std::int64_t number;
    };
    std::vector<held> waiting;
    std::mt19937 random{7};
    int told = 0; ///< calls that were given up while they waited here

    void take(fake::session& with, const fake::request& call)
    {
        waiting.push_back({call.id, fake::decode<twice>(call.message).number});
        if (waiting.size() < 256)
            return;
        std::shuffle(waiting.begin(), waiting.end(), random);
        while (waiting.size() > 64)
            answer(with);
    }
    void answer(fake::session& with)
    {
        with.reply(waiting.back().id, waiting.back().number * 2);
        waiting.pop_back();
    }
    void stop(fake::session& with, std::uint64_t id)
    {
        const auto it = std::find_if(waiting.begin(), waiting.end(),
                                     [&](const held& each) { return each.id == id; });
        if (it == waiting.end())
            return;
        waiting.erase(it);
        ++told;
        with.talk.reply_error(id, errc::cancelled);
    }
};

/// One call of many, with what may cancel it.
struct pending {
    asio::cancellation_signal stop;
    std::int64_t number = 0;
    bool given_up = false;
};

} // namespace

// Row 86: cancelling a call leaves the connection usable, and the daemon is told.
BOOST_AUTO_TEST_CASE(row_86_30_percent_of_pipelined_calls_are_cancelled_and_none_is_misdelivered)
{
    fake::directory directory;
    slow_doubler doubler;
    fake::daemon daemon(
        directory.socket(),
        {{std::string(twice::name),
          [&](fake::session& with, const fake::request& call) { doubler.take(with, call); }},
         {std::string(touch::name),
          [&](fake::session& with, const fake::request& call) {
              while (!doubler.waiting.empty())
                  doubler.answer(with);
              with.end(call.id);
          }}},
        {.on_open = {},
         .on_accept = {},
         .limits = {},
         .on_event = [&](fake::session& with, const wharf::event& what) {
             if (auto* given_up = std::get_if<wharf::events::cancelled>(&what))
                 doubler.stop(with, given_up->id);
         }});
    asio::io_context context;
    wharf::client client(context, daemon.endpoint(), {.timeout = 120s});
    std::mt19937 random{11};
    std::deque<std::shared_ptr<pending>> window; // a place for each of the last calls
    int right = 0, cancelled = 0, wrong = 0;
    for (int made = 0; made != calls; ++made) {
        auto one = std::make_shared<pending>();
        one->number = made;
        client.async_call(twice{made},
                          asio::bind_cancellation_slot(
                              one->stop.slot(), [&, one](error_code ec, std::int64_t got) {
                                  if (!ec && got == 2 * one->number)
                                      ++right; // also where it was given up too late
                                  else if (ec == errc::cancelled && one->given_up)
                                      ++cancelled;
                                  else
                                      ++wrong;
                              }));
        window.push_back(std::move(one));
        if (random() % 10 < 3) {
            pending& chosen = *window[random() % window.size()];
            chosen.given_up = true;
            chosen.stop.emit(asio::cancellation_type::total);
        }
        if (window.size() > 200)
            window.pop_front();
        // Enough at once that most are given up while the daemon has them.
        for (context.restart(); client.in_flight() > 500;)
            context.run_one();
    }
    client.async_call(touch{}, [](error_code ec) { BOOST_TEST(!ec); }); // answers what is left
    BOOST_TEST(run_until(context, [&] { return right + cancelled + wrong >= calls; }));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(right + cancelled == calls);
    BOOST_TEST(cancelled > calls / 10);
    BOOST_TEST(client.in_flight() == 0u);
    BOOST_TEST(daemon.accepted() == 1);
    daemon.run([&](auto& sessions) {
        BOOST_TEST(doubler.told > calls / 100);
        BOOST_TEST(sessions.front()->talk.calls_in_flight() == 0u);
    });
}

// Cancelling cannot be used to have more calls running than may be in flight.
BOOST_AUTO_TEST_CASE(row_86_a_cancelled_call_keeps_its_place_until_the_daemon_has_stopped)
{
    fake::directory directory;
    std::vector<std::uint64_t> told;
    fake::daemon daemon(
        directory.socket(),
        {fake::on<twice>([](const twice& c) { return c.number * 2; }), fake::hold<wait_for_ever>()},
        {.on_open = {},
         .on_accept = {},
         .limits = {},
         .on_event = [&](fake::session&, const wharf::event& what) {
             if (auto* given_up = std::get_if<wharf::events::cancelled>(&what))
                 told.push_back(given_up->id);
         }});
    asio::io_context context;
    wharf::client client(context, daemon.endpoint(), {.calls_in_flight_max = 2});
    asio::cancellation_signal stops[2];
    for (auto& each : stops)
        client.async_call(wait_for_ever{}, asio::bind_cancellation_slot(
                                               each.slot(), [](error_code, std::string) {}));
    const auto held = [&] {
        std::size_t all = 0;
        daemon.run([&](auto& sessions) { all = sessions.empty() ? 0 : sessions[0]->held.size(); });
        return all;
    };
    BOOST_TEST(run_until(context, [&] { return held() == 2; }));
    for (auto& each : stops)
        each.emit(asio::cancellation_type::total);
    std::int64_t got = 0;
    client.async_call(twice{1}, [&](error_code, std::int64_t n) { got = n; });
    BOOST_TEST(run_until(context, [&] {
        std::size_t all = 0;
        daemon.run([&](auto&) { all = told.size(); });
        return all == 2;
    }));
    context.restart();
    context.poll();
    BOOST_TEST(got == 0);
    daemon.run(
        [&](auto& sessions) { sessions.front()->talk.reply_error(told.front(), errc::cancelled); });
    BOOST_TEST(run_until(context, [&] { return got == 2; }));
}
