// Hooks of sessions and their state: when they run, and that each open has exactly one close.
#include "session_partner.hpp"

#include <boost/asio/detached.hpp>

#include <map>
#include <mutex>
#include <thread>

using namespace wharf;
using namespace wharf::test;

namespace {

/// What happened to sessions, in its order.
class journal {
public:
    void write(std::uint64_t session, const std::string& line)
    {
        const std::lock_guard lock(mutex_);
        lines_[session].push_back(line);
    }
    std::vector<std::string> of(std::uint64_t session)
    {
        const std::lock_guard lock(mutex_);
        return lines_[session];
    }
    /// Over all sessions.
    std::size_t count(std::string_view line)
    {
        const std::lock_guard lock(mutex_);
        std::size_t n = 0;
        for (const auto& [id, lines] : lines_)
            n += static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
        return n;
    }

private:
    std::mutex mutex_;
    std::map<std::uint64_t, std::vector<std::string>> lines_;
};

/// What the service keeps of a session.
struct visitor {
    std::shared_ptr<journal> book;
    std::uint64_t id = 0;
    int calls = 0;
    ~visitor()
    {
        if (book)
            book->write(id, "state gone");
    }
};

/// A command of the lobby's.
struct lobby_question {
    using reply = std::int32_t;
    static constexpr std::string_view name = "system.question";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct hooked_service {
    std::shared_ptr<journal> book;
    std::shared_ptr<gate> door;
    std::optional<error> refusal; ///< what the second hook throws

    void serve(router& commands)
    {
        commands.on_open([b = book](const session_handle& s) {
            s.state<visitor>().book = b;
            s.state<visitor>().id = s.id();
            b->write(s.id(), "open");
        });
        commands.on_open([r = refusal](const session_handle&) {
            if (r)
                throw *r;
        });
        commands.on_close([b = book](const session_handle& s, const error& why) {
            b->write(s.id(), "close " + std::string(to_name(why.code())) +
                                 (why.text().empty() ? "" : ": " + why.text()) + ", " +
                                 std::to_string(s.state<visitor>().calls) + " calls");
            b->write(0, "closed");
        });
        commands.on_close([](const session_handle&, const error&) {
            throw std::runtime_error("a hook's failure is its own");
        });
        commands.on<add>([b = book](const add& c, call& current) {
            ++current.session().state<visitor>().calls;
            b->write(current.session_id(), "call");
            return c.a + c.b;
        });
        commands.on<echo_late>(
            [b = book, d = door](echo_late c, call& current) -> awaitable<std::string> {
                // It does not listen to cancelling: the session waits for it.
                co_await boost::asio::this_coro::reset_cancellation_state(
                    boost::asio::disable_cancellation());
                const std::shared_ptr<void> at_end(nullptr, [b, id = current.session_id()](void*) {
                    b->write(id, "handler ended");
                });
                co_await d->pass(current.get_executor());
                co_return std::move(c.text);
            });
        commands.on<poke>([](const poke& c, call& current) {
            current.session().close(errc::permission_denied, "you poked " + std::to_string(c.how));
        });
        commands.on<lobby_question>([](const lobby_question&) { return 1; });
    }
};

struct hooked_scene {
    explicit hooked_scene(std::optional<error> refusal = {}, server_options o = open_options())
        : s(std::move(o))
    {
        s.serve(hooked_service{book, door, std::move(refusal)});
        s.start();
    }
    ~hooked_scene() { door->open(); }
    /// After so many sessions have been closed: what happened to the one of this id.
    std::vector<std::string> after_close(std::uint64_t id, std::size_t closed = 1)
    {
        BOOST_REQUIRE(eventually([&] { return book->of(0).size() >= closed; }));
        BOOST_REQUIRE(eventually([&] { return s.status().sessions == 0; }));
        return book->of(id);
    }
    std::shared_ptr<journal> book = std::make_shared<journal>();
    std::shared_ptr<gate> door = std::make_shared<gate>();
    server s;
};

using lines = std::vector<std::string>;

void check_equal(const lines& found, const lines& expected)
{
    BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), expected.begin(), expected.end());
}

} // namespace

// Row 80: opened before the first call, closed once after the last handler, with the reason.
BOOST_AUTO_TEST_CASE(row_80_hooks_run_before_the_first_call_and_after_the_last)
{
    hooked_scene at;
    {
        partner p(at.s);
        p.call(add{1, 2});
        p.expect("replied");
        p.call(add{1, 2});
        p.expect("replied");
        p.half_close();
        p.expect("end");
    }
    check_equal(at.after_close(1),
                {"open", "call", "call", "close connection_closed, 2 calls", "state gone"});
}

// Row 80: the same after an abrupt reset, which handlers outlive.
BOOST_AUTO_TEST_CASE(row_80_a_reset_closes_after_the_last_handler_has_ended)
{
    for (const int family : {AF_INET, AF_UNIX}) {
        hooked_scene at;
        partner p(at.s, {}, family);
        p.call(echo_late{"x"});
        p.flush();
        BOOST_REQUIRE(eventually([&] { return at.door->waiting() == 1; }));
        p.reset();
        BOOST_REQUIRE(eventually([&] { return at.s.status().calls == 1; }));
        BOOST_TEST(at.book->of(0).empty());
        at.door->open();
        const lines all = at.after_close(1);
        BOOST_REQUIRE(all.size() == 4u);
        BOOST_TEST(all[0] == "open");
        BOOST_TEST(all[1] == "handler ended");
        BOOST_TEST(all[2].starts_with("close connection_"));
        BOOST_TEST(all[3] == "state gone");
    }
}

