// What a peer may not send: each refusal by itself, with its code and text.
#include "conversation_script.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace wharf;
using namespace wharf::test;

namespace {

const std::map<std::string, unsigned> code_numbers = {
    {"bad_protocol", 50}, {"unsupported_protocol", 51}, {"frame_limit", 52},
    {"bad_frame", 53},    {"session_limit", 55},        {"window_exceeded", 57},
};

script ending(std::vector<step> steps, events_seen before, const std::string& code,
              const std::string& text, std::uint64_t last_call = 0, conversation_limits limits = {})
{
    before.push_back("ended(" + code + ", \"" + text + "\")");
    return {.limits = limits,
            .steps = std::move(steps),
            .events = std::move(before),
            .output = wire::goaway(last_call, code_numbers.at(code), text)};
}

/// The peer's very first bytes.
void refuses_opening(const wire::bytes& bytes, const std::string& code, const std::string& text)
{
    subject s;
    s.feed(bytes, 1);
    BOOST_TEST(s.seen == events_seen{"ended(" + code + ", \"" + text + "\")"},
               boost::test_tools::per_element());
    BOOST_TEST(s.take_output() == wire::goaway(0, code_numbers.at(code), text));
}

/// Frames before the hello is complete.
void refuses_handshake(const wire::bytes& frame, const std::string& text,
                       const std::string& code = "bad_frame")
{
    ending({{wire::opening()}, {frame}}, {}, code, text).check();
}

/// A hello with these records.
void refuses_hello(const wire::bytes& records, const std::string& text)
{
    refuses_handshake(wire::frame(wire::hello_kind, 0, 0, 0, records), text);
}

/// A frame after the handshake and declare(0, "a.b").
void refuses(const wire::bytes& frame, const std::string& text,
             const std::string& code = "bad_frame")
{
    auto events = handshake_events();
    events.push_back("declared(0, a.b)");
    ending({{wire::opening()}, {wire::hello()}, {wire::declare(0, "a.b")}, {frame}}, events, code,
           text)
        .check();
}

/// A second frame, after this first one.
void refuses_after(const step& first, const events_seen& happened, const wire::bytes& frame,
                   const std::string& text, std::uint64_t last_call)
{
    auto events = handshake_events();
    events.push_back("declared(0, a.b)");
    events.insert(events.end(), happened.begin(), happened.end());
    ending({{wire::opening()}, {wire::hello()}, {wire::declare(0, "a.b")}, first, {frame}}, events,
           "bad_frame", text, last_call)
        .check();
}

const auto frame_limit_record = wire::record(2, wire::u32(65536));
const auto message_limit_record = wire::record(3, wire::u64(1u << 20));

} // namespace

// ---- The opening

BOOST_AUTO_TEST_CASE(http_is_refused_at_its_first_byte)
{
    refuses_opening("G", "bad_protocol", "not a wharf peer: byte 0 is 0x47");
}
BOOST_AUTO_TEST_CASE(a_tls_client_is_refused)
{
    refuses_opening("\x16\x03\x01", "bad_protocol", "not a wharf peer: byte 0 is 0x16");
}
BOOST_AUTO_TEST_CASE(a_damaged_magic_is_refused_at_the_byte_that_differs)
{
    refuses_opening("\x89whxrf", "bad_protocol", "not a wharf peer: byte 3 is 0x78");
}
BOOST_AUTO_TEST_CASE(a_raw_archive_pair_is_named)
{
    refuses_opening(wire::opening('A'), "bad_protocol", "the peer is a raw archive pair");
}
BOOST_AUTO_TEST_CASE(another_kind_of_peer_is_refused)
{
    refuses_opening(wire::opening('Z'), "bad_protocol", "not a wharf conversation: kind 0x5a");
}
BOOST_AUTO_TEST_CASE(a_newer_protocol_is_refused_with_both_versions)
{
    refuses_opening(wire::opening('C', 2), "unsupported_protocol",
                    "the peer speaks version 2, this program version 1");
}
BOOST_AUTO_TEST_CASE(version_zero_is_refused)
{
    refuses_opening(wire::opening('C', 0), "unsupported_protocol",
                    "the peer speaks version 0, this program version 1");
}

