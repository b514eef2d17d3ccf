// g++ 12 destroys an aggregate temporary in a co_await expression twice. The spellings that the
// client offers for a co_await must destroy every command exactly once.
#include <wharf/client.hpp>

#include "../client/fake_daemon.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/serialization/nvp.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

int alive = 0;
int made = 0;

/// Counts its constructions and destructions.
struct counted {
    counted() { ++alive, ++made; }
    counted(const counted&) { ++alive, ++made; }
    counted& operator=(const counted&) = default;
    ~counted() { --alive; }
};

/// An aggregate with a string that is too long to be in place: a second destruction corrupts
/// memory.
struct remember {
    using reply = std::string;
    static constexpr std::string_view name = "test.remember";
    std::string text;
    counted count{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(text);
    }
};
static_assert(std::is_aggregate_v<remember>);

const std::string long_text(100, 'x');

template <class F>
void run_with_client(F body)
{
    fake::directory directory;
    fake::daemon daemon(directory.socket(),
                        {{std::string(remember::name), [](fake::session& with, const auto& call) {
                              with.reply(call.id, long_text);
                          }}});
    asio::io_context context;
    wharf::client client(context, daemon.endpoint());
    std::exception_ptr failure;
    asio::co_spawn(context, body(client), [&](std::exception_ptr e) { failure = e; });
    alive = made = 0;
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    BOOST_TEST(made > 0);
    BOOST_TEST(alive == 0);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_named_command_is_destroyed_once)
{
    run_with_client([](wharf::client& client) -> asio::awaitable<void> {
        const remember command{long_text};
        BOOST_TEST(co_await client.async_call(command) == long_text);
        BOOST_TEST(co_await client.async_call(command, {.timeout = 2s}) == long_text);
        BOOST_TEST(alive == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_command_made_in_place_is_destroyed_once)
{
    run_with_client([](wharf::client& client) -> asio::awaitable<void> {
        BOOST_TEST(co_await client.async_call<remember>(long_text) == long_text);
        BOOST_TEST(alive == 0);
        BOOST_TEST(made == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_named_command_with_another_awaitable_token_is_destroyed_once)
{
    run_with_client([](wharf::client& client) -> asio::awaitable<void> {
        const remember command{long_text};
        const auto [ec, reply] =
            co_await client.async_call(command, asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(!ec);
        BOOST_TEST(reply == long_text);
        BOOST_TEST(alive == 1);
    });
}
