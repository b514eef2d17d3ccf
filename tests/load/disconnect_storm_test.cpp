// Hundreds of peers die in the middle of their calls, on either side: every session ends once,
// after its handlers, and every call of a client ends once.
#include "hostile_bytes.hpp"
#include "run_until.hpp"
#include "sockets.hpp"
#include "storm_service.hpp"

#include <wharf/client.hpp>
#include <wharf/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace asio = boost::asio;
using wharf::errc;
using wharf::error_code;

namespace {

constexpr int wave = 50;
const int waves = stress::scaled(stress::is_instrumented ? 6 : 20, 20);
// Of a wave, these occupy a thread each.
constexpr int blocking_of_wave = 5;

struct fixture {
    stress::scratch directory;
    stress::storm_service service;
    wharf::server server{options()};

    fixture()
    {
        server.serve(service);
        server.start();
    }
    ~fixture()
    {
        service.release();
        server.stop();
    }
    wharf::server_options options() const
    {
        wharf::server_options o = stress::open_options(directory / "socket", 2);
        o.blocking_threads = blocking_of_wave;
        return o;
    }
    /// unix, TCP, unix, ...
    wharf::endpoint where(int i) const
    {
        return server.endpoints()[static_cast<std::size_t>(i) % 2];
    }
    void expect_order()
    {
        BOOST_TEST(service.ledger().wrong.count() == 0, service.ledger().wrong.first());
    }
};

/// A greeting and one call of each form; the one that blocks only where it is wanted.
std::string calls_of_every_form(bool blocks)
{
    using namespace stress;
    std::string out = bytes::greeting();
    std::uint16_t number = 0;
    const auto add = [&](const auto& command) {
        out += bytes::declaration(number, command.name);
        out += bytes::frame(bytes::call, stress::message_of(command), 0, number, number + 1u);
        ++number;
    };
    add(hold{});
    add(call_back{});
    add(upload_all{});
    add(download{1u << 30, 8u << 10});
    add(ask{7, std::string(60000, 'p')});
    if (blocks)
        add(block{});
    return out;
}
constexpr int forms = 5;

void send_all(int fd, const std::string& bytes)
{
    // Unix sockets of connect_now() do not block, and take this much.
    BOOST_REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(bytes.size()));
}

