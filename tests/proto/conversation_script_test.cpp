// Scripts: what each kind of frame does, however its bytes arrive.
#include "conversation_script.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

/// Handshake, then declare(0, "a.b"), then the frames given; none ends inside a message.
script after_declare(std::vector<step> frames, events_seen events, wire::bytes output = {},
                     conversation_limits limits = {})
{
    script s;
    s.limits = limits;
    s.steps = {{wire::opening()}, {wire::hello()}, {wire::declare(0, "a.b")}};
    s.steps.insert(s.steps.end(), frames.begin(), frames.end());
    s.events = handshake_events();
    s.events.push_back("declared(0, a.b)");
    s.events.insert(s.events.end(), events.begin(), events.end());
    s.output = std::move(output);
    return s;
}

} // namespace

// Rows 38 and 83: every script is also cut at each byte, where "need more", a clean end between
// frames and an end inside a frame are told apart.

BOOST_AUTO_TEST_CASE(a_handshake_opens_the_conversation)
{
    script{.steps = {{wire::opening()}, {wire::hello()}}, .events = handshake_events()}.check();
}

BOOST_AUTO_TEST_CASE(unknown_records_of_a_hello_are_ignored)
{
    const auto payload = wire::record(900, "later") + wire::record(2, wire::u32(4096)) +
                         wire::record(6, "") + wire::record(3, wire::u64(77)) +
                         wire::record(0, "x") + wire::record(900, "again");
    script{.steps = {{wire::opening()}, {wire::frame(wire::hello_kind, 0, 0, 0, payload)}},
           .events = {"opened(, 4096, 77)"}}
        .check();
}

BOOST_AUTO_TEST_CASE(a_command_is_declared_and_called)
{
    after_declare({{wire::call(1, 0, "\x01\x02")}, {wire::call(7, 0, "")}},
                  {"called(1, 0, 0102)", "called(7, 0, )"})
        .check();
}

BOOST_AUTO_TEST_CASE(records_behind_a_declared_name_are_ignored)
{
    const auto payload = wire::u8(3) + "c.d" + wire::record(1, "fingerprint");
    after_declare({{wire::frame(wire::declare_kind, 0, 1, 0, payload)}}, {"declared(1, c.d)"})
        .check();
}

BOOST_AUTO_TEST_CASE(a_call_carries_what_is_left_of_its_deadline)
{
    after_declare({{wire::call_within(1500, 3, 0, "x")}, {wire::call_within(0, 4, 0, "")}},
                  {"called(3, 0, 1500ms, 78)", "called(4, 0, 0ms, )"})
        .check();
}

// Row 41: the event comes with the last frame of the message and not before.
BOOST_AUTO_TEST_CASE(a_call_in_three_frames_is_one_message)
{
    after_declare({{wire::call(1, 0, "ab", wire::more), true},
                   {wire::call(1, 0, "cd", wire::more), true},
                   {wire::call(1, 0, "")}},
                  {"called(1, 0, 61626364)"})
        .check();
}

BOOST_AUTO_TEST_CASE(frames_of_several_calls_interleave)
{
    after_declare({{wire::call_within(9, 1, 0, "a", wire::more), true},
                   {wire::call(2, 0, "1", wire::more), true},
                   {wire::ping(5), true},
                   {wire::call(3, 0, "whole"), true},
                   {wire::call(2, 0, "2"), true},
                   {wire::call(1, 0, "b")}},
                  {"called(3, 0, 77686f6c65)", "called(2, 0, 3132)", "called(1, 0, 9ms, 6162)"},
                  wire::pong(5))
        .check();
}

BOOST_AUTO_TEST_CASE(a_frame_as_large_as_the_limit_passes)
{
    const std::string payload(65536, 'p');
    const auto message = wire::view(payload);
    after_declare({{wire::call(1, 0, payload)}}, {"called(1, 0, " + events::shown(message) + ")"})
        .check();
}

BOOST_AUTO_TEST_CASE(a_ping_is_answered_by_the_conversation)
{
    after_declare({{wire::ping(0x0102030405060708)}}, {}, wire::pong(0x0102030405060708)).check();
}

BOOST_AUTO_TEST_CASE(a_pong_is_an_event)
{
    after_declare({{wire::pong(8)}}, {"ponged(8)"}).check();
}

BOOST_AUTO_TEST_CASE(a_goaway_of_the_peer_is_an_event)
{
    after_declare({{wire::goaway(12, 81, "restart")}}, {"going_away(12, going_away, \"restart\")"})
        .check();
}

BOOST_AUTO_TEST_CASE(a_goaway_may_come_before_the_hello)
{
    script{.steps = {{wire::opening()}, {wire::goaway(0, 101, "not you")}, {wire::hello()}},
           .events = {"going_away(0, permission_denied, \"not you\")",
                      "opened(peer, 65536, 16777216)"}}
        .check();
}

BOOST_AUTO_TEST_CASE(an_unknown_error_number_becomes_internal)
{
    after_declare({{wire::goaway(0, 60000)}}, {"going_away(0, internal, \"\")"}).check();
}

BOOST_AUTO_TEST_CASE(one_call_more_than_the_limit_is_answered_overloaded)
{
    conversation_limits limits;
    limits.calls_in_flight_max = 2;
    after_declare({{wire::call(1, 0, "a")},
                   {wire::call(2, 0, "b", wire::more), true}, // in flight from its first frame on
                   {wire::call(3, 0, "c", wire::more), true},
                   {wire::call(4, 0, "d"), true},
                   {wire::call(3, 0, "skipped"), true},
                   {wire::call(2, 0, "b")}},
                  {"called(1, 0, 61)", "called(2, 0, 6262)"},
                  wire::error(3, 102, "too many calls in flight", 100) +
                      wire::error(4, 102, "too many calls in flight", 100),
                  limits)
        .check();
}

BOOST_AUTO_TEST_CASE(a_message_larger_than_the_limit_is_answered_and_skipped)
{
    conversation_limits limits;
    limits.message_bytes_max = 5;
    after_declare({{wire::call(1, 0, "abc", wire::more), true},
                   {wire::call(1, 0, "def", wire::more), true},
                   {wire::call(1, 0, "ghi", wire::more), true},
                   {wire::call(2, 0, "fits!"), true},
                   {wire::call(1, 0, "jkl")},
                   {wire::call(3, 0, "six...")},
                   {wire::call(4, 0, "abc", wire::more), true},
                   {wire::call(4, 0, "de")}},
                  {"called(2, 0, 6669747321)", "called(4, 0, 6162636465)"},
                  wire::error(1, 13) + wire::error(3, 13), limits)
        .check();
}

BOOST_AUTO_TEST_CASE(partial_messages_share_one_limit)
{
    conversation_limits limits;
    limits.reassembly_bytes_max = 6;
    after_declare({{wire::call(1, 0, "abcd", wire::more), true},
                   {wire::call(2, 0, "xyz", wire::more), true}, // 7 bytes: refused
                   {wire::ping(1), true},                       // at once
                   {wire::call(2, 0, "w"), true},
                   {wire::call(1, 0, "ef")},
                   {wire::call(3, 0, "abcdef", wire::more), true}, // all is free again
                   {wire::call(3, 0, "g")}},
                  {"called(1, 0, 616263646566)"},
                  wire::error(2, 13) + wire::pong(1) + wire::error(3, 13), limits)
        .check();
}
