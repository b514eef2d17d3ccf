// The forms that a handler may have, and commands that are decoded into the object of the call
// before.
#include "stream_support.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <tuple>

using namespace wharf;
using namespace wharf::test;

namespace {

/// A reply that nobody copies.
struct give_unique {
    using reply = std::unique_ptr<std::string>;
    static constexpr std::string_view name = "test.unique";
    std::unique_ptr<std::string> text;
};

/// A plain struct: its members are overwritten by every load.
struct plain {
    using reply = std::string;
    static constexpr std::string_view name = "test.plain";
    std::string text;
    std::vector<std::vector<std::string>> rows;
    std::optional<std::int32_t> number;
};
/// A class of the user that asks for it.
struct opted_in {
    using reply = std::string;
    static constexpr std::string_view name = "test.opted";
    static constexpr bool reuse_arguments = true;
    std::string text;
    std::vector<std::int64_t> numbers;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text& numbers;
    }
};
/// It does not visit all of its members.
struct partial {
    std::string kept;
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
};
struct with_partial {
    using reply = std::string;
    static constexpr std::string_view name = "test.partial";
    std::vector<partial> parts;
};
struct partial_command {
    using reply = std::string;
    static constexpr std::string_view name = "test.partial_command";
    std::string kept, text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
};

/// A reply that knows whether it was copied.
struct counted {
    counted() = default;
    counted(const counted& other) : text(other.text) { ++copies; }
    counted& operator=(const counted&) = delete;
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
    }
    static inline int copies = 0;
};
struct give_part {
    using reply = counted;
    static constexpr std::string_view name = "test.part";
    counted part;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& part;
    }
};

struct up {
    using reply = std::int64_t;
    using upload = stream_of<std::int64_t>;
    static constexpr std::string_view name = "test.up";
};
struct down {
    using reply = stream_of<std::int64_t>;
    static constexpr std::string_view name = "test.down";
};
struct both {
    using reply = stream_of<std::int64_t>;
    using upload = stream_of<std::int64_t>;
    static constexpr std::string_view name = "test.both";
};

/// Answers on a slot of its own, as sessions do.
template <class C>
std::string answer(const router& commands, const C& command, const limits& bounds = {})
{
    struct slot final : detail::reply_slot {
        explicit slot(const limits& l) : own(l) {}
        const limits& bounds() const noexcept override { return own; }
        byte_buffer& open() override { return bytes; }
        limits own;
        byte_buffer bytes;
    };
    const std::shared_ptr<detail::session_core> session = std::make_shared<no_session>();
    call current(session, session->facts(), 7, call::time_point::max());
    const detail::command_entry* entry = commands.find(C::name);
    slot to(bounds);
    const byte_buffer bytes = encode(command);
    entry->answer(entry->handler.get(), bytes.view(), current, to);
    return decode<std::string>(to.bytes.view());
}

template <class C>
std::int64_t sum_of_stream(memory_link& link)
{
    std::int64_t sum = 0;
    const bool done = link.run([&]() -> awaitable<void> {
        auto s = link.stream(C{});
        if constexpr (streams_upload<C>) {
            for (std::int64_t i = 1; i < 4; ++i)
                co_await s.async_send(i);
            s.end_upload();
        }
        if constexpr (streams_reply<C>)
            while (const auto item = co_await s.async_next())
                sum += *item;
        else
            sum = co_await s.async_result();
    });
    BOOST_TEST(done);
    return sum;
}

awaitable<std::int64_t> sum_all(source<std::int64_t>& in)
{
    std::int64_t sum = 0;
    while (const auto item = co_await in.async_next())
        sum += *item;
    co_return sum;
}

template <class F, class C>
constexpr bool reuses = detail::reuses_command<std::decay_t<F>, C>();
template <class F>
using handler_of = std::decay_t<F>;

} // namespace

