// Calls and replies between two conversations wired back to back.
#include "conversation_pair.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

/// The server answers each call with its own message, reversed.
void echo_reversed(conversation_pair& pair)
{
    pair.server.on_event = [&](const event& e) {
        if (const auto* c = std::get_if<events::called>(&e)) {
            auto message = wire::copy(c->message);
            std::reverse(message.begin(), message.end());
            BOOST_TEST(reply(pair.server, c->id, message));
        }
    };
}

wire::bytes reversed(wire::bytes message)
{
    std::reverse(message.begin(), message.end());
    return message;
}

} // namespace

BOOST_AUTO_TEST_CASE(both_ends_open_without_waiting_for_each_other)
{
    conversation_pair pair;
    BOOST_TEST(!pair.client.talk.is_open());
    pair.run(1);
    BOOST_TEST(pair.client.seen ==
                   std::vector<std::string>{"opened(server, 65536, 16777216, 262144, 4194304)"},
               boost::test_tools::per_element());
    BOOST_TEST(pair.server.seen ==
                   std::vector<std::string>{"opened(client, 65536, 16777216, 262144, 4194304)"},
               boost::test_tools::per_element());
    BOOST_TEST(!pair.client.talk.next_deadline().has_value());
}

BOOST_AUTO_TEST_CASE(a_call_is_answered)
{
    conversation_pair pair;
    pair.open();
    echo_reversed(pair);
    BOOST_TEST(call(pair.client, "a.b", "abc") == 1u);
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 1u);
    pair.run();
    BOOST_TEST(pair.server.seen ==
                   (std::vector<std::string>{"declared(0, a.b)", "called(1, 0, 616263)"}),
               boost::test_tools::per_element());
    BOOST_TEST(pair.client.seen == std::vector<std::string>{"replied(1, 636261)"},
               boost::test_tools::per_element());
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
    BOOST_TEST(pair.server.talk.calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(both_ends_may_call)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "to.server", "1");
    call(pair.server, "to.client", "2");
    pair.run();
    BOOST_TEST(reply(pair.server, 1, "from server"));
    BOOST_TEST(reply(pair.client, 1, "from client"));
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "replied(1, 66726f6d20736572766572)");
    BOOST_TEST(pair.server.seen.back() == "replied(1, 66726f6d20636c69656e74)");
}

