// Calls and streams from a session to its peer: what handlers ask of who called them.
#include "session_partner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <map>
#include <mutex>

using namespace wharf;
using namespace wharf::test;
namespace asio = boost::asio;

namespace {

/// Each end answers it by asking the other for one step less.
struct descend {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.descend";
    std::int32_t steps{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& steps;
    }
};
/// The daemon asks its peer this ...
struct question {
    using reply = std::string;
    static constexpr std::string_view name = "peer.question";
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
};
/// ... as often as it is told to, at once, and answers with what became of it.
struct ask_back {
    using reply = std::string;
    static constexpr std::string_view name = "test.ask_back";
    std::int32_t times{1};
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& times& text;
    }
};
struct ticks {
    using reply = stream_of<std::int32_t>;
    static constexpr std::string_view name = "peer.ticks";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
/// Takes `take` ticks of the peer and drops the stream; their sum.
struct sum_ticks {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.sum_ticks";
    std::int32_t take{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& take;
    }
};
struct chunks {
    using reply = std::uint64_t;
    using upload = stream_of<std::string>;
    static constexpr std::string_view name = "peer.chunks";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
/// Uploads so many chunks of a kilobyte to the peer.
struct send_chunks {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "test.send_chunks";
    std::uint64_t count{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& count;
    }
};

/// How many handlers run inside one another.
class recursion {
public:
    class within {
    public:
        explicit within(recursion& of) : of_(of) { of_.most_ = std::max(of_.most_, ++of_.now_); }
        ~within() { --of_.now_; }
        within(const within&) = delete;
        within& operator=(const within&) = delete;

    private:
        recursion& of_;
    };
    int most() const noexcept { return most_; }

private:
    int now_ = 0, most_ = 0;
};

struct calling_service {
    std::shared_ptr<recursion> handlers = std::make_shared<recursion>();
    std::shared_ptr<std::promise<session_handle>> opened =
        std::make_shared<std::promise<session_handle>>();
    std::shared_ptr<gate> door = std::make_shared<gate>();

