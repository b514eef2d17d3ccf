// How a script is run.
#include "conversation_script.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>

namespace wharf::test {
namespace {

bool is_prefix(const events_seen& shorter, const events_seen& longer)
{
    return shorter.size() <= longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
}

bool ends_itself(const events_seen& events)
{
    return !events.empty() && events.back().starts_with("ended");
}

} // namespace

subject::subject(const conversation_limits& limits, side which)
    : talk(which, limits, "subject", start_time), opening(take_output())
{}

void subject::feed(std::string_view input, std::size_t piece)
{
    while (!input.empty() && !talk.has_ended()) {
        const auto room = talk.prepare();
        BOOST_REQUIRE(!room.empty());
        const std::size_t n = std::min({room.size(), input.size(), piece});
        std::memcpy(room.data(), input.data(), n);
        talk.commit(n);
        input.remove_prefix(n);
        drain();
    }
}

void subject::drain()
{
    while (!talk.has_ended()) {
        const event happened = talk.next();
        if (std::holds_alternative<events::nothing>(happened))
            return;
        seen.push_back(to_string(happened));
    }
}

void subject::close_input()
{
    if (!talk.has_ended())
        seen.push_back(to_string(talk.end_of_input()));
}

wire::bytes subject::take_output()
{
    const wire::bytes taken = wire::copy(talk.unsent());
    talk.sent(taken.size());
    return taken;
}

wire::bytes handshake()
{
    return wire::opening() + wire::hello();
}

events_seen handshake_events()
{
    return {"opened(peer, 65536, 16777216)"};
}

wire::bytes script::input() const
{
    wire::bytes all;
    for (const step& s : steps)
        all += s.input;
    return all;
}

void script::check() const
{
    const wire::bytes all = input();
    check_in_pieces(all.size());
    for (const std::size_t piece : {1, 2, 3, 5, 7, 15, 17, 31, 100, 1000})
        check_in_pieces(piece);

    check_cut_at(0, true);
    std::size_t at = 0;
    for (const step& s : steps) {
        // Long payloads are cut at a few places in the middle, headers at every byte.
        for (std::size_t i = 1; i < s.input.size();
             i += (i < 64 || i + 64 > s.input.size()) ? 1 : 61)
            check_cut_at(at + i, false);
        at += s.input.size();
        check_cut_at(at, !s.inside_message);
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 8); ++i)
        check_damaged_opening(i);
    for (std::size_t i = 0; i <= std::min<std::size_t>(all.size(), 200); ++i)
        check_slow_handshake(i);
}

void script::check_in_pieces(std::size_t piece) const
{
    BOOST_TEST_CONTEXT("pieces of " << piece << " bytes")
    {
        subject s(limits);
        s.feed(input(), piece);
        BOOST_TEST(s.seen == events, boost::test_tools::per_element());
        BOOST_TEST(wire::to_hex(s.take_output()) == wire::to_hex(output));
        if (!ends_itself(events)) {
            s.close_input();
            BOOST_TEST(s.seen.back().starts_with("ended("));
        }
    }
}

void script::check_cut_at(std::size_t size, bool between_steps) const
{
    BOOST_TEST_CONTEXT("cut after " << size << " bytes")
    {
        subject s(limits);
        s.feed(input().substr(0, size));
        const bool ended = s.talk.has_ended();
        s.close_input();
        const wire::bytes sent = s.take_output();
        BOOST_REQUIRE(!s.seen.empty());
        if (ended) { // by what came before the cut
            BOOST_TEST(is_prefix(s.seen, events));
            BOOST_TEST(output.starts_with(sent));
            return;
        }
        const std::string last = s.seen.back();
        s.seen.pop_back();
        BOOST_TEST(is_prefix(s.seen, events));
        if (between_steps) {
            BOOST_TEST(last == "ended(connection_closed, \"\")");
            BOOST_TEST(output.starts_with(sent));
        }
        else {
            BOOST_TEST(last.starts_with("ended(truncated"));
        }
    }
}

void script::check_damaged_opening(std::size_t at) const
{
    BOOST_TEST_CONTEXT("byte " << at << " of the opening damaged")
    {
        wire::bytes damaged = input();
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        // It ends at that byte and waits for no other.
        subject s(limits);
        s.feed(std::string_view(damaged).substr(0, at + 1), 1);
        BOOST_REQUIRE(s.seen.size() == 1u);
        if (!ends_itself(events) || events.size() != 1)
            BOOST_TEST((s.seen[0].starts_with("ended(bad_protocol") ||
                        s.seen[0].starts_with("ended(unsupported_protocol")));
        BOOST_TEST(s.talk.has_ended());
    }
}

void script::check_slow_handshake(std::size_t size) const
{
    BOOST_TEST_CONTEXT("silence after " << size << " bytes")
    {
        subject s(limits);
        s.feed(input().substr(0, size));
        if (s.talk.has_ended() || s.talk.is_open())
            return;
        const auto deadline = s.talk.next_deadline();
        BOOST_REQUIRE(deadline.has_value());
        BOOST_TEST((*deadline == start_time + limits.handshake_timeout));
        BOOST_TEST(to_string(s.talk.expire(*deadline - std::chrono::nanoseconds(1))) == "nothing");
        BOOST_TEST(to_string(s.talk.expire(*deadline)).starts_with("ended(handshake_timeout"));
        BOOST_TEST(s.talk.has_ended());
        BOOST_TEST(s.take_output().find(wire::goaway(0, 54)) != wire::bytes::npos);
    }
}

} // namespace wharf::test
