// Ending a conversation: refusal in the handshake, drain, half-close, and what follows the end.
#include "conversation_pair.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;
using seen = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(a_server_refuses_in_the_handshake)
{
    conversation_pair pair;
    pair.server.talk.go_away(errc::permission_denied, "uid 1000 is not allowed");
    pair.run();
    BOOST_TEST(pair.client.seen ==
                   (seen{"opened(server, 65536, 16777216, 262144, 4194304)",
                         "going_away(0, permission_denied, \"uid 1000 is not allowed\")"}),
               boost::test_tools::per_element());
    BOOST_CHECK(code_of([&] { call(pair.client, "a", ""); }) == errc::going_away);
}

BOOST_AUTO_TEST_CASE(a_refused_peer_gets_nothing_decoded)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "x"); // on its way while the server refuses
    pair.server.talk.go_away(errc::permission_denied, "no");
    pair.run();
    BOOST_TEST(pair.server.seen == seen{"declared(0, a)"}, boost::test_tools::per_element());
    BOOST_TEST(pair.client.seen == (seen{"going_away(0, permission_denied, \"no\")",
                                         "failed(1, going_away, \"\", 0ms)"}),
               boost::test_tools::per_element());
}

// Row 39, the pure side: after a goaway what was accepted is answered, and nothing else.
BOOST_AUTO_TEST_CASE(accepted_calls_are_answered_after_a_goaway_row_39)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "1");
    call(pair.client, "a", "2");
    pair.run();
    pair.server.talk.go_away(errc::going_away, "restart");
    call(pair.client, "a", "3"); // crosses the goaway
    pair.run();
    BOOST_TEST(pair.client.seen == (seen{"going_away(2, going_away, \"restart\")",
                                         "failed(3, going_away, \"\", 0ms)"}),
               boost::test_tools::per_element());
    BOOST_TEST(pair.server.talk.calls_in_flight() == 2u);
    reply(pair.server, 2, "two");
    reply(pair.server, 1, "one");
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "replied(1, 6f6e65)");
    BOOST_TEST(pair.server.talk.calls_in_flight() == 0u);
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
}

// Row 39: a thousand calls in one receive are all there without any further input.
BOOST_AUTO_TEST_CASE(everything_complete_is_drained_row_39)
{
    conversation_pair pair;
    pair.open();
    wire::bytes input = wire::declare(0, "a");
    for (std::uint64_t id = 1; id <= 1000; ++id)
        input += wire::call(id, 0, "x");
    auto& talk = pair.server.talk;
    while (!input.empty()) {
        const auto room = talk.prepare();
        const std::size_t n = std::min(room.size(), input.size());
        std::memcpy(room.data(), input.data(), n);
        talk.commit(n);
        input.erase(0, n);
        pair.server.drain();
    }
    BOOST_TEST(talk.calls_in_flight() == 1000u);
    BOOST_TEST(pair.server.seen.back() == "called(1000, 0, 78)");
}

BOOST_AUTO_TEST_CASE(no_call_of_ours_follows_our_own_goaway)
{
    conversation_pair pair;
    pair.open();
    pair.client.talk.go_away(errc::going_away, "");
    BOOST_CHECK(code_of([&] { call(pair.client, "a", ""); }) == errc::going_away);
}

BOOST_AUTO_TEST_CASE(a_second_goaway_is_not_sent)
{
    conversation_pair pair;
    pair.open();
    pair.server.talk.go_away(errc::going_away, "one");
    pair.server.talk.go_away(errc::going_away, "two");
    pair.run();
    BOOST_TEST(pair.client.seen == seen{"going_away(0, going_away, \"one\")"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_large_refused_call_is_skipped_to_its_end)
{
    conversation_pair pair;
    pair.open();
    pair.server.talk.go_away(errc::going_away, "");
    call(pair.client, "a", std::string(1u << 20, 'x'));
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "failed(1, going_away, \"\", 0ms)");
    BOOST_TEST(pair.server.talk.buffered_bytes() <= 262144u);
    BOOST_TEST(to_string(pair.server.talk.end_of_input()) == "ended(connection_closed, \"\")");
}

// Row 83: closed in order and truncated are told apart; a reset is the transport's to report.
BOOST_AUTO_TEST_CASE(calls_are_answered_after_the_peer_closed_its_sending_side_row_83)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "x");
    pair.run();
    BOOST_TEST(to_string(pair.server.talk.end_of_input()) == "ended(connection_closed, \"\")");
    BOOST_TEST(pair.server.talk.has_ended());
    BOOST_TEST(pair.server.talk.unsent().empty()); // no goaway: all is in order
    BOOST_TEST(reply(pair.server, 1, "late"));
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "replied(1, 6c617465)");
}

BOOST_AUTO_TEST_CASE(nothing_follows_the_goaway_of_an_error)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "x");
    pair.run();
    auto& talk = pair.server.talk;
    const auto room = talk.prepare();
    std::memcpy(room.data(), wire::ping(1).data(), 10);
    talk.commit(10);
    BOOST_TEST(to_string(talk.next()) == "nothing");
    const std::string end = "ended(truncated, \"the connection was closed inside a frame\")";
    BOOST_TEST(to_string(talk.end_of_input()) == end);
    const auto goaway = wire::goaway(1, 1, "the connection was closed inside a frame");
    BOOST_TEST(wire::copy(talk.unsent()) == goaway);
    BOOST_TEST(reply(pair.server, 1, "late"));
    talk.reply_error(1, errc::internal);
    talk.ping(1);
    talk.declare("c.d");
    talk.go_away(errc::going_away, "");
    BOOST_CHECK(code_of([&] { call(pair.server, "c.d", ""); }) == errc::going_away);
    BOOST_TEST(wire::copy(talk.unsent()) == goaway);

    // It stays ended and takes no more.
    BOOST_TEST(!talk.prepare().empty());
    talk.commit(1);
    BOOST_TEST(to_string(talk.next()) == end);
    BOOST_TEST(to_string(talk.end_of_input()) == end);
    BOOST_TEST(talk.buffered_bytes() <= 4096u + 64u);
}

BOOST_AUTO_TEST_CASE(an_error_drops_the_reply_in_the_making)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "x");
    pair.run();
    const auto mark = pair.server.talk.begin_reply(1);
    pair.server.talk.output().append("half", 4);
    const auto room = pair.server.talk.prepare();
    std::memset(room.data(), 0xff, 16);
    pair.server.talk.commit(16);
    BOOST_TEST(to_string(pair.server.talk.next()).starts_with("ended(frame_limit"));
    BOOST_TEST(pair.server.talk.end_reply(mark));
    BOOST_TEST(wire::copy(pair.server.talk.unsent()) ==
               wire::goaway(1, 52, "a frame larger than the limit"));
}
