// Scripts of giving up: who is told, what is still sent, and when a call leaves its place.
#include "conversation_pair.hpp"
#include "conversation_streams.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

const wire::bytes called = wire::declare(0, "x.y") + wire::call(1, 0, "");

step cancelling(std::uint64_t id, wire::bytes after = {})
{
    return {std::move(after), false, [id](conversation& talk) { talk.cancel(id); }};
}

step in_flight(std::size_t ours)
{
    return {"", false,
            [ours](conversation& talk) { BOOST_TEST(talk.own_calls_in_flight() == ours); }};
}

conversation_limits small_frames()
{
    conversation_limits limits;
    limits.frame_bytes_max = 2048;
    return limits;
}

} // namespace

// ---- Calls of ours. Row 86, the pure side: the server is told, and the conversation goes on.

BOOST_AUTO_TEST_CASE(a_cancelled_call_keeps_its_place_until_it_is_answered_row_86)
{
    streaming({calling("x.y", ""),
               cancelling(1),
               cancelling(1),
               in_flight(1),
               {wire::reply(1, "late")},
               in_flight(0),
               cancelling(1),
               calling("x.y", "")},
              {}, called + wire::cancel(1) + wire::call(2, 0, ""))
        .check();
    streaming({calling("x.y", ""), cancelling(1), {wire::error(1, 105)}, in_flight(0)}, {},
              called + wire::cancel(1))
        .check();
}

BOOST_AUTO_TEST_CASE(a_call_that_was_never_made_is_not_cancelled)
{
    streaming({cancelling(1), calling("x.y", ""), {wire::reply(1, "")}, cancelling(1)},
              {"replied(1, )"}, called)
        .check();
}

BOOST_AUTO_TEST_CASE(cancelling_in_the_middle_of_a_reply_drops_the_rest)
{
    streaming({calling("x.y", ""),
               cancelling(1, wire::reply(1, "abc", wire::more)),
               {"", false, [](conversation& talk) { BOOST_TEST(talk.buffered_bytes() <= 8192u); }},
               {wire::reply(1, "def", wire::more)},
               in_flight(1),
               {wire::reply(1, "ghi")},
               in_flight(0)},
              {}, called + wire::cancel(1))
        .check();
}

BOOST_AUTO_TEST_CASE(an_error_behind_the_parts_of_a_cancelled_reply_is_its_answer)
{
    streaming({calling("x.y", ""),
               cancelling(1, wire::reply(1, "abc", wire::more)),
               {wire::error(1, 105)},
               in_flight(0)},
              {}, called + wire::cancel(1))
        .check();
}

BOOST_AUTO_TEST_CASE(items_of_a_cancelled_call_are_dropped_and_given_back)
{
    conversation_limits limits;
    limits.session_window_bytes = 40;
    streaming({calling("x.y", ""),
               cancelling(1, wire::item(1, "ab", wire::more)),
               {wire::item(1, "c")},
               {wire::item(1, "0123456789"), false},
               {wire::reply(1, "")},
               in_flight(0)},
              {}, called + wire::cancel(1) + wire::window(0, 18 + 17) + wire::window(0, 26), limits)
        .check();
}

// What was not sent of it is not sent: the cancel leaves at the end of the frame that has begun.
BOOST_AUTO_TEST_CASE(nothing_of_a_call_follows_its_cancel)
{
    const std::string large(10000, 'c');
    subject s(small_frames());
    s.feed(handshake_with_windows(1u << 20, 20000));
    s.talk.call(s.talk.declare("x.y"), wire::view(large), {}, start_time);
    const wire::bytes first =
        wire::declare(0, "x.y") + wire::call(1, 0, large.substr(0, 1024), wire::more);
    s.talk.sent(first.size() + 100);
    s.talk.cancel(1);
    BOOST_TEST(s.take_output() ==
               wire::call(1, 0, large.substr(0, 2048), wire::more).substr(100) + wire::cancel(1));

    // Credit for items that did not leave comes back.
    s.talk.call(0, {}, {}, start_time);
    s.talk.send_item(2, flow::upload, wire::view(std::string(19000, 'u')));
    s.talk.call(0, {}, {}, start_time);
    s.talk.send_item(3, flow::upload, wire::view(std::string(8000, 'u')));
    BOOST_TEST(!s.talk.can_send(3, flow::upload));
    s.talk.cancel(2);
    BOOST_TEST(s.talk.can_send(3, flow::upload));
    s.drain();
    BOOST_TEST(s.seen.back() == "window_opened(session)");
    const wire::bytes rest = s.take_output();
    BOOST_TEST((rest.starts_with(wire::call(2, 0, "") + wire::call(3, 0, "") + wire::cancel(2) +
                                 wire::upload(3, std::string(1024, 'u'), wire::more))));
}

