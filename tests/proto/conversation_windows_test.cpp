// Scripts of credit: exhausted, given back, exceeded; of one call and of the whole session.
#include "conversation_streams.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

constexpr std::uint32_t plenty = 1u << 20;

conversation_limits with_windows(std::uint32_t stream, std::size_t session)
{
    conversation_limits limits;
    limits.frame_bytes_max = 2048;
    limits.stream_window_bytes = stream;
    limits.session_window_bytes = session;
    return limits;
}

/// The user has done with an item of an upload.
step consuming(std::uint64_t id, std::size_t bytes)
{
    return {"", false, [=](conversation& talk) { talk.consumed(id, flow::upload, bytes); }};
}

/// The user sends an item of a reply, and there is credit for another or not.
step sending(std::uint64_t id, std::string message, bool may_send_more)
{
    return {"", false, [=](conversation& talk) {
                BOOST_TEST(talk.can_send(id, flow::reply));
                talk.send_item(id, flow::reply, wire::view(message));
                BOOST_TEST(talk.can_send(id, flow::reply) == may_send_more);
            }};
}

} // namespace

// ---- Credit of ours

// A frame costs its header, too: two items of 34 bytes are 100.
BOOST_AUTO_TEST_CASE(items_are_sent_while_there_is_credit)
{
    const std::string item(34, 'i');
    streaming({{wire::call(1, 0, "")},
               sending(1, item, true),
               sending(1, item, false),
               {wire::window(1, 1), false,
                [](conversation& talk) { BOOST_TEST(talk.can_send(1, flow::reply)); }}},
              {"called(1, 0, )", "window_opened(1, reply)"},
              wire::item(1, item) + wire::item(1, item), {}, 100, plenty)
        .check();
}

BOOST_AUTO_TEST_CASE(an_item_that_has_begun_is_completed_beyond_the_credit)
{
    const std::string item(5000, 'i');
    streaming({{wire::call(1, 0, "")},
               sending(1, item, false),
               {wire::window(1, 4000)}, // 5048 were taken of 100
               {wire::window(1, 948)},
               {wire::window(1, 1)}},
              {"called(1, 0, )", "window_opened(1, reply)"},
              wire::item(1, item.substr(0, 1024), wire::more) +
                  wire::item(1, item.substr(1024, 2048), wire::more) +
                  wire::item(1, item.substr(3072)),
              with_windows(100, 100), 100, plenty)
        .check();
}

BOOST_AUTO_TEST_CASE(the_session_has_credit_of_its_own)
{
    streaming({{wire::call(1, 0, "")},
               {wire::call(2, 0, "")},
               sending(1, std::string(84, 'i'), false),
               {wire::window(2, 50), false,
                [](conversation& talk) { BOOST_TEST(!talk.can_send(2, flow::reply)); }},
               {wire::window(0, 10), false,
                [](conversation& talk) {
                    BOOST_TEST(talk.can_send(1, flow::reply));
                    BOOST_TEST(talk.can_send(2, flow::reply));
                }}},
              {"called(1, 0, )", "called(2, 0, )", "window_opened(session)"},
              wire::item(1, std::string(84, 'i')), {}, 1000, 100)
        .check();
}

BOOST_AUTO_TEST_CASE(the_upload_of_our_call_has_credit_too)
{
    streaming({calling("x.y", ""),
               {"", false,
                [](conversation& talk) {
                    talk.send_item(1, flow::upload, {});
                    BOOST_TEST(!talk.can_send(1, flow::upload));
                }},
               {wire::window(1, 100, wire::of_upload)}},
              {"window_opened(1, upload)"},
              wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::upload(1, ""), {}, 16, plenty)
        .check();
}

BOOST_AUTO_TEST_CASE(an_item_without_credit_is_not_sent)
{
    streaming({{wire::call(1, 0, "")},
               sending(1, "", false),
               {"", false,
                [](conversation& talk) {
                    try {
                        talk.send_item(1, flow::reply, {});
                        BOOST_ERROR("sent");
                    }
                    catch (const error& e) {
                        BOOST_TEST((e.code() == errc::window_exceeded));
                    }
                }}},
              {"called(1, 0, )"}, wire::item(1, ""), {}, 16, plenty)
        .check();
}

BOOST_AUTO_TEST_CASE(an_item_larger_than_the_peer_accepts_is_not_sent)
{
    subject s;
    s.feed(wire::opening() + wire::hello_with_windows(plenty, plenty, 65536, 100) +
           wire::declare(0, "a.b") + wire::call(1, 0, ""));
    BOOST_CHECK_EXCEPTION(s.talk.send_item(1, flow::reply, wire::view(std::string(101, 'x'))),
                          error, [](const error& e) { return e.code() == errc::message_limit; });
    s.talk.send_item(1, flow::reply, wire::view(std::string(100, 'x')));
    BOOST_TEST(s.take_output() == wire::item(1, std::string(100, 'x')));
}

