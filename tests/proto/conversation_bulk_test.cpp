// Large messages: they are not copied where that can be avoided, and hold up nothing that is short.
#include "conversation_pair.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

/// Everything that one gathered write is shown; nothing of it is sent.
std::vector<std::span<const std::byte>> shown(const conversation& talk, std::size_t parts_max = 64)
{
    std::vector<std::span<const std::byte>> parts(parts_max);
    parts.resize(talk.unsent_parts(parts));
    return parts;
}

/// A reply of so many bytes, whatever they are: nobody reads them.
void reply_of_size(conversation& talk, std::uint64_t id, std::size_t size)
{
    const auto mark = talk.begin_reply(id);
    byte_buffer& to = talk.output();
    to.resize(to.size() + size);
    BOOST_TEST(talk.end_reply(mark));
}

void receive(peer_end& end, const wire::bytes& input)
{
    const auto room = end.talk.prepare();
    BOOST_REQUIRE(room.size() >= input.size());
    std::memcpy(room.data(), input.data(), input.size());
    end.talk.commit(input.size());
    end.drain();
}

constexpr std::size_t mebibyte = 1u << 20;

} // namespace

// Row 21: a gibibyte of replies is queued, one of them is leaving, and what is short is the next
// frame.
BOOST_AUTO_TEST_CASE(control_frames_overtake_a_gibibyte_row_21)
{
    conversation_pair pair;
    pair.open();
    for (int i = 0; i < 66; ++i)
        call(pair.client, "a", "");
    call(pair.server, "b", "");
    pair.run();
    auto& talk = pair.server.talk;
    for (std::uint64_t id = 1; id <= 64; ++id)
        reply_of_size(talk, id, 16 * mebibyte);
    BOOST_TEST(talk.unsent_bytes() >= 1024 * mebibyte);

    // Somewhere inside the second frame.
    talk.sent(16 + 1024 + 500);
    const std::size_t rest = 16 + 1024 - 500;
    BOOST_REQUIRE(shown(talk)[0].size() == rest);
    talk.cancel(1);
    talk.ping(7);
    talk.reply_error(65, errc::not_found);
    reply_of_size(talk, 66, 3);
    BOOST_TEST(talk.unsent_bytes_before_next() == rest + 16 + 24 + 22 + 19);
    talk.go_away(errc::going_away, "");
    const auto parts = shown(talk);
    BOOST_REQUIRE(parts[0].size() == rest);
    const wire::bytes next = wire::copy(parts[1]);
    BOOST_TEST(wire::to_hex(next.substr(0, 62)) ==
               wire::to_hex(wire::cancel(1) + wire::ping(7) + wire::error(65, 107)));
    BOOST_TEST(next.substr(62 + 19) == wire::goaway(66, 81));
    // Behind them one frame of each of the others, in turn.
    BOOST_TEST(parts[3].size() == 1024u);
    BOOST_TEST(parts[5].size() == 1024u);
}

BOOST_AUTO_TEST_CASE(a_reply_is_sent_from_where_it_was_written)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    auto& talk = pair.server.talk;
    const auto mark = talk.begin_reply(1);
    byte_buffer& to = talk.output();
    to.resize(to.size() + mebibyte);
    const std::byte* const last = to.end();
    BOOST_TEST(talk.end_reply(mark));
    // 1 + 16 frames of header and payload; the last byte is where it was.
    const auto parts = shown(talk);
    BOOST_TEST(parts.size() == 34u);
    BOOST_TEST(parts.back().data() + parts.back().size() == last);
    std::size_t all = 0;
    for (const auto& part : parts)
        all += part.size();
    BOOST_TEST(all == talk.unsent_bytes());
    BOOST_TEST(all == mebibyte + 17 * 16);
}

// The rest of a part is received into the message, with the next header behind it.
BOOST_AUTO_TEST_CASE(parts_are_received_in_place)
{
    conversation_pair pair;
    pair.open();
    const wire::bytes message = noise(190000, 1);
    wire::bytes got;
    const std::byte* at = nullptr;
    pair.server.on_event = [&](const event& e) {
        if (const auto* c = std::get_if<events::called>(&e)) {
            got = wire::copy(c->message);
            at = c->message.data() + c->message.size();
        }
    };
    call(pair.client, "a", message);
    wire::bytes input;
    while (pair.client.talk.unsent_bytes() != 0) {
        const auto some = pair.client.talk.unsent();
        input += wire::copy(some);
        pair.client.talk.sent(some.size());
    }
    std::size_t in_place = 0;
    const std::byte* end = nullptr;
    while (!input.empty()) {
        const auto room = pair.server.talk.prepare();
        const std::size_t n = std::min(room.size(), input.size());
        if (room.size() > 40000)
            in_place += n;
        end = room.data() + n;
        std::memcpy(room.data(), input.data(), n);
        pair.server.talk.commit(n);
        input.erase(0, n);
        pair.server.drain();
    }
    BOOST_TEST((got == message));
    BOOST_TEST(in_place >= 170000u);
    BOOST_TEST((at == end)); // what was received last is the end of the message itself
    BOOST_TEST(pair.server.talk.calls_in_flight() == 1u);
}

