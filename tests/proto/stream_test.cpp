// Streams by their types: handlers with sinks and sources, and callers, over two conversations in
// memory.
#include "stream_support.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_future.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

struct tick {
    std::int64_t number = 0;
    std::string text;
    bool operator==(const tick&) const = default;
};
/// Answers with `count` ticks.
struct watch {
    using reply = stream_of<tick>;
    static constexpr std::string_view name = "test.watch";
    std::string text;
    std::int64_t count = 0;
};
/// Answers with what it was sent, joined.
struct join {
    using reply = std::string;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "test.join";
    std::string separator;
};
/// Answers nothing.
struct discard {
    using reply = void;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "test.discard";
};
/// Answers each text by a tick.
struct count_texts {
    using reply = stream_of<tick>;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "test.count";
};

struct refuses {
    using reply = stream_of<tick>;
    static constexpr std::string_view name = "test.refuses";
    void serialize(store_archive&, unsigned) { throw error(errc::conflict, "half way"); }
    void serialize(load_archive&, unsigned) {}
};
struct shy {
    int way = 0;
    void serialize(store_archive& ar, unsigned)
    {
        if (way == 1)
            throw error(errc::conflict, "not this one");
        ar& way;
    }
    void serialize(load_archive& ar, unsigned) { ar& way; }
};
struct send_shy {
    using reply = std::string;
    using upload = stream_of<shy>;
    static constexpr std::string_view name = "test.shy";
};

awaitable<void> watch_handler(watch what, call&, sink<tick>& out)
{
    for (std::int64_t i = 0; i < what.count; ++i) {
        const tick t{i, what.text};
        co_await out.async_send(t);
    }
}

awaitable<std::string> join_handler(join what, source<std::string>& in)
{
    std::string all;
    while (const std::optional<std::string> text = co_await in.async_next())
        all += (all.empty() ? "" : what.separator) + *text;
    co_return all;
}

awaitable<void> count_handler(count_texts, source<std::string>& in, sink<tick>& out)
{
    tick t;
    while (std::optional<std::string> text = co_await in.async_next()) {
        ++t.number;
        t.text = std::move(*text);
        co_await out.async_send(t);
    }
}

errc code_thrown(const std::function<void()>& f)
{
    try {
        f();
    }
    catch (const error& e) {
        return e.code();
    }
    return errc{};
}

conversation_limits small_windows()
{
    conversation_limits bounds;
    bounds.stream_window_bytes = 2048;
    return bounds;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(wharf::errc)

BOOST_AUTO_TEST_CASE(a_handler_answers_with_a_stream_that_ends)
{
    router r;
    r.on<watch>(watch_handler);
    memory_link link(r);
    std::vector<tick> got;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        const watch what{"gold", 3};
        auto ticks = link.stream(what);
        while (std::optional<tick> t = co_await ticks.async_next())
            got.push_back(*t);
        BOOST_TEST(!(co_await ticks.async_next()).has_value()); // again and again
    }));
    BOOST_TEST((got == std::vector<tick>{{0, "gold"}, {1, "gold"}, {2, "gold"}}));
    BOOST_TEST(link.callee->talk.calls_in_flight() == 0u);
    BOOST_TEST(link.caller_end->talk.own_calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(an_upload_is_answered_by_its_reply)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    std::string all;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        const join what{", "};
        auto up = link.stream(what);
        for (const std::string text : {"one", "two", "three"})
            co_await up.async_send(text);
        up.end_upload();
        all = co_await up.async_result();
    }));
    BOOST_TEST(all == "one, two, three");
}

BOOST_AUTO_TEST_CASE(both_directions_stream_at_once)
{
    router r;
    r.on<count_texts>(count_handler);
    memory_link link(r);
    std::vector<tick> got;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto both = link.stream(count_texts{});
        for (int i = 0; i < 3; ++i) {
            const std::string text(static_cast<std::size_t>(i), 'x');
            co_await both.async_send(text);
            got.push_back((co_await both.async_next()).value());
        }
        both.end_upload();
        BOOST_TEST(!(co_await both.async_next()).has_value());
    }));
    BOOST_TEST((got == std::vector<tick>{{1, ""}, {2, "x"}, {3, "xx"}}));
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_void_answers_an_upload)
{
    router r;
    std::size_t bytes = 0;
    r.on<discard>([&](discard, source<std::string>& in) -> awaitable<void> {
        while (const auto text = co_await in.async_next())
            bytes += text->size();
    });
    memory_link link(r);
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto up = link.stream(discard{});
        const std::string text(100, 'x');
        co_await up.async_send(text);
        up.end_upload();
        co_await up.async_result();
    }));
    BOOST_TEST(bytes == 100u);
}