// ---- The handshake

BOOST_AUTO_TEST_CASE(a_ping_before_the_hello_is_refused)
{
    refuses_handshake(wire::ping(1), "a frame before the hello");
}
BOOST_AUTO_TEST_CASE(a_declaration_before_the_hello_is_refused)
{
    refuses_handshake(wire::declare(0, "a.b"), "a frame before the hello");
}
BOOST_AUTO_TEST_CASE(a_call_before_the_hello_is_refused)
{
    refuses_handshake(wire::call(1, 0, "x"), "a frame before the hello");
}
BOOST_AUTO_TEST_CASE(a_large_frame_in_the_handshake_is_refused_by_its_header)
{
    const auto hello = wire::frame(wire::hello_kind, 0, 0, 0, std::string(4096 - 15, 'h'));
    refuses_handshake(hello, "a handshake larger than the limit", "frame_limit");
    subject s;
    s.feed(wire::opening() + hello.substr(0, 16));
    BOOST_TEST(s.talk.has_ended());
}
BOOST_AUTO_TEST_CASE(many_frames_in_the_handshake_are_refused)
{
    const auto goaway = wire::goaway(0, 81, std::string(1000, 't'));
    const std::string event = "going_away(0, going_away, \"" + std::string(1000, 't') + "\")";
    ending({{wire::opening()}, {goaway}, {goaway}, {goaway}, {goaway}, {goaway}},
           {event, event, event, event}, "frame_limit", "a handshake larger than the limit")
        .check();
}
BOOST_AUTO_TEST_CASE(a_second_hello_is_refused)
{
    refuses(wire::hello(), "a second hello");
}
BOOST_AUTO_TEST_CASE(a_hello_with_half_a_record_head_is_refused)
{
    refuses_hello(frame_limit_record + message_limit_record + "\x09",
                  "a hello with a truncated record");
}
BOOST_AUTO_TEST_CASE(a_hello_with_half_a_record_is_refused)
{
    refuses_hello(frame_limit_record + message_limit_record + wire::u16(9) + wire::u16(5) + "four",
                  "a hello with a truncated record");
}
BOOST_AUTO_TEST_CASE(a_hello_that_repeats_the_software_is_refused)
{
    refuses_hello(wire::record(1, "a") + wire::record(1, "b") + frame_limit_record +
                      message_limit_record,
                  "a hello with a repeated record");
}
BOOST_AUTO_TEST_CASE(a_hello_that_repeats_the_frame_limit_is_refused)
{
    refuses_hello(frame_limit_record + frame_limit_record + message_limit_record,
                  "a hello with a repeated record");
}
BOOST_AUTO_TEST_CASE(a_hello_that_repeats_the_message_limit_is_refused)
{
    refuses_hello(frame_limit_record + message_limit_record + message_limit_record,
                  "a hello with a repeated record");
}
BOOST_AUTO_TEST_CASE(a_hello_with_a_short_frame_limit_is_refused)
{
    refuses_hello(wire::record(2, "abc") + message_limit_record,
                  "a hello with a record of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_hello_with_a_long_message_limit_is_refused)
{
    refuses_hello(frame_limit_record + wire::record(3, "nine byte"),
                  "a hello with a record of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_hello_with_long_software_is_refused)
{
    refuses_hello(wire::record(1, std::string(128, 's')) + frame_limit_record +
                      message_limit_record,
                  "a hello with a record of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_hello_without_a_frame_limit_is_refused)
{
    refuses_hello(message_limit_record, "a hello without its required records");
}
BOOST_AUTO_TEST_CASE(a_hello_without_a_message_limit_is_refused)
{
    refuses_hello(frame_limit_record, "a hello without its required records");
}
BOOST_AUTO_TEST_CASE(a_hello_with_a_tiny_frame_limit_is_refused)
{
    refuses_hello(wire::record(2, wire::u32(2047)) + message_limit_record,
                  "a hello with a frame limit below the least");
}

// ---- Headers

BOOST_AUTO_TEST_CASE(kind_zero_is_refused)
{
    refuses(wire::frame(0, 0, 0, 0, ""), "unknown kind of frame");
}
BOOST_AUTO_TEST_CASE(the_first_free_kind_is_refused)
{
    refuses(wire::frame(14, 0, 0, 0, ""), "unknown kind of frame");
}
BOOST_AUTO_TEST_CASE(kind_255_is_refused)
{
    refuses(wire::frame(255, 0, 0, 0, ""), "unknown kind of frame");
}
BOOST_AUTO_TEST_CASE(an_unknown_flag_is_refused)
{
    refuses(wire::call(1, 0, "x", 16), "unknown flags");
}
BOOST_AUTO_TEST_CASE(a_ping_in_parts_is_refused)
{
    refuses(wire::frame(wire::ping_kind, wire::more, 0, 0, wire::u64(1)), "unknown flags");
}
BOOST_AUTO_TEST_CASE(a_reply_with_a_timeout_is_refused)
{
    refuses(wire::frame(wire::reply_kind, wire::timeout, 0, 1, "abcd"), "unknown flags");
}
BOOST_AUTO_TEST_CASE(an_error_in_parts_is_refused)
{
    refuses(wire::frame(wire::error_kind, wire::more, 0, 1, wire::u16(1) + wire::u32(0)),
            "unknown flags");
}
BOOST_AUTO_TEST_CASE(a_reply_with_a_number_is_refused)
{
    refuses(wire::frame(wire::reply_kind, 0, 1, 1, ""), "a number in a frame that has none");
}
BOOST_AUTO_TEST_CASE(a_goaway_with_a_number_is_refused)
{
    refuses(wire::frame(wire::goaway_kind, 0, 1, 1, wire::u16(1)),
            "a number in a frame that has none");
}
BOOST_AUTO_TEST_CASE(a_ping_with_an_id_is_refused)
{
    refuses(wire::frame(wire::ping_kind, 0, 0, 1, wire::u64(1)),
            "a call id in a frame that has none");
}
BOOST_AUTO_TEST_CASE(a_declaration_with_an_id_is_refused)
{
    refuses(wire::frame(wire::declare_kind, 0, 1, 1, "\x01z"),
            "a call id in a frame that has none");
}
BOOST_AUTO_TEST_CASE(a_call_with_id_zero_is_refused)
{
    refuses(wire::call(0, 0, "x"), "call id zero");
}
BOOST_AUTO_TEST_CASE(a_reply_with_id_zero_is_refused)
{
    refuses(wire::reply(0, "x"), "call id zero");
}
BOOST_AUTO_TEST_CASE(a_short_ping_is_refused)
{
    refuses(wire::frame(wire::ping_kind, 0, 0, 0, "seven.."), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_long_pong_is_refused)
{
    refuses(wire::frame(wire::pong_kind, 0, 0, 0, "nine bytes"), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_short_error_is_refused)
{
    refuses(wire::frame(wire::error_kind, 0, 0, 1, "five."), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(an_error_with_a_long_text_is_refused)
{
    refuses(wire::error(1, 103, std::string(1025, 't')), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_short_goaway_is_refused)
{
    refuses(wire::frame(wire::goaway_kind, 0, 0, 0, "1"), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_goaway_with_a_long_text_is_refused)
{
    refuses(wire::goaway(0, 81, std::string(1025, 't')), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_short_declaration_is_refused)
{
    refuses(wire::frame(wire::declare_kind, 0, 1, 0, "\x01"), "a payload of the wrong length");
}
BOOST_AUTO_TEST_CASE(a_call_too_short_for_its_timeout_is_refused)
{
    refuses(wire::frame(wire::call_kind, wire::timeout, 0, 1, "abc"),
            "a payload too short for its timeout");
}
BOOST_AUTO_TEST_CASE(an_empty_part_is_refused)
{
    refuses(wire::call(1, 0, "", wire::more), "an empty part of a message");
}
BOOST_AUTO_TEST_CASE(an_empty_part_with_a_timeout_is_refused)
{
    refuses(wire::call_within(5, 1, 0, "", wire::more), "an empty part of a message");
}

// The frame limit is judged by the header alone: nothing of the payload is waited for or buffered.
BOOST_AUTO_TEST_CASE(a_frame_over_the_limit_is_refused_by_its_header)
{
    refuses(wire::call(1, 0, std::string(65537, 'f')), "a frame larger than the limit",
            "frame_limit");
    for (const std::uint32_t length : {65537u, 0x7fffffffu, 0xffffffffu}) {
        subject s;
        s.feed(handshake() + wire::u32(length) + wire::u8(3) + wire::u8(0) + wire::u16(0) +
               wire::u64(1));
        BOOST_TEST(s.seen.back() == "ended(frame_limit, \"a frame larger than the limit\")");
        BOOST_TEST(s.talk.buffered_bytes() <= 8192u);
    }
}

// ---- Declarations

BOOST_AUTO_TEST_CASE(a_declaration_that_skips_a_number_is_refused)
{
    refuses(wire::declare(2, "c.d"), "a declaration out of order");
}
BOOST_AUTO_TEST_CASE(a_declaration_that_repeats_a_number_is_refused)
{
    refuses(wire::declare(0, "c.d"), "a declaration out of order");
}
BOOST_AUTO_TEST_CASE(a_declaration_too_many_is_refused)
{
    conversation_limits limits;
    limits.commands_max = 2;
    auto events = handshake_events();
    events.insert(events.end(), {"declared(0, a)", "declared(1, b)"});
    ending({{wire::opening()},
            {wire::hello()},
            {wire::declare(0, "a")},
            {wire::declare(1, "b")},
            {wire::declare(2, "c")}},
           events, "session_limit", "too many commands declared", 0, limits)
        .check();
}
BOOST_AUTO_TEST_CASE(a_declaration_with_half_a_name_is_refused)
{
    refuses(wire::frame(wire::declare_kind, 0, 1, 0,
                        "\x05"
                        "four"),
            "a declaration with a truncated name");
}
BOOST_AUTO_TEST_CASE(an_empty_name_is_refused)
{
    refuses(wire::frame(wire::declare_kind, 0, 1, 0, wire::u8(0) + "rest"),
            "a declaration with a bad name");
}
BOOST_AUTO_TEST_CASE(a_name_with_a_space_is_refused)
{
    refuses(wire::declare(1, "a b"), "a declaration with a bad name");
}
BOOST_AUTO_TEST_CASE(a_name_with_a_control_character_is_refused)
{
    refuses(wire::declare(1, "a\x1b[2J"), "a declaration with a bad name");
}
BOOST_AUTO_TEST_CASE(a_name_outside_of_ascii_is_refused)
{
    refuses(wire::declare(1, "caf\xc3\xa9"), "a declaration with a bad name");
    refuses(wire::declare(1, "\x7f"), "a declaration with a bad name");
}
BOOST_AUTO_TEST_CASE(a_name_of_128_bytes_is_refused)
{
    refuses(wire::declare(1, std::string(128, 'n')), "a declaration with a bad name");
}
BOOST_AUTO_TEST_CASE(a_declaration_with_half_a_record_is_refused)
{
    refuses(wire::frame(wire::declare_kind, 0, 1, 0,
                        "\x01"
                        "aXYZ"),
            "a declaration with a truncated record");
}

// ---- Calls and answers

BOOST_AUTO_TEST_CASE(a_call_to_an_undeclared_number_is_refused)
{
    refuses(wire::call(1, 1, "x"), "a call to a number that was not declared");
}
BOOST_AUTO_TEST_CASE(a_call_id_used_twice_is_refused)
{
    refuses_after({wire::call(5, 0, "x")}, {"called(5, 0, 78)"}, wire::call(5, 0, "x"),
                  "a call id that does not ascend", 5);
}
BOOST_AUTO_TEST_CASE(a_call_id_that_descends_is_refused)
{
    refuses_after({wire::call(5, 0, "x")}, {"called(5, 0, 78)"}, wire::call(4, 0, "x"),
                  "a call id that does not ascend", 5);
}
BOOST_AUTO_TEST_CASE(parts_of_one_call_with_two_numbers_are_refused)
{
    auto events = handshake_events();
    events.insert(events.end(), {"declared(0, a)", "declared(1, b)"});
    ending({{wire::opening()},
            {wire::hello()},
            {wire::declare(0, "a")},
            {wire::declare(1, "b")},
            {wire::call(1, 0, "x", wire::more), true},
            {wire::call(1, 1, "y")}},
           events, "bad_frame", "parts of one call with different numbers", 1)
        .check();
}
BOOST_AUTO_TEST_CASE(a_timeout_in_a_later_part_is_refused)
{
    refuses_after({wire::call(1, 0, "x", wire::more), true}, {}, wire::call_within(9, 1, 0, "y"),
                  "a timeout in the middle of a call", 1);
}
BOOST_AUTO_TEST_CASE(a_reply_to_a_call_never_made_is_refused)
{
    refuses(wire::reply(1, "x"), "a reply to a call that was never made");
}
BOOST_AUTO_TEST_CASE(an_error_for_a_call_never_made_is_refused)
{
    refuses(wire::error(1, 103), "an error for a call that was never made");
}

BOOST_AUTO_TEST_CASE(too_many_refused_calls_that_still_arrive_end_the_conversation)
{
    conversation_limits limits;
    limits.calls_in_flight_max = 2;
    subject s(limits);
    s.feed(handshake() + wire::declare(0, "a") + wire::call(1, 0, "") + wire::call(2, 0, ""));
    for (std::uint64_t id = 3; id <= 4; ++id)
        s.feed(wire::call(id, 0, "x", wire::more));
    BOOST_TEST(!s.talk.has_ended());
    s.feed(wire::call(3, 0, "x")); // one has arrived: there is room for another
    s.feed(wire::call(5, 0, "x", wire::more));
    BOOST_TEST(!s.talk.has_ended());
    s.feed(wire::call(6, 0, "x", wire::more));
    BOOST_TEST(s.seen.back() ==
               "ended(session_limit, \"too many refused calls that still arrive\")");
}

// A ping flood of a peer that reads nothing does not make output grow: one pong waits for all.
BOOST_AUTO_TEST_CASE(pings_without_reading_do_not_make_output_grow)
{
    subject s;
    s.feed(handshake());
    for (std::uint64_t token = 1; token <= 100000; ++token)
        s.feed(wire::ping(token));
    BOOST_TEST(s.talk.unsent().size() <= (64u << 10) + 24);
    BOOST_TEST(s.talk.output().capacity() <= 256u << 10);

    // Once it reads, it gets the pong to its last ping.
    const wire::bytes all = s.take_output();
    BOOST_TEST(all.substr(0, 24) == wire::pong(1));
    BOOST_TEST(all.substr(all.size() - 48) == wire::pong(all.size() / 24 - 1) + wire::pong(100000));
}

BOOST_AUTO_TEST_CASE(what_a_peer_sends_is_held_within_the_limits)
{
    conversation_limits limits;
    limits.reassembly_bytes_max = 1u << 20;
    subject s(limits);
    s.feed(handshake() + wire::declare(0, "a"));
    const std::string part(60000, 'p');
    for (std::uint64_t id = 1; id <= 500; ++id)
        s.feed(wire::call(id, 0, part, wire::more));
    BOOST_TEST(!s.talk.has_ended());
    BOOST_TEST(s.talk.buffered_bytes() <= (1u << 20) + 3 * 65552);
    BOOST_TEST(s.talk.calls_in_flight() == 17u); // the others were answered message_limit
}
