// Deadlines of a conversation, in virtual time.
#include "conversation_pair.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

void receive(peer_end& end, const wire::bytes& input)
{
    const auto room = end.talk.prepare();
    BOOST_REQUIRE(room.size() >= input.size());
    std::memcpy(room.data(), input.data(), input.size());
    end.talk.commit(input.size());
    end.drain();
}

} // namespace

BOOST_AUTO_TEST_CASE(calls_expire_in_the_order_of_their_deadlines)
{
    conversation_pair pair;
    pair.open();
    auto& talk = pair.client.talk;
    call(pair.client, "a", "", pair.now + 30ms, pair.now);
    call(pair.client, "a", "", pair.now + 10ms, pair.now);
    call(pair.client, "a", "");
    call(pair.client, "a", "", pair.now + 20ms, pair.now);
    BOOST_TEST((talk.next_deadline() == pair.now + 10ms));
    BOOST_TEST(to_string(talk.expire(pair.now + 9ms)) == "nothing");
    BOOST_TEST(to_string(talk.expire(pair.now + 20ms)) == "expired(2)");
    BOOST_TEST(to_string(talk.expire(pair.now + 20ms)) == "expired(4)");
    BOOST_TEST(to_string(talk.expire(pair.now + 20ms)) == "nothing");
    BOOST_TEST((talk.next_deadline() == pair.now + 30ms));
    BOOST_TEST(to_string(talk.expire(pair.now + 1h)) == "expired(1)");
    BOOST_TEST(!talk.next_deadline().has_value());
    BOOST_TEST(talk.own_calls_in_flight() == 4u); // until the peer has answered
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_deadline_travels)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "", pair.now + 1500ms, pair.now);
    call(pair.client, "a", "", pair.now + 1us, pair.now); // not over yet: not zero
    call(pair.client, "a", "", pair.now, pair.now);
    call(pair.client, "a", "", pair.now - 1s, pair.now);
    call(pair.client, "a", "", pair.now + 24h * 365, pair.now);
    pair.run();
    BOOST_TEST(pair.server.seen == (std::vector<std::string>{
                                       "declared(0, a)", "called(1, 0, 1500ms, )",
                                       "called(2, 0, 1ms, )", "called(3, 0, 0ms, )",
                                       "called(4, 0, 0ms, )", "called(5, 0, 4294967295ms, )"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_answered_call_does_not_expire)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "", pair.now + 10ms, pair.now);
    pair.run();
    reply(pair.server, 1, "x");
    pair.run();
    BOOST_TEST(!pair.client.talk.next_deadline().has_value());
    BOOST_TEST(to_string(pair.client.talk.expire(pair.now + 1h)) == "nothing");
}

BOOST_AUTO_TEST_CASE(the_late_reply_to_an_expired_call_is_dropped)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "", pair.now + 10ms, pair.now);
    pair.run();
    BOOST_TEST(to_string(pair.client.talk.expire(pair.now + 10ms)) == "expired(1)");
    reply(pair.server, 1, std::string(200000, 'x'));
    pair.run();
    BOOST_TEST(pair.client.seen.empty());
    BOOST_TEST(!pair.client.talk.has_ended());
    BOOST_TEST(to_string(pair.client.talk.end_of_input()) == "ended(connection_closed, \"\")");
}

BOOST_AUTO_TEST_CASE(a_call_that_expires_inside_its_reply_frees_what_has_come)
{
    conversation_pair pair;
    pair.open();
    auto& talk = pair.client.talk;
    call(pair.client, "a", "", pair.now + 10ms, pair.now);
    const auto before = talk.buffered_bytes();
    for (int i = 0; i < 10; ++i)
        receive(pair.client, wire::reply(1, std::string(400, 'x'), wire::more));
    BOOST_TEST(talk.buffered_bytes() >= before + 4000);
    BOOST_TEST(to_string(talk.expire(pair.now + 10ms)) == "expired(1)");
    BOOST_TEST(talk.buffered_bytes() == before);
    receive(pair.client, wire::reply(1, "x", wire::more) + wire::reply(1, "x"));
    BOOST_TEST(pair.client.seen.empty());
}

