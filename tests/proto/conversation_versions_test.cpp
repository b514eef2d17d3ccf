// The classes of a command, as one end tells them and the other answers, and what is refused.
#include "conversation_script.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

const wire::bytes list = wire::listed(5, 1) + wire::listed(9, 2);
const wire::bytes record = wire::record(1, list);
const std::string peer_opened = "opened(peer, 65536, 16777216, 1048576, 8388608)";

/// The handshake of a peer that exchanges versions, then these steps.
script exchanging(std::vector<step> steps, events_seen events, wire::bytes output = {},
                  conversation_limits limits = {})
{
    script s;
    s.limits = limits;
    s.steps = {{wire::opening()}, {wire::hello_with_versions(128)}};
    s.steps.insert(s.steps.end(), steps.begin(), steps.end());
    s.events = {peer_opened};
    s.events.insert(s.events.end(), events.begin(), events.end());
    s.output = std::move(output);
    return s;
}

/// The last of these steps ends the conversation.
void refused(std::vector<step> steps, events_seen events, const std::string& why,
             wire::bytes output = {}, const std::string& code = "bad_frame", unsigned number = 53,
             conversation_limits limits = {})
{
    events.push_back("ended(" + code + ", \"" + why + "\")");
    exchanging(std::move(steps), std::move(events), output + wire::goaway(0, number, why), limits)
        .check();
}

/// A declaration with these records.
void refuses_declaration(const wire::bytes& records, const std::string& why,
                         const std::string& code = "bad_frame", unsigned number = 53,
                         conversation_limits limits = {})
{
    refused({{wire::declare_with(0, "a.b", records)}}, {}, why, {}, code, number, limits);
}

step telling()
{
    return {"", false, [](conversation& talk) { talk.declare("a.b", wire::view(list)); }};
}
const wire::bytes told = wire::declare_with(0, "a.b", record);

} // namespace

BOOST_AUTO_TEST_CASE(classes_of_a_declaration_are_shown_and_answered)
{
    exchanging({{wire::declare_with(0, "a.b", record), false,
                 [](conversation& talk) { talk.tell_versions(0, wire::view(list)); }}},
               {"declared(0, a.b, " + wire::to_hex(list) + ")"}, wire::versions(0, record))
        .check();
}

BOOST_AUTO_TEST_CASE(classes_are_told_and_the_answer_is_shown)
{
    exchanging({telling(), {wire::versions(0, record)}},
               {"versions(0, " + wire::to_hex(list) + ")"}, told)
        .check();
}

BOOST_AUTO_TEST_CASE(a_list_may_be_empty)
{
    exchanging({telling(), {wire::versions(0, wire::record(1, ""))}}, {"versions(0, )"}, told)
        .check();
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_want_classes_is_told_none)
{
    subject s;
    s.feed(handshake());
    s.talk.declare("a.b", wire::view(list));
    BOOST_TEST(!s.talk.is_told(0));
    s.talk.tell_versions(0, wire::view(list));
    BOOST_TEST(s.take_output() == wire::declare(0, "a.b"));
}

BOOST_AUTO_TEST_CASE(more_classes_than_the_peer_takes_are_not_told)
{
    subject s;
    s.feed(wire::opening() + wire::hello_with_versions(1) + wire::declare_with(0, "a.b", record));
    s.talk.declare("a.b", wire::view(list));
    BOOST_TEST(!s.talk.is_told(0));
    // An answer that is owed is given all the same.
    s.talk.tell_versions(0, wire::view(list));
    BOOST_TEST(s.take_output() == wire::declare(0, "a.b") + wire::versions(0, wire::record(1, "")));
}

