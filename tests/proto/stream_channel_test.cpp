// stream_channel without types: order, credit, endings, and what waits when they come.
#include "handler_support.hpp"

#include <wharf/detail/stream_channel.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

using namespace wharf;
using namespace wharf::test;
using detail::arrival;
using detail::stream_channel;

namespace {

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(const byte_buffer& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
byte_buffer buffer_of(std::string_view text)
{
    byte_buffer bytes;
    bytes.append(text.data(), text.size());
    return bytes;
}

/// Keeps what it is completed with.
struct waiter final : detail::stream_waiter {
    void complete(arrival&& what) override
    {
        BOOST_TEST(!got.has_value());
        got = std::move(what);
    }
    void abandon() noexcept override { abandoned = true; }
    /// "pending", "nothing", an item, or the name of an error.
    std::string state() const
    {
        if (abandoned)
            return "abandoned";
        if (!got)
            return "pending";
        if (got->failure)
            return std::string(to_name(got->failure->code()));
        return got->has_bytes ? text_of(got->bytes) : "nothing";
    }
    std::optional<arrival> got;
    bool abandoned = false;
};

/// A host whose conversation is one end of a pair.
struct host final : detail::stream_host {
    host(side which, const conversation_limits& wire) : talk(which, wire, "", clock::now()) {}
    std::unique_lock<std::mutex> lock() override { return std::unique_lock(mutex); }
    bool has_room() const noexcept override { return room; }
    void written() override { ++writes; }
    void give_up(stream_channel& dropped) override
    {
        ++given_up;
        talk.cancel(dropped.id());
    }
    const limits& decode_limits() const noexcept override { return bounds; }
    boost::asio::any_io_executor channel_executor() override { return {}; }

    conversation talk;
    std::mutex mutex;
    limits bounds;
    bool room = true;
    int writes = 0;
    int given_up = 0;
};

/// A call with streams both ways that the callee has accepted.
struct streams {
    explicit streams(std::uint32_t window = 4096)
    {
        conversation_limits bounds;
        bounds.stream_window_bytes = window;
        caller_end = std::make_shared<host>(side::client, bounds);
        callee_end = std::make_shared<host>(side::server, bounds);
        for (int i = 0; i < 3; ++i) {
            exchange::pass(caller_end->talk, callee_end->talk);
            exchange::pass(callee_end->talk, caller_end->talk);
            exchange::take(callee_end->talk);
            exchange::take(caller_end->talk);
        }
        conversation& talk = caller_end->talk;
        id = talk.call(talk.declare("test.streams"), {}, std::nullopt, clock::now());
        caller =
            std::make_shared<stream_channel>(caller_end, stream_channel::role::caller, true, true);
        callee =
            std::make_shared<stream_channel>(callee_end, stream_channel::role::callee, true, true);
        caller->attach(talk, id);
        callee->attach(callee_end->talk, id);
        run();
    }
    void run()
    {
        for (bool moves = true; moves;) {
            moves = step(*caller_end, *callee_end) + step(*callee_end, *caller_end) != 0;
            take(*callee_end, *callee);
            take(*caller_end, *caller);
        }
    }
    static std::size_t step(host& from, host& to)
    {
        const auto unsent = from.talk.unsent();
        const auto room = to.talk.prepare();
        const std::size_t n = std::min(room.size(), unsent.size());
        if (n == 0)
            return 0;
        std::memcpy(room.data(), unsent.data(), n);
        to.talk.commit(n);
        from.talk.sent(n);
        return n;
    }
    void take(host& of, stream_channel& channel)
    {
        for (;;) {
            const event e = of.talk.next();
            if (std::holds_alternative<events::nothing>(e))
                return;
            BOOST_REQUIRE(!std::holds_alternative<events::ended>(e));
            if (const auto* item = std::get_if<events::item>(&e))
                channel.on_item(item->message);
            else if (std::holds_alternative<events::upload_ended>(e))
                channel.on_end();
            else if (std::holds_alternative<events::window_opened>(e))
                channel.on_writable();
            else if (std::holds_alternative<events::replied>(e))
                channel.on_end();
            else if (const auto* failed = std::get_if<events::failed>(&e))
                channel.on_failed(failed->code, failed->text);
            else if (std::holds_alternative<events::cancelled>(e))
                channel.on_failed(errc::cancelled, "");
        }
    }
    void answer()
    {
        callee_end->talk.end_reply(callee_end->talk.begin_reply(id));
        callee->on_answered();
    }

    std::shared_ptr<host> caller_end, callee_end;
    std::uint64_t id = 0;
    std::shared_ptr<stream_channel> caller, callee;
};

std::string receive(stream_channel& from)
{
    waiter w;
    from.async_receive(w);
    if (w.state() == "pending") {
        w.ticket = 99;
        from.cancel(99);
        return "pending";
    }
    return w.state();
}

std::string send(stream_channel& to, std::string_view text)
{
    waiter w;
    to.async_send(buffer_of(text), w);
    if (w.state() == "pending") {
        w.ticket = 99;
        to.cancel(99);
        return "pending";
    }
    return w.state();
}

/// Sends until it would wait; returns how many were taken.
std::size_t fill(streams& s, stream_channel& to, std::string_view text)
{
    std::size_t sent = 0;
    while (to.try_send(bytes_of(text))) {
        ++sent;
        s.run();
        BOOST_REQUIRE(sent < 1'000'000u);
    }
    return sent;
}

} // namespace

BOOST_AUTO_TEST_CASE(items_come_out_in_the_order_they_went_in_whatever_their_size)
{
    std::mt19937 random(7);
    detail::item_queue queue;
    std::deque<std::string> expected;
    byte_buffer into;
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 2 == 0 || expected.empty()) {
            const std::size_t size = random() % 8 == 0 ? random() % 10'000 : random() % 100;
            expected.emplace_back(size, static_cast<char>('a' + i % 26));
            queue.push(bytes_of(expected.back()));
        }
        else {
            queue.pop(into);
            BOOST_REQUIRE(text_of(into) == expected.front());
            expected.pop_front();
        }
        BOOST_REQUIRE(queue.count() == expected.size());
        BOOST_REQUIRE(queue.empty() == expected.empty());
    }
    std::size_t i = 0;
    queue.for_each([&](std::size_t size) { BOOST_REQUIRE(size == expected.at(i++).size()); });
    BOOST_TEST(i == expected.size());
    queue.clear();
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.count() == 0u);
}