BOOST_AUTO_TEST_CASE(all_forms_without_streams_answer)
{
    const auto check = [](router& r) {
        memory_link link(r);
        std::int64_t sum = 0;
        BOOST_TEST(
            link.run([&]() -> awaitable<void> { sum = co_await link.async_call<add>(40, 2); }));
        BOOST_TEST(sum == 42);
    };
    {
        router r;
        r.on<add>([](const add& c) { return c.a + c.b; });
        check(r);
    }
    {
        router r;
        r.on<add>([](const add& c, call& current) {
            BOOST_TEST(current.id() != 0u);
            return c.a + c.b;
        });
        check(r);
    }
    {
        router r;
        r.on<add>([](add c) -> awaitable<std::int64_t> { co_return c.a + c.b; });
        check(r);
    }
    {
        router r;
        r.on<add>([](add c, call& current) -> awaitable<std::int64_t> {
            co_await asio::post(current.get_executor(), asio::use_awaitable);
            co_return c.a + c.b;
        });
        check(r);
    }
    {
        router r;
        r.on<add>(blocking, [](const add& c) { return c.a + c.b; });
        check(r);
    }
    {
        router r;
        r.on<add>(blocking, [](const add& c, call& current) {
            BOOST_TEST(!current.is_cancelled());
            return c.a + c.b;
        });
        check(r);
    }
}

BOOST_AUTO_TEST_CASE(all_forms_with_streams_answer)
{
    router r;
    r.on<up>([](up, source<std::int64_t>& in) -> awaitable<std::int64_t> {
        co_return co_await sum_all(in);
    });
    r.on<down>([](down, sink<std::int64_t>& out) -> awaitable<void> {
        co_await out.async_send(std::int64_t(4));
    });
    r.on<both>([](both, source<std::int64_t>& in, sink<std::int64_t>& out) -> awaitable<void> {
        co_await out.async_send(co_await sum_all(in));
    });
    memory_link link(r);
    BOOST_TEST(sum_of_stream<up>(link) == 6);
    BOOST_TEST(sum_of_stream<down>(link) == 4);
    BOOST_TEST(sum_of_stream<both>(link) == 6);

    router with_call;
    with_call.on<up>([](up, call& c, source<std::int64_t>& in) -> awaitable<std::int64_t> {
        co_await asio::post(c.get_executor(), asio::use_awaitable);
        co_return co_await sum_all(in);
    });
    with_call.on<down>([](down, call& c, sink<std::int64_t>& out) -> awaitable<void> {
        co_await asio::post(c.get_executor(), asio::use_awaitable);
        co_await out.async_send(std::int64_t(4));
    });
    with_call.on<both>(
        [](both, call& c, source<std::int64_t>& in, sink<std::int64_t>& out) -> awaitable<void> {
            co_await asio::post(c.get_executor(), asio::use_awaitable);
            co_await out.async_send(co_await sum_all(in));
        });
    memory_link other(with_call);
    BOOST_TEST(sum_of_stream<up>(other) == 6);
    BOOST_TEST(sum_of_stream<down>(other) == 4);
    BOOST_TEST(sum_of_stream<both>(other) == 6);
}

BOOST_AUTO_TEST_CASE(an_entry_says_what_its_handler_is)
{
    router r;
    r.on<poke>([](const poke&) {});
    r.on<down>([](down, sink<std::int64_t>&) -> awaitable<void> { co_return; });
    r.on<add>(blocking, [](const add& c) { return c.a; });
    r.on<echo>([](echo c) -> awaitable<std::string> { co_return c.text; });
    const auto* pokes = r.find(poke::name);
    BOOST_TEST((pokes->answer && !pokes->start && !pokes->is_blocking && !pokes->is_stream));
    const auto* streams = r.find(down::name);
    BOOST_TEST((!streams->answer && streams->start && streams->is_stream));
    const auto* blocks = r.find(add::name);
    BOOST_TEST((blocks->answer && !blocks->start && blocks->is_blocking));
    const auto* awaits = r.find(echo::name);
    BOOST_TEST((awaits->start && !awaits->is_stream && !awaits->is_blocking));
    std::uint32_t index = 0;
    for (const std::string& each : r.names())
        BOOST_TEST(r.find(each)->index == index++);
    BOOST_TEST(r.size() == 4u);
}

BOOST_AUTO_TEST_CASE(hooks_are_kept_in_their_order)
{
    router r;
    std::string order;
    r.on_open([&](const session_handle&) { order += "a"; });
    r.on_open([&](const session_handle&) { order += "b"; });
    r.on_close([&](const session_handle&, const error& why) { order += to_name(why.code()); });
    const std::shared_ptr<detail::session_core> core = std::make_shared<no_session>();
    const session_handle session(core);
    for (const auto& hook : r.open_hooks())
        hook(session);
    for (const auto& hook : r.close_hooks())
        hook(session, error(errc::going_away));
    BOOST_TEST(order == "abgoing_away");
}

