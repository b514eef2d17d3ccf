// How a script is run.
#include "conversation_script.hpp"

#include "failing_allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <new>

namespace wharf::test {
namespace {

bool is_prefix(const events_seen& shorter, const events_seen& longer)
{
    return shorter.size() <= longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
}

/// Calls a function of the conversation: its allocations count, and the test's own do not.
template <class Function>
auto counted(Function function)
{
    const failing_allocations::scope here;
    return function();
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
        const auto room = counted([&] { return talk.prepare(); });
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
        const event happened = next();
        if (std::holds_alternative<events::nothing>(happened))
            return;
        seen.push_back(to_string(happened));
    }
}

event subject::next()
{
    try {
        return counted([&] { return talk.next(); });
    }
    catch (const std::bad_alloc&) {
        BOOST_TEST(talk.has_ended()); // half of a frame cannot be taken back
        throw;
    }
}

void subject::close_input()
{
    if (!talk.has_ended())
        seen.push_back(to_string(talk.end_of_input()));
}

wire::bytes subject::take_output()
{
    wire::bytes taken;
    while (talk.unsent_bytes() != 0) {
        std::span<const std::byte> parts[4];
        const std::size_t n = talk.unsent_parts(parts);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < n; ++i) {
            taken += wire::copy(parts[i]);
            bytes += parts[i].size();
        }
        BOOST_REQUIRE(bytes != 0);
        talk.sent(bytes);
    }
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

void script::play(subject& with, std::size_t size, std::size_t piece) const
{
    for (const step& each : steps) {
        const std::size_t n = std::min(size, each.input.size());
        with.feed(std::string_view(each.input).substr(0, n), piece);
        size -= n;
        if (n != each.input.size() || with.talk.has_ended())
            return;
        if (each.act) {
            counted([&] { each.act(with.talk); });
            with.drain();
        }
    }
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
        if (at >= 8 && !s.input.empty())
            check_damaged_frame(at);
        at += s.input.size();
        check_cut_at(at, !s.inside_message);
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 8); ++i)
        check_damaged_opening(i);
    for (std::size_t i = 0; i <= std::min<std::size_t>(all.size(), 200); ++i)
        check_slow_handshake(i);
    long allocation = 0;
    while (check_failed_allocation(allocation))
        ++allocation;
    BOOST_TEST(allocation >= 1); // the control: a script cannot do without any
}

void script::check_in_pieces(std::size_t piece) const
{
    BOOST_TEST_CONTEXT("pieces of " << piece << " bytes")
    {
        subject s(limits);
        play(s, input().size(), piece);
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
        play(s, size, size);
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

/// A frame of a kind that does not exist, where the script has another.
void script::check_damaged_frame(std::size_t first_byte) const
{
    BOOST_TEST_CONTEXT("the kind of the frame at byte " << first_byte << " damaged")
    {
        subject s(limits);
        play(s, first_byte, first_byte);
        if (s.talk.has_ended())
            return;
        const events_seen before = s.seen;
        wire::bytes damaged = input().substr(first_byte);
        damaged[4] = static_cast<char>(0xff);
        s.feed(damaged);
        BOOST_REQUIRE(s.seen.size() == before.size() + 1);
        BOOST_TEST(is_prefix(before, s.seen));
        const bool is_too_large = s.seen.back().starts_with("ended(frame_limit");
        BOOST_TEST(
            (is_too_large || s.seen.back() == "ended(bad_frame, \"unknown kind of frame\")"));
    }
}

/// One allocation fails: what was seen is right, and the conversation can go on or has ended. False
/// where the script has no so many.
bool script::check_failed_allocation(long at) const
{
    bool failed = false;
    BOOST_TEST_CONTEXT("allocation " << at << " fails")
    {
        bool threw = false;
        events_seen seen;
        {
            subject s(limits);
            const failing_allocations failing(at);
            try {
                play(s, input().size(), input().size());
            }
            catch (const std::bad_alloc&) {
                threw = true;
            }
            failed = failing_allocations::has_failed();
            if (threw && !s.talk.has_ended()) {
                s.close_input();
                s.seen.pop_back();
            }
            s.take_output();
            seen = s.seen;
        }
        if (threw && !seen.empty() && seen.back() == "ended(overloaded, \"out of memory\")")
            seen.pop_back();
        // An end may have had no memory for its words.
        if (failed && ends_itself(seen) && seen.size() == events.size() &&
            seen.back().ends_with("\"\")") &&
            events.back().starts_with(seen.back().substr(0, seen.back().size() - 2)))
            seen.back() = events.back();
        BOOST_TEST((threw ? is_prefix(seen, events) : seen == events));
    }
    return failed;
}

void script::check_slow_handshake(std::size_t size) const
{
    BOOST_TEST_CONTEXT("silence after " << size << " bytes")
    {
        subject s(limits);
        play(s, size, size);
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
