// The router without sockets: names, handler forms, and what each failure answers.
#include "handler_support.hpp"

#include <boost/test/unit_test.hpp>

using namespace wharf;
using namespace wharf::test;

namespace {

struct run_result {
    bool ok = false;
    detail::call_failure failure;
    std::optional<events::failed> error;
    std::string text; ///< the client's copy of the error's text
    std::vector<std::byte> message;
};

run_result run(const router& commands, std::string_view name, std::span<const std::byte> arguments,
               const limits& bounds = {}, const conversation_limits& client_limits = {})
{
    exchange x(name, arguments, client_limits);
    const std::shared_ptr<detail::session_core> session = std::make_shared<no_session>();
    BOOST_REQUIRE(x.server.calls_in_flight() == 1);
    call current(session, session->facts(), x.id, call::time_point::max());
    detail::conversation_slot slot(x.server, x.id, bounds);
    run_result r;
    r.ok = detail::answer_call(*commands.find(name), arguments, current, slot, r.failure);
    BOOST_TEST(x.server.calls_in_flight() == 0u);
    const event e = x.answered();
    if (const auto* failed = std::get_if<events::failed>(&e)) {
        r.error = *failed;
        r.text = failed->text;
    }
    else if (const auto* ok = std::get_if<events::replied>(&e)) {
        r.message.assign(ok->message.begin(), ok->message.end());
    }
    return r;
}

template <class C>
run_result run(const router& commands, const C& command, const limits& bounds = {})
{
    const byte_buffer bytes = encode(command);
    return run(commands, C::name, bytes.view(), bounds);
}

/// A reply whose serialize() stores something and then gives up.
struct half {
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text;
        if constexpr (Archive::is_saving::value)
            throw error(errc::conflict, "half way");
    }
};
struct give_half {
    using reply = half;
    static constexpr std::string_view name = "test.half";
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
/// Answers with as many bytes as it is asked for.
struct fill {
    using reply = std::string;
    static constexpr std::string_view name = "test.fill";
    std::uint64_t bytes{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& bytes;
    }
};
struct nameless : add {
    static constexpr std::string_view name = "";
};
struct spaced : add {
    static constexpr std::string_view name = "two words";
};

} // namespace

BOOST_AUTO_TEST_CASE(both_inline_forms_answer)
{
    router r;
    r.on<add>([](const add& c) { return c.a + c.b; });
    r.on<echo>([](const echo& c, call& current) { return c.text + std::to_string(current.id()); });
    const auto sum = run(r, add{2, 3});
    BOOST_TEST(sum.ok);
    BOOST_TEST(decode<std::int64_t>(sum.message) == 5);
    const auto text = run(r, echo{"id "});
    BOOST_TEST(decode<std::string>(text.message) == "id 1");
}

BOOST_AUTO_TEST_CASE(a_handler_may_be_a_function_and_may_return_what_converts)
{
    router r;
    r.on<add>(+[](const add& c) { return static_cast<int>(c.a * c.b); });
    BOOST_TEST(decode<std::int64_t>(run(r, add{6, 7}).message) == 42);
}

BOOST_AUTO_TEST_CASE(a_void_reply_is_an_empty_message)
{
    router r;
    std::uint32_t poked = 0;
    r.on<poke>([&](const poke& c) { poked = c.how; });
    const auto done = run(r, poke{9});
    BOOST_TEST(done.ok);
    BOOST_TEST(!done.error.has_value());
    BOOST_TEST(poked == 9u);
    BOOST_TEST(done.message.empty());
}

BOOST_AUTO_TEST_CASE(a_thrown_error_answers_with_its_code_text_and_hint)
{
    router r;
    r.on<poke>([](const poke&) { throw error(errc::not_found, "no object 7", 250ms); });
    const auto failed = run(r, poke{});
    BOOST_TEST(!failed.ok);
    BOOST_REQUIRE(failed.error.has_value());
    BOOST_CHECK(failed.error->code == errc::not_found);
    BOOST_TEST(failed.text == "no object 7");
    BOOST_CHECK(failed.error->retry_after == 250ms);
    BOOST_TEST(failed.failure.cause.empty());
}

