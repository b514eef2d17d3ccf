// The one deadline of a call, each of its phases stalled, of both clients; and how a call is given
// up while it waits.
#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>

#include "client_fixture.hpp"
#include "commands.hpp"
#include "fake_daemon.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using client_test::run_until;
using clock_type = std::chrono::steady_clock;
using wharf::errc;
using wharf::error_code;

namespace {

/// Look-ups of this program hang while it is closed.
class gate {
public:
    void wait()
    {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
        --waiting_;
        changed_.notify_all();
    }
    void open()
    {
        std::unique_lock lock(mutex_);
        open_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return waiting_ == 0; });
        open_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    int waiting_ = 0;
};
gate resolver;

} // namespace

/// Stands before the system's: the resolver that is stuck.
extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**)
{
    resolver.wait();
    return EAI_AGAIN;
}

namespace {

struct result {
    errc code{};
    std::string text;
    std::chrono::nanoseconds took{};
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr auto timeout = 1500ms; // a handshake must fit into it, however slow the machine is
#else
constexpr auto timeout = 300ms;
#endif

/// A call on the asynchronous client, and then the same on the blocking one.
template <class C>
std::vector<result> call_both(const std::string& where, const C& what,
                              const wharf::client_options& options = {})
{
    std::vector<result> all(2);
    asio::io_context context;
    {
        wharf::client client(context, where, options);
        bool done = false;
        const auto before = clock_type::now();
        client.async_call(what, {.timeout = timeout, .diagnostics = &all[0].text},
                          [&](error_code ec, const auto&) {
                              all[0].code = static_cast<errc>(ec.value());
                              all[0].took = clock_type::now() - before;
                              done = true;
                          });
        BOOST_TEST(run_until(context, [&] { return done; }));
    }
    wharf::blocking_client client(where, options);
    const auto before = clock_type::now();
    try {
        client.call(what, {.timeout = timeout});
    }
    catch (const wharf::error& e) {
        all[1].code = e.code();
        all[1].text = e.text();
    }
    all[1].took = clock_type::now() - before;
    return all;
}

void check(const std::vector<result>& all, const std::string& words)
{
    for (const result& each : all) {
        BOOST_TEST(each.code == errc::deadline_exceeded);
        BOOST_TEST(each.text.find(words) != std::string::npos, each.text);
        BOOST_TEST((each.took >= timeout && each.took < timeout + 2s));
    }
}

/// A TCP listener whose queue is full: the kernel leaves further connects unanswered.
class full_listener {
public:
    full_listener()
    {
        fds_.push_back(::socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        BOOST_REQUIRE(::bind(fds_[0], reinterpret_cast<sockaddr*>(&address), length) == 0);
        BOOST_REQUIRE(::listen(fds_[0], 0) == 0);
        ::getsockname(fds_[0], reinterpret_cast<sockaddr*>(&address), &length);
        for (int i = 0; i != 4; ++i) {
            fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
            [[maybe_unused]] int in_progress =
                ::connect(fds_.back(), reinterpret_cast<sockaddr*>(&address), length);
        }
        where_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    full_listener(const full_listener&) = delete;
    ~full_listener()
    {
        for (const int each : fds_)
            ::close(each);
    }
    const std::string& where() const { return where_; }

private:
    std::vector<int> fds_;
    std::string where_;
};

/// Accepts, completes the handshake and reads no more.
class deaf_daemon {
public:
    explicit deaf_daemon(const wharf::endpoint& where)
        : listener_(wharf::open_listener(context_.get_executor(), where)),
          thread_([this] { accept(); })
    {}
    ~deaf_daemon()
    {
        asio::post(context_, [this] { listener_.close(); });
        thread_.join();
    }

private:
    void accept()
    {
        accept_next();
        context_.run();
    }
    void accept_next()
    {
        listener_.async_accept([this](error_code ec, wharf::transport peer) {
            if (ec)
                return;
            wharf::conversation talk(wharf::side::server, {}, "deaf", clock_type::now());
            peer.write_some(asio::buffer(talk.unsent().data(), talk.unsent().size()), ec);
            peers_.push_back(std::move(peer));
            accept_next();
        });
    }
    asio::io_context context_;
    wharf::transport_acceptor listener_;
    std::vector<wharf::transport> peers_;
    std::thread thread_;
};

std::size_t open_descriptors()
{
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(),
                        {fake::on<twice>([](const twice& c) { return c.number * 2; }),
                         fake::on<echo>([](const echo& c) { return c.text; }),
                         fake::hold<wait_for_ever>()}};
    std::size_t held()
    {
        std::size_t all = 0;
        daemon.run([&](auto& sessions) {
            for (auto& each : sessions)
                all += each->held.size();
        });
        return all;
    }
};

auto has(errc code)
{
    return [code](const wharf::error& e) { return e.code() == code; };
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(deadline_suite, fixture)

// Row 84: no phase of a call lasts longer than its deadline.
BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_the_resolver_is_stuck)
{
    const auto all = call_both("stuck.example:7040", twice{1});
    resolver.open();
    check(all, "no connection to stuck.example:7040");
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_connecting)
{
    const full_listener nobody;
    check(call_both(nobody.where(), twice{1}), "no connection to " + nobody.where());
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_the_handshake_is_not_answered)
{
    asio::io_context nobody;
    const auto where = directory.socket("silent");
    const auto listener = wharf::open_listener(nobody.get_executor(), where);
    check(call_both(to_string(where), twice{1}), "no connection to");
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_it_is_queued)
{
    wharf::client_options narrow;
    narrow.calls_in_flight_max = 1;
    asio::io_context context;
    wharf::client client(context, daemon.endpoint(), narrow);
    client.async_call(wait_for_ever{}, [](error_code, std::string) {});
    error_code got;
    std::string text;
    client.async_call(twice{1}, {.timeout = timeout, .diagnostics = &text},
                      [&](error_code ec, std::int64_t) { got = ec; });
    BOOST_TEST(run_until(context, [&] { return got == errc::deadline_exceeded; }));
    BOOST_TEST(text.find("not sent to") != std::string::npos, text);

    wharf::blocking_client blocking(daemon.endpoint(), narrow);
    errc first_ended{}; // Boost.Test's macros are for one thread
    std::thread first([&] {
        try {
            blocking.call(wait_for_ever{}, {.timeout = 4 * timeout});
        }
        catch (const wharf::error& e) {
            first_ended = e.code();
        }
    });
    while (held() != 2) {}
    const auto before = clock_type::now();
    BOOST_CHECK_EXCEPTION(
        blocking.call(twice{1}, {.timeout = timeout}), wharf::error,
        [&](const wharf::error& e) { return e.text().find("not sent to") != std::string::npos; });
    BOOST_TEST((clock_type::now() - before < 3 * timeout));
    first.join();
    BOOST_TEST(first_ended == errc::deadline_exceeded);
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_it_is_being_sent)
{
    const deaf_daemon deaf(directory.socket("deaf"));
    check(call_both(to_string(directory.socket("deaf")), echo{std::string(8 << 20, 'x')}),
          "did not reply in time");
}

BOOST_AUTO_TEST_CASE(row_84_a_call_ends_while_it_waits_for_its_reply)
{
    check(call_both(daemon.endpoint(), wait_for_ever{}), "did not reply in time");
}

// ---- Given up before ----------------------------------------------------------------------------

// Row 85: the blocked thread goes on within 50 ms of another's word, and the connection stays.
BOOST_AUTO_TEST_CASE(row_85_a_blocking_call_is_stopped_from_another_thread)
{
    wharf::blocking_client client(daemon.endpoint());
    auto fastest = std::chrono::nanoseconds::max(); // of some tries: the machine may be busy
    auto slowest = std::chrono::nanoseconds::min(); // one of them at least waits in the system
    for (std::size_t i = 0; i != 5; ++i) {
        std::stop_source stop;
        clock_type::time_point returned;
        errc code{};
        std::thread caller([&] {
            try {
                client.call(wait_for_ever{}, {}, stop.get_token());
            }
            catch (const wharf::error& e) {
                code = e.code();
                returned = clock_type::now();
            }
        });
        while (held() != i + 1) {}
        const auto asked = clock_type::now();
        stop.request_stop();
        caller.join();
        BOOST_TEST(code == errc::cancelled);
        fastest = std::min<std::chrono::nanoseconds>(fastest, returned - asked);
        slowest = std::max<std::chrono::nanoseconds>(slowest, returned - asked);
        BOOST_TEST(client.call(twice{4}) == 8);
    }
    BOOST_TEST((fastest <= 50ms));
    BOOST_TEST((slowest < 5s)); // not the deadline's ten
    BOOST_TEST(daemon.accepted() == 1);
}

BOOST_AUTO_TEST_CASE(row_85_a_stop_ends_the_wait_for_a_daemon_and_for_another_threads_turn)
{
    wharf::blocking_client early(to_string(directory.socket("later")));
    std::stop_source stop;
    std::vector<std::thread> callers;
    std::atomic<int> stopped{0};
    for (int i = 0; i != 3; ++i)
        callers.emplace_back([&] {
            try {
                early.call(twice{1}, {.timeout = 60s}, stop.get_token());
            }
            catch (const wharf::error& e) {
                stopped += e.code() == errc::cancelled;
            }
        });
    while (early.in_flight() != 3)
        std::this_thread::yield();
    const auto before = clock_type::now();
    stop.request_stop();
    for (auto& each : callers)
        each.join();
    BOOST_TEST(stopped == 3);
    BOOST_TEST((clock_type::now() - before < 10s));
    BOOST_CHECK_EXCEPTION(early.call(twice{1}, {}, stop.get_token()), wharf::error,
                          has(errc::cancelled)); // asked before it began
}

BOOST_AUTO_TEST_CASE(row_85_a_waiting_thread_does_other_work)
{
    wharf::blocking_client client(daemon.endpoint());
    int worked = 0;
    struct enough {};
    wharf::while_waiting meanwhile;
    meanwhile.interval = 1ms;
    meanwhile.progress = [&] {
        BOOST_TEST(client.call(twice{worked}) == 2 * worked); // the same client is free
        if (++worked == 5)
            throw enough{};
    };
    BOOST_CHECK_THROW(client.call(wait_for_ever{}, {}, meanwhile), enough);
    BOOST_TEST(worked == 5);
    BOOST_TEST(client.in_flight() == 0u);
    BOOST_TEST(daemon.accepted() == 1);
}

// Row 87: a connect that is given up holds nothing until some timeout.
BOOST_AUTO_TEST_CASE(row_87_cancelling_a_connect_closes_its_descriptor_at_once)
{
    const full_listener nobody;
    asio::io_context context;
    wharf::client client(context, nobody.where());
    asio::cancellation_signal stop;
    const auto start = [&] {
        client.async_call(
            twice{1}, asio::bind_cancellation_slot(stop.slot(), [](error_code, std::int64_t) {}));
    };
    context.poll();
    const std::size_t before = open_descriptors();
    for (int i = 0; i != 3; ++i) {
        start();
        BOOST_TEST(run_until(context, [&] { return open_descriptors() == before + 1; }));
        stop.emit(asio::cancellation_type::terminal);
        context.restart();
        context.poll();
        BOOST_TEST(open_descriptors() == before);
    }
}

// Row 88: what is under way can be asked.
BOOST_AUTO_TEST_CASE(row_88_calls_that_are_not_finished_are_counted)
{
    asio::io_context context;
    wharf::client client(context, daemon.endpoint());
    BOOST_TEST(client.in_flight() == 0u);
    asio::cancellation_signal stop;
    client.async_call(wait_for_ever{},
                      asio::bind_cancellation_slot(stop.slot(), [](error_code, std::string) {}));
    client.async_call(twice{1}, [](error_code, std::int64_t) {});
    BOOST_TEST(client.in_flight() == 2u);
    BOOST_TEST(run_until(context, [&] { return client.in_flight() == 1; }));
    stop.emit(asio::cancellation_type::terminal);
    BOOST_TEST(client.in_flight() == 0u);

    wharf::blocking_client blocking(daemon.endpoint());
    std::stop_source enough;
    errc ended{}; // Boost.Test's macros are for one thread
    std::thread caller([&] {
        try {
            blocking.call(wait_for_ever{}, {}, enough.get_token());
        }
        catch (const wharf::error& e) {
            ended = e.code();
        }
    });
    while (held() != 2) {}
    BOOST_TEST(blocking.in_flight() == 1u);
    enough.request_stop();
    caller.join();
    BOOST_TEST(ended == errc::cancelled);
    BOOST_TEST(blocking.in_flight() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