BOOST_AUTO_TEST_CASE(a_reply_may_be_a_part_of_the_argument_and_is_not_copied)
{
    router r;
    r.on<give_part>([](const give_part& c) -> const counted& { return c.part; });
    r.on<give_unique>([](const give_unique& c) -> const std::unique_ptr<std::string>& {
        return c.text; // which cannot be copied
    });
    memory_link link(r);
    BOOST_TEST(link.run([&]() -> awaitable<void> {
        const give_unique what{std::make_unique<std::string>("one")};
        BOOST_TEST(*co_await link.async_call(what) == "one");
    }));
    std::string text;
    link.run([&]() -> awaitable<void> {
        give_part what;
        what.part.text = "by reference";
        text = (co_await link.async_call(what)).text;
    });
    BOOST_TEST(text == "by reference");
    // The client may copy what it got; the handler's side is what counts here.
    counted::copies = 0;
    const detail::command_entry& entry = *r.find(give_part::name);
    struct slot final : detail::reply_slot {
        const limits& bounds() const noexcept override { return own; }
        byte_buffer& open() override { return bytes; }
        limits own;
        byte_buffer bytes;
    };
    slot to;
    const std::shared_ptr<detail::session_core> session = std::make_shared<no_session>();
    call current(session, session->facts(), 1, call::time_point::max());
    give_part what;
    const byte_buffer bytes = encode(what);
    entry.answer(entry.handler.get(), bytes.view(), current, to);
    BOOST_TEST(counted::copies == 0);
}

BOOST_AUTO_TEST_CASE(a_handler_state_and_facts_reach_its_call)
{
    const auto core = std::make_shared<no_session>();
    core->set().id = 12;
    core->set().caller = {"alice", "unix", "user"};
    core->denied = {"test.poke"};
    router r;
    r.on<poke>([](const poke&) {});
    r.on<add>([](const add& c) { return c.a; });
    core->set().commands = &r;
    const std::shared_ptr<detail::session_core> session = core;
    std::atomic<bool> cancelled{false};
    const auto deadline = clock::now() + 1h;
    const call current(session, session->facts(), 3, deadline, &cancelled);
    BOOST_TEST(current.session_id() == 12u);
    BOOST_TEST(current.caller().name == "alice");
    BOOST_TEST((current.commands() == std::vector<std::string>{"calculator.add"}));
    BOOST_TEST(!current.is_cancelled());
    cancelled = true;
    BOOST_TEST(current.is_cancelled());
    BOOST_REQUIRE(current.options().timeout.has_value());
    BOOST_TEST((*current.options().timeout > 59min && *current.options().timeout <= 1h));
    const call late(session, session->facts(), 3, clock::now() - 1s);
    BOOST_TEST((late.options().timeout == std::chrono::nanoseconds(0)));
    const call endless(session, session->facts(), 3, call::time_point::max());
    BOOST_TEST(!endless.options().timeout.has_value());
    current.session().state<std::string>() = "kept";
    BOOST_TEST(current.session().state<std::string>() == "kept");
    BOOST_TEST(current.session().state<int>() == 0);
    current.session().close(errc::slow_reader);
    BOOST_TEST((core->closed == errc::slow_reader));
}

// ---- Commands that are decoded into the object of the call before
// ---------------------------------

BOOST_AUTO_TEST_CASE(an_object_is_used_again_where_a_load_replaces_all_of_it)
{
    const auto by_reference = [](const auto& type) {
        using C = std::decay_t<decltype(type)>;
        return [](const C&) { return std::string(); };
    };
    const auto by_value = [](const auto& type) {
        using C = std::decay_t<decltype(type)>;
        return [](C) { return std::string(); };
    };
    BOOST_TEST((reuses<decltype(by_reference(plain{})), plain>));
    BOOST_TEST((reuses<decltype(by_reference(opted_in{})), opted_in>));
    BOOST_TEST((reuses<std::string (*)(const plain&, call&), plain>));
    BOOST_TEST((reuses<std::function<std::string(const plain&)>, plain>));
    BOOST_TEST(!(reuses<decltype(by_value(plain{})), plain>));
    BOOST_TEST(!(reuses<decltype(by_reference(with_partial{})), with_partial>));
    BOOST_TEST(!(reuses<decltype(by_reference(partial_command{})), partial_command>));
    BOOST_TEST(!(reuses<decltype([](const auto&) { return std::string(); }), plain>));
    using detail::is_overwritten;
    BOOST_TEST((is_overwritten<std::map<std::string, std::vector<plain>>>));
    BOOST_TEST(!(is_overwritten<std::map<std::string, std::vector<partial>>>));
    BOOST_TEST((is_overwritten<std::array<std::pair<int, std::tuple<bool, std::string>>, 2>>));
    BOOST_TEST(!(is_overwritten<std::optional<partial>>));
    BOOST_TEST(!(is_overwritten<std::shared_ptr<std::string>>));
}