/// How a peer dies: by a reset, in order, within a frame, or first for one direction.
void die(stress::socket_fd peer, int how)
{
    if (how % 4 == 0)
        stress::reset_on_close(peer.get());
    else if (how % 4 == 2)
        send_all(peer.get(), "half");
    else if (how % 4 == 3)
        ::shutdown(peer.get(), SHUT_WR);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(disconnect_storm, fixture)

BOOST_AUTO_TEST_CASE(peers_die_while_handlers_of_every_form_are_under_way)
{
    stress::session_ledger& noted = service.ledger();
    const std::string calls = calls_of_every_form(false);
    const std::string calls_that_block = calls_of_every_form(true);
    int peers_all = 0, calls_all = 0;
    for (int n = 0; n != waves; ++n) {
        std::vector<stress::socket_fd> peers;
        // In the first wave handlers block: they outlive their peers. Later ones end at once.
        const int blocking = n == 0 ? blocking_of_wave : 0;
        for (int i = 0; i != wave; ++i) {
            peers.push_back(stress::connect_now(where(i)));
            BOOST_REQUIRE(bool(peers.back()));
            send_all(peers.back().get(), i < blocking ? calls_that_block : calls);
        }
        calls_all += wave * forms + blocking;
        BOOST_REQUIRE(noted.under_way.reaches(calls_all));
        for (int i = 0; i != wave; ++i)
            die(std::move(peers[static_cast<std::size_t>(i)]), i / 2);
        peers_all += wave;
        BOOST_REQUIRE(noted.closes.reaches(peers_all - blocking));
        service.release();
        BOOST_REQUIRE(noted.closes.reaches(peers_all));
    }
    BOOST_TEST(noted.opens.value() == peers_all);
    BOOST_TEST(noted.closes.value() == peers_all);
    BOOST_TEST(noted.over.value() == calls_all);
    server.stop();
    BOOST_TEST(server.status().sessions == 0);
    expect_order();
}

namespace {

/// A client with calls of every form under way; each must end once.
class victim {
public:
    victim(asio::io_context& context, const std::string& where, stress::complaints& wrong)
        : client_(context, where, options()), wrong_(wrong)
    {
        using namespace stress;
        client_.serve(*this);
        down_.emplace(client_.stream(download{1u << 30, 1000}));
        up_.emplace(client_.stream(upload_all{}));
        client_.async_call(hold{}, [this](error_code failed) { end(0, failed); });
        client_.async_call(call_back{}, [this](error_code failed) { end(1, failed); });
        up_->async_result([this](error_code failed, const received&) { end(2, failed); });
        receive();
    }
    /// What the server's call_back asks for: it ends with the connection.
    void serve(wharf::router& commands)
    {
        commands.on<stress::hold>(
            [this](stress::hold, wharf::call& current) { return wait_for_end(current); });
    }
    void ask_for_kick()
    {
        client_.async_call(stress::kick{}, [this](error_code failed) { end(4, failed); });
    }
    void close() { client_.close(); }
    /// How many of its calls have ended.
    int ended() const { return ended_; }
    /// Has every call begun, so far as this end can see?
    bool is_busy() const { return items_ > 2 && serving_ == 1; }
    int serving() const { return serving_; }
    wharf::client& client() { return client_; }

private:
    static wharf::client_options options()
    {
        wharf::client_options o;
        o.timeout = stress::patience;
        return o;
    }
    wharf::awaitable<void> wait_for_end(wharf::call& current)
    {
        ++serving_;
        asio::steady_timer never(current.get_executor(), stress::clock::time_point::max());
        error_code ended;
        co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        --serving_;
    }
    void receive()
    {
        down_->async_next([this](error_code failed, const std::optional<stress::chunk>& next) {
            if (failed)
                return end(3, failed);
            if (!next)
                wrong_.add("a stream without end has ended");
            ++items_;
            receive();
        });
    }
    void end(std::size_t which, error_code failed)
    {
        if (ends_[which]++ != 0)
            wrong_.add("a call ended twice");
        ++ended_;
        // The answer to the kick itself may leave before the kick.
        const bool is_answered = which == 4 && !failed;
        if (!is_answered && failed != errc::outcome_unknown)
            wrong_.add("call " + std::to_string(which) + " ended with: " + failed.message());
    }

    wharf::client client_;
    stress::complaints& wrong_;
    std::optional<wharf::stream<stress::download>> down_;
    std::optional<wharf::stream<stress::upload_all>> up_;
    std::array<int, 5> ends_{};
    int ended_ = 0, items_ = 0, serving_ = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(the_server_closes_sessions_in_the_middle_of_their_calls)
{
    stress::session_ledger& noted = service.ledger();
    stress::complaints wrong;
    int all = 0;
    for (int n = 0; n != waves; ++n) {
        asio::io_context context;
        std::vector<std::unique_ptr<victim>> victims;
        for (int i = 0; i != wave; ++i)
            victims.push_back(std::make_unique<victim>(context, to_string(where(i)), wrong));
        all += wave;
        BOOST_REQUIRE(stress::run_until(context, [&] {
            return std::all_of(victims.begin(), victims.end(),
                               [](const auto& each) { return each->is_busy(); });
        }));
        for (const auto& each : victims)
            each->ask_for_kick();
        BOOST_REQUIRE(stress::run_until(context, [&] {
            return std::all_of(victims.begin(), victims.end(), [](const auto& each) {
                return each->ended() == 5 && each->serving() == 0;
            });
        }));
        // The client is as good as new.
        int answered = 0;
        for (const auto& each : victims)
            each->client().async_call(stress::ask{7, {}},
                                      [&](error_code failed, const stress::answer& got) {
                                          if (failed || got.value != stress::mix(7))
                                              wrong.add("no answer after the kick");
                                          ++answered;
                                      });
        BOOST_REQUIRE(stress::run_until(context, [&] { return answered == wave; }));
        all += wave;
        for (const auto& each : victims)
            each->close();
        BOOST_REQUIRE(noted.closes.reaches(all));
    }
    BOOST_TEST(wrong.count() == 0, wrong.first());
    BOOST_TEST(noted.opens.value() == all);
    BOOST_TEST(noted.closes.value() == all);
    // Six handlers for each client: what was under way when the session ended is never repeated.
    BOOST_TEST(noted.under_way.value() == waves * wave * 6);
    BOOST_TEST(noted.over.value() == waves * wave * 6);
    expect_order();
}

BOOST_AUTO_TEST_SUITE_END()