BOOST_AUTO_TEST_CASE(an_item_waits_for_its_receiver_and_a_receiver_for_its_item)
{
    streams s;
    BOOST_TEST(send(*s.caller, "one") == "nothing");
    BOOST_TEST(send(*s.caller, "") == "nothing");
    s.run();
    BOOST_TEST(receive(*s.callee) == "one");
    BOOST_TEST(receive(*s.callee) == "");
    waiter w;
    s.callee->async_receive(w);
    BOOST_TEST(w.state() == "pending");
    BOOST_TEST(receive(*s.callee) == "bad_argument"); // one at a time
    send(*s.caller, "two");
    s.run();
    BOOST_TEST(w.state() == "two");
    arrival more;
    BOOST_TEST(!s.callee->try_receive(more));
    send(*s.caller, "three");
    s.run();
    BOOST_TEST(s.callee->try_receive(more));
    BOOST_TEST(text_of(more.bytes) == "three");
}

BOOST_AUTO_TEST_CASE(the_window_stops_a_sender_until_items_are_taken)
{
    streams s(4096);
    const std::string text(1008, 'x'); // 1024 with its header
    BOOST_TEST(fill(s, *s.caller, text) == 4u);
    waiter w;
    s.caller->async_send(buffer_of("last"), w);
    BOOST_TEST(s.caller->is_blocked());
    BOOST_TEST(send(*s.caller, "another") == "bad_argument");
    s.run();
    BOOST_TEST(w.state() == "pending");
    BOOST_TEST(receive(*s.callee) == text);
    BOOST_TEST(receive(*s.callee) == text);
    s.run();
    BOOST_TEST(w.state() == "nothing"); // it was taken
    BOOST_TEST(!s.caller->is_blocked());
    BOOST_TEST(receive(*s.callee) == text);
    BOOST_TEST(receive(*s.callee) == text);
    BOOST_TEST(receive(*s.callee) == "last");
}

