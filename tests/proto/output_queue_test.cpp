// In which order frames leave: what is short overtakes, what one call says stays in order.
#include "output_queue.hpp"

#include "wire.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace wharf;
using namespace wharf::detail;

namespace {

constexpr std::uint32_t frame_max = 2048;

std::size_t add(output_queue& queue, std::uint64_t id, const std::string& message,
                frame_kind kind = frame_kind::item, std::uint8_t flags = 0)
{
    const bool is_ours = kind == frame_kind::call || kind == frame_kind::upload;
    return queue.add_message(output_queue::lane_of(id, is_ours), {0, kind, flags, 0, id}, {},
                             wire::view(message), frame_max);
}

/// A message written in place, as replies are.
void add_reply(output_queue& queue, std::uint64_t id, const std::string& message)
{
    queue.open_message();
    queue.buffer().append(message.data(), message.size());
    queue.finish_message(output_queue::lane_of(id, false), {0, frame_kind::reply, 0, 0, id},
                         frame_max);
}

/// All that may be sent now in one gathered write of so many parts.
wire::bytes shown(const output_queue& queue, std::size_t parts_max)
{
    std::vector<std::span<const std::byte>> parts(parts_max);
    const std::size_t n = queue.unsent_parts(parts);
    wire::bytes all;
    for (std::size_t i = 0; i < n; ++i) {
        BOOST_TEST(!parts[i].empty());
        all += wire::copy(parts[i]);
    }
    return all;
}

/// Everything, in pieces of at most so many bytes.
wire::bytes take_all(output_queue& queue, std::size_t piece = static_cast<std::size_t>(-1),
                     std::size_t parts_max = 8)
{
    wire::bytes all;
    while (queue.bytes() != 0) {
        const wire::bytes some = shown(queue, parts_max).substr(0, piece);
        BOOST_REQUIRE(!some.empty());
        const std::size_t before = queue.bytes();
        queue.sent(some.size());
        BOOST_REQUIRE(queue.bytes() == before - some.size());
        all += some;
    }
    BOOST_TEST(queue.unsent().empty());
    BOOST_TEST(shown(queue, parts_max).empty());
    return all;
}

/// One frame, as far as the header says.
wire::bytes take_frame(output_queue& queue)
{
    const wire::bytes all = shown(queue, 3);
    BOOST_REQUIRE(all.size() >= frame_header_bytes);
    const auto header = load_header(wire::view(all).data());
    const wire::bytes frame = all.substr(0, frame_header_bytes + header.length);
    queue.sent(frame.size());
    return frame;
}

/// The frames of a message in several.
wire::bytes frames(unsigned kind, std::uint64_t id, const std::string& message, unsigned last = 0)
{
    wire::bytes all = wire::frame(kind, wire::more, 0, id, message.substr(0, 1024));
    for (std::size_t at = 1024; at < message.size(); at += frame_max)
        all += wire::frame(kind, at + frame_max < message.size() ? unsigned{wire::more} : last, 0,
                           id, message.substr(at, frame_max));
    return all;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_message_of_several_frames_begins_with_a_short_one)
{
    for (const std::size_t size : {2049u, 3071u, 3072u, 3073u, 9000u}) {
        output_queue queue;
        const std::string message(size, 'm');
        const std::size_t n = add(queue, 5, message);
        const wire::bytes expected = frames(wire::item_kind, 5, message);
        BOOST_TEST(queue.bytes() == expected.size());
        BOOST_TEST(n * frame_header_bytes + size == expected.size());
        BOOST_TEST((take_all(queue) == expected));
    }
}

BOOST_AUTO_TEST_CASE(a_message_of_one_frame_is_not_split)
{
    output_queue queue;
    BOOST_TEST(add(queue, 5, std::string(2048, 'm')) == 1u);
    BOOST_TEST(add(queue, 5, "") == 1u);
    BOOST_TEST((take_all(queue) == wire::item(5, std::string(2048, 'm')) + wire::item(5, "")));
}

// The first frame of a call stands among the short ones: ids ascend, whatever overtakes.
BOOST_AUTO_TEST_CASE(the_first_frames_of_calls_are_in_order)
{
    output_queue queue;
    const std::string large(5000, 'l');
    queue.add_message(output_queue::lane_of(1, true), {0, frame_kind::call, flag_timeout, 7, 1},
                      wire::view("TIME"), wire::view(large), frame_max);
    add(queue, 2, "short", frame_kind::call);
    BOOST_TEST((take_all(queue) ==
                wire::call(1, 7, "TIME" + large.substr(0, 1020), wire::more | wire::timeout) +
                    wire::call(2, 0, "short") +
                    wire::call(1, 7, large.substr(1020, 2048), wire::more) +
                    wire::call(1, 7, large.substr(3068))));
}

BOOST_AUTO_TEST_CASE(a_message_written_in_place_moves_out_of_the_buffer)
{
    for (const bool is_alone : {true, false}) {
        output_queue queue;
        if (!is_alone)
            queue.buffer().append("before", 6);
        const std::string message(100000, 'r');
        add_reply(queue, 3, message);
        BOOST_TEST(queue.short_bytes() == (is_alone ? 0u : 6u));
        BOOST_TEST(queue.has_waiting());
        BOOST_TEST((take_all(queue, 777) ==
                    (is_alone ? "" : "before") + frames(wire::reply_kind, 3, message)));
        BOOST_TEST(!queue.has_waiting());
    }
}

// The payload of what waits is not copied to be sent.
BOOST_AUTO_TEST_CASE(parts_point_into_the_message_itself)
{
    output_queue queue;
    queue.open_message();
    queue.buffer().append(std::string(10000, 'r').data(), 10000);
    const std::byte* const message = queue.buffer().data() + frame_header_bytes;
    queue.finish_message(2, {0, frame_kind::reply, 0, 0, 1}, frame_max);
    std::span<const std::byte> parts[8];
    BOOST_TEST(queue.unsent_parts(parts) == 8u);
    BOOST_TEST(parts[1].data() == message);
    BOOST_TEST(parts[3].data() == message + 1024);
    BOOST_TEST(parts[5].data() == message + 1024 + 2048);
}

// Row 21: control frames overtake bulk at the ends of frames.
BOOST_AUTO_TEST_CASE(short_frames_overtake_at_the_end_of_a_frame_row_21)
{
    output_queue queue;
    const std::string large(8000, 'l');
    add(queue, 1, large);
    const wire::bytes expected = frames(wire::item_kind, 1, large);
    queue.sent(1040 + 500); // inside the second frame
    add(queue, 2, "now", frame_kind::reply);
    wire::bytes all = expected.substr(0, 1540) + take_all(queue, 999);
    BOOST_TEST((all == expected.substr(0, 1040 + 2064) + wire::reply(2, "now") +
                           expected.substr(1040 + 2064)));
}

BOOST_AUTO_TEST_CASE(messages_take_turns)
{
    output_queue queue;
    const std::string large(5000, 'l');
    for (std::uint64_t id = 1; id <= 3; ++id)
        add(queue, id, large);
    std::string order;
    while (queue.bytes() != 0)
        order += std::to_string(load_header(wire::view(take_frame(queue)).data()).id);
    BOOST_TEST(order == "123123123");
}

BOOST_AUTO_TEST_CASE(what_one_call_says_stays_in_order)
{
    output_queue queue;
    const std::string large(3000, 'l');
    add(queue, 1, large);
    add(queue, 1, "small");
    add(queue, 1, "");
    add_reply(queue, 1, "end");
    add(queue, 2, "another");
    BOOST_TEST(queue.is_waiting(output_queue::lane_of(1, false)));
    BOOST_TEST(!queue.is_waiting(output_queue::lane_of(1, true)));
    BOOST_TEST((take_all(queue) == wire::item(2, "another") + frames(wire::item_kind, 1, large) +
                                       wire::item(1, "small") + wire::item(1, "") +
                                       wire::reply(1, "end")));
    add_reply(queue, 1, "free again");
    BOOST_TEST(!queue.has_waiting());
}

// However much is short, what waits moves on: one frame in 256 KiB and what had been written then.
BOOST_AUTO_TEST_CASE(what_waits_is_let_through_now_and_then)
{
    output_queue queue;
    const std::string large(1u << 20, 'l');
    add(queue, 1, large);
    const std::string small(2000, 's');
    std::size_t overtaken = 0;
    std::size_t longest = 0;
    std::size_t large_frames = 0;
    for (int i = 0; i < 2000; ++i) {
        while (queue.short_bytes() < 10000)
            add(queue, 2, small);
        const auto header = load_header(wire::view(take_frame(queue)).data());
        if (header.id == 1) {
            ++large_frames;
            overtaken = 0;
        }
        overtaken += frame_header_bytes + header.length;
        longest = std::max(longest, overtaken);
    }
    BOOST_TEST(large_frames >= 10u);
    BOOST_TEST(longest <= (256u << 10) + 10000u + 2 * 2064u);
}

BOOST_AUTO_TEST_CASE(a_dropped_lane_ends_with_the_frame_that_has_begun)
{
    output_queue queue;
    const std::string large(6000, 'l');
    const wire::bytes expected = frames(wire::item_kind, 1, large);
    add(queue, 1, large);
    add(queue, 1, "behind");
    queue.sent(1040 + 3); // three bytes of the second header
    const auto dropped = queue.drop_waiting(output_queue::lane_of(1, false));
    BOOST_TEST(dropped.item_bytes == expected.size() - 1040 - 2064 + 16 + 6);
    BOOST_TEST(!dropped.is_answer_unsent);
    BOOST_TEST(queue.bytes() == 2064u - 3);
    add(queue, 1, "after", frame_kind::reply); // does not wait any more
    BOOST_TEST((take_all(queue, 100) == expected.substr(1043, 2061) + wire::reply(1, "after")));
    BOOST_TEST(queue.drop_waiting(output_queue::lane_of(1, false)).item_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(dropping_says_what_was_cut)
{
    output_queue queue;
    add(queue, 1, std::string(5000, 'c'), frame_kind::call);
    add_reply(queue, 2, std::string(5000, 'r'));
    add(queue, 3, std::string(5000, 'i'));
    BOOST_TEST(queue.drop_waiting(output_queue::lane_of(1, true)).is_call_cut);
    BOOST_TEST(queue.drop_waiting(output_queue::lane_of(2, false)).is_answer_unsent);
    queue.drop_all_waiting();
    BOOST_TEST(!queue.has_waiting());
    BOOST_TEST((take_all(queue) == wire::call(1, 0, std::string(1024, 'c'), wire::more)));
}

// A call whose first frame has not left must not be let through before it.
BOOST_AUTO_TEST_CASE(a_call_is_not_let_through_before_its_first_frame)
{
    output_queue queue;
    add(queue, 1, std::string(9000, 'a'), frame_kind::item);
    const std::string small(2000, 's');
    for (int i = 0; i < 200; ++i)
        add(queue, 2, small);
    queue.sent(300000); // enough: the next frame of call 1 has a place behind what is there
    add(queue, 9, std::string(9000, 'c'), frame_kind::call);
    queue.drop_waiting(output_queue::lane_of(1, false));
    const wire::bytes rest = take_all(queue, 1000);
    const auto first = rest.find(std::string(1024, 'c'));
    const auto second = rest.find(std::string(2048, 'c'));
    BOOST_REQUIRE(first != wire::bytes::npos);
    BOOST_TEST(load_header(wire::view(rest).data() + first - 16).flags == flag_more);
    BOOST_TEST(first < second);
    BOOST_TEST(rest.find("cs") == wire::bytes::npos);
}

BOOST_AUTO_TEST_CASE(sent_bytes_leave_the_queue)
{
    output_queue queue;
    wire::bytes all;
    for (std::uint64_t id = 1; id <= 200; ++id) {
        const auto message = std::string(id, 'm');
        add(queue, id, message, frame_kind::reply);
        all += wire::reply(id, message);
        const std::size_t n = std::min<std::size_t>(id * 7 % 131, queue.unsent().size());
        BOOST_TEST((wire::copy(queue.unsent()) == all));
        queue.sent(n);
        all.erase(0, n);
    }
    BOOST_TEST((wire::copy(queue.unsent()) == all));
    queue.sent(all.size());
    BOOST_TEST(queue.unsent().empty());
    BOOST_TEST(queue.buffer().empty());
}

BOOST_AUTO_TEST_CASE(a_large_output_buffer_is_given_back)
{
    output_queue queue;
    for (int i = 0; i < 200; ++i)
        add(queue, 1, std::string(2000, 'x'));
    queue.sent(queue.unsent().size());
    BOOST_TEST(queue.buffer().capacity() == 0u);
}

// Whatever is added, shown and sent in whatever pieces: each call's bytes come in its order, frames
// are whole, and nothing is lost.
BOOST_AUTO_TEST_CASE(a_random_queue_keeps_what_it_promises)
{
    for (unsigned seed = 1; seed <= 30; ++seed) {
        std::mt19937 random(seed);
        output_queue queue;
        std::map<std::uint64_t, std::deque<std::string>> expected; ///< messages by id
        std::map<std::uint64_t, std::string> begun;
        wire::bytes stream;
        std::size_t received = 0;
        char next = 'a';
        const auto receive = [&] {
            while (stream.size() >= frame_header_bytes) {
                const auto header = load_header(wire::view(stream).data());
                if (stream.size() < frame_header_bytes + header.length)
                    return;
                BOOST_REQUIRE(find_fault(header) == nullptr);
                begun[header.id] += stream.substr(frame_header_bytes, header.length);
                stream.erase(0, frame_header_bytes + header.length);
                if ((header.flags & flag_more) != 0)
                    continue;
                BOOST_REQUIRE(!expected[header.id].empty());
                BOOST_REQUIRE(begun[header.id] == expected[header.id].front());
                expected[header.id].pop_front();
                begun.erase(header.id);
                ++received;
            }
        };
        std::size_t added = 0;
        for (int i = 0; i < 3000; ++i) {
            if (random() % 3 == 0) {
                const std::uint64_t id = random() % 5 + 1;
                const std::size_t size = random() % 6 == 0 ? random() % 20000 : random() % 60;
                const std::string message(size, next = next == 'z' ? 'a' : char(next + 1));
                if (random() % 2 == 0)
                    add(queue, id, message);
                else
                    add_reply(queue, id, message);
                expected[id].push_back(message);
                ++added;
            }
            const wire::bytes all = shown(queue, random() % 6 + 1);
            BOOST_REQUIRE(all.empty() == (queue.bytes() == 0));
            const std::size_t n = all.empty() ? 0 : random() % (all.size() + 1);
            queue.sent(n);
            stream += all.substr(0, n);
            receive();
        }
        stream += take_all(queue, random() % 5000 + 1);
        receive();
        BOOST_TEST(received == added);
        BOOST_TEST(stream.empty());
    }
}
