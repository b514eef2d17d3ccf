// The layout of frames, and the small parts that a conversation is made of.
#include "frame.hpp"

#include "deadline_queue.hpp"
#include "id_map.hpp"
#include "input_buffer.hpp"
#include "wire.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <map>
#include <random>
#include <string>

using namespace wharf;
using namespace wharf::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(a_header_has_its_fields_at_fixed_places)
{
    const frame_header header{0x04030201, frame_kind::call, 0x02, 0x0605, 0x0f0e0d0c0b0a0908};
    std::byte bytes[frame_header_bytes];
    store_header(bytes, header);
    BOOST_TEST(wire::to_hex(wire::copy(bytes)) == "01020304"
                                                  "03"
                                                  "02"
                                                  "0506"
                                                  "08090a0b0c0d0e0f");
    BOOST_CHECK(load_header(bytes) == header);
}

BOOST_AUTO_TEST_CASE(integers_are_little_endian_at_any_address)
{
    std::byte bytes[12] = {};
    store_le<std::uint64_t>(bytes + 1, 0x1122334455667788);
    BOOST_TEST(wire::to_hex(wire::copy({bytes, 10})) == "00887766554433221100");
    BOOST_TEST(load_le<std::uint64_t>(bytes + 1) == 0x1122334455667788u);
    BOOST_TEST(load_le<std::uint32_t>(bytes + 1) == 0x55667788u);
    BOOST_TEST(load_le<std::uint16_t>(bytes + 1) == 0x7788u);
}

BOOST_AUTO_TEST_CASE(records_are_walked_to_their_end)
{
    const auto payload = wire::record(1, "ab") + wire::record(500, "") + wire::record(2, "c");
    record_reader reader(wire::view(payload));
    const auto next = [&] {
        const auto r = reader.next();
        return r ? std::to_string(r->type) + ":" + wire::copy(r->value) : "none";
    };
    BOOST_TEST(next() == "1:ab");
    BOOST_TEST(next() == "500:");
    BOOST_TEST(next() == "2:c");
    BOOST_TEST(next() == "none");
    BOOST_TEST(!reader.is_truncated());
}

BOOST_AUTO_TEST_CASE(a_cut_record_is_truncated)
{
    const auto payload = wire::record(1, "ab");
    for (std::size_t size = 1; size < payload.size(); ++size) {
        record_reader reader(wire::view(payload).first(size));
        BOOST_TEST(!reader.next().has_value());
        BOOST_TEST(reader.is_truncated());
    }
}

BOOST_AUTO_TEST_CASE(an_id_map_does_what_a_map_does)
{
    std::mt19937_64 random(7);
    id_map<int> ids;
    std::map<std::uint64_t, int> model;
    std::uint64_t last = 0;
    int taken = 0;
    for (int i = 0; i < 200000; ++i) {
        // Ids ascend, by one mostly, and collide in their low bits now and then.
        if (random() % 2 == 0 && model.size() < 100) {
            last += random() % 10 == 0 ? 256 : 1;
            ids.insert(last, i);
            model[last] = i;
        }
        else {
            const std::uint64_t id = last - std::min<std::uint64_t>(last, random() % 2000);
            BOOST_REQUIRE(ids.contains(id) == model.contains(id));
            if (int* found = ids.find(id))
                BOOST_REQUIRE(*found == model.at(id));
            BOOST_REQUIRE(ids.erase(id) == (model.erase(id) == 1));
        }
        if (random() % 8 == 0 && !model.empty()) {
            BOOST_REQUIRE(ids.take(model.begin()->first, taken));
            BOOST_REQUIRE(taken == model.begin()->second);
            model.erase(model.begin());
        }
        BOOST_REQUIRE(ids.size() == model.size());
    }
    for (const auto& [id, value] : model)
        BOOST_REQUIRE(*ids.find(id) == value);
}

BOOST_AUTO_TEST_CASE(answered_calls_do_not_pile_up_in_the_deadline_queue)
{
    deadline_queue queue;
    id_map<own_call> calls;
    const deadline_queue::time_point start{};
    for (std::uint64_t id = 1; id <= 100000; ++id) {
        calls.insert(id, {});
        queue.add(start + 10s + std::chrono::microseconds(id), id, calls);
        if (id > 10)
            calls.erase(id - 10);
        BOOST_REQUIRE(queue.size() <= 65u);
    }
    BOOST_TEST((queue.earliest(calls) == start + 10s + 99991us));
    for (std::uint64_t id = 99991; id <= 100000; ++id) {
        BOOST_TEST((queue.take_expired(start + 1h, calls) == id));
        calls.erase(id);
    }
    BOOST_TEST(!queue.take_expired(start + 1h, calls).has_value());
    BOOST_TEST(queue.size() == 0u);
}

BOOST_AUTO_TEST_CASE(the_input_buffer_follows_the_traffic)
{
    input_buffer in(128u << 10);
    BOOST_TEST(in.prepare(0).size() == 4096u);
    for (int i = 0; i < 10; ++i) { // receives that fill it
        const auto room = in.prepare(0);
        in.commit(room.size());
        in.consume(in.unread().size());
    }
    BOOST_TEST(in.prepare(0).size() == 128u << 10);
    for (int i = 0; i < 200; ++i) { // receives of a few bytes
        in.prepare(0);
        in.commit(100);
        in.consume(in.unread().size());
    }
    BOOST_TEST(in.prepare(0).size() == 4096u);
}

BOOST_AUTO_TEST_CASE(the_input_buffer_keeps_what_is_unread)
{
    std::mt19937 random(11);
    input_buffer in(16u << 10);
    std::string model;
    unsigned char next = 0;
    for (int i = 0; i < 5000; ++i) {
        const auto room = in.prepare(random() % 3000);
        BOOST_REQUIRE(!room.empty());
        const std::size_t n = random() % (room.size() + 1);
        for (std::size_t j = 0; j < n; ++j) {
            room[j] = static_cast<std::byte>(next);
            model.push_back(static_cast<char>(next++));
        }
        in.commit(n);
        BOOST_REQUIRE(wire::copy(in.unread()) == model);
        const std::size_t taken = model.size() < 2000 ? 0 : model.size() - random() % 2000;
        in.consume(taken);
        model.erase(0, taken);
        BOOST_REQUIRE(in.capacity() <= (16u << 10) + 8192);
    }
}

BOOST_AUTO_TEST_CASE(the_input_buffer_makes_room_for_what_is_wanted)
{
    input_buffer in(8192);
    std::memset(in.prepare(0).data(), 'x', 100);
    in.commit(100);
    in.consume(60);
    BOOST_TEST(in.prepare(70000).size() >= 70000u);
    BOOST_TEST(wire::copy(in.unread()) == std::string(40, 'x'));
    in.consume(40);
    in.release();
    BOOST_TEST(in.capacity() == 0u);
    BOOST_TEST(!in.prepare(0).empty());
}