BOOST_AUTO_TEST_CASE(any_other_exception_answers_internal_and_keeps_its_text)
{
    router r;
    r.on<poke>([](const poke& c) {
        if (c.how == 1)
            throw 17;
        throw std::runtime_error("the password is hunter2");
    });
    const auto failed = run(r, poke{});
    BOOST_REQUIRE(failed.error.has_value());
    BOOST_CHECK(failed.error->code == errc::internal);
    BOOST_TEST(failed.text.empty());
    BOOST_TEST(failed.failure.cause == "the password is hunter2");
    const auto odd = run(r, poke{1});
    BOOST_CHECK(odd.error->code == errc::internal);
    BOOST_TEST(odd.failure.cause == "not a std::exception");
}

BOOST_AUTO_TEST_CASE(wrong_argument_bytes_answer_what_the_archive_says)
{
    router r;
    bool ran = false;
    r.on<echo>([&](const echo& c) {
        ran = true;
        return c.text;
    });
    byte_buffer bytes = encode(echo{"hello"});
    const auto cut = run(r, echo::name, bytes.view().first(bytes.size() - 1));
    BOOST_REQUIRE(cut.error.has_value());
    BOOST_TEST_INFO(to_name(cut.error->code));
    BOOST_CHECK(cut.error->code == errc::truncated || cut.error->code == errc::bad_length);
    BOOST_TEST(!cut.text.empty());
    bytes.append("x", 1);
    const auto more = run(r, echo::name, bytes.view());
    BOOST_REQUIRE(more.error.has_value());
    BOOST_CHECK(more.error->code == errc::trailing_data);
    limits small;
    small.message_bytes_max = 3;
    const auto large = run(r, echo{"hello"}, small);
    BOOST_REQUIRE(large.error.has_value());
    BOOST_CHECK(large.error->code == errc::message_limit);
    BOOST_TEST(!ran);
}

// Row 35: what was written of a reply is dropped where its encoding throws.
BOOST_AUTO_TEST_CASE(row_35_a_reply_that_fails_half_way_is_one_error)
{
    router r;
    r.on<give_half>([](const give_half&) { return half{std::string(1000, 'x')}; });
    const auto failed = run(r, give_half{});
    BOOST_REQUIRE(failed.error.has_value());
    BOOST_TEST_INFO(to_name(failed.error->code));
    BOOST_CHECK(failed.error->code == errc::conflict);
    BOOST_TEST(failed.text == "half way");
}

BOOST_AUTO_TEST_CASE(a_reply_that_the_caller_cannot_take_answers_message_limit)
{
    router r;
    r.on<fill>([](const fill& c) { return std::string(c.bytes, 'x'); });
    conversation_limits small;
    small.message_bytes_max = 1000;
    const byte_buffer bytes = encode(fill{2000});
    const auto failed = run(r, fill::name, bytes.view(), {}, small);
    BOOST_TEST(!failed.ok);
    BOOST_REQUIRE(failed.error.has_value());
    BOOST_CHECK(failed.error->code == errc::message_limit);
    const byte_buffer fits = encode(fill{900});
    BOOST_TEST(run(r, fill::name, fits.view(), {}, small).ok);
}

BOOST_AUTO_TEST_CASE(a_name_has_one_handler)
{
    router r;
    r.on<add>([](const add& c) { return c.a; });
    BOOST_CHECK_EXCEPTION(r.on<add>([](const add& c) { return c.b; }), error, [](const error& e) {
        return e.code() == errc::bad_argument &&
               e.text().find("calculator.add") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_name_prints_and_is_not_empty)
{
    router r;
    BOOST_CHECK_THROW(r.on<nameless>([](const nameless& c) { return c.a; }), error);
    BOOST_CHECK_THROW(r.on<spaced>([](const spaced& c) { return c.a; }), error);
    BOOST_TEST(r.names().empty());
}

BOOST_AUTO_TEST_CASE(names_are_sorted)
{
    router r;
    r.on<poke>([](const poke&) {});
    r.on<add>([](const add& c) { return c.a; });
    const std::vector<std::string> expected{"calculator.add", "test.poke"};
    BOOST_TEST(r.names() == expected, boost::test_tools::per_element());
    BOOST_TEST(r.find("calculator.sub") == nullptr);
}
