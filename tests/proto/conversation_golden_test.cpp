// The frames of version 1, kept as bytes: each is what is sent today and is understood today.
#include "conversation_streams.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

using namespace wharf;
using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

wire::bytes golden(const std::string& name)
{
    const auto path = std::filesystem::path(WHARF_SOURCE_DIR) / "tests/golden/conversation" / name;
    std::ifstream file(path);
    BOOST_REQUIRE_MESSAGE(file, path.string());
    std::ostringstream text;
    text << file.rdbuf();
    return wire::from_hex(text.str());
}

/// A conversation that is open, with two calls of the peer in flight and nothing unsent.
struct open_subject : subject {
    explicit open_subject(const conversation_limits& limits = {}, std::uint32_t window = 1u << 20)
        : subject(limits)
    {
        feed(handshake_with_windows(window, window) + wire::declare(0, "a.b") +
             wire::call(1, 0, "") + wire::call(2, 0, ""));
        seen.clear();
    }
};

/// What a conversation writes when it does this.
wire::bytes written(const std::function<void(conversation&)>& act)
{
    open_subject s;
    act(s.talk);
    return s.take_output();
}

wire::bytes written_after_a_call(const std::function<void(conversation&)>& act)
{
    open_subject s;
    s.talk.call(s.talk.declare("a.b"), {}, {}, start_time);
    s.take_output();
    act(s.talk);
    return s.take_output();
}

/// What a conversation that has called twice says to these bytes.
events_seen understood(const wire::bytes& input)
{
    open_subject s;
    s.talk.declare("a.b");
    s.talk.call(0, {}, {}, start_time);
    s.talk.call(0, {}, {}, start_time);
    s.feed(input);
    return s.seen;
}

/// Windows of 40 bytes for a call of the peer and one of ours, or for the session.
conversation_limits tight(bool is_session)
{
    conversation_limits limits;
    limits.stream_window_bytes = is_session ? 4000 : 40;
    limits.session_window_bytes = is_session ? 40 : 4000;
    return limits;
}

/// What an end with these windows writes when its user has done with 24 bytes, which cost 40.
wire::bytes written_when_consumed(const conversation_limits& limits, flow which)
{
    open_subject s(limits);
    const std::string message(24, 'm');
    if (which == flow::reply) {
        s.talk.call(s.talk.declare("a.b"), {}, {}, start_time);
        s.take_output();
        s.feed(wire::item(1, message));
    }
    else {
        s.feed(wire::upload(1, message));
    }
    s.talk.consumed(1, which, message.size());
    return s.take_output();
}

const wire::bytes two_classes =
    wire::listed(0x0102030405060708, 0) + wire::listed(0x1112131415161718, 0x2a);

/// What a conversation says to a peer that exchanges versions.
wire::bytes told(const std::function<void(conversation&)>& act)
{
    subject s;
    s.feed(wire::opening() + wire::hello_with_versions(128) + wire::declare(0, "a.b"));
    act(s.talk);
    return s.take_output();
}

struct expectation {
    std::function<wire::bytes()> write;
    events_seen events;
};

void reply_in_place(conversation& talk, std::uint64_t id, const wire::bytes& message)
{
    const auto mark = talk.begin_reply(id);
    talk.output().append(wire::view(message));
    BOOST_TEST(talk.end_reply(mark));
}

