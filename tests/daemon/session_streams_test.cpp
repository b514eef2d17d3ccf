// Streams of a session: items both ways, back-pressure, cancelling, and what stays bounded.
#include "metrics_support.hpp"
#include "session_partner.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHARF_TEST_SANITIZED
#endif

using namespace wharf;
using namespace wharf::test;

namespace {

/// Sends `items` strings of `bytes` bytes; fails behind the last one when asked to.
struct produce {
    using reply = stream_of<std::string>;
    static constexpr std::string_view name = "test.produce";
    std::uint64_t items{}, bytes{};
    bool fails{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& items& bytes& fails;
    }
};
struct consume {
    using reply = std::uint64_t;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "test.consume";
    std::uint64_t stop_after{}; ///< items; 0: at their end
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& stop_after;
    }
};
struct turn_round {
    using reply = stream_of<std::string>;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "test.turn_round";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct figures {
    std::atomic<std::uint64_t> sent{0}, received{0}, received_bytes{0};
    std::atomic<int> ended{0};
    std::atomic<errc> failed{};
    gate door;
    std::atomic<bool> holds{false}; ///< consumers wait at the gate before they take an item
};

struct stream_service {
    std::shared_ptr<figures> f;
    void serve(router& commands)
    {
        commands.on<produce>([f = f](produce c, sink<std::string>& out) -> awaitable<void> {
            const std::shared_ptr<void> at_end(nullptr, [f](void*) { ++f->ended; });
            try {
                for (std::uint64_t i = 0; i < c.items; ++i) {
                    const std::string item(c.bytes, static_cast<char>('a' + i % 26));
                    co_await out.async_send(item);
                    ++f->sent;
                }
            }
            catch (const error& e) {
                f->failed = e.code();
                throw;
            }
            if (c.fails)
                throw error(errc::conflict, "behind the last");
        });
        commands.on<consume>(
            [f = f](consume c, call& current, source<std::string>& in) -> awaitable<std::uint64_t> {
                const std::shared_ptr<void> at_end(nullptr, [f](void*) { ++f->ended; });
                std::uint64_t items = 0;
                for (;;) {
                    if (f->holds)
                        co_await f->door.pass(current.get_executor());
                    const std::optional<std::string> item = co_await in.async_next();
                    if (!item)
                        break;
                    ++items;
                    ++f->received;
                    f->received_bytes += item->size();
                    if (items == c.stop_after)
                        break;
                }
                co_return items;
            });
        commands.on<turn_round>(
            [](turn_round, source<std::string>& in, sink<std::string>& out) -> awaitable<void> {
                for (;;) {
                    const std::optional<std::string> item = co_await in.async_next();
                    if (!item)
                        break;
                    co_await out.async_send(*item);
                }
            });
        commands.on<add>([](const add& c) { return c.a + c.b; });
    }
};

struct stream_scene {
    explicit stream_scene(server_options o = open_options()) : s(std::move(o))
    {
        s.serve(stream_service{f});
        s.start();
    }
    ~stream_scene() { f->door.open(); }
    std::shared_ptr<figures> f = std::make_shared<figures>();
    server s;
};

#ifndef WHARF_TEST_SANITIZED
std::size_t resident_bytes()
{
    std::size_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}
#endif

/// WHARF_LOAD=full: the sizes that a release is measured with.
bool is_full()
{
    const char* load = std::getenv("WHARF_LOAD");
    return load != nullptr && std::string_view(load) == "full";
}

} // namespace

BOOST_AUTO_TEST_CASE(items_come_in_order_and_then_the_reply)
{
    stream_scene at;
    partner p(at.s);
    const auto id = p.call(produce{1000, 100, false});
    for (int i = 0; i < 1000; ++i) {
        const seen e = p.expect("item");
        BOOST_REQUIRE(e.id == id);
        BOOST_REQUIRE(e.as<std::string>() == std::string(100, static_cast<char>('a' + i % 26)));
    }
    const seen end = p.expect("replied");
    BOOST_TEST(end.id == id);
    BOOST_TEST(end.message.empty());
}