BOOST_AUTO_TEST_CASE(a_producer_waits_for_its_slow_consumer)
{
    router r;
    std::int64_t sent = 0;
    r.on<watch>([&](watch what, sink<tick>& out) -> awaitable<void> {
        const tick t{0, std::string(500, 'x')};
        for (; sent < what.count; ++sent)
            co_await out.async_send(t);
    });
    memory_link link(r, {}, small_windows());
    std::optional<stream<watch>> ticks;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        const watch what{"", 100};
        ticks.emplace(link.stream(what));
        co_return;
    }));
    // As many as the caller's window of 2048 bytes takes.
    BOOST_TEST(sent >= 4);
    BOOST_TEST(sent <= 5);
    std::int64_t got = 0;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        while (co_await ticks->async_next())
            ++got;
    }));
    BOOST_TEST(got == 100);
    BOOST_TEST(sent == 100);
}

BOOST_AUTO_TEST_CASE(a_producer_waits_while_the_connection_has_no_room)
{
    router r;
    r.on<watch>(watch_handler);
    memory_link link(r);
    link.callee->room = false;
    std::int64_t got = 0;
    const auto consume = [&]() -> awaitable<void> {
        const watch what{"", 10};
        auto ticks = link.stream(what);
        while (co_await ticks.async_next())
            ++got;
    };
    BOOST_TEST(!link.run(consume));
    BOOST_TEST(got == 0);
    link.callee->make_room();
    link.run();
    BOOST_TEST(got == 10);
}

BOOST_AUTO_TEST_CASE(items_come_before_the_error_that_follows_them)
{
    router r;
    r.on<watch>([](watch what, sink<tick>& out) -> awaitable<void> {
        const tick t{1, what.text};
        co_await out.async_send(t);
        throw error(errc::not_found, "no more gold", 50ms);
    });
    memory_link link(r);
    std::vector<tick> got;
    std::optional<error> thrown;
    link.run([&]() -> awaitable<void> {
        const watch what{"gold", 1};
        auto ticks = link.stream(what);
        link.callee->make_room();
        co_await asio::post(asio::use_awaitable);
        try {
            for (;;)
                got.push_back((co_await ticks.async_next()).value());
        }
        catch (const error& e) {
            thrown = e;
        }
    });
    BOOST_TEST(got.size() == 1u);
    BOOST_REQUIRE(thrown.has_value());
    BOOST_TEST(thrown->code() == errc::not_found);
    BOOST_TEST(thrown->text() == "no more gold");
    BOOST_CHECK(thrown->retry_after() == 50ms);
}

BOOST_AUTO_TEST_CASE(dropping_a_stream_cancels_the_call_and_keeps_the_connection)
{
    router r;
    errc ended{};
    r.on<watch>([&](watch, sink<tick>& out) -> awaitable<void> {
        const tick t;
        try {
            for (;;)
                co_await out.async_send(t);
        }
        catch (const error& e) {
            ended = e.code();
            throw;
        }
    });
    r.on<add>([](const add& c) { return c.a + c.b; });
    memory_link link(r, {}, small_windows());
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto ticks = link.stream(watch{});
        co_await ticks.async_next();
    }));
    BOOST_TEST(ended == errc::cancelled);
    BOOST_TEST(link.callee->cancels == 1);
    BOOST_TEST(link.callee->talk.calls_in_flight() == 0u);
    BOOST_TEST(link.caller_end->talk.own_calls_in_flight() == 0u);
    BOOST_TEST(link.caller_end->sent.empty());
    std::int64_t sum = 0;
    link.run([&]() -> awaitable<void> { sum = co_await link.async_call<add>(1, 2); });
    BOOST_TEST(sum == 3);
}