// The peer refused it while its parts were still leaving: they stop.
BOOST_AUTO_TEST_CASE(an_answer_stops_what_is_left_of_its_call)
{
    const std::string large(10000, 'c');
    subject told(small_frames());
    told.feed(handshake_with_windows());
    told.talk.call(told.talk.declare("x.y"), wire::view(large), {}, start_time);
    told.feed(wire::error(1, 102, "too many", 100));
    BOOST_TEST(told.seen.back() == "failed(1, overloaded, \"too many\", 100ms)");
    BOOST_TEST(told.talk.own_calls_in_flight() == 0u);
    BOOST_TEST(told.take_output() == wire::declare(0, "x.y") +
                                         wire::call(1, 0, large.substr(0, 1024), wire::more) +
                                         wire::cancel(1));
    // A peer that knows no cancel gets them to the end.
    subject s(small_frames());
    s.feed(handshake());
    s.talk.call(s.talk.declare("x.y"), wire::view(large), {}, start_time);
    s.feed(wire::error(1, 102));
    s.talk.cancel(1);
    BOOST_TEST(s.take_output().ends_with(wire::call(1, 0, large.substr(0, 784))));
}

BOOST_AUTO_TEST_CASE(a_deadline_cancels)
{
    subject s;
    s.feed(handshake_with_windows());
    s.talk.call(s.talk.declare("x.y"), {}, start_time + 1500ms, start_time);
    s.talk.call(0, {}, start_time + 2s, start_time);
    BOOST_TEST(s.take_output() == wire::declare(0, "x.y") + wire::call_within(1500, 1, 0, "") +
                                      wire::call_within(2000, 2, 0, ""));
    BOOST_TEST(to_string(s.talk.expire(start_time + 1499ms)) == "nothing");
    BOOST_TEST(s.take_output() == "");
    BOOST_TEST(to_string(s.talk.expire(start_time + 1500ms)) == "expired(1)");
    BOOST_TEST(s.take_output() == wire::cancel(1));
    BOOST_TEST((s.talk.next_deadline() == start_time + 2s));
    s.talk.cancel(2); // and then there is nothing to expire
    BOOST_TEST(!s.talk.next_deadline().has_value());
    BOOST_TEST(to_string(s.talk.expire(start_time + 1h)) == "nothing");
    BOOST_TEST(s.take_output() == wire::cancel(2));
    BOOST_TEST(s.talk.own_calls_in_flight() == 2u);
}

// ---- Calls of the peer

BOOST_AUTO_TEST_CASE(whatever_answers_a_cancelled_call_says_that_it_was_cancelled)
{
    streaming({{wire::call(1, 0, "")},
               {wire::call(2, 0, "")},
               {wire::cancel(1)},
               {wire::cancel(2)},
               {wire::cancel(1)},
               {"", false,
                [](conversation& talk) {
                    BOOST_TEST(talk.calls_in_flight() == 2u);
                    BOOST_TEST(!talk.can_send(1, flow::reply));
                    talk.send_item(1, flow::reply, wire::view("dropped"));
                    const auto mark = talk.begin_reply(1);
                    talk.output().append("dropped", 7);
                    BOOST_TEST(talk.end_reply(mark));
                    talk.reply_error(2, errc::internal, "dropped");
                    BOOST_TEST(talk.calls_in_flight() == 0u);
                }},
               {wire::cancel(1)}},
              {"called(1, 0, )", "called(2, 0, )", "cancelled(1)", "cancelled(2)"},
              wire::error(1, 105) + wire::error(2, 105))
        .check();
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_counts_as_in_flight_until_it_is_answered)
{
    conversation_limits limits;
    limits.calls_in_flight_max = 1;
    streaming({{wire::call(1, 0, "")}, {wire::cancel(1)}, {wire::call(2, 0, "")}},
              {"called(1, 0, )", "cancelled(1)"},
              wire::error(2, 102, "too many calls in flight", 100), limits)
        .check();
}