BOOST_AUTO_TEST_CASE(an_error_comes_behind_the_items_before_it)
{
    stream_scene at;
    partner p(at.s);
    p.call(produce{300, 2000, true});
    for (int i = 0; i < 300; ++i)
        p.expect("item");
    const seen e = p.expect("failed");
    BOOST_TEST((e.code == errc::conflict));
    BOOST_TEST(e.text == "behind the last");
}

BOOST_AUTO_TEST_CASE(a_producer_waits_while_the_callers_window_is_full)
{
    stream_scene at;
    conversation_limits limits;
    limits.stream_window_bytes = 64u << 10;
    partner p(at.s, limits);
    p.gives_credit = false;
    const auto id = p.call(produce{1000, 1000, false});
    const auto in_window = (64u << 10) / 1000;
    for (std::uint32_t i = 0; i < in_window; ++i)
        p.expect("item");
    // It cannot have sent many more than the window holds, and calls go on beside.
    p.call(add{20, 22});
    seen e = p.next();
    while (e.what == "item")
        e = p.next();
    BOOST_TEST(e.as<std::int64_t>() == 42);
    BOOST_TEST(at.f->sent <= in_window + 1);
    p.gives_credit = true;
    for (std::uint64_t i = 0; i < in_window; ++i)
        p.words().consumed(id, flow::reply, 1000);
    while (p.next().what == "item") {}
    BOOST_TEST(at.f->sent == 1000u);
}

BOOST_AUTO_TEST_CASE(items_are_counted_before_their_stream_ends)
{
    stream_scene at;
    conversation_limits limits;
    limits.stream_window_bytes = 64u << 10;
    partner p(at.s, limits);
    p.gives_credit = false;
    p.call(produce{1000, 1000, false});
    const auto in_window = (64u << 10) / 1000;
    for (std::uint32_t i = 0; i < in_window; ++i)
        p.expect("item");
    const auto sent = [&](std::string_view command) {
        return prometheus_text(at.s.metrics())
            .value("wharf_call_sent_bytes_total", {{"command", std::string(command)}});
    };
    BOOST_TEST(sent(produce::name) >= in_window * 1000.);
    BOOST_TEST(sent(produce::name) <= (in_window + 1) * 1010.);
    p.gives_credit = true;
    const auto both = p.call(turn_round{});
    p.words().send_item(both, flow::upload, encode(std::string(5000, 'u')).view());
    while (p.next().id != both) {}
    BOOST_TEST(sent(turn_round::name) == 5003.); // the string with its length
}

// A peer that gives all the credit that there is, and does not read.
BOOST_AUTO_TEST_CASE(a_producer_waits_while_the_connection_takes_nothing)
{
    server_options o = open_options();
    o.send_timeout = 200ms;
    stream_scene at(o);
    conversation_limits limits;
    limits.stream_window_bytes = 1u << 30;
    limits.session_window_bytes = std::size_t(1) << 30;
    partner p(at.s, limits);
    p.call(produce{100000, 10000, false});
    p.flush();
    BOOST_TEST(eventually([&] { return at.f->ended == 1; }));
    // What the socket took, and what may wait; not the gigabyte.
    BOOST_TEST(at.f->sent < 200u);
    BOOST_TEST((at.f->failed == errc::slow_reader));
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
}

BOOST_AUTO_TEST_CASE(an_upload_arrives_in_order_and_is_answered)
{
    stream_scene at;
    partner p(at.s);
    const auto id = p.call(consume{0});
    for (int i = 0; i < 2000; ++i)
        p.item(id, flow::upload, std::string(1000, 'u'));
    p.words().end_upload(id);
    BOOST_TEST(p.expect("replied").as<std::uint64_t>() == 2000u);
    BOOST_TEST(at.f->received_bytes == 2000000u);
}