    void serve(router& commands)
    {
        commands.on_open([o = opened](const session_handle& s) {
            try {
                o->set_value(s);
            }
            catch (const std::future_error&) { // the first one
            }
        });
        commands.on<descend>([h = handlers](descend c, call& current) -> awaitable<std::int32_t> {
            std::optional<recursion::within> running(*h);
            if (c.steps == 0)
                co_return 0;
            const descend next{c.steps - 1};
            auto pending = current.session().async_call(next, current.options());
            running.reset();
            const std::int32_t below = co_await std::move(pending);
            running.emplace(*h);
            co_return below + 1;
        });
        commands.on<ask_back>([](ask_back c, call& current) -> awaitable<std::string> {
            std::string all;
            std::vector<std::future<std::string>> answers;
            session_handle session = current.session();
            const question q{c.text};
            for (int i = 1; i < c.times; ++i)
                session.async_call(q, [](error_code, std::string) {});
            try {
                all = co_await session.async_call(q, current.options());
            }
            catch (const error& e) {
                all = std::string(to_name(e.code())) + ": " + e.text();
            }
            co_return all;
        });
        commands.on<sum_ticks>([](sum_ticks c, call& current) -> awaitable<std::int32_t> {
            const ticks what;
            auto coming = current.session().stream(what);
            std::int32_t sum = 0;
            for (int i = 0; i < c.take; ++i) {
                const std::optional<std::int32_t> t = co_await coming.async_next();
                if (!t)
                    break;
                sum += *t;
            }
            co_return sum;
        });
        commands.on<send_chunks>([](send_chunks c, call& current) -> awaitable<std::uint64_t> {
            const chunks what;
            auto going = current.session().stream(what);
            const std::string chunk(1000, 'c');
            for (std::uint64_t i = 0; i < c.count; ++i)
                co_await going.async_send(chunk);
            going.end_upload();
            co_return co_await going.async_result();
        });
        commands.on<add>([](const add& c) { return c.a + c.b; });
    }
};

struct calling_scene {
    explicit calling_scene(server_options o = open_options()) : s(std::move(o))
    {
        s.serve(service);
        s.start();
    }
    calling_service service;
    server s;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_handler_asks_its_caller_and_answers_with_the_answer)
{
    calling_scene at;
    partner p(at.s);
    const auto id = p.call(ask_back{1, "who?"});
    const seen asked = p.expect("called");
    BOOST_TEST(asked.as<question>().text == "who?");
    p.reply(asked.id, std::string("me"));
    const seen e = p.expect("replied");
    BOOST_TEST(e.id == id);
    BOOST_TEST(e.as<std::string>() == "me");
    // An error of the peer, with its text.
    p.call(ask_back{1, "why?"});
    p.words().reply_error(p.expect("called").id, errc::not_found, "no reason");
    BOOST_TEST(p.expect("replied").as<std::string>() == "not_found: no reason");
}

// Row 42: a hundred calls deep both ways, and never a handler inside another.
BOOST_AUTO_TEST_CASE(row_42_handlers_of_both_ends_nest_a_hundred_deep_without_recursion)
{
    calling_scene at;
    partner p(at.s);
    p.call(descend{200});
    std::map<std::uint64_t, std::uint64_t> waiting; // our call -> the call that it is made for
    for (;;) {
        const seen e = p.next();
        if (e.what == "called") {
            const auto steps = e.as<descend>().steps;
            if (steps == 0)
                p.reply(e.id, std::int32_t(0));
            else
                waiting[p.call(descend{steps - 1})] = e.id;
            continue;
        }
        BOOST_REQUIRE(e.what == "replied");
        const auto of = waiting.find(e.id);
        if (of == waiting.end()) {
            BOOST_TEST(e.as<std::int32_t>() == 200);
            break;
        }
        p.reply(of->second, e.as<std::int32_t>() + 1);
    }
    BOOST_TEST(waiting.size() == 100u);
    BOOST_TEST(at.service.handlers->most() == 1);
}

BOOST_AUTO_TEST_CASE(a_call_of_a_handler_inherits_what_is_left_of_the_deadline)
{
    calling_scene at;
    partner p(at.s);
    p.call(ask_back{1, "?"}, 5000ms);
    const seen asked = p.expect("called");
    BOOST_REQUIRE(asked.timeout.has_value());
    BOOST_TEST((*asked.timeout <= 5000ms));
    BOOST_TEST((*asked.timeout > 1000ms));
    p.reply(asked.id, std::string("in time"));
    p.expect("replied");
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_answer_costs_its_call_only)
{
    calling_scene at;
    partner p(at.s);
    at.service.door->open();
    auto session = at.service.opened->get_future().get();
    const question q{"anyone?"};
    auto late = session.async_call(q, {.timeout = 30ms}, asio::use_future);
    const seen asked = p.expect("called");
    try {
        late.get();
        BOOST_ERROR("no answer, and yet no error");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::deadline_exceeded));
    }
    // The peer is told; what it says all the same is dropped.
    BOOST_TEST(p.expect("cancelled").id == asked.id);
    p.reply(asked.id, std::string("too late"));
    p.call(add{1, 2});
    BOOST_TEST(p.expect("replied").as<std::int64_t>() == 3);
}

BOOST_AUTO_TEST_CASE(more_calls_to_the_peer_than_the_limit_are_overloaded)
{
    server_options o = open_options();
    o.peer_calls_max = 10;
    calling_scene at(o);
    partner p(at.s);
    p.call(ask_back{11, "many"});
    std::vector<std::uint64_t> asked;
    seen e = p.next();
    for (; e.what == "called"; e = p.next())
        asked.push_back(e.id);
    BOOST_TEST(asked.size() == 10u);
    BOOST_TEST(e.as<std::string>().starts_with("overloaded"));
    for (const auto id : asked)
        p.reply(id, std::string("done"));
    p.call(ask_back{1, "again"});
    p.reply(p.expect("called").id, std::string("yes"));
    BOOST_TEST(p.expect("replied").as<std::string>() == "yes");
}