BOOST_AUTO_TEST_CASE(an_upload_learns_what_its_call_failed_with)
{
    router r;
    r.on<join>([](join, source<std::string>& in) -> awaitable<std::string> {
        co_await in.async_next();
        throw error(errc::store_full, "no room");
    });
    memory_link link(r);
    errc sending{}, result{};
    link.run([&]() -> awaitable<void> {
        auto up = link.stream(join{});
        const std::string text = "x";
        try {
            for (;;) {
                co_await up.async_send(text);
                co_await asio::post(asio::use_awaitable);
            }
        }
        catch (const error& e) {
            sending = e.code();
        }
        try {
            co_await up.async_result();
        }
        catch (const error& e) {
            result = e.code();
        }
    });
    BOOST_TEST(sending == errc::store_full);
    BOOST_TEST(result == errc::store_full);
}

BOOST_AUTO_TEST_CASE(an_item_that_does_not_load_is_an_error_and_the_stream_goes_on)
{
    router r;
    r.on<discard>([](discard, source<std::string>& in) -> awaitable<void> {
        BOOST_CHECK_THROW(co_await in.async_next(), error);
        BOOST_TEST((co_await in.async_next()).value() == "good");
    });
    memory_link link(r);
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto up = link.stream(discard{});
        const std::byte bad[] = {std::byte{9}};
        link.caller_end->channels.begin()->second->try_send(bad);
        const std::string good = "good";
        co_await up.async_send(good);
        co_await up.async_result();
    }));
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_not_sent_yet_takes_its_first_item)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    link.caller_end->holds_back = true;
    std::string all;
    const auto upload = [&]() -> awaitable<void> {
        auto up = link.stream(join{});
        const std::string text = "early";
        co_await up.async_send(text);
        up.end_upload();
        all = co_await up.async_result();
    };
    BOOST_TEST(!link.run(upload));
    link.caller_end->admit();
    link.run();
    BOOST_TEST(all == "early");
}

BOOST_AUTO_TEST_CASE(an_upload_may_end_before_it_is_sent)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    link.caller_end->holds_back = true;
    auto up = link.stream(join{});
    up.end_upload();
    link.caller_end->admit();
    auto result = up.async_result(asio::use_future);
    link.run();
    BOOST_TEST(result.get() == "");
}

BOOST_AUTO_TEST_CASE(a_stream_dropped_before_it_is_sent_is_never_sent)
{
    router r;
    r.on<watch>(watch_handler);
    memory_link link(r);
    link.caller_end->holds_back = true;
    {
        auto ticks = link.stream(watch{});
        BOOST_TEST(link.caller_end->waiting.size() == 1u);
    }
    BOOST_TEST(link.caller_end->waiting.empty());
    link.run();
    BOOST_TEST(link.callee->answered == 0);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_is_an_unknown_outcome_after_what_arrived)
{
    router r;
    r.on<watch>([](watch, sink<tick>& out) -> awaitable<void> {
        const tick t;
        for (;;)
            co_await out.async_send(t);
    });
    memory_link link(r, {}, small_windows());
    auto ticks = link.stream(watch{});
    link.run();
    link.caller_end->lose();
    std::size_t got = 0;
    const auto consume = [&]() -> awaitable<void> {
        while (co_await ticks.async_next())
            ++got;
    };
    BOOST_TEST(code_thrown([&] { link.run(consume); }) == errc::outcome_unknown);
    BOOST_TEST(got > 10u);
}