BOOST_AUTO_TEST_CASE(a_host_without_room_stops_a_sender_until_it_says_otherwise)
{
    streams s;
    s.callee_end->room = false;
    waiter w;
    s.callee->async_send(buffer_of("tick"), w);
    s.run();
    BOOST_TEST(w.state() == "pending");
    s.callee->on_writable(); // there is none yet
    BOOST_TEST(w.state() == "pending");
    s.callee_end->room = true;
    s.callee->on_writable();
    BOOST_TEST(w.state() == "nothing");
    s.run();
    BOOST_TEST(receive(*s.caller) == "tick");
}

BOOST_AUTO_TEST_CASE(credit_comes_back_for_items_that_are_taken)
{
    streams s(4096);
    const std::string text(1008, 'x');
    for (int i = 0; i < 5000; ++i) { // more than the session's window of 4 MiB
        BOOST_REQUIRE(s.callee->try_send(bytes_of(text)));
        s.run();
        BOOST_REQUIRE(receive(*s.caller) == text);
        s.run();
    }
}

BOOST_AUTO_TEST_CASE(credit_comes_back_for_items_that_nobody_wants)
{
    streams s(4096);
    const std::string text(1008, 'x');
    fill(s, *s.caller, text);
    s.callee->close(); // with items in it
    s.run();
    for (int i = 0; i < 5000; ++i) {
        BOOST_REQUIRE(s.caller->try_send(bytes_of(text)));
        s.run();
    }
}

BOOST_AUTO_TEST_CASE(a_call_that_is_over_gives_its_credit_back_and_keeps_its_items)
{
    streams s(4096);
    const std::string text(1008, 'x');
    BOOST_TEST(fill(s, *s.callee, text) == 4u);
    const int before = s.caller_end->writes;
    s.answer();
    s.run();
    BOOST_TEST(s.caller_end->writes > before);
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(receive(*s.caller) == text);
    BOOST_TEST(receive(*s.caller) == "nothing");
    BOOST_TEST(receive(*s.caller) == "nothing");
    BOOST_TEST(send(*s.caller, "late") == "cancelled");
    s.caller->close();
    BOOST_TEST(s.caller_end->given_up == 0);
    BOOST_TEST(receive(*s.caller) == "cancelled");
}

BOOST_AUTO_TEST_CASE(an_upload_ends_after_its_last_item)
{
    streams s(4096);
    BOOST_TEST(fill(s, *s.caller, std::string(1008, 'x')) == 4u);
    waiter w;
    s.caller->async_send(buffer_of("last"), w);
    s.caller->end_sending();
    s.caller->end_sending();
    for (int i = 0; i < 4; ++i)
        receive(*s.callee);
    s.run();
    BOOST_TEST(w.state() == "nothing");
    BOOST_TEST(receive(*s.callee) == "last");
    BOOST_TEST(receive(*s.callee) == "nothing");
    BOOST_TEST(receive(*s.callee) == "nothing");
    BOOST_TEST(send(*s.caller, "after") == "bad_argument");
}

BOOST_AUTO_TEST_CASE(a_failure_comes_after_the_items_and_ends_what_waits)
{
    streams s(4096);
    BOOST_TEST(fill(s, *s.caller, std::string(1008, 'x')) == 4u);
    waiter sending, receiving;
    s.caller->async_send(buffer_of("x"), sending);
    s.callee->try_send(bytes_of("item"));
    s.callee_end->talk.reply_error(s.id, errc::not_found, "gone");
    s.callee->on_answered();
    s.run();
    BOOST_TEST(sending.state() == "not_found");
    BOOST_TEST(receive(*s.caller) == "item");
    s.caller->async_receive(receiving);
    BOOST_TEST(receiving.state() == "not_found");
    BOOST_TEST(receiving.got->failure->text() == "gone");
    s.caller->fail(errc::deadline_exceeded, ""); // only the first counts
    s.caller->finish_receiving();
    BOOST_TEST(receive(*s.caller) == "not_found");
}