BOOST_AUTO_TEST_CASE(the_handshake_has_a_deadline)
{
    conversation_limits limits;
    limits.handshake_timeout = 700ms;
    conversation_pair pair({}, limits);
    auto& talk = pair.server.talk;
    BOOST_TEST((talk.next_deadline() == pair.now + 700ms));
    BOOST_TEST(to_string(talk.expire(pair.now + 699ms)) == "nothing");
    BOOST_TEST(to_string(talk.expire(pair.now + 700ms)) == "ended(handshake_timeout, \"\")");
    BOOST_TEST(!talk.next_deadline().has_value());
    BOOST_TEST(to_string(talk.expire(pair.now + 701ms)) == "nothing");
    pair.run(); // the peer is told
    BOOST_TEST(pair.client.seen.back() == "going_away(0, handshake_timeout, \"\")");
}

// Row 41: half a frame and then silence.
BOOST_AUTO_TEST_CASE(a_frame_that_stalls_ends_the_conversation_row_41)
{
    conversation_limits limits;
    limits.frame_timeout = 2s;
    conversation_pair pair({}, limits);
    pair.open();
    auto& talk = pair.server.talk;
    BOOST_TEST(!talk.next_deadline().has_value());
    const auto declaration = wire::declare(0, "a.b");
    receive(pair.server, declaration.substr(0, 10));
    // Not counted from the past, when nothing had begun.
    const auto began = pair.now + 100s;
    BOOST_REQUIRE(talk.next_deadline().has_value());
    BOOST_TEST((*talk.next_deadline() <= began));
    BOOST_TEST(to_string(talk.expire(began)) == "nothing");
    BOOST_TEST((talk.next_deadline() == began + 2s));
    receive(pair.server, declaration.substr(10, 1)); // a byte now and then does not help
    BOOST_TEST((talk.next_deadline() == began + 2s));
    BOOST_TEST(to_string(talk.expire(began + 1999ms)) == "nothing");
    BOOST_TEST(to_string(talk.expire(began + 2s)) ==
               "ended(deadline_exceeded, \"a frame was not complete in time\")");
}

BOOST_AUTO_TEST_CASE(frames_that_go_on_do_not_stall)
{
    conversation_limits limits;
    limits.frame_timeout = 2s;
    conversation_pair pair({}, limits);
    pair.open();
    auto& talk = pair.server.talk;
    // Each receive ends inside a frame, but always another one.
    wire::bytes rest;
    for (unsigned i = 0; i < 100; ++i) {
        const auto frame = wire::declare(i, "a.b");
        receive(pair.server, rest + frame.substr(0, 10));
        rest = frame.substr(10);
        pair.now += 1500ms;
        BOOST_TEST(to_string(talk.expire(pair.now)) == "nothing");
    }
    receive(pair.server, rest);
    BOOST_TEST(!talk.next_deadline().has_value());
}

BOOST_AUTO_TEST_CASE(a_message_that_does_not_go_on_ends_the_conversation)
{
    conversation_limits limits;
    limits.frame_timeout = 2s;
    conversation_pair pair({}, limits);
    pair.open();
    auto& talk = pair.server.talk;
    receive(pair.server, wire::declare(0, "a") + wire::call(1, 0, "x", wire::more));
    BOOST_TEST(to_string(talk.expire(pair.now)) == "nothing");
    receive(pair.server, wire::call(1, 0, "y", wire::more));
    BOOST_TEST(to_string(talk.expire(pair.now + 2s)) == "nothing");
    BOOST_TEST(to_string(talk.expire(pair.now + 4s)) ==
               "ended(deadline_exceeded, \"a message of several frames did not go on\")");
}

BOOST_AUTO_TEST_CASE(a_frame_timeout_of_zero_waits_for_ever)
{
    conversation_limits limits;
    limits.frame_timeout = 0s;
    conversation_pair pair({}, limits);
    pair.open();
    receive(pair.server, wire::declare(0, "a").substr(0, 3));
    BOOST_TEST(!pair.server.talk.next_deadline().has_value());
    BOOST_TEST(to_string(pair.server.talk.expire(pair.now + 1000h)) == "nothing");
    BOOST_TEST(to_string(pair.server.talk.expire(pair.now + 2000h)) == "nothing");
}