BOOST_AUTO_TEST_CASE(a_cancel_within_the_call_answers_at_once)
{
    streaming({{wire::call(1, 0, "abc", wire::more), true},
               {wire::cancel(1)},
               {"", false, [](conversation& talk) { BOOST_TEST(talk.calls_in_flight() == 0u); }}},
              {}, wire::error(1, 105))
        .check();
    // Nothing may follow.
    refused(
        {{wire::call(1, 0, "abc", wire::more), true}, {wire::cancel(1)}, {wire::call(1, 0, "d")}},
        {}, "a call id that does not ascend", wire::error(1, 105), 1);
}

BOOST_AUTO_TEST_CASE(a_cancel_ends_the_parts_of_a_refused_call)
{
    conversation_limits limits;
    limits.calls_in_flight_max = 1;
    streaming(
        {{wire::call(1, 0, "")}, {wire::call(2, 0, "a", wire::more), true}, {wire::cancel(2)}},
        {"called(1, 0, )"}, wire::error(2, 102, "too many calls in flight", 100), limits)
        .check();
}

BOOST_AUTO_TEST_CASE(uploads_of_a_cancelled_call_are_dropped_and_given_back)
{
    conversation_limits limits;
    limits.session_window_bytes = 40;
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "ab", wire::more), true},
               {wire::cancel(1)},
               {wire::upload(1, "0123456789")},
               {wire::upload(1, "", wire::last)},
               {wire::window(1, 5)}},
              {"called(1, 0, )", "cancelled(1)"}, wire::window(0, 18 + 26), limits)
        .check();
}

BOOST_AUTO_TEST_CASE(a_cancel_of_a_call_never_made_is_refused)
{
    refused({{wire::cancel(1)}}, {}, "a cancel of a call that was never made");
}
BOOST_AUTO_TEST_CASE(a_cancel_has_no_payload)
{
    refused({{wire::frame(wire::cancel_kind, 0, 0, 1, "x")}}, {}, "a payload of the wrong length");
}

BOOST_AUTO_TEST_CASE(a_cancel_that_crosses_the_answer_is_ignored)
{
    streaming({{wire::call(1, 0, "")},
               {"", false, [](conversation& talk) { talk.end_reply(talk.begin_reply(1)); }},
               {wire::cancel(1)},
               {wire::ping(1)}},
              {"called(1, 0, )"}, wire::reply(1, "") + wire::pong(1))
        .check();
}

// A reply of several frames that has not left yet need not leave any more.
BOOST_AUTO_TEST_CASE(a_cancel_stops_the_reply_that_is_leaving)
{
    const std::string large(20000, 'r');
    subject s(small_frames());
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, ""));
    s.talk.send_item(1, flow::reply, wire::view(large));
    const auto mark = s.talk.begin_reply(1);
    s.talk.output().append(large.data(), large.size());
    s.talk.end_reply(mark);
    s.talk.sent(1040 + 2064 + 1);
    s.feed(wire::cancel(1));
    const wire::bytes rest = s.take_output();
    BOOST_TEST(rest ==
               wire::item(1, large.substr(0, 2048), wire::more).substr(1) + wire::error(1, 105));
    BOOST_TEST(s.talk.calls_in_flight() == 0u);
}

// ---- Both ends

BOOST_AUTO_TEST_CASE(both_ends_forget_a_cancelled_call)
{
    conversation_pair pair;
    pair.open();
    for (int i = 0; i < 3; ++i)
        call(pair.client, "a", "");
    pair.run();
    pair.client.talk.cancel(2);
    pair.run();
    BOOST_TEST(pair.server.seen.back() == "cancelled(2)");
    for (std::uint64_t id = 1; id <= 3; ++id)
        reply(pair.server, id, "r");
    pair.run();
    BOOST_TEST(pair.client.seen == (std::vector<std::string>{"replied(1, 72)", "replied(3, 72)"}),
               boost::test_tools::per_element());
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
    BOOST_TEST(pair.server.talk.calls_in_flight() == 0u);
}