BOOST_AUTO_TEST_CASE(a_dropped_caller_gives_the_call_up_and_the_callee_learns_it)
{
    streams s;
    waiter receiving, theirs;
    s.caller->async_receive(receiving);
    s.callee->async_receive(theirs);
    s.callee->try_send(bytes_of("never seen"));
    s.caller->close();
    s.caller->close();
    BOOST_TEST(receiving.state() == "cancelled");
    BOOST_TEST(s.caller_end->given_up == 1);
    s.run();
    BOOST_TEST(theirs.state() == "cancelled");
    BOOST_TEST(send(*s.callee, "x") == "cancelled");
    BOOST_TEST(receive(*s.caller) == "cancelled");
    BOOST_TEST(send(*s.caller, "x") == "cancelled");
}

BOOST_AUTO_TEST_CASE(what_waits_when_the_channel_dies_is_abandoned)
{
    waiter receiving, sending;
    {
        streams s;
        s.caller_end->room = false;
        s.caller->async_receive(receiving);
        s.caller->async_send(buffer_of("x"), sending);
    }
    BOOST_TEST(receiving.state() == "abandoned");
    BOOST_TEST(sending.state() == "abandoned");
}

BOOST_AUTO_TEST_CASE(a_direction_that_the_command_has_not_is_refused)
{
    const auto end = std::make_shared<host>(side::client, conversation_limits());
    stream_channel channel(end, stream_channel::role::caller, false, false);
    BOOST_TEST(receive(channel) == "bad_argument");
    BOOST_TEST(send(channel, "x") == "bad_argument");
    arrival none;
    BOOST_TEST(!channel.try_receive(none));
    BOOST_TEST(!channel.try_send(bytes_of("x")));
}

BOOST_AUTO_TEST_CASE(an_item_that_the_peer_does_not_take_fails_its_send_alone)
{
    streams s;
    const std::string huge((16u << 20) + 1, 'x');
    BOOST_TEST(send(*s.caller, huge) == "message_limit");
    BOOST_CHECK_THROW(s.caller->try_send(bytes_of(huge)), error);
    BOOST_TEST(send(*s.caller, "x") == "nothing");
    s.run();
    BOOST_TEST(receive(*s.callee) == "x");
}

BOOST_AUTO_TEST_CASE(a_cancelled_operation_is_the_one_that_was_named)
{
    streams s;
    waiter receiving;
    receiving.ticket = 5;
    s.caller->async_receive(receiving);
    s.caller->cancel(4);
    BOOST_TEST(receiving.state() == "pending");
    s.caller->cancel(5);
    BOOST_TEST(receiving.state() == "cancelled");
    s.caller->cancel(5);
    s.callee->try_send(bytes_of("kept"));
    s.run();
    BOOST_TEST(receive(*s.caller) == "kept");
}

// A client's channels are used by any thread while its connection is served by another.
BOOST_AUTO_TEST_CASE(a_sender_and_a_receiver_of_other_threads_lose_nothing)
{
    struct waiting_thread final : detail::stream_waiter {
        void complete(arrival&& what) override
        {
            const std::lock_guard held(mutex);
            got = std::move(what);
            wake.notify_one();
        }
        void abandon() noexcept override {}
        arrival wait()
        {
            std::unique_lock held(mutex);
            if (!wake.wait_for(held, 60s, [&] { return got.has_value(); }))
                return arrival(errc::deadline_exceeded);
            return std::move(*got);
        }
        std::mutex mutex;
        std::condition_variable wake;
        std::optional<arrival> got;
    };
    constexpr int items = 5000;
    streams s(1024);
    std::atomic<bool> done{false};
    std::thread sender([&] {
        for (int i = 0; i < items; ++i) {
            const std::string text = std::to_string(i);
            if (s.callee->try_send(bytes_of(text)))
                continue;
            waiting_thread w;
            s.callee->async_send(buffer_of(text), w);
            if (w.wait().failure)
                return;
        }
        const auto held = s.callee_end->lock();
        s.answer();
    });
    int received = 0;
    std::thread receiver([&] {
        for (;; ++received) {
            arrival next;
            if (!s.caller->try_receive(next)) {
                waiting_thread w;
                s.caller->async_receive(w);
                next = w.wait();
            }
            if (next.failure || !next.has_bytes || text_of(next.bytes) != std::to_string(received))
                break;
        }
        done = true;
    });
    while (!done) {
        {
            const auto held = s.caller_end->lock();
            const auto also_held = s.callee_end->lock();
            s.run();
        }
        std::this_thread::yield();
    }
    sender.join();
    receiver.join();
    BOOST_TEST(received == items);
}