BOOST_AUTO_TEST_CASE(row_80_a_breach_of_the_protocol_and_a_close_by_the_handler_say_so)
{
    hooked_scene at;
    partner broken(at.s);
    send_all(broken.fd(), std::string(100, '\xff'));
    broken.expect("going_away");
    broken.reset();
    BOOST_REQUIRE(eventually([&] { return at.book->of(0).size() == 1; }));
    BOOST_TEST(at.book->of(1).at(1).starts_with("close frame_limit"));

    partner closed(at.s);
    closed.call(poke{3});
    const seen e = closed.expect("replied");
    BOOST_TEST(e.message.empty());
    const seen away = closed.expect("going_away");
    BOOST_TEST((away.code == errc::permission_denied));
    BOOST_TEST(away.text == "you poked 3");
    closed.reset();
    check_equal(at.after_close(2, 2),
                {"open", "close permission_denied: you poked 3, 0 calls", "state gone"});
}

BOOST_AUTO_TEST_CASE(row_80_a_stop_closes_every_session)
{
    hooked_scene at;
    std::vector<std::unique_ptr<partner>> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(std::make_unique<partner>(at.s));
        all.back()->call(add{1, 1});
        all.back()->expect("replied");
    }
    std::thread stopping([&] { at.s.stop(); });
    for (auto& p : all) {
        p->expect("going_away");
        p->half_close();
    }
    stopping.join();
    BOOST_TEST(at.book->count("open") == 20u);
    BOOST_TEST(at.book->of(0).size() == 20u);
    BOOST_TEST(at.book->count("state gone") == 20u);
}

// A handler that never ends holds up neither the stop for good nor the close of its session.
BOOST_AUTO_TEST_CASE(row_80_a_stop_that_leaves_a_handler_behind_closes_its_session_all_the_same)
{
    server_options o = open_options();
    o.drain_timeout = 10ms;
    const auto book = std::make_shared<journal>();
    const auto door = std::make_shared<gate>();
    std::optional<partner> p;
    {
        server s(o);
        s.serve(hooked_service{book, door, {}});
        s.start();
        p.emplace(s);
        p->call(echo_late{"x"});
        p->flush();
        BOOST_REQUIRE(eventually([&] { return door->waiting() == 1; }));
    }
    BOOST_TEST(book->of(0).size() == 1u);
    BOOST_TEST(book->count("state gone") == 1u);
}

BOOST_AUTO_TEST_CASE(a_hook_that_throws_refuses_the_session_and_says_why)
{
    hooked_scene at(error(errc::overloaded, "not today"));
    partner p(at.s);
    p.call(add{1, 2});
    const seen away = p.expect("going_away");
    BOOST_TEST((away.code == errc::overloaded));
    BOOST_TEST(away.text == "not today");
    p.reset();
    // The hook before it opened the session, which is closed for it; no call was taken.
    check_equal(at.after_close(1), {"open", "close overloaded: not today, 0 calls", "state gone"});
}

BOOST_AUTO_TEST_CASE(a_session_that_the_first_hook_refuses_was_never_open)
{
    int closed = 0;
    struct refusing {
        int* closed;
        void serve(router& commands)
        {
            commands.on_open([](const session_handle&) { throw std::runtime_error("secret"); });
            commands.on_close([c = closed](const session_handle&, const error&) { ++*c; });
        }
    };
    {
        server s(open_options());
        s.serve(refusing{&closed});
        s.start();
        partner p(s);
        const seen away = p.expect("going_away");
        BOOST_TEST((away.code == errc::internal));
        BOOST_TEST(away.text.empty());
    }
    BOOST_TEST(closed == 0);
}

// A peer that only listens is opened too, and may be called.
BOOST_AUTO_TEST_CASE(a_hook_calls_a_peer_that_says_nothing)
{
    struct greeting {
        void serve(router& commands)
        {
            commands.on_open([](session_handle s) {
                const add what{40, 2};
                s.async_call(what, [](error_code, std::int64_t) {});
            });
        }
    };
    server s(open_options());
    s.serve(greeting{});
    s.start();
    partner p(s);
    const seen asked = p.expect("called");
    BOOST_TEST(asked.as<add>().a == 40);
    p.reply(asked.id, std::int64_t(42));
}

// The session may change its thread on the way; its user does not see it.
BOOST_AUTO_TEST_CASE(a_session_that_only_asked_the_system_is_opened_and_closed_once)
{
    hooked_scene at;
    {
        partner p(at.s);
        p.call(lobby_question{});
        p.expect("replied");
    }
    check_equal(at.after_close(1), {"open", "close connection_closed, 0 calls", "state gone"});
    {
        partner p(at.s);
        for (int i = 0; i < 10; ++i)
            p.call(lobby_question{});
        p.call(add{1, 1});
        p.call(lobby_question{});
        for (int i = 0; i < 12; ++i)
            p.expect("replied");
    }
    check_equal(at.after_close(2, 2),
                {"open", "call", "close connection_closed, 1 calls", "state gone"});
}