BOOST_AUTO_TEST_CASE(calls_in_flight_when_the_connection_ends_have_an_unknown_outcome)
{
    calling_scene at;
    std::future<std::string> answer;
    std::optional<session_handle> session;
    {
        partner p(at.s);
        session.emplace(at.service.opened->get_future().get());
        const question q{"?"};
        answer = session->async_call(q, asio::use_future);
        p.expect("called");
        p.reset();
    }
    const auto code_of = [](std::future<std::string>& f) {
        BOOST_REQUIRE(f.wait_for(patience) == std::future_status::ready);
        try {
            f.get();
        }
        catch (const error& e) {
            return e.code();
        }
        return errc{};
    };
    BOOST_TEST((code_of(answer) == errc::outcome_unknown));
    // And a later one was never sent.
    BOOST_REQUIRE(eventually([&] { return !session->is_open(); }));
    const question q{"?"};
    auto later = session->async_call(q, asio::use_future);
    BOOST_TEST((code_of(later) == errc::not_connected));
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_away_refuses_what_it_did_not_accept)
{
    calling_scene at;
    partner p(at.s);
    auto session = at.service.opened->get_future().get();
    const question q{"?"};
    auto accepted = session.async_call(q, asio::use_future);
    const seen asked = p.expect("called");
    p.words().go_away(errc::going_away, "enough");
    p.flush();
    p.reply(asked.id, std::string("the last"));
    p.flush();
    BOOST_TEST(accepted.get() == "the last");
    auto refused = session.async_call(q, asio::use_future);
    const auto is_refusal = [](const error& e) { return e.code() == errc::going_away; };
    BOOST_CHECK_EXCEPTION(refused.get(), error, is_refusal);
}

BOOST_AUTO_TEST_CASE(other_threads_call_through_the_handle)
{
    calling_scene at;
    partner p(at.s);
    auto session = at.service.opened->get_future().get();
    constexpr int threads = 4, calls = 50;
    std::vector<std::thread> all;
    std::atomic<int> good{0};
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, session, t]() mutable {
            for (int i = 0; i < calls; ++i) {
                const question q{std::to_string(1000 * t + i)};
                good += session.async_call(q, asio::use_future).get() == q.text;
            }
        });
    for (int i = 0; i < threads * calls; ++i) {
        const seen asked = p.expect("called");
        p.reply(asked.id, asked.as<question>().text);
    }
    p.flush();
    for (auto& t : all)
        t.join();
    BOOST_TEST(good == threads * calls);
}

BOOST_AUTO_TEST_CASE(a_handler_that_is_cancelled_gives_up_its_own_call)
{
    calling_scene at;
    partner p(at.s);
    const auto id = p.call(ask_back{1, "?"});
    const seen asked = p.expect("called");
    p.words().cancel(id);
    BOOST_TEST(p.expect("cancelled").id == asked.id);
    p.words().reply_error(asked.id, errc::cancelled);
    p.call(add{1, 1});
    p.expect("replied");
    BOOST_TEST(p.words().calls_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_handler_takes_a_stream_of_its_peer)
{
    calling_scene at;
    partner p(at.s);
    p.call(sum_ticks{100});
    const seen asked = p.expect("called");
    for (std::int32_t i = 1; i <= 50; ++i)
        p.item(asked.id, flow::reply, i);
    p.end_stream(asked.id);
    const seen e = p.next();
    BOOST_TEST(e.what == "replied");
    BOOST_TEST(e.as<std::int32_t>() == 50 * 51 / 2);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_dropped_is_cancelled_at_its_peer)
{
    calling_scene at;
    partner p(at.s);
    p.call(sum_ticks{3});
    const seen asked = p.expect("called");
    for (std::int32_t i = 1; i <= 10; ++i)
        p.item(asked.id, flow::reply, i);
    seen e = p.next(), other = p.next();
    if (e.what == "cancelled")
        std::swap(e, other);
    BOOST_TEST(e.as<std::int32_t>() == 6);
    BOOST_TEST(other.what == "cancelled");
    BOOST_TEST(other.id == asked.id);
}

BOOST_AUTO_TEST_CASE(a_handler_uploads_to_its_peer_as_far_as_its_window_goes)
{
    calling_scene at;
    conversation_limits limits;
    limits.stream_window_bytes = 16u << 10;
    partner p(at.s, limits);
    p.call(send_chunks{500});
    const seen asked = p.expect("called");
    std::uint64_t items = 0;
    for (seen e = p.next(); e.what == "item"; e = p.next())
        items += e.as<std::string>().size() == 1000;
    BOOST_TEST(items == 500u);
    p.reply(asked.id, items);
    BOOST_TEST(p.expect("replied").as<std::uint64_t>() == 500u);
}