BOOST_AUTO_TEST_CASE(callbacks_and_futures_take_streams_too)
{
    router r;
    r.on<count_texts>(count_handler);
    r.on<join>(join_handler);
    memory_link link(r);
    std::string text_of_error;
    call_options options;
    options.diagnostics = &text_of_error;
    auto both = link.stream(count_texts{}, options);
    bool sent = false;
    both.async_send(std::string("a"), [&](error_code failed) {
        BOOST_TEST(!failed);
        sent = true;
    });
    BOOST_TEST(!sent); // never inside the call
    auto next = both.async_next(asio::use_future);
    link.run();
    BOOST_TEST(sent);
    BOOST_TEST((next.get() == tick{1, "a"}));
    std::optional<error_code> last;
    both.async_next([&](error_code failed, std::optional<tick> item) {
        last = failed;
        BOOST_TEST(!item.has_value());
    });
    link.caller_end->lose();
    link.run();
    BOOST_REQUIRE(last.has_value());
    BOOST_TEST((*last == make_error_code(errc::outcome_unknown)));
    BOOST_TEST(text_of_error == "the connection was lost");

    auto up = link.stream(join{});
    link.run([&]() -> awaitable<void> {
        constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
        const std::string text = "b";
        const auto [failed] = co_await up.async_send(text, no_throw);
        BOOST_TEST(!failed);
        up.end_upload();
        const auto [also_failed, reply] = co_await up.async_result(no_throw);
        BOOST_TEST(!also_failed);
        BOOST_TEST(reply == "b");
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_receive_loses_no_item)
{
    router r;
    r.on<count_texts>(count_handler);
    memory_link link(r);
    auto both = link.stream(count_texts{});
    asio::cancellation_signal stop;
    std::optional<error_code> cancelled;
    both.async_next(asio::bind_cancellation_slot(
        stop.slot(), [&](error_code failed, std::optional<tick>) { cancelled = failed; }));
    link.run();
    BOOST_TEST(!cancelled.has_value());
    stop.emit(asio::cancellation_type::terminal);
    link.run();
    BOOST_REQUIRE(cancelled.has_value());
    BOOST_TEST((*cancelled == make_error_code(errc::cancelled)));
    both.async_send(std::string("kept"), [](error_code) {});
    link.run();
    auto next = both.async_next(asio::use_future);
    link.run();
    BOOST_TEST((next.get() == tick{1, "kept"}));
    stop.emit(asio::cancellation_type::terminal); // of nothing
}

BOOST_AUTO_TEST_CASE(a_cancelled_send_sends_nothing)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    auto up = link.stream(join{"|"});
    link.run();
    link.caller_end->room = false;
    asio::cancellation_signal stop;
    std::optional<error_code> cancelled;
    up.async_send(
        std::string("lost"),
        asio::bind_cancellation_slot(stop.slot(), [&](error_code failed) { cancelled = failed; }));
    up.end_upload(); // waits for the item, and then does not
    stop.emit(asio::cancellation_type::partial);
    auto result = up.async_result(asio::use_future);
    link.caller_end->make_room();
    link.run();
    BOOST_REQUIRE(cancelled.has_value());
    BOOST_TEST((*cancelled == make_error_code(errc::cancelled)));
    BOOST_TEST(result.get() == "");
}

BOOST_AUTO_TEST_CASE(a_cancelled_result_can_be_asked_for_again)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    auto up = link.stream(join{});
    asio::cancellation_signal stop;
    std::optional<error_code> cancelled;
    up.async_result(asio::bind_cancellation_slot(
        stop.slot(), [&](error_code failed, std::string) { cancelled = failed; }));
    stop.emit(asio::cancellation_type::total);
    up.end_upload();
    link.run();
    BOOST_TEST((cancelled == make_error_code(errc::cancelled)));
    auto result = up.async_result(asio::use_future);
    auto second = up.async_result(asio::use_future);
    link.run();
    BOOST_TEST(result.get() == "");
    BOOST_TEST(code_thrown([&] { second.get(); }) == errc::bad_argument);
}

BOOST_AUTO_TEST_CASE(two_operations_of_a_kind_at_once_are_refused)
{
    router r;
    r.on<count_texts>(count_handler);
    memory_link link(r);
    auto both = link.stream(count_texts{});
    link.run();
    auto first = both.async_next(asio::use_future);
    auto second = both.async_next(asio::use_future);
    link.caller_end->room = false;
    auto sending = both.async_send(std::string("a"), asio::use_future);
    auto sending_too = both.async_send(std::string("b"), asio::use_future);
    link.run();
    BOOST_TEST(code_thrown([&] { second.get(); }) == errc::bad_argument);
    BOOST_TEST(code_thrown([&] { sending_too.get(); }) == errc::bad_argument);
    link.caller_end->make_room();
    link.run();
    sending.get();
    BOOST_TEST((first.get() == tick{1, "a"}));
    both.end_upload();
    auto late = both.async_send(std::string("c"), asio::use_future);
    link.run();
    BOOST_TEST(code_thrown([&] { late.get(); }) == errc::bad_argument);
}

