// The client around connections that are not there yet, end, or refuse.
#include <wharf/client.hpp>

#include "client_fixture.hpp"
#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;
using wharf::errc;
using wharf::error_code;

namespace {

std::pair<std::string, fake::handler> doubling()
{
    return fake::on<twice>([](const twice& c) { return c.number * 2; });
}

struct fixture {
    fake::directory directory;
    const wharf::endpoint where = directory.socket();
    asio::io_context context;

    struct result {
        error_code code;
        std::string text;
        std::int64_t value = 0;
        bool done = false;
    };
    /// Calls `twice` and runs until the context has nothing to do.
    result call(wharf::client& client, std::int64_t n, wharf::call_options how = {})
    {
        result r;
        how.diagnostics = &r.text;
        client.async_call(twice{n}, how, [&](error_code ec, std::int64_t value) {
            r.code = ec;
            r.value = value;
            r.done = true;
        });
        context.restart();
        context.run();
        BOOST_TEST(r.done);
        return r;
    }
    /// Lets time pass, as a program does between its calls.
    void idle(std::chrono::milliseconds time)
    {
        asio::steady_timer timer(context, time);
        timer.async_wait([](error_code) {});
        context.restart();
        context.run();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reconnect_suite, fixture)

// Row 25: the client is there before its daemon.
BOOST_AUTO_TEST_CASE(row_25_a_call_waits_for_a_daemon_that_starts_later)
{
    wharf::client client(context, to_string(where), {.reconnect_delay_max = 200ms});
    std::int64_t got = 0;
    clock_type::time_point replied{};
    client.async_call(twice{21}, [&](error_code ec, std::int64_t n) {
        BOOST_TEST(!ec);
        got = n;
        replied = clock_type::now();
    });
    context.run_for(500ms);
    BOOST_TEST(got == 0);
    fake::daemon daemon(where, {doubling()});
    const auto ready = clock_type::now();
    context.run();
    BOOST_TEST(got == 42);
    BOOST_TEST((replied - ready <= 200ms + 150ms)); // one step, and what a busy machine adds
}

BOOST_AUTO_TEST_CASE(a_deadline_that_passes_without_a_daemon_names_endpoint_and_reason)
{
    wharf::client client(context, to_string(where));
    const auto before = clock_type::now();
    const auto r = call(client, 1, {.timeout = 200ms});
    BOOST_TEST(r.code == errc::deadline_exceeded);
    BOOST_TEST(r.text.find(to_string(where)) != std::string::npos, r.text);
    BOOST_TEST(r.text.find(std::string(to_sentence(errc::connection_refused))) != std::string::npos,
               r.text);
    const auto took = clock_type::now() - before;
    BOOST_TEST((took >= 200ms && took < 1s));
}

// Row 7: what is wrong with an endpoint has a code of its own, and takes no longer than the
// deadline.
BOOST_AUTO_TEST_CASE(row_7_without_waiting_the_connect_error_is_the_calls)
{
    const wharf::client_options at_once{.wait_for_ready = false};
    asio::ip::tcp::acceptor closed(context, {asio::ip::address_v4::loopback(), 0});
    const std::string port = std::to_string(closed.local_endpoint().port());
    closed.close();
    wharf::client refused(context, "127.0.0.1:" + port, at_once);
    const auto r = call(refused, 1);
    BOOST_TEST(r.code == errc::connection_refused);
    BOOST_TEST(r.text.find("127.0.0.1:" + port) != std::string::npos, r.text);

    wharf::client absent(context, to_string(where), at_once);
    BOOST_TEST(call(absent, 1).code == errc::connection_refused);

    wharf::client unknown(context, "no-such-host.invalid:7040", at_once);
    const auto before = clock_type::now();
    const auto u = call(unknown, 1, {.timeout = 2s});
    BOOST_TEST(
        (u.code == errc::host_not_found || u.code == errc::deadline_exceeded)); // no resolver
    BOOST_TEST((clock_type::now() - before < 2s + 500ms));
}

BOOST_AUTO_TEST_CASE(row_7_a_host_that_does_not_answer_costs_the_deadline_and_no_more)
{
    // A listener whose queue is full: the kernel leaves further connects unanswered.
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    BOOST_REQUIRE(::listen(fd, 0) == 0);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    std::vector<int> fill;
    for (int i = 0; i != 4; ++i) {
        fill.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        [[maybe_unused]] int in_progress =
            ::connect(fill.back(), reinterpret_cast<sockaddr*>(&address), length);
    }
    wharf::client client(context, "127.0.0.1:" + std::to_string(ntohs(address.sin_port)),
                         {.wait_for_ready = false});
    const auto before = clock_type::now();
    const auto r = call(client, 1, {.timeout = 200ms});
    const auto took = clock_type::now() - before;
    BOOST_TEST(r.code == errc::deadline_exceeded);
    BOOST_TEST((took >= 200ms && took < 1s));
    for (const int each : fill)
        ::close(each);
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_bad_endpoint_is_refused_by_the_constructor)
{
    const auto is_bad = [](const wharf::error& e) { return e.code() == errc::bad_endpoint; };
    BOOST_CHECK_EXCEPTION(wharf::client(context, "udp:1.2.3.4:5"), wharf::error, is_bad);
    BOOST_CHECK_EXCEPTION(wharf::client(context, "nonsense"), wharf::error, is_bad);
}

BOOST_AUTO_TEST_CASE(the_environment_names_the_endpoint_when_the_program_does_not)
{
    fake::daemon daemon(where, {doubling()});
    ::setenv("WHARF_ENDPOINT", daemon.endpoint().c_str(), 1);
    wharf::client client(context);
    ::unsetenv("WHARF_ENDPOINT");
    BOOST_TEST(call(client, 4).value == 8);
}

BOOST_AUTO_TEST_CASE(a_connection_lost_after_the_call_was_sent_leaves_the_outcome_unknown)
{
    int calls = 0;
    fake::daemon daemon(where,
                        {{std::string(twice::name), [&](fake::session& with, const fake::request&) {
                              ++calls;
                              with.close();
                          }}});
    wharf::client client(context, daemon.endpoint());
    const auto r = call(client, 1);
    BOOST_TEST(r.code == errc::outcome_unknown);
    BOOST_TEST(r.text.find(daemon.endpoint()) != std::string::npos, r.text);
    daemon.stop();
    BOOST_TEST(calls == 1); // never repeated silently
}

// Where short calls overtake what is left of a long one, those behind them have not left either: it
// is no reason for doubt.
BOOST_AUTO_TEST_CASE(a_call_behind_a_queue_that_was_sent_in_part_goes_out_on_the_next_connection)
{
    wharf::client client(context, to_string(where));
    error_code of_first, of_last = wharf::make_error_code(errc::internal);
    std::int64_t value = 0;
    const auto send = [&](std::size_t bytes, error_code& into) {
        client.async_call(echo{std::string(bytes, 'x')},
                          [&into](error_code ec, std::string) { into = ec; });
    };
    error_code ignored;
    send(270000, of_first); // more than the socket takes
    {
        // It completes the handshake and then does not read.
        auto listener = wharf::open_listener(context.get_executor(), where);
        wharf::transport peer(context);
        error_code ec;
        BOOST_REQUIRE(client_test::run_until(
            context, [&] { return peer.is_open() || !listener.accept(peer, ec); }));
        wharf::conversation talk(wharf::side::server, {}, "busy", clock_type::now());
        peer.write_some(asio::buffer(talk.unsent().data(), talk.unsent().size()));
        BOOST_REQUIRE(client_test::run_until(context, [&] { return peer.available() > 10000; }));
        for (int i = 0; i != 3; ++i)
            send(62000, ignored);
        client.async_call(twice{3}, [&](error_code e, std::int64_t n) {
            of_last = e;
            value = n;
        });
        context.restart();
        context.poll();
        // It reads until a little more has been sent: the rest of a frame, and short calls.
        const std::size_t taken = peer.available();
        std::vector<std::byte> room(8192);
        for (std::size_t read = 0; read + peer.available() <= taken;) {
            read += peer.read_some(asio::buffer(room));
            context.restart();
            context.poll();
        }
    }
    fake::daemon daemon(where, {doubling()});
    BOOST_TEST(client_test::run_until(context, [&] { return of_first && value != 0; }));
    BOOST_TEST(of_first == errc::outcome_unknown);
    BOOST_TEST(!of_last);
    BOOST_TEST(value == 6);
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_was_restarted_between_calls_is_not_noticed)
{
    wharf::client client(context, to_string(where));
    for (int i = 0; i != 3; ++i) {
        fake::daemon daemon(where, {doubling()});
        BOOST_TEST(call(client, i).value == 2 * i);
        BOOST_TEST(call(client, i + 1).value == 2 * i + 2);
        BOOST_TEST(daemon.accepted() == 1);
        daemon.stop();
        idle(5ms);
    }
}

// Over TCP the first write after the peer's end succeeds: only looking first tells.
BOOST_AUTO_TEST_CASE(a_tcp_connection_that_ended_between_calls_is_replaced)
{
    fake::daemon daemon(wharf::tcp_endpoint{"127.0.0.1", 0}, {doubling()});
    wharf::client client(context, daemon.endpoint());
    for (int i = 0; i != 3; ++i) {
        BOOST_TEST(call(client, i).value == 2 * i);
        daemon.close_connections();
        idle(5ms);
    }
    BOOST_TEST(daemon.accepted() == 3);
}

BOOST_AUTO_TEST_CASE(calls_that_the_daemon_did_not_accept_go_out_on_the_next_connection)
{
    std::atomic<int> leaving{0};
    fake::daemon daemon(
        where, {{std::string(twice::name), [&](fake::session& with, const fake::request& c) {
                     if (leaving++ == 0)
                         with.talk.go_away(errc::going_away, "a restart");
                     with.reply(c.id, std::int64_t(7));
                 }}});
    wharf::client client(context, daemon.endpoint());
    int replies = 0;
    for (int i = 0; i != 20; ++i)
        client.async_call(twice{i}, [&](error_code ec, std::int64_t n) {
            BOOST_TEST(!ec);
            replies += n == 7;
        });
    context.run();
    BOOST_TEST(replies == 20);
    BOOST_TEST(leaving == 20); // each was handled once
    BOOST_TEST(daemon.accepted() == 2);
}

BOOST_AUTO_TEST_CASE(a_refused_handshake_fails_the_calls_with_the_daemons_words)
{
    fake::daemon daemon(where, {doubling()},
                        {.on_open =
                             [](fake::session& with) {
                                 with.talk.go_away(errc::permission_denied,
                                                   "no allow line fits uid 7");
                             },
                         .on_accept = {},
                         .limits = {}});
    wharf::client client(context, daemon.endpoint());
    const auto before = clock_type::now();
    for (int i = 0; i != 5; ++i) {
        const auto r = call(client, 1);
        BOOST_TEST(r.code == errc::permission_denied);
        BOOST_TEST(r.text == "no allow line fits uid 7");
    }
    BOOST_TEST(daemon.accepted() == 5);
    // The pauses of four failures: a client that hammers would need a millisecond.
    BOOST_TEST((clock_type::now() - before >= 10ms));
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_no_daemon_is_an_error_at_once)
{
    fake::daemon daemon(where, {doubling()},
                        {.on_open = {},
                         .on_accept =
                             [](fake::session& with) {
                                 const std::string_view text = "HTTP/1.1 400 Bad Request\r\n\r\n";
                                 with.talk.output().clear();
                                 with.stream.write_some(asio::buffer(text));
                                 with.stream.shutdown(wharf::transport::shutdown_send);
                             },
                         .limits = {}});
    wharf::client client(context, daemon.endpoint());
    const auto r = call(client, 1);
    BOOST_TEST(r.code == errc::bad_protocol);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_accepts_and_says_nothing_costs_the_deadline)
{
    asio::io_context nobody;
    auto silent = wharf::open_listener(nobody.get_executor(), where);
    wharf::client client(context, to_string(where));
    const auto r = call(client, 1, {.timeout = 100ms});
    BOOST_TEST(r.code == errc::deadline_exceeded);
}

BOOST_AUTO_TEST_CASE(a_cancelled_call_stops_the_connecting)
{
    wharf::client client(context, to_string(where));
    asio::cancellation_signal stop;
    error_code got;
    client.async_call(twice{1}, asio::bind_cancellation_slot(
                                    stop.slot(), [&](error_code ec, std::int64_t) { got = ec; }));
    context.run_for(100ms);
    BOOST_TEST(!got);
    stop.emit(asio::cancellation_type::terminal);
    const auto before = clock_type::now();
    context.run(); // ends: nothing is left that would connect
    BOOST_TEST(got == errc::cancelled);
    BOOST_TEST((clock_type::now() - before < 1s));
    fake::daemon daemon(where, {doubling()});
    BOOST_TEST(call(client, 2).value == 4);
}

BOOST_AUTO_TEST_SUITE_END()
