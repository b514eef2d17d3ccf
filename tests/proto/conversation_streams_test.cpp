// Scripts of streams: items of both flows, how they begin and end, and what is refused.
#include "conversation_streams.hpp"

#include "failing_allocations.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

// ---- Items that arrive

BOOST_AUTO_TEST_CASE(items_of_an_upload_arrive_in_order)
{
    streaming({{wire::call(1, 0, "c")},
               {wire::upload(1, "a")},
               {wire::upload(1, "")},
               {wire::upload(1, "b")},
               {wire::upload(1, "", wire::last)}},
              {"called(1, 0, 63)", "item(1, upload, 61)", "item(1, upload, )",
               "item(1, upload, 62)", "upload_ended(1)"})
        .check();
}

BOOST_AUTO_TEST_CASE(the_last_item_may_say_that_it_is_the_last)
{
    streaming({{wire::call(1, 0, "")}, {wire::upload(1, "a", wire::last)}, {wire::ping(1)}},
              {"called(1, 0, )", "item(1, upload, 61)", "upload_ended(1)"}, wire::pong(1))
        .check();
}

BOOST_AUTO_TEST_CASE(items_in_parts_interleave_with_all_else)
{
    streaming({{wire::call(1, 0, "")},
               {wire::upload(1, "ab", wire::more), true},
               {wire::call(2, 0, "x", wire::more), true},
               {wire::upload(1, "cd", wire::more), true},
               {wire::ping(7), true},
               {wire::call(2, 0, "y"), true},
               {wire::upload(2, "12", wire::more), true},
               {wire::upload(1, "ef", wire::last), true},
               {wire::upload(2, "")}},
              {"called(1, 0, )", "called(2, 0, 7879)", "item(1, upload, 616263646566)",
               "upload_ended(1)", "item(2, upload, 3132)"},
              wire::pong(7))
        .check();
}

BOOST_AUTO_TEST_CASE(items_of_a_reply_arrive_before_their_end)
{
    streaming({calling("x.y", ""),
               {wire::item(1, "a")},
               {wire::item(1, "b", wire::more), true},
               {wire::item(1, "c")},
               {wire::reply(1, "")}},
              {"item(1, reply, 61)", "item(1, reply, 6263)", "replied(1, )"},
              wire::declare(0, "x.y") + wire::call(1, 0, ""))
        .check();
}

BOOST_AUTO_TEST_CASE(an_error_ends_a_reply_in_the_middle_of_an_item)
{
    streaming({calling("x.y", ""),
               {wire::item(1, "a", wire::more), true},
               {wire::error(1, 107, "gone")},
               {wire::ping(2)}},
              {"failed(1, not_found, \"gone\", 0ms)"},
              wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::pong(2))
        .check();
}

// ---- Items that are sent

BOOST_AUTO_TEST_CASE(items_are_sent_before_the_reply_that_ends_them)
{
    streaming({{wire::call(1, 0, ""), false,
                [](conversation& talk) {
                    talk.send_item(1, flow::reply, wire::view("a"));
                    talk.send_item(1, flow::reply, {});
                    talk.end_reply(talk.begin_reply(1));
                    talk.send_item(1, flow::reply, wire::view("too late"));
                }}},
              {"called(1, 0, )"}, wire::item(1, "a") + wire::item(1, "") + wire::reply(1, ""))
        .check();
}

BOOST_AUTO_TEST_CASE(an_upload_is_sent_and_ended_once)
{
    streaming({{"", false,
                [](conversation& talk) {
                    talk.call(talk.declare("x.y"), {}, {}, start_time);
                    talk.send_item(1, flow::upload, wire::view("a"));
                    talk.end_upload(1);
                    talk.end_upload(1);
                    talk.send_item(1, flow::upload, wire::view("b"));
                }},
               {wire::reply(1, "r")}},
              {"replied(1, 72)"},
              wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::upload(1, "a") +
                  wire::upload(1, "", wire::last))
        .check();
}

// What ends a stream waits for its items, and what overtakes them is of other calls.
BOOST_AUTO_TEST_CASE(the_end_of_a_stream_does_not_overtake_its_items)
{
    const std::string large(3000, 'l');
    conversation_limits limits;
    limits.frame_bytes_max = 2048;
    const auto items = [&](unsigned kind, std::uint64_t id) {
        return wire::frame(kind, wire::more, 0, id, large.substr(0, 1024)) +
               wire::frame(kind, 0, 0, id, large.substr(1024));
    };
    streaming({{wire::call(1, 0, "")},
               {wire::call(2, 0, ""), false,
                [&](conversation& talk) {
                    talk.call(talk.declare("x.y"), {}, {}, start_time);
                    talk.send_item(1, flow::reply, wire::view(large));
                    talk.send_item(1, flow::upload, wire::view(large));
                    talk.reply_error(1, errc::not_found, "end");
                    talk.end_upload(1);
                    talk.reply_error(2, errc::conflict);
                }}},
              {"called(1, 0, )", "called(2, 0, )"},
              wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::error(2, 108) +
                  wire::frame(wire::item_kind, wire::more, 0, 1, large.substr(0, 1024)) +
                  wire::frame(wire::upload_kind, wire::more, 0, 1, large.substr(0, 1024)) +
                  items(wire::item_kind, 1).substr(1040) +
                  items(wire::upload_kind, 1).substr(1040) + wire::error(1, 107, "end") +
                  wire::upload(1, "", wire::last),
              limits)
        .check();
}

