// The frames of version 1, kept as bytes: each is what is sent today and is understood today.
#include "conversation_script.hpp"

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
    open_subject()
    {
        feed(handshake() + wire::declare(0, "a.b") + wire::call(1, 0, "") + wire::call(2, 0, ""));
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
    };
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_opening_and_hello_are_the_golden_ones)
{
    BOOST_TEST(wire::to_hex(subject().opening) == wire::to_hex(golden("opening.hex")));
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

BOOST_AUTO_TEST_CASE(each_golden_file_has_its_expectation)
{
    const auto directory = std::filesystem::path(WHARF_SOURCE_DIR) / "tests/golden/conversation";
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto name = entry.path().filename().string();
        BOOST_TEST((name == "opening.hex" || expectations().contains(name)), name);
    }
}