BOOST_AUTO_TEST_CASE(what_waits_in_a_stream_that_is_dropped_is_cancelled)
{
    router r;
    r.on<count_texts>(count_handler);
    memory_link link(r);
    std::optional<error_code> receiving, sending;
    {
        auto both = link.stream(count_texts{});
        link.run();
        link.caller_end->room = false;
        both.async_next([&](error_code failed, std::optional<tick>) { receiving = failed; });
        both.async_send(std::string("a"), [&](error_code failed) { sending = failed; });
    }
    link.run();
    BOOST_TEST((receiving == make_error_code(errc::cancelled)));
    BOOST_TEST((sending == make_error_code(errc::cancelled)));
    BOOST_TEST(link.callee->cancels == 1);
}

BOOST_AUTO_TEST_CASE(a_moved_stream_is_one_stream)
{
    router r;
    r.on<watch>(watch_handler);
    memory_link link(r);
    std::size_t got = 0;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        const watch what{"x", 5};
        auto first = link.stream(what);
        co_await first.async_next();
        auto second = std::move(first);
        first = link.stream(what);
        second = std::move(first); // gives up the one that was there
        while (co_await second.async_next())
            ++got;
    }));
    BOOST_TEST(got == 5u);
    BOOST_TEST(link.caller_end->talk.own_calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_command_that_cannot_be_encoded_fails_in_its_stream)
{
    router r;
    memory_link link(r);
    auto ticks = link.stream(refuses{});
    auto next = ticks.async_next(asio::use_future);
    link.run();
    BOOST_TEST(code_thrown([&] { next.get(); }) == errc::conflict);
}

BOOST_AUTO_TEST_CASE(an_item_that_cannot_be_encoded_fails_its_send_alone)
{
    router r;
    r.on<send_shy>([](send_shy, source<shy>& in) -> awaitable<std::string> {
        std::string ways;
        while (const auto item = co_await in.async_next())
            ways += std::to_string(item->way);
        co_return ways;
    });
    memory_link link(r);
    std::string ways;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto up = link.stream(send_shy{});
        shy item;
        co_await up.async_send(item);
        item.way = 1;
        BOOST_CHECK_THROW(co_await up.async_send(item), error);
        const auto [failed] = co_await up.async_send(item, asio::as_tuple(asio::use_awaitable));
        BOOST_TEST((failed == make_error_code(errc::conflict)));
        item.way = 2;
        co_await up.async_send(item);
        up.end_upload();
        ways = co_await up.async_result();
    }));
    BOOST_TEST(ways == "02");
}

BOOST_AUTO_TEST_CASE(large_items_travel_in_many_frames_in_order)
{
    router r;
    r.on<join>(join_handler);
    memory_link link(r);
    std::string sent, got;
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        auto up = link.stream(join{});
        for (char c = 'a'; c < 'k'; ++c) {
            const std::string text(c % 2 ? 200'000 : 100, c);
            sent += text;
            co_await up.async_send(text);
        }
        up.end_upload();
        got = co_await up.async_result();
    }));
    BOOST_TEST((got == sent));
}

BOOST_AUTO_TEST_CASE(a_session_that_is_over_answers_streams_and_calls_too)
{
    session_handle gone = [] {
        const std::shared_ptr<detail::session_core> core = std::make_shared<no_session>();
        return session_handle(core);
    }();
    BOOST_TEST(!gone.is_open());
    BOOST_TEST(code_thrown([&] {
                   gone.async_call(add{1, 2}, asio::use_future).get();
               }) == errc::not_connected);
    auto ticks = gone.stream(watch{});
    BOOST_TEST(code_thrown([&] { ticks.async_next(asio::use_future).get(); }) ==
               errc::not_connected);
    auto up = gone.stream(join{});
    BOOST_TEST(code_thrown([&] { up.async_send(std::string("x"), asio::use_future).get(); }) ==
               errc::not_connected);
    BOOST_TEST(code_thrown([&] { up.async_result(asio::use_future).get(); }) ==
               errc::not_connected);
    BOOST_TEST(code_thrown([&] { gone.state<int>(); }) == errc::not_connected);
}