// ---- What a peer that knows no streams is spared

BOOST_AUTO_TEST_CASE(a_peer_without_windows_gets_no_frame_that_it_does_not_know)
{
    script s;
    s.steps = {{wire::opening()},
               {wire::hello(), false,
                [](conversation& talk) {
                    talk.call(talk.declare("x.y"), {}, {}, start_time);
                    BOOST_TEST(!talk.can_send(1, flow::upload));
                    try {
                        talk.send_item(1, flow::upload, {});
                        BOOST_ERROR("sent");
                    }
                    catch (const error& e) {
                        BOOST_TEST((e.code() == errc::unsupported_protocol));
                    }
                    talk.end_upload(1);
                    talk.cancel(1);
                    talk.ping(1);
                }},
               {wire::reply(1, "late")}};
    s.events = handshake_events();
    s.output = wire::declare(0, "x.y") + wire::call(1, 0, "") + wire::ping(1);
    s.check();
}

BOOST_AUTO_TEST_CASE(an_end_without_windows_does_not_say_that_it_knows_streams)
{
    conversation_limits limits;
    limits.stream_window_bytes = 0;
    limits.classes_max = 0; // nor versions
    subject s(limits);
    BOOST_TEST(s.opening == wire::opening() + wire::hello("subject"));
    for (const wire::bytes& frame :
         {wire::item(1, ""), wire::upload(1, ""), wire::window(0, 1), wire::cancel(1)}) {
        subject refusing(limits);
        refusing.feed(handshake() + frame);
        BOOST_TEST(refusing.seen.back() == "ended(bad_frame, \"unknown kind of frame\")");
    }
}

BOOST_AUTO_TEST_CASE(a_longer_record_of_windows_is_read_as_far_as_it_is_known)
{
    const auto records = wire::record(2, wire::u32(65536)) + wire::record(3, wire::u64(99)) +
                         wire::record(4, wire::u32(7) + wire::u64(8) + "later");
    script{.steps = {{wire::opening()}, {wire::frame(wire::hello_kind, 0, 0, 0, records)}},
           .events = {"opened(, 65536, 99, 7, 8)"}}
        .check();
}

BOOST_AUTO_TEST_CASE(impossible_windows_are_refused)
{
    const auto refused = [](const wire::bytes& value, const std::string& why) {
        const auto records = wire::record(2, wire::u32(65536)) + wire::record(3, wire::u64(99)) +
                             wire::record(4, value);
        script{.steps = {{wire::opening()}, {wire::frame(wire::hello_kind, 0, 0, 0, records)}},
               .events = {"ended(bad_frame, \"" + why + "\")"},
               .output = wire::goaway(0, 53, why)}
            .check();
    };
    refused(wire::u32(7) + wire::u32(8), "a hello with a record of the wrong length");
    refused(wire::u32(0) + wire::u64(8), "a hello with an impossible window");
    refused(wire::u32(7) + wire::u64(0), "a hello with an impossible window");
    refused(wire::u32(7) + wire::u64(std::uint64_t{1} << 63), "a hello with an impossible window");
}

// ---- What is refused