BOOST_AUTO_TEST_CASE(an_uploader_waits_while_its_handler_does_not_take_items)
{
    server_options o = open_options();
    o.conversation.stream_window_bytes = 32u << 10;
    stream_scene at(o);
    at.f->holds = true;
    partner p(at.s);
    const auto id = p.call(consume{0});
    int sent = 0;
    while (p.words().can_send(id, flow::upload)) {
        p.item(id, flow::upload, std::string(1000, 'u'));
        ++sent;
    }
    BOOST_TEST(sent <= 33);
    p.call(add{1, 1});
    p.expect("replied");
    BOOST_TEST(!p.words().can_send(id, flow::upload));
    at.f->door.open();
    for (; sent < 200; ++sent)
        p.item(id, flow::upload, std::string(1000, 'u'));
    p.words().end_upload(id);
    BOOST_TEST(p.expect("replied").as<std::uint64_t>() == 200u);
}

BOOST_AUTO_TEST_CASE(both_directions_at_once)
{
    stream_scene at;
    partner p(at.s);
    const auto id = p.call(turn_round{});
    for (int i = 0; i < 500; ++i) {
        p.item(id, flow::upload, std::to_string(i));
        if (i % 7 == 0)
            p.is_quiet();
    }
    p.words().end_upload(id);
    for (int i = 0; i < 500; ++i)
        BOOST_REQUIRE(p.expect("item").as<std::string>() == std::to_string(i));
    p.expect("replied");
}

