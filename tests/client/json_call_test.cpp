// Calls in JSON: every form of handler answers them, and errors say where and what was expected.
#include "client_fixture.hpp"

#include <wharf/client.hpp>
#include <wharf/json_call.hpp>
#include <wharf/server.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace client_test;
using wharf::awaitable;
using wharf::errc;
using wharf::json_text;

namespace {

struct item {
    std::string name;
    double price = 1.5;
    bool operator==(const item&) const = default;
};
struct order {
    using reply = std::map<std::string, double>;
    static constexpr std::string_view name = "shop.order";
    std::vector<item> items;
    std::optional<std::string> note;
    std::uint32_t copies = 2;
};
struct wait_for {
    using reply = std::string;
    static constexpr std::string_view name = "shop.wait_for";
    std::string text;
};
struct hold {
    using reply = void;
    static constexpr std::string_view name = "shop.hold";
    std::uint64_t number = 0;
};
struct count_to {
    using reply = wharf::stream_of<item>;
    static constexpr std::string_view name = "shop.count_to";
    std::uint32_t count = 0;
};
struct sum {
    using upload = wharf::stream_of<item>;
    using reply = double;
    static constexpr std::string_view name = "shop.sum";
    bool operator==(const sum&) const = default;
};
/// Its serialize() branches on a value, so that nobody knows what its bytes mean.
struct riddle {
    using reply = std::string;
    static constexpr std::string_view name = "shop.riddle";
    bool is_long = false;
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& is_long;
        if (is_long)
            ar& text;
    }
};

struct misnamed {
    using reply = void;
    static constexpr std::string_view name = "shop.order+json";
    std::uint32_t number = 0;
};

struct shop {
    void serve(wharf::router& commands)
    {
        commands.on<order>([](const order& c) {
            std::map<std::string, double> prices;
            for (const item& each : c.items)
                prices[each.name] += each.price * c.copies;
            return prices;
        });
        commands.on<wait_for>([](wait_for c) -> awaitable<std::string> { co_return c.text; });
        commands.on<hold>(wharf::blocking, [](const hold&) {});
        commands.on<count_to>([](count_to c, wharf::sink<item>& out) -> awaitable<void> {
            for (std::uint32_t i = 0; i < c.count; ++i) {
                const item each{std::to_string(i), 0.5 * i};
                co_await out.async_send(each);
            }
        });
        commands.on<sum>([](sum, wharf::source<item>& in) -> awaitable<double> {
            double total = 0;
            for (;;) {
                const std::optional<item> each = co_await in.async_next();
                if (!each)
                    co_return total;
                total += each->price;
            }
        });
        commands.on<riddle>([](const riddle& c) { return c.text; });
    }
};

wharf::server_options options(bool json)
{
    wharf::server_options o;
    wharf::listener_options l;
    l.name = "tcp";
    l.where = wharf::tcp_endpoint{"127.0.0.1", 0};
    l.json = json;
    o.listeners.push_back(l);
    o.roles.push_back({"customer", {"shop.*"}});
    o.allow.push_back({"*", "anonymous", "*", "customer"});
    o.threads = 1;
    return o;
}

struct scene {
    wharf::server serving;
    boost::asio::io_context context;
    std::optional<wharf::client> client;

    explicit scene(bool json = true) : serving(options(json))
    {
        serving.serve(shop{});
        serving.start();
        client.emplace(context, to_string(serving.endpoints().at(0)));
    }

    std::string call(std::string_view command, std::string_view argument)
    {
        json_text reply;
        run(context, [&]() -> awaitable<void> {
            auto pending = wharf::async_call_json(*client, command, argument);
            reply = co_await std::move(pending);
        }());
        return reply.text;
    }
    /// The code of what failed, with the text in `text`.
    errc failure(std::string_view command, std::string_view argument)
    {
        try {
            call(command, argument);
        }
        catch (const wharf::error& e) {
            text = e.text();
            return e.code();
        }
        return errc{};
    }
    std::string text;
};

} // namespace

BOOST_AUTO_TEST_SUITE(json_call)

BOOST_AUTO_TEST_CASE(every_form_of_handler_answers)
{
    scene at;
    BOOST_TEST(at.call("shop.order", R"({"items": [{"name": "tea", "price": 2}], "copies": 3})") ==
               R"({"tea": 6})");
    BOOST_TEST(at.call("shop.wait_for", R"({"text": "caf\u00e9"})") == "\"caf\xc3\xa9\"");
    BOOST_TEST(at.call("shop.hold", "{}") == "null");
}