// The system may still write into the room when its call is given up.
BOOST_AUTO_TEST_CASE(a_part_may_be_on_its_way_into_a_call_that_is_given_up)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    auto& talk = pair.client.talk;
    const auto frame = wire::reply(1, std::string(60000, 'r'), wire::more);
    receive(pair.client, wire::reply(1, "begin", wire::more) + frame.substr(0, 1000));
    const auto room = talk.prepare();
    BOOST_REQUIRE(room.size() == frame.size() - 1000 + 16);
    talk.cancel(1);
    const auto rest = frame.substr(1000) + wire::reply(2, "").substr(0, 16);
    std::memcpy(room.data(), rest.data(), rest.size());
    talk.commit(rest.size());
    pair.client.drain();
    BOOST_TEST(pair.client.seen == std::vector<std::string>{"replied(2, )"},
               boost::test_tools::per_element());
    BOOST_TEST(talk.own_calls_in_flight() == 1u);
    // The last part is received in place, too, and is the answer to the call.
    receive(pair.client, wire::reply(1, "end"));
    BOOST_TEST(talk.own_calls_in_flight() == 0u);
    BOOST_TEST(talk.buffered_bytes() <= 8192u);
}

BOOST_AUTO_TEST_CASE(an_answer_may_be_given_up_within_its_last_part)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    const auto frame = wire::reply(1, std::string(60000, 'r'));
    receive(pair.client, wire::reply(1, "begin", wire::more) + frame.substr(0, 1000));
    pair.client.talk.cancel(1);
    receive(pair.client, frame.substr(1000));
    BOOST_TEST(pair.client.seen.empty());
    BOOST_TEST(pair.client.talk.own_calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_in_place_is_truncated)
{
    conversation_limits limits;
    limits.frame_timeout = 2s;
    for (const bool by_time : {true, false}) {
        conversation_pair pair({}, limits);
        pair.open();
        auto& talk = pair.server.talk;
        const auto frame = wire::call(1, 0, std::string(60000, 'c'));
        receive(pair.server, wire::declare(0, "a") + wire::call(1, 0, "begin", wire::more) +
                                 frame.substr(0, 1000));
        BOOST_TEST(talk.prepare().size() == frame.size() - 1000 + 16);
        if (by_time) {
            BOOST_TEST(to_string(talk.expire(pair.now)) == "nothing");
            receive(pair.server, frame.substr(1000, 500)); // some bytes do not help
            BOOST_TEST(to_string(talk.expire(pair.now + 2s)) ==
                       "ended(deadline_exceeded, \"a frame was not complete in time\")");
        }
        else {
            BOOST_TEST(to_string(talk.end_of_input()) ==
                       "ended(truncated, \"the connection was closed inside a frame\")");
        }
        BOOST_TEST(!talk.prepare().empty());
        BOOST_TEST(talk.buffered_bytes() <= 80000u);
    }
}

// The goaway of an error follows the frame that has begun; the rest of what waits is not sent.
BOOST_AUTO_TEST_CASE(an_end_stops_bulk_at_the_end_of_a_frame)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    call(pair.client, "a", "");
    pair.run();
    auto& talk = pair.server.talk;
    reply_of_size(talk, 1, mebibyte);
    reply_of_size(talk, 2, mebibyte);
    talk.sent(100);
    reply(pair.server, 3, "short");
    receive(pair.server, wire::frame(99, 0, 0, 0, ""));
    BOOST_TEST(pair.server.seen.back() == "ended(bad_frame, \"unknown kind of frame\")");
    const auto tail = wire::reply(3, "short") + wire::goaway(3, 53, "unknown kind of frame");
    BOOST_TEST(talk.unsent_bytes() == 16 + 1024 - 100 + tail.size());
    const auto parts = shown(talk);
    BOOST_REQUIRE(parts.size() == 2u);
    BOOST_TEST(wire::copy(parts[1]) == tail);
}

BOOST_AUTO_TEST_CASE(a_closed_input_does_not_stop_bulk)
{
    conversation_pair pair;
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    reply_of_size(pair.server.talk, 1, 100000);
    BOOST_TEST(to_string(pair.server.talk.end_of_input()) == "ended(connection_closed, \"\")");
    pair.run();
    BOOST_TEST(pair.client.seen.back().starts_with("replied(1, 100000 bytes"));
}

// Frames are no larger than our own limit, however large a peer's may be: a cancel need not wait
// for one of 16 MiB.
BOOST_AUTO_TEST_CASE(no_frame_is_larger_than_our_own_limit)
{
    conversation_limits large;
    large.frame_bytes_max = 16u << 20;
    conversation_pair pair(large, {});
    pair.open();
    call(pair.client, "a", "");
    pair.run();
    reply_of_size(pair.server.talk, 1, 1u << 20);
    for (const auto& part : shown(pair.server.talk))
        BOOST_TEST(part.size() <= 65536u);
}