BOOST_AUTO_TEST_CASE(a_handler_that_answers_before_the_uploads_end_ends_it)
{
    stream_scene at;
    partner p(at.s);
    const auto id = p.call(consume{3});
    for (int i = 0; i < 3; ++i)
        p.item(id, flow::upload, std::string(10, 'u'));
    BOOST_TEST(p.expect("replied").as<std::uint64_t>() == 3u);
    // What still comes is dropped, and the session goes on, with its credit whole.
    for (int round = 0; round < 20; ++round) {
        const auto other = p.call(consume{1});
        for (int i = 0; i < 20 && p.words().can_send(other, flow::upload); ++i)
            p.words().send_item(other, flow::upload, encode(std::string(10000, 'u')).view());
        BOOST_TEST(p.expect("replied").as<std::uint64_t>() == 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cancelled_ends_its_handler_and_others_go_on)
{
    stream_scene at;
    partner p(at.s);
    const auto id = p.call(produce{1000000, 1000, false});
    const auto other = p.call(produce{2000, 1000, false});
    for (int i = 0; i < 10; ++i)
        p.expect("item");
    p.words().cancel(id);
    std::uint64_t items = 0;
    seen e = p.next();
    while (e.what == "item") {
        items += e.id == other;
        e = p.next();
    }
    BOOST_TEST(e.what == "replied");
    BOOST_TEST(e.id == other);
    BOOST_TEST(eventually([&] { return at.f->ended == 2; }));
    BOOST_TEST((at.f->failed == errc::cancelled));
    p.call(add{1, 1});
    BOOST_TEST(p.expect("replied").as<std::int64_t>() == 2);
    BOOST_TEST(p.words().own_calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_session_ends_its_streams)
{
    stream_scene at;
    partner p(at.s);
    p.call(produce{1000000, 1000, false});
    const auto up = p.call(consume{0});
    p.item(up, flow::upload, std::string("x"));
    while (p.next().what != "item") {}
    p.reset();
    BOOST_TEST(eventually([&] { return at.f->ended == 2; }));
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
}

// Streams that all have credit and something to say share the connection's room.
BOOST_AUTO_TEST_CASE(streams_take_turns)
{
    stream_scene at;
    conversation_limits limits;
    limits.stream_window_bytes = 1u << 30;
    limits.session_window_bytes = std::size_t(1) << 30;
    partner p(at.s, limits);
    std::map<std::uint64_t, int> items;
    // The room is for less than half of them at a time.
    for (int i = 0; i < 20; ++i)
        items[p.call(produce{1000000, 16000, false})] = 0;
    for (int i = 0; i < 2000; ++i)
        ++items[p.expect("item").id];
    for (const auto& [id, count] : items)
        BOOST_TEST(count > 50, "stream " << id << " sent " << count << " of 2000 items");
}

// Row 16 with streams: half a close is not a close, for what the credit allows.
BOOST_AUTO_TEST_CASE(row_16_a_half_close_gets_the_items_that_its_credit_allows_and_then_the_end)
{
    stream_scene at;
    partner p(at.s);
    p.gives_credit = false;
    p.call(produce{100, 1000, false});
    p.half_close();
    for (int i = 0; i < 100; ++i)
        p.expect("item");
    p.expect("replied");
    BOOST_TEST((p.expect("end").code == errc::connection_closed));

    // More than that can never be sent: the call fails, and does not wait for ever.
    partner q(at.s);
    q.gives_credit = false;
    q.call(produce{1000, 1000, false});
    q.half_close();
    seen e = q.next();
    while (e.what == "item")
        e = q.next();
    BOOST_TEST(e.what == "failed");
    BOOST_TEST((e.code == errc::connection_closed));
    BOOST_TEST((q.expect("end").code == errc::connection_closed));
}

// Row 21: the cancel overtakes what is queued, and the answer comes soon.
BOOST_AUTO_TEST_CASE(row_21_a_cancel_is_heard_while_much_streams)
{
    stream_scene at;
    partner p(at.s);
    // 64 MiB would be enough to see; 1 GiB costs as much, as nobody receives it.
    const auto id = p.call(produce{1u << 14, 64u << 10, false});
    for (int i = 0; i < 100; ++i)
        p.expect("item");
    const auto begun = clock::now();
    p.words().cancel(id);
    p.call(add{1, 1});
    seen e = p.next();
    while (e.what == "item")
        e = p.next();
    const auto took = clock::now() - begun;
    BOOST_TEST(e.what == "replied");
    BOOST_TEST(eventually([&] { return at.f->ended == 1; }));
    BOOST_TEST((took < 50ms), "took " << took.count() << " ns");
}

// Row 53: what streams through is not held.
BOOST_AUTO_TEST_CASE(row_53_an_upload_of_any_size_costs_no_memory)
{
    stream_scene at;
    partner p(at.s);
    constexpr std::size_t chunk = 64u << 10;
    const std::uint64_t chunks = (is_full() ? std::uint64_t(4) << 30 : 256u << 20) / chunk;
    const byte_buffer item = encode(std::string(chunk, 'c'));
    const auto id = p.call(consume{0});
    std::size_t most = 0;
    for (std::uint64_t i = 0; i < chunks; ++i) {
        while (!p.words().can_send(id, flow::upload))
            p.exchange(1000);
        p.words().send_item(id, flow::upload, item.view());
#ifndef WHARF_TEST_SANITIZED // which keep what was freed
        if (i % 64 == 0)
            most = std::max(most, resident_bytes());
#endif
    }
    p.words().end_upload(id);
    BOOST_TEST(p.expect("replied").as<std::uint64_t>() == chunks);
    BOOST_TEST(at.f->received_bytes == chunks * chunk);
    BOOST_TEST(most < 32u << 20);
}

BOOST_AUTO_TEST_CASE(row_53_a_download_of_any_size_costs_no_memory)
{
    stream_scene at;
    partner p(at.s);
    constexpr std::size_t chunk = 64u << 10;
    const std::uint64_t chunks = (is_full() ? std::uint64_t(4) << 30 : 256u << 20) / chunk;
    p.call(produce{chunks, chunk, false});
    std::size_t most = 0;
    for (std::uint64_t i = 0; i < chunks; ++i) {
        BOOST_REQUIRE(p.expect("item").message.size() > chunk);
#ifndef WHARF_TEST_SANITIZED
        if (i % 64 == 0)
            most = std::max(most, resident_bytes());
#endif
    }
    p.expect("replied");
    BOOST_TEST(most < 32u << 20);
}