BOOST_AUTO_TEST_CASE(nothing_of_one_call_is_seen_by_the_next)
{
    router r;
    std::vector<const void*> places;
    const auto describe = [&](const plain& c) {
        places.push_back(&c);
        std::string all = c.text + "|";
        for (const auto& row : c.rows) {
            for (const auto& cell : row)
                all += cell + ",";
            all += ";";
        }
        return all + (c.number ? std::to_string(*c.number) : "none");
    };
    r.on<plain>(describe);
    r.on<opted_in>([&](const opted_in& c) {
        places.push_back(&c);
        std::string all = c.text + "|";
        for (const auto n : c.numbers)
            all += std::to_string(n) + ",";
        return all;
    });
    BOOST_TEST(answer(r, plain{"secret", {{"a", "b"}, {"c"}}, 7}) == "secret|a,b,;c,;7");
    BOOST_TEST(answer(r, plain{"", {{"x"}}, {}}) == "|x,;none");
    BOOST_TEST(answer(r, plain{}) == "|none");
    BOOST_TEST(answer(r, opted_in{"secret", {1, 2, 3}}) == "secret|1,2,3,");
    BOOST_TEST(answer(r, opted_in{"", {4}}) == "|4,");
    BOOST_TEST(answer(r, opted_in{}) == "|");
    BOOST_REQUIRE(places.size() == 6u);
    BOOST_TEST(places[0] == places[1]); // it is one object
    BOOST_TEST(places[0] == places[2]);
    BOOST_TEST(places[3] == places[5]);
    // What serialize() does not visit is fresh where nobody asked for anything else.
    r.on<with_partial>([](const with_partial& c) {
        const_cast<with_partial&>(c).parts.at(0).kept = "seen before";
        return c.parts.at(0).text;
    });
    with_partial parts;
    parts.parts.resize(1);
    answer(r, parts);
    router checks;
    checks.on<with_partial>([](const with_partial& c) { return c.parts.at(0).kept; });
    BOOST_TEST(answer(checks, parts) == "");
}

BOOST_AUTO_TEST_CASE(an_object_is_not_kept_where_it_holds_much_or_did_not_load)
{
    router r;
    std::size_t capacity = 0;
    r.on<plain>([&](const plain& c) {
        capacity = c.text.capacity();
        return std::string();
    });
    answer(r, plain{std::string(1000, 'x'), {}, {}});
    answer(r, plain{std::string(600, 'x'), {}, {}});
    BOOST_TEST(capacity == 1000u); // the memory of the call before
    answer(r, plain{std::string((1u << 20) + 1, 'x'), {}, {}});
    answer(r, plain{std::string(600 << 10, 'x'), {}, {}});
    BOOST_TEST(capacity == 600u << 10); // of its own
    answer(r, plain{std::string(400 << 10, 'x'), {}, {}});
    BOOST_TEST(capacity == 600u << 10);
    limits small;
    small.message_bytes_max = 100 << 10;
    BOOST_CHECK_THROW(answer(r, plain{std::string(500 << 10, 'x'), {}, {}}, small), error);
    answer(r, plain{std::string(400 << 10, 'x'), {}, {}});
    BOOST_TEST(capacity == 400u << 10);
}

BOOST_AUTO_TEST_CASE(a_call_within_a_call_has_an_object_of_its_own)
{
    router r;
    int depth = 0;
    r.on<plain>([&](const plain& c) {
        if (++depth == 1)
            answer(r, plain{"inner", {}, {}});
        return c.text;
    });
    BOOST_TEST(answer(r, plain{"outer", {}, {}}) == "outer");
    BOOST_TEST(depth == 2);
    r.on<opted_in>([](const opted_in& c) -> std::string {
        if (c.text.empty())
            return "again";
        throw error(errc::conflict);
    });
    BOOST_CHECK_THROW(answer(r, opted_in{"x", {}}), error);
    BOOST_TEST(answer(r, opted_in{}) == "again"); // a handler that throws gives it back
}