BOOST_AUTO_TEST_CASE(a_name_is_declared_once)
{
    conversation_pair pair;
    pair.open();
    BOOST_TEST(pair.client.talk.declare("a.b") == 0u);
    BOOST_TEST(pair.client.talk.declare("c.d") == 1u);
    BOOST_TEST(pair.client.talk.declare("a.b") == 0u);
    pair.run();
    BOOST_TEST(pair.server.seen ==
                   (std::vector<std::string>{"declared(0, a.b)", "declared(1, c.d)"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bad_and_superfluous_names_are_refused_here)
{
    conversation_limits limits;
    limits.commands_max = 1;
    conversation_pair pair(limits);
    pair.open();
    for (const std::string& name : {std::string(), std::string("a b"), std::string(128, 'n')})
        BOOST_CHECK(code_of([&] { pair.client.talk.declare(name); }) == errc::bad_argument);
    pair.client.talk.declare(std::string(127, 'n'));
    BOOST_CHECK(code_of([&] { pair.client.talk.declare("one.more"); }) == errc::session_limit);
}

BOOST_AUTO_TEST_CASE(a_call_before_the_handshake_is_refused_here)
{
    conversation_pair pair;
    BOOST_CHECK(code_of([&] { call(pair.client, "a", ""); }) == errc::not_connected);
}

BOOST_AUTO_TEST_CASE(a_mebibyte_travels_in_frames_both_ways)
{
    for (const std::size_t piece : {std::size_t{7919}, std::size_t{65536}, std::size_t{1} << 30}) {
        conversation_pair pair;
        pair.open();
        echo_reversed(pair);
        const auto message = noise(1u << 20, piece);
        wire::bytes got;
        pair.client.on_event = [&](const event& e) {
            if (const auto* r = std::get_if<events::replied>(&e))
                got = wire::copy(r->message);
        };
        call(pair.client, "a.b", message, pair.now + 5s, pair.now);
        pair.run(piece);
        BOOST_TEST((got == reversed(message)));
    }
}

// Every size around a multiple of the frame limit, where splitting goes wrong if it does.
BOOST_AUTO_TEST_CASE(messages_around_the_frame_limit_arrive_whole)
{
    conversation_limits limits;
    limits.frame_bytes_max = 2048;
    conversation_pair pair(limits, limits);
    pair.open();
    echo_reversed(pair);
    wire::bytes got;
    pair.client.on_event = [&](const event& e) {
        got = wire::copy(std::get<events::replied>(e).message);
    };
    for (const std::size_t frames : {1, 2, 3})
        for (std::size_t size = frames * 2048 - 6; size <= frames * 2048 + 6; ++size) {
            const auto message = noise(size, size);
            call(pair.client, "plain", message);
            pair.run();
            BOOST_TEST((got == reversed(message)), "size " << size);
            call(pair.client, "timed", message, pair.now + 1s, pair.now);
            pair.run();
            BOOST_TEST((got == reversed(message)), "size " << size << " with a timeout");
        }
}

// Row 33: each call has its own message, whatever is in flight beside it.
BOOST_AUTO_TEST_CASE(interleaved_calls_keep_their_bytes_apart_row_33)
{
    conversation_pair pair;
    pair.open();
    std::map<std::uint64_t, wire::bytes> waiting;
    pair.server.on_event = [&](const event& e) {
        if (const auto* c = std::get_if<events::called>(&e))
            waiting[c->id] = wire::copy(c->message);
    };
    std::map<std::uint64_t, wire::bytes> expected;
    std::size_t exact = 0;
    pair.client.on_event = [&](const event& e) {
        const auto& r = std::get<events::replied>(e);
        exact += wire::copy(r.message) == expected.at(r.id) ? 1 : 0;
    };
    for (std::uint64_t i = 0; i < 128; ++i) {
        const auto message = noise(i % 8 == 0 ? 70000 + i : i * 37, i);
        expected[call(pair.client, i % 2 == 0 ? "even" : "odd", message)] = reversed(message);
    }
    pair.run(10007);
    BOOST_TEST(waiting.size() == 128u);
    BOOST_TEST(pair.server.talk.calls_in_flight() == 128u);
    // Answered in another order than asked.
    for (std::uint64_t i = 0; i < 128; ++i) {
        const std::uint64_t id = (i * 37) % 128 + 1;
        BOOST_TEST(reply(pair.server, id, reversed(waiting.at(id))));
    }
    pair.run(9973);
    BOOST_TEST(exact == 128u);
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
}

// Row 33, at the level of frames: 64 messages in turn, one part of each.
BOOST_AUTO_TEST_CASE(frames_of_64_messages_interleave_row_33)
{
    conversation_pair pair;
    pair.open();
    std::size_t exact = 0;
    pair.server.on_event = [&](const event& e) {
        if (const auto* c = std::get_if<events::called>(&e))
            exact += wire::copy(c->message) == noise(3000, c->id) ? 1 : 0;
    };
    auto& talk = pair.server.talk;
    wire::bytes input = wire::declare(0, "a");
    for (std::size_t part = 0; part < 3; ++part)
        for (std::uint64_t id = 1; id <= 64; ++id)
            input += wire::call(id, 0, noise(3000, id).substr(part * 1000, 1000),
                                part < 2 ? wire::more : 0);
    while (!input.empty()) {
        const auto room = talk.prepare();
        const std::size_t n = std::min(room.size(), input.size());
        std::memcpy(room.data(), input.data(), n);
        talk.commit(n);
        input.erase(0, n);
        pair.server.drain();
    }
    BOOST_TEST(exact == 64u);
    BOOST_TEST(talk.buffered_bytes() <= 262144u); // nothing of the messages is kept
}

BOOST_AUTO_TEST_CASE(an_error_travels_with_text_and_retry_hint)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    pair.run();
    pair.server.talk.reply_error(2, errc::not_found, "no object 7", 1500ms);
    pair.server.talk.reply_error(1, errc::internal, std::string(5000, 't'));
    pair.run();
    BOOST_TEST(pair.client.seen ==
                   (std::vector<std::string>{"failed(2, not_found, \"no object 7\", 1500ms)",
                                             "failed(1, internal, \"" + std::string(1024, 't') +
                                                 "\", 0ms)"}),
               boost::test_tools::per_element());
    BOOST_TEST(pair.server.talk.calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_call_larger_than_the_peer_accepts_is_refused_here)
{
    conversation_limits small;
    small.message_bytes_max = 100;
    conversation_pair pair({}, small);
    pair.open();
    BOOST_CHECK(code_of([&] { call(pair.client, "a", std::string(101, 'x')); }) ==
                errc::message_limit);
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
    BOOST_TEST(call(pair.client, "a", std::string(100, 'x')) == 1u);
    pair.run();
    BOOST_TEST(pair.server.talk.calls_in_flight() == 1u);
}

BOOST_AUTO_TEST_CASE(a_reply_larger_than_the_peer_accepts_becomes_an_error)
{
    conversation_limits small;
    small.message_bytes_max = 100;
    conversation_pair pair(small, {});
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    const auto before = pair.server.talk.unsent().size();
    BOOST_TEST(!reply(pair.server, 1, std::string(101, 'x')));
    BOOST_TEST(pair.server.talk.unsent().size() == before);
    BOOST_TEST(pair.server.talk.calls_in_flight() == 1u); // still to be answered
    pair.server.talk.reply_error(1, errc::message_limit);
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "failed(1, message_limit, \"\", 0ms)");
}

BOOST_AUTO_TEST_CASE(a_second_answer_is_not_sent)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    BOOST_TEST(reply(pair.server, 1, "one"));
    BOOST_TEST(reply(pair.server, 1, "two"));
    pair.server.talk.reply_error(1, errc::internal);
    BOOST_TEST(reply(pair.server, 99, "never called"));
    pair.run();
    BOOST_TEST(pair.client.seen == std::vector<std::string>{"replied(1, 6f6e65)"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_reply_in_the_making_is_not_sent)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    pair.run();
    reply(pair.server, 1, "done");
    const auto before = wire::copy(pair.server.talk.unsent());
    const auto mark = pair.server.talk.begin_reply(2);
    pair.server.talk.output().append("half", 4);
    BOOST_TEST(wire::copy(pair.server.talk.unsent()) == before);
    pair.server.talk.sent(before.size()); // may happen between begin and end
    BOOST_TEST(pair.server.talk.unsent().empty());
    pair.server.talk.output().append("way", 3);
    BOOST_TEST(pair.server.talk.end_reply(mark));
    BOOST_TEST(wire::copy(pair.server.talk.unsent()) == wire::reply(2, "halfway"));
}

BOOST_AUTO_TEST_CASE(an_abandoned_reply_leaves_no_trace)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    const auto mark = pair.server.talk.begin_reply(1);
    pair.server.talk.output().append("half", 4);
    pair.server.talk.abandon_reply(mark);
    pair.server.talk.reply_error(1, errc::bad_value, "no");
    BOOST_TEST(wire::copy(pair.server.talk.unsent()) == wire::error(1, 7, "no"));
}

BOOST_AUTO_TEST_CASE(a_reply_over_our_own_limit_fails_the_call)
{
    conversation_limits small;
    small.message_bytes_max = 5;
    conversation_pair pair(small, {});
    pair.open();
    const auto feed = [&](const wire::bytes& input) {
        const auto room = pair.client.talk.prepare();
        std::memcpy(room.data(), input.data(), input.size());
        pair.client.talk.commit(input.size());
        pair.client.drain();
    };
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    feed(wire::reply(1, "abc", wire::more) + wire::reply(1, "def", wire::more) +
         wire::reply(1, "ghi") + wire::reply(2, "sixsix"));
    BOOST_TEST(pair.client.seen ==
                   (std::vector<std::string>{
                       "failed(1, message_limit, \"the reply is larger than the limit\", 0ms)",
                       "failed(2, message_limit, \"the reply is larger than the limit\", 0ms)"}),
               boost::test_tools::per_element());
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
    BOOST_TEST(!pair.client.talk.has_ended());
}

BOOST_AUTO_TEST_CASE(an_error_in_the_middle_of_a_reply_ends_it)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    const auto input =
        wire::reply(1, "abc", wire::more) + wire::error(1, 103) + wire::reply(1, "late"); // dropped
    const auto room = pair.client.talk.prepare();
    std::memcpy(room.data(), input.data(), input.size());
    pair.client.talk.commit(input.size());
    pair.client.drain();
    BOOST_TEST(pair.client.seen == std::vector<std::string>{"failed(1, internal, \"\", 0ms)"},
               boost::test_tools::per_element());
    BOOST_TEST(to_string(pair.client.talk.end_of_input()) == "ended(connection_closed, \"\")");
}

BOOST_AUTO_TEST_CASE(a_ping_is_answered_without_the_peers_user)
{
    conversation_pair pair;
    pair.open();
    pair.client.talk.ping(77);
    pair.run();
    BOOST_TEST(pair.client.seen == std::vector<std::string>{"ponged(77)"},
               boost::test_tools::per_element());
    BOOST_TEST(pair.server.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_conversation_can_be_moved)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "x");
    conversation moved = std::move(pair.client.talk);
    pair.client.talk = std::move(moved);
    echo_reversed(pair);
    pair.run();
    BOOST_TEST(pair.client.seen.back() == "replied(1, 78)");
}