BOOST_AUTO_TEST_CASE(an_end_that_exchanges_no_versions_says_and_takes_none)
{
    conversation_limits none;
    none.classes_max = 0;
    subject s(none);
    BOOST_TEST(s.opening.find(wire::record(5, wire::u32(128))) == wire::bytes::npos);
    s.feed(wire::opening() + wire::hello_with_versions(128) +
           wire::declare_with(0, "a.b", wire::record(1, "odd")));
    s.talk.declare("a.b", wire::view(list));
    BOOST_TEST(s.take_output() == wire::declare(0, "a.b"));
    s.feed(wire::versions(0, record));
    BOOST_TEST(s.seen == (events_seen{peer_opened, "declared(0, a.b)",
                                      "ended(bad_frame, \"unknown kind of frame\")"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unknown_records_beside_the_classes_are_ignored)
{
    exchanging({{wire::declare_with(0, "a.b", wire::record(2, "later") + record)}},
               {"declared(0, a.b, " + wire::to_hex(list) + ")"})
        .check();
}

BOOST_AUTO_TEST_CASE(the_largest_declaration_fits_in_the_least_frame)
{
    wire::bytes most;
    for (unsigned i = 1; i <= 128; ++i)
        most += wire::listed(i, i);
    subject s;
    s.feed(wire::opening() + wire::hello_with_versions(1000));
    s.talk.declare(std::string(127, 'n'), wire::view(most));
    BOOST_TEST(s.talk.is_told(0));
    BOOST_TEST(s.take_output().size() <= 16u + 2048);
}

// ---- Row 45: what is refused --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_list_of_a_wrong_size_is_refused)
{
    refuses_declaration(wire::record(1, list + "x"), "a declaration with a bad list of classes");
    refused({telling(), {wire::versions(0, wire::record(1, "x"))}}, {},
            "versions with a bad list of classes", told);
}

BOOST_AUTO_TEST_CASE(a_class_twice_is_refused)
{
    refuses_declaration(wire::record(1, wire::listed(5, 1) + wire::listed(5, 2)),
                        "a declaration with a bad list of classes");
}

BOOST_AUTO_TEST_CASE(classes_out_of_order_are_refused)
{
    refuses_declaration(wire::record(1, wire::listed(9, 1) + wire::listed(5, 2)),
                        "a declaration with a bad list of classes");
}

BOOST_AUTO_TEST_CASE(two_lists_are_refused)
{
    refuses_declaration(record + record, "a declaration with a repeated record");
}

BOOST_AUTO_TEST_CASE(too_many_classes_are_refused)
{
    conversation_limits limits;
    limits.classes_max = 1;
    refuses_declaration(record, "a declaration with too many classes", "session_limit", 55, limits);
    refused({{"", false,
              [](conversation& talk) { talk.declare("a.b", wire::view(wire::listed(5, 1))); }},
             {wire::versions(0, record)}},
            {}, "versions with too many classes",
            wire::declare_with(0, "a.b", wire::record(1, wire::listed(5, 1))), "session_limit", 55,
            limits);
}

BOOST_AUTO_TEST_CASE(versions_of_no_declaration_are_refused)
{
    refused({{wire::versions(0, record)}}, {}, "versions of a command whose classes were not told");
}

BOOST_AUTO_TEST_CASE(versions_of_a_declaration_without_classes_are_refused)
{
    refused(
        {{"", false, [](conversation& talk) { talk.declare("a.b"); }}, {wire::versions(0, record)}},
        {}, "versions of a command whose classes were not told", wire::declare(0, "a.b"));
}

BOOST_AUTO_TEST_CASE(versions_twice_are_refused)
{
    refused({telling(), {wire::versions(0, record)}, {wire::versions(0, record)}},
            {"versions(0, " + wire::to_hex(list) + ")"},
            "versions of a command whose classes were not told", told);
}

BOOST_AUTO_TEST_CASE(versions_without_a_list_are_refused)
{
    refused({telling(), {wire::versions(0, wire::record(2, ""))}}, {}, "versions without classes",
            told);
}

BOOST_AUTO_TEST_CASE(a_truncated_record_of_versions_is_refused)
{
    refused({telling(), {wire::versions(0, record + "tail")}}, {},
            "versions with a truncated record", told);
}

BOOST_AUTO_TEST_CASE(versions_before_the_hello_are_refused)
{
    script s;
    s.steps = {{wire::opening()}, {wire::versions(0, record)}};
    s.events = {"ended(bad_frame, \"a frame before the hello\")"};
    s.output = wire::goaway(0, 53, "a frame before the hello");
    s.check();
}

BOOST_AUTO_TEST_CASE(a_hello_with_a_short_record_of_versions_is_refused)
{
    script s;
    s.steps = {{wire::opening()},
               {wire::frame(wire::hello_kind, 0, 0, 0,
                            wire::record(2, wire::u32(65536)) +
                                wire::record(3, wire::u64(1 << 20)) + wire::record(5, "abc"))}};
    s.events = {"ended(bad_frame, \"a hello with a record of the wrong length\")"};
    s.output = wire::goaway(0, 53, "a hello with a record of the wrong length");
    s.check();
}
