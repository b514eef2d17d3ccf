// A client whose daemon knows older versions of the classes: calls that are refused for it go out
// again, uploads wait, and nothing is lost when the connection is.
#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>
#include <wharf/detail/step_down.hpp>

#include "client_fixture.hpp"
#include "fake_daemon.hpp"

#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace client_versions {

struct save {
    using reply = std::int32_t;
    static constexpr std::string_view name = "test.save";
    std::int32_t number = 0;
    std::string note = "of version 1";
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(number);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(note);
    }
};
struct fill {
    using reply = void;
    using upload = wharf::stream_of<save>;
    static constexpr std::string_view name = "test.fill";
    std::int32_t dummy = 0;
};

} // namespace client_versions
BOOST_CLASS_VERSION(client_versions::save, 1)

using namespace client_versions;
using client_test::run;
using client_test::run_until;
using wharf::errc;
using wharf::error_code;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// The daemon knows version 0 of all classes.
template <class C>
void tell_old(fake::session& with, std::uint16_t number)
{
    const auto list = wharf::detail::classes_of(wharf::detail::types_of_command<C>);
    std::vector<std::byte> old(list.begin(), list.end());
    for (std::size_t at = 8; at < old.size(); at += 12)
        std::fill_n(old.begin() + static_cast<std::ptrdiff_t>(at), 4, std::byte{0});
    with.talk.tell_versions(number, old);
}

/// Has it a table of versions in front?
bool is_newest(std::span<const std::byte> message)
{
    return message[0] == std::byte{1};
}

struct fixture {
    /// Refuses what it does not know, as a real one does; answers the rest.
    fake::handler saving = [this](fake::session& with, const fake::request& call) {
        if (is_newest(call.message)) {
            ++refused;
            if (answers_refusals)
                with.talk.reply_error(call.id, errc::newer_version, "class save has version 1");
            return;
        }
        std::int32_t number = 0;
        wharf::load_archive in(call.message);
        in >> number;
        const std::lock_guard lock(mutex);
        saved.push_back(number);
        with.reply(call.id, number);
    };
    fake::handler filling = [this](fake::session&, const fake::request&) { ++filled; };
    fake::daemon::options how{
        .on_open = {},
        .on_accept = {},
        .limits = {},
        .on_event = [this](fake::session& with, const wharf::event& what) { on_event(with, what); },
        .on_classes =
            [this](fake::session& with, const wharf::events::declared& what) {
                if (what.name == save::name)
                    tell_old<save>(with, what.number);
                else
                    fill_number = what.number;
            }};
    void on_event(fake::session& with, const wharf::event& what)
    {
        if (const auto* item = std::get_if<wharf::events::item>(&what)) {
            is_newest(item->message) ? ++new_items : ++old_items;
            with.talk.consumed(item->id, item->which, item->message.size());
        }
        else if (const auto* ended = std::get_if<wharf::events::upload_ended>(&what))
            with.end(ended->id);
    }

    std::mutex mutex;
    std::vector<std::int32_t> saved;
    std::atomic<bool> answers_refusals{true};
    std::atomic<int> refused{0}, filled{0}, new_items{0}, old_items{0};
    std::atomic<std::uint16_t> fill_number{0};
    fake::directory directory;
    fake::daemon daemon{directory.socket(),
                        {{std::string(save::name), saving}, {std::string(fill::name), filling}},
                        how};
    asio::io_context context;
    wharf::client client{context, daemon.endpoint()};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(row_60_refused_calls_go_out_again_in_order_and_once, fixture)
{
    std::vector<std::int32_t> answers;
    int errors = 0;
    for (std::int32_t i = 0; i < 10; ++i)
        client.async_call(save{i, "x"}, [&](error_code ec, std::int32_t answer) {
            errors += ec ? 1 : 0;
            answers.push_back(answer);
        });
    context.run();
    const std::vector<std::int32_t> expected{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    BOOST_TEST(errors == 0);
    BOOST_TEST(refused == 10);
    BOOST_TEST(answers == expected, boost::test_tools::per_element());
    BOOST_TEST(saved == expected, boost::test_tools::per_element());
    // The connection knows by now.
    client.async_call(save{10, "x"}, [&](error_code ec, std::int32_t) { errors += ec ? 1 : 0; });
    context.restart();
    context.run();
    BOOST_TEST(errors == 0);
    BOOST_TEST(refused == 10);
    BOOST_TEST(saved.size() == 11u);
}

BOOST_FIXTURE_TEST_CASE(a_blocking_client_does_the_same, fixture)
{
    wharf::blocking_client blocking(daemon.endpoint());
    BOOST_TEST(blocking.call(save{3, "x"}) == 3);
    BOOST_TEST(blocking.call(save{4, "x"}) == 4);
    BOOST_TEST(refused == 1);
}

BOOST_FIXTURE_TEST_CASE(a_call_whose_refusal_is_lost_with_the_connection_is_sent_on_the_next,
                        fixture)
{
    answers_refusals = false;
    error_code code;
    std::int32_t answer = 0;
    bool done = false;
    client.async_call(save{5, "x"}, [&](error_code ec, std::int32_t value) {
        code = ec;
        answer = value;
        done = true;
    });
    BOOST_REQUIRE(run_until(context, [&] { return refused == 1; }));
    // The versions have left; the refusal never does.
    bool has_left = false;
    while (!has_left)
        daemon.run([&](auto& sessions) { has_left = sessions.at(0)->talk.unsent().empty(); });
    answers_refusals = true;
    daemon.close_connections();
    BOOST_REQUIRE(run_until(context, [&] { return done; }));
    BOOST_TEST(!code, code.message());
    BOOST_TEST(answer == 5);
    BOOST_TEST(daemon.accepted() == 2);
}

BOOST_FIXTURE_TEST_CASE(an_upload_waits_for_the_versions_and_leaves_at_the_older_one, fixture)
{
    run(context, [&]() -> asio::awaitable<void> {
        const fill command;
        auto stream = client.stream(command);
        const save item{1, "x"};
        bool is_sent = false;
        stream.async_send(item, [&](error_code ec) { is_sent = !ec; });
        // Another call, there and back: the daemon has had time to see an item.
        const save other{2, "x"};
        co_await client.async_call(other);
        BOOST_TEST(filled == 1);
        BOOST_TEST((new_items + old_items) == 0);
        BOOST_TEST(!is_sent);
        daemon.run([&](auto& sessions) { tell_old<fill>(*sessions.at(0), fill_number); });
        const save next{3, "x"};
        // The first send must be over before the next one begins.
        asio::steady_timer again(co_await asio::this_coro::executor);
        while (!is_sent) {
            again.expires_after(1ms);
            co_await again.async_wait(asio::use_awaitable);
        }
        co_await stream.async_send(next);
        stream.end_upload();
        co_await stream.async_result();
    }());
    BOOST_TEST(old_items == 2);
    BOOST_TEST(new_items == 0);
}

BOOST_FIXTURE_TEST_CASE(a_call_that_is_withdrawn_meanwhile_is_not_sent_again, fixture)
{
    answers_refusals = false;
    error_code code;
    client.async_call(save{5, "x"}, {.timeout = 200ms},
                      [&](error_code ec, std::int32_t) { code = ec; });
    context.run();
    BOOST_TEST((code == errc::deadline_exceeded), code.message());
    BOOST_TEST(refused == 1);
    BOOST_TEST(saved.empty());
}