const std::map<std::string, expectation>& expectations()
{
    static const std::map<std::string, expectation> all = {
        {"declare.hex",
         {[] { return written([](auto& talk) { talk.declare("calculator.add"); }); }, {}}},
        {"call.hex",
         {[] {
              return written([](auto& talk) {
                  talk.declare("calculator.add");
                  talk.call(0, wire::view("hello"), {}, start_time);
              });
          },
          {}}},
        {"call_with_timeout.hex",
         {[] {
              return written([](auto& talk) {
                  talk.declare("calculator.add");
                  talk.call(0, wire::view("hello"), start_time + 1500ms, start_time);
              });
          },
          {}}},
        {"reply.hex",
         {[] { return written([](auto& talk) { reply_in_place(talk, 2, "hello"); }); },
          {"replied(2, 68656c6c6f)"}}},
        {"error.hex",
         {[] {
              return written(
                  [](auto& talk) { talk.reply_error(1, errc::not_found, "no object 7", 100ms); });
          },
          {"failed(1, not_found, \"no object 7\", 100ms)"}}},
        {"ping.hex",
         {[] { return written([](auto& talk) { talk.ping(0x1122334455667788); }); }, {}}},
        {"pong.hex",
         {[] {
              open_subject s;
              s.feed(wire::ping(0x1122334455667788));
              return s.take_output();
          },
          {"ponged(1234605616436508552)"}}},
        {"goaway.hex",
         {[] { return written([](auto& talk) { talk.go_away(errc::going_away, "restart"); }); },
          {"going_away(2, going_away, \"restart\")"}}},
        {"item.hex",
         {[] {
              return written(
                  [](auto& talk) { talk.send_item(2, flow::reply, wire::view("item")); });
          },
          {"item(2, reply, 6974656d)"}}},
        {"upload.hex",
         {[] {
              return written_after_a_call(
                  [](auto& talk) { talk.send_item(1, flow::upload, wire::view("item")); });
          },
          {"item(1, upload, 6974656d)"}}},
        {"upload_end.hex",
         {[] { return written_after_a_call([](auto& talk) { talk.end_upload(1); }); },
          {"upload_ended(1)"}}},
        {"cancel.hex",
         {[] { return written_after_a_call([](auto& talk) { talk.cancel(1); }); },
          {"cancelled(1)"}}},
        {"declare_with_classes.hex",
         {[] {
              return told([](conversation& talk) {
                  talk.declare("calculator.add", wire::view(two_classes));
              });
          },
          {}}},
        {"versions.hex",
         {[] {
              return told(
                  [](conversation& talk) { talk.tell_versions(0, wire::view(two_classes)); });
          },
          {}}},
        {"window_of_session.hex",
         {[] { return written_when_consumed(tight(true), flow::reply); }, {}}},
        {"window_of_reply.hex",
         {[] { return written_when_consumed(tight(false), flow::reply); }, {}}},
        {"window_of_upload.hex",
         {[] { return written_when_consumed(tight(false), flow::upload); }, {}}},
    };
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_opening_and_hello_are_the_golden_ones)
{
    BOOST_TEST(wire::to_hex(subject().opening) ==
               wire::to_hex(golden("opening_with_versions.hex")));
    subject with_versions;
    with_versions.feed(golden("opening_with_versions.hex"));
    BOOST_TEST(with_versions.seen ==
                   events_seen{"opened(subject, 65536, 16777216, 262144, 4194304)"},
               boost::test_tools::per_element());
    BOOST_TEST(with_versions.talk.peer().classes_max == 128u);
    // A peer that does not exchange versions.
    subject with_windows;
    with_windows.feed(golden("opening_with_windows.hex"));
    BOOST_TEST(with_windows.seen ==
                   events_seen{"opened(subject, 65536, 16777216, 262144, 4194304)"},
               boost::test_tools::per_element());
    BOOST_TEST(with_windows.talk.peer().classes_max == 0u);
    // A peer that knows no streams.
    subject s;
    s.feed(golden("opening.hex"));
    BOOST_TEST(s.seen == events_seen{"opened(subject, 65536, 16777216)"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_frame_is_the_golden_one)
{
    for (const auto& [name, expected] : expectations())
        BOOST_TEST_CONTEXT(name)
        {
            BOOST_TEST(wire::to_hex(expected.write()) == wire::to_hex(golden(name)));
        }
}

BOOST_AUTO_TEST_CASE(each_golden_frame_is_understood)
{
    for (const auto& [name, expected] : expectations())
        BOOST_TEST_CONTEXT(name)
        {
            if (!expected.events.empty())
                BOOST_TEST(understood(golden(name)) == expected.events,
                           boost::test_tools::per_element());
        }
    subject s;
    s.feed(golden("opening.hex") + golden("call.hex") + golden("ping.hex"));
    BOOST_TEST(s.seen == (events_seen{"opened(subject, 65536, 16777216)",
                                      "declared(0, calculator.add)", "called(1, 0, 68656c6c6f)"}),
               boost::test_tools::per_element());
    subject timed;
    timed.feed(golden("opening.hex") + golden("call_with_timeout.hex"));
    BOOST_TEST(timed.seen.back() == "called(1, 0, 1500ms, 68656c6c6f)");
}

BOOST_AUTO_TEST_CASE(golden_versions_are_understood)
{
    subject s;
    s.feed(golden("opening_with_versions.hex"));
    s.talk.declare("calculator.add", wire::view(two_classes));
    s.feed(golden("declare_with_classes.hex") + golden("versions.hex"));
    const std::string shown = wire::to_hex(two_classes);
    BOOST_TEST(s.seen == (events_seen{"opened(subject, 65536, 16777216, 262144, 4194304)",
                                      "declared(0, calculator.add, " + shown + ")",
                                      "versions(0, " + shown + ")"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(golden_windows_open)
{
    open_subject s({}, 16);
    s.talk.call(s.talk.declare("a.b"), {}, {}, start_time);
    s.talk.send_item(1, flow::upload, {});
    s.feed(golden("window_of_session.hex") + golden("window_of_upload.hex"));
    s.talk.send_item(1, flow::reply, {});
    s.feed(golden("window_of_reply.hex"));
    BOOST_TEST(s.seen == (events_seen{"window_opened(session)", "window_opened(1, upload)",
                                      "window_opened(1, reply)"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_golden_file_has_its_expectation)
{
    const auto directory = std::filesystem::path(WHARF_SOURCE_DIR) / "tests/golden/conversation";
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto name = entry.path().filename().string();
        BOOST_TEST((name.starts_with("opening") || expectations().contains(name)), name);
    }
}