BOOST_AUTO_TEST_CASE(an_item_of_a_call_never_made_is_refused)
{
    refused({{wire::item(1, "")}}, {}, "an item of a call that was never made");
}
BOOST_AUTO_TEST_CASE(an_item_behind_the_answer_is_refused)
{
    refused({calling("x.y", ""), {wire::reply(1, "")}, {wire::item(1, "")}}, {"replied(1, )"},
            "an item behind the answer to its call",
            wire::declare(0, "x.y") + wire::call(1, 0, ""));
}
BOOST_AUTO_TEST_CASE(an_item_inside_a_reply_is_refused)
{
    refused({calling("x.y", ""), {wire::reply(1, "r", wire::more), true}, {wire::item(1, "")}}, {},
            "an item inside a reply", wire::declare(0, "x.y") + wire::call(1, 0, ""));
}
BOOST_AUTO_TEST_CASE(a_reply_inside_an_item_is_refused)
{
    refused({calling("x.y", ""), {wire::item(1, "i", wire::more), true}, {wire::reply(1, "")}}, {},
            "a reply inside an item", wire::declare(0, "x.y") + wire::call(1, 0, ""));
}
BOOST_AUTO_TEST_CASE(an_upload_to_a_call_never_made_is_refused)
{
    refused({{wire::upload(1, "")}}, {}, "an upload to a call that was never made");
}
BOOST_AUTO_TEST_CASE(an_upload_inside_its_call_is_refused)
{
    refused({{wire::call(1, 0, "c", wire::more), true}, {wire::upload(1, "")}}, {},
            "an upload inside its call", "", 1);
}
BOOST_AUTO_TEST_CASE(a_call_inside_its_upload_is_refused)
{
    refused(
        {{wire::call(1, 0, "")}, {wire::upload(1, "u", wire::more), true}, {wire::call(1, 0, "")}},
        {"called(1, 0, )"}, "a call id that does not ascend", "", 1);
}
BOOST_AUTO_TEST_CASE(an_upload_behind_its_end_is_refused)
{
    refused({{wire::call(1, 0, "")}, {wire::upload(1, "", wire::last)}, {wire::upload(1, "")}},
            {"called(1, 0, )", "upload_ended(1)"}, "an upload goes on behind its end", "", 1);
}
BOOST_AUTO_TEST_CASE(an_upload_that_ends_inside_an_item_is_refused)
{
    refused({{wire::call(1, 0, "")},
             {wire::upload(1, "u", wire::more), true},
             {wire::upload(1, "", wire::last)}},
            {"called(1, 0, )"}, "an upload ends inside an item", "", 1);
}
BOOST_AUTO_TEST_CASE(a_part_that_is_not_the_last_does_not_end_an_upload)
{
    refused({{wire::call(1, 0, "")}, {wire::upload(1, "u", wire::more | wire::last)}},
            {"called(1, 0, )"}, "an end before the last part of an item", "", 1);
}
BOOST_AUTO_TEST_CASE(an_item_has_no_last_flag)
{
    refused({calling("x.y", ""), {wire::item(1, "i", wire::last)}}, {}, "unknown flags",
            wire::declare(0, "x.y") + wire::call(1, 0, ""));
}
BOOST_AUTO_TEST_CASE(an_item_with_id_zero_is_refused)
{
    refused({{wire::item(0, "")}}, {}, "call id zero");
    refused({{wire::upload(0, "")}}, {}, "call id zero");
    refused({{wire::cancel(0)}}, {}, "call id zero");
}
BOOST_AUTO_TEST_CASE(an_item_with_a_number_is_refused)
{
    refused({{wire::frame(wire::item_kind, 0, 1, 1, "")}}, {}, "a number in a frame that has none");
}

// Closed between two items of an upload that has not ended: in order, as the connection goes.
BOOST_AUTO_TEST_CASE(a_peer_may_close_between_items)
{
    subject s;
    s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, "") +
           wire::upload(1, "u"));
    s.close_input();
    BOOST_TEST(s.seen.back() == "ended(connection_closed, \"\")");
    // The call can still be answered, and stream.
    s.talk.send_item(1, flow::reply, wire::view("i"));
    s.talk.end_reply(s.talk.begin_reply(1));
    BOOST_TEST(s.take_output() == wire::item(1, "i") + wire::reply(1, ""));
}

// Whatever allocation fails, a call whose answer or item was not taken is as it was before.
BOOST_AUTO_TEST_CASE(without_memory_nothing_is_half_said)
{
    const std::string large(100000, 'l');
    const auto fails = [](subject& s, long at, const auto& act) {
        s.take_output();
        const std::size_t before = s.talk.unsent_bytes();
        const failing_allocations failing(at);
        try {
            const failing_allocations::scope here;
            act(s.talk);
        }
        catch (const std::bad_alloc&) {
            BOOST_TEST(s.talk.unsent_bytes() == before);
            BOOST_TEST(s.talk.calls_in_flight() == 1u);
            BOOST_TEST(s.talk.own_calls_in_flight() == 0u);
        }
        return failing_allocations::has_failed();
    };
    int failures = 0;
    const auto check = [&](const auto& act) {
        for (long at = 0;; ++at) {
            subject s;
            s.feed(handshake_with_windows() + wire::declare(0, "a.b") + wire::call(1, 0, ""));
            s.talk.declare("x.y");
            if (!fails(s, at, act))
                break;
            ++failures;
        }
    };
    check([&](conversation& talk) {
        const auto mark = talk.begin_reply(1);
        talk.output().append(wire::view(large));
        talk.end_reply(mark);
    });
    check([&](conversation& talk) { talk.send_item(1, flow::reply, wire::view(large)); });
    check([&](conversation& talk) { talk.reply_error(1, errc::conflict, "text"); });
    check([&](conversation& talk) { talk.call(0, wire::view(large), {}, start_time); });
    BOOST_TEST(failures >= 8);
}