BOOST_AUTO_TEST_CASE(calls_that_are_not_in_flight_have_nothing_to_send)
{
    subject s;
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, ""));
    BOOST_TEST(!s.talk.can_send(2, flow::reply));
    BOOST_TEST(!s.talk.can_send(1, flow::upload));
    s.talk.send_item(2, flow::reply, wire::view("x"));
    s.talk.send_item(1, flow::upload, wire::view("x"));
    s.talk.end_upload(1);
    BOOST_TEST(s.take_output() == "");
}

// ---- Credit of the peer's

// 100 bytes of items cost 132: half of the window of 256.
BOOST_AUTO_TEST_CASE(half_a_window_is_given_back_at_once)
{
    const std::string item(50, 'i');
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, item)},
               {wire::upload(1, item)},
               consuming(1, 50), // 66: not yet half
               consuming(1, 50)},
              {"called(1, 0, )", "item(1, upload, " + events::shown(wire::view(item)) + ")",
               "item(1, upload, " + events::shown(wire::view(item)) + ")"},
              wire::window(1, 132, wire::of_upload), with_windows(256, 1000))
        .check();
}

BOOST_AUTO_TEST_CASE(the_reply_of_our_call_has_its_credit_given_back)
{
    streaming({calling("x.y", ""),
               {wire::item(1, "i")},
               {"", false, [](conversation& talk) { talk.consumed(1, flow::reply, 1); }}},
              {"item(1, reply, 69)"},
              wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::window(1, 17) +
                  wire::window(0, 17),
              with_windows(20, 20))
        .check();
}

// What is consumed after its call is over still counts for the session.
BOOST_AUTO_TEST_CASE(items_of_calls_that_are_over_are_given_back_to_the_session)
{
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "0123456789")},
               {"", false,
                [](conversation& talk) {
                    talk.reply_error(1, errc::conflict);
                    talk.consumed(1, flow::upload, 10);
                }},
               {wire::upload(1, "late"), false},     // dropped, and given back at once
               {wire::upload(1, "lat", wire::more)}, // nobody waits for its end
               {wire::upload(1, "", wire::last)}},   // costs nothing
              {"called(1, 0, )", "item(1, upload, 30313233343536373839)"},
              wire::error(1, 108) + wire::window(0, 26) + wire::window(0, 20) + wire::window(0, 19),
              with_windows(1000, 30))
        .check();
}

// Parts may be smaller than they need be: what their headers cost comes back without consumed().
BOOST_AUTO_TEST_CASE(needless_parts_are_given_back_when_the_item_is_whole)
{
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "a", wire::more), true},
               {wire::upload(1, "b", wire::more), true},
               {wire::upload(1, "c")},
               consuming(1, 3)},
              {"called(1, 0, )", "item(1, upload, 616263)"},
              wire::window(1, 32, wire::of_upload) + wire::window(1, 19, wire::of_upload),
              with_windows(20, 1000))
        .check();
}

BOOST_AUTO_TEST_CASE(an_item_without_credit_ends_the_conversation)
{
    refused({{wire::call(1, 0, "")}, {wire::upload(1, "0123")}, {wire::upload(1, "")}},
            {"called(1, 0, )", "item(1, upload, 30313233)"}, "an item without credit", "", 1,
            "window_exceeded", 57, with_windows(20, 1000));
}

// Items of different calls may leave in another order than they were counted in: the session's
// credit may be exceeded by the largest item, here 5 bytes and two headers, and not by more.
BOOST_AUTO_TEST_CASE(an_item_without_credit_of_the_session_ends_the_conversation)
{
    conversation_limits limits = with_windows(1000, 20);
    limits.message_bytes_max = 5;
    refused({{wire::call(1, 0, "")},
             {wire::call(2, 0, "")},
             {wire::upload(1, "0123")}, // 20: nothing is left
             {wire::upload(2, "")},
             {wire::upload(2, "")},      // 32
             {wire::upload(1, "01234")}, // 53 of 57
             {wire::upload(1, "")},      // 69
             {wire::upload(2, "")}},
            {"called(1, 0, )", "called(2, 0, )", "item(1, upload, 30313233)", "item(2, upload, )",
             "item(2, upload, )", "item(1, upload, 3031323334)"},
            "an item without credit", "", 2, "window_exceeded", 57, limits);
}

BOOST_AUTO_TEST_CASE(an_item_that_is_in_parts_needs_credit_for_its_first_only)
{
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "0123456789", wire::more), true},
               {wire::upload(1, "0123456789")}},
              {"called(1, 0, )", "item(1, upload, 3031323334353637383930313233343536373839)"},
              wire::window(1, 16, wire::of_upload), with_windows(20, 1000))
        .check();
}