BOOST_AUTO_TEST_CASE(what_is_missing_has_its_default)
{
    scene at;
    BOOST_TEST(at.call("shop.order", R"({"items": [{"name": "tea"}]})") == R"({"tea": 0})");
    BOOST_TEST(at.call("shop.order", "{}") == "{}");
    BOOST_TEST(at.call("shop.order", R"({"items": [{"name": "tea", "price": 4}]})") ==
               R"({"tea": 8})");
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_named_and_the_connection_goes_on)
{
    scene at;
    BOOST_CHECK(at.failure("shop.order", R"({"items": [{"price": "much"}]})") == errc::bad_json);
    BOOST_TEST(at.text.find("items[0].price") != std::string::npos, at.text);
    BOOST_CHECK(at.failure("shop.order", R"({"itmes": []})") == errc::bad_json);
    BOOST_TEST(at.text.find("items") != std::string::npos, at.text);
    BOOST_CHECK(at.failure("shop.order", "{") == errc::bad_json);
    BOOST_CHECK(at.failure("shop.order", R"({"copies": -1})") == errc::bad_json);
    BOOST_CHECK(at.failure("shop.sell", "{}") == errc::unknown_command);
    BOOST_CHECK(at.failure("bank.order", "{}") == errc::permission_denied);
    BOOST_TEST(at.call("shop.order", "{}") == "{}");
    BOOST_TEST(at.serving.status().sessions_total == 1u);
}

BOOST_AUTO_TEST_CASE(a_command_without_a_schema_says_why)
{
    scene at;
    BOOST_CHECK(at.failure("shop.riddle", "{}") == errc::unsupported_json);
    BOOST_TEST(at.text.find("its argument has no schema") != std::string::npos, at.text);
}

BOOST_AUTO_TEST_CASE(a_listener_may_refuse_it)
{
    scene at(false);
    BOOST_CHECK(at.failure("shop.order", "{}") == errc::unsupported_json);
    run(at.context, [&]() -> awaitable<void> {
        const wait_for what{"typed"};
        BOOST_TEST(co_await at.client->async_call(what) == "typed");
    }());
}

BOOST_AUTO_TEST_CASE(items_stream_to_the_caller)
{
    scene at;
    std::vector<std::string> items;
    run(at.context, [&]() -> awaitable<void> {
        wharf::json_stream talk(*at.client, "shop.count_to", R"({"count": 3})");
        for (;;) {
            const std::optional<json_text> next = co_await talk.async_next();
            if (!next)
                break;
            items.push_back(next->text);
        }
    }());
    const std::vector<std::string> expected{R"({"name": "0", "price": 0})",
                                            R"({"name": "1", "price": 0.5})",
                                            R"({"name": "2", "price": 1})"};
    BOOST_TEST(items == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(items_stream_from_the_caller)
{
    scene at;
    run(at.context, [&]() -> awaitable<void> {
        wharf::json_stream talk(*at.client, "shop.sum", "{}");
        for (int i = 1; i <= 4; ++i) {
            const json_text each{R"({"name": "x", "price": )" + std::to_string(i) + "}"};
            co_await talk.async_send(each);
        }
        talk.end_upload();
        const json_text total = co_await talk.async_result();
        BOOST_TEST(total.text == "10");
    }());
}

BOOST_AUTO_TEST_CASE(an_item_that_does_not_fit_fails_its_call_alone)
{
    scene at;
    run(at.context, [&]() -> awaitable<void> {
        wharf::json_stream talk(*at.client, "shop.sum", "{}");
        const json_text wrong{R"({"name": "x", "prize": 1})"};
        co_await talk.async_send(wrong);
        talk.end_upload();
        errc failed{};
        try {
            co_await talk.async_result();
        }
        catch (const wharf::error& e) {
            failed = e.code();
        }
        BOOST_CHECK(failed == errc::bad_json);
    }());
    BOOST_TEST(at.call("shop.order", "{}") == "{}");
    BOOST_TEST(at.serving.status().sessions_total == 1u);
}

BOOST_AUTO_TEST_CASE(a_name_may_not_look_like_a_call_in_json)
{
    wharf::router commands;
    BOOST_CHECK_THROW(commands.on<misnamed>([](const misnamed&) {}), wharf::error);
}

BOOST_AUTO_TEST_SUITE_END()