BOOST_AUTO_TEST_CASE(a_window_of_nothing_is_refused)
{
    refused({{wire::window(0, 0)}}, {}, "a window of nothing");
}
BOOST_AUTO_TEST_CASE(a_window_of_the_session_has_no_direction)
{
    refused({{wire::window(0, 1, wire::of_upload)}}, {},
            "a window of the session with a direction");
}
BOOST_AUTO_TEST_CASE(a_window_of_a_call_never_made_is_refused)
{
    refused({{wire::window(1, 1)}}, {}, "a window of a call that was never made");
    refused({{wire::window(1, 1, wire::of_upload)}}, {}, "a window of a call that was never made");
}
BOOST_AUTO_TEST_CASE(a_window_beyond_two_gibibytes_is_refused)
{
    refused({{wire::window(0, 0x7f800000)}, {wire::window(0, 1)}}, {}, "a window beyond the limit",
            "", 0, "window_exceeded", 57);
    refused({{wire::call(1, 0, "")}, {wire::window(1, 0x7ff00000)}, {wire::window(1, 1)}},
            {"called(1, 0, )"}, "a window beyond the limit", "", 1, "window_exceeded", 57);
}
BOOST_AUTO_TEST_CASE(a_window_that_begins_beyond_two_gibibytes_is_kept)
{
    const std::uint64_t large = std::uint64_t{1} << 40;
    streaming({{wire::call(1, 0, "")}, sending(1, "", true), {wire::window(0, 16)}},
              {"called(1, 0, )"}, wire::item(1, ""), {}, plenty, large)
        .check();
}
BOOST_AUTO_TEST_CASE(a_window_of_an_answered_call_is_ignored)
{
    streaming({{wire::call(1, 0, "")},
               {"", false, [](conversation& talk) { talk.reply_error(1, errc::conflict); }},
               {wire::window(1, 5)},
               {wire::window(1, 0xffffffff)}},
              {"called(1, 0, )"}, wire::error(1, 108))
        .check();
}

// ---- What cannot be held

BOOST_AUTO_TEST_CASE(an_item_larger_than_the_limit_ends_its_call)
{
    conversation_limits limits;
    limits.message_bytes_max = 5;
    limits.session_window_bytes = 40;
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "abc", wire::more), true},
               {wire::upload(1, "def", wire::more)}, // 38 bytes of credit come back
               {wire::upload(1, "g")},               // 17 more
               {"", false,
                [](conversation& talk) {
                    BOOST_TEST(talk.calls_in_flight() == 1u); // its handler still runs
                    talk.end_reply(talk.begin_reply(1));
                    BOOST_TEST(talk.calls_in_flight() == 0u);
                }}},
              {"called(1, 0, )", "cancelled(1)"},
              wire::window(0, 38) + wire::error(1, 13, "an item is larger than the limit"), limits)
        .check();
}

BOOST_AUTO_TEST_CASE(a_reply_item_larger_than_the_limit_ends_the_call)
{
    conversation_limits limits;
    limits.message_bytes_max = 5;
    streaming(
        {calling("x.y", ""), {wire::item(1, "sixsix")}, {wire::item(1, "x")}, {wire::reply(1, "")}},
        {"failed(1, message_limit, \"an item is larger than the limit\", 0ms)"},
        wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::cancel(1), limits)
        .check();
}

// A peer that takes credit without reading: it gets no more until it has read.
BOOST_AUTO_TEST_CASE(windows_wait_while_much_is_unsent)
{
    subject s(with_windows(32, 64));
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, "") +
           wire::call(2, 0, ""));
    s.talk.send_item(2, flow::reply, {});
    for (int i = 0; i < 50; ++i)
        s.talk.send_item(2, flow::reply, wire::view(std::string(2000, 'x')));
    const std::size_t before = s.talk.unsent_bytes();
    s.feed(wire::upload(1, std::string(16, 'u')) + wire::upload(2, std::string(16, 'u')));
    s.talk.consumed(1, flow::upload, 16);
    s.talk.consumed(2, flow::upload, 16);
    BOOST_TEST(s.talk.unsent_bytes() == before);
    const wire::bytes all = s.take_output();
    for (const auto& window : {wire::window(1, 32, wire::of_upload),
                               wire::window(2, 32, wire::of_upload), wire::window(0, 64)})
        BOOST_TEST((all.find(window) != wire::bytes::npos));
    BOOST_TEST(all.size() == before + 60);
}

// Empty items cost their headers: a stream of nothing has an end.
BOOST_AUTO_TEST_CASE(empty_items_exhaust_a_window)
{
    subject s(with_windows(160, 1u << 20));
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, ""));
    for (int i = 0; i < 10; ++i)
        s.feed(wire::upload(1, ""));
    BOOST_TEST(!s.talk.has_ended());
    s.feed(wire::upload(1, ""));
    BOOST_TEST(s.seen.back() == "ended(window_exceeded, \"an item without credit\")");
}

// A user that says consumed() twice gives no more than there was.
BOOST_AUTO_TEST_CASE(no_window_grows_beyond_its_beginning)
{
    subject s(with_windows(100, 100));
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, "") +
           wire::upload(1, std::string(50, 'u')));
    for (int i = 0; i < 10; ++i)
        s.talk.consumed(1, flow::upload, 50);
    BOOST_TEST(s.take_output() == wire::window(1, 66, wire::of_upload) + wire::window(0, 66));
}
