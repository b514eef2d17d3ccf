// Peers that dribble, that do not read, and that send much while they read: nobody else notices.
#include "session_support.hpp"

#include <condition_variable>
#include <fstream>
#include <thread>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHARF_TEST_SANITIZED
#endif

using namespace wharf;
using namespace wharf::test;

namespace {

std::size_t resident_bytes()
{
    std::size_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// How long 1 of 100 calls takes at least.
std::chrono::nanoseconds slowest_of_hundred(peer& p)
{
    std::vector<std::chrono::nanoseconds> took(3000);
    for (auto& t : took) {
        const auto begun = clock::now();
        BOOST_REQUIRE(p.ask(add{20, 22}).as<std::int64_t>() == 42);
        t = clock::now() - begun;
    }
    const auto place = took.begin() + static_cast<std::ptrdiff_t>(took.size() * 99 / 100);
    std::nth_element(took.begin(), place, took.end());
    return *place;
}

/// While it lives: each peer sends a byte of what it has to say every 10 ms, one after the other.
class dribble {
public:
    explicit dribble(std::vector<peer>& peers)
        : thread_([this, &peers] {
              const auto step = std::chrono::nanoseconds(10ms) / peers.size();
              auto next = clock::now();
              std::unique_lock lock(mutex_);
              for (std::size_t i = 0; !stopped_; i = (i + 1) % peers.size()) {
                  const auto left = peers[i].words().unsent();
                  // The last byte stays, so that no frame ends.
                  if (left.size() > 1 && ::send(peers[i].fd(), left.data(), 1, MSG_NOSIGNAL) == 1)
                      peers[i].words().sent(1);
                  next += step;
                  changed_.wait_until(lock, next);
              }
          })
    {}
    ~dribble()
    {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }
    dribble(const dribble&) = delete;
    dribble& operator=(const dribble&) = delete;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopped_ = false;
    std::thread thread_;
};

} // namespace

// Row 41: a byte per 10 ms on each of a hundred sessions costs the others nothing.
BOOST_AUTO_TEST_CASE(row_41_a_hundred_sessions_that_dribble_do_not_hold_up_another)
{
    scene at;
    std::vector<peer> slow;
    for (int i = 0; i < 100; ++i) {
        slow.emplace_back(at.where());
        slow.back().send(echo{std::string(300, 's')}, false);
    }
    // A busy machine delays a call by itself: of some pairs, measured one after the other, one must
    // find the two alike.
    bool is_alike = false;
    std::chrono::nanoseconds quiet{}, beside{};
    for (int tries = 0; tries < 20 && !is_alike; ++tries) {
        quiet = slowest_of_hundred(*at.healthy);
        const dribble bytes(slow);
        beside = slowest_of_hundred(*at.healthy);
        is_alike = beside <= 2 * quiet;
    }
    BOOST_TEST(is_alike,
               "p99 " << quiet.count() << " ns alone, " << beside.count() << " ns beside");
    // All hundred are whole sessions: what is left of their frames gets them their answers.
    BOOST_TEST(at.s.status().sessions == 101u);
    for (peer& p : slow) {
        p.flush();
        BOOST_REQUIRE(p.expect().as<std::string>().size() == 300u);
    }
}

// Row 82: a peer that asks and does not read holds little, harms nobody and is closed.
BOOST_AUTO_TEST_CASE(row_82_a_stalled_reader_is_closed_at_the_send_timeout)
{
    const captured_log log;
    server_options o = open_options();
    o.send_timeout = 100ms;
    scene at(o);
    peer p(at.where());
    [[maybe_unused]] const std::size_t before = resident_bytes();
    for (int i = 0; i < 200; ++i)
        p.send(fill{1 << 20}, false);
    p.flush();
    [[maybe_unused]] std::size_t most = 0;
    BOOST_TEST(eventually([&] {
        most = std::max(most, resident_bytes());
        return at.s.status().sessions == 1;
    }));
#ifndef WHARF_TEST_SANITIZED // which keep what was freed
    BOOST_TEST(most < before + (16u << 20));
#endif
    BOOST_TEST(log.says("errc=slow_reader"));
    // Back-pressure: far from all calls were taken, as their replies had no place to go.
    BOOST_TEST(at.s.status().calls < 100u);
    at.check_healthy();
}

// Row 82: errors need no room and so could pile up; the queue's limit ends that.
BOOST_AUTO_TEST_CASE(row_82_a_send_queue_over_its_limit_closes_the_session)
{
    server_options o = open_options();
    o.send_queue_bytes_max = 16u << 10;
    o.conversation.message_bytes_max = 16u << 10;
    o.conversation.calls_in_flight_max = 20000;
    const captured_log log;
    gated_scene at(o);
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    at.s.adopt(ends[0], "test");
    peer p{owned_fd(ends[1])};
    constexpr std::size_t calls = 5000;
    for (std::size_t i = 0; i < calls; ++i)
        p.send(poke{1}, false);
    p.flush();
    BOOST_REQUIRE(eventually([&] { return at.door->waiting() == calls; }));
    at.door->open(); // 5 MB of errors at once
    BOOST_TEST(eventually([&] { return at.s.status().sessions == 0; }));
    p.wait_for_end();
    BOOST_TEST(p.answers_waiting() < calls);
    BOOST_TEST(log.says("errc=slow_reader"));
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_slow_but_reads_gets_everything)
{
    scene at;
    peer p(at.where());
    int small = 64 << 10;
    ::setsockopt(p.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 30; ++i)
        p.send(fill{1 << 20}, false);
    p.flush();
    for (int i = 0; i < 30; ++i)
        BOOST_REQUIRE(p.expect().as<std::string>().size() == 1u << 20);
}

// Row 38: both ends send 64 MiB at once, and neither waits for the other for ever.
BOOST_AUTO_TEST_CASE(row_38_both_sides_sending_much_do_not_wait_for_each_other)
{
    scene at;
    peer p(at.where());
    p.open();
    const std::string mebibyte(1 << 20, 'm');
    constexpr int calls = 64;
    for (int i = 0; i < calls; ++i)
        p.send(echo{mebibyte}, false);
    int answered = 0;
    while (answered < calls) {
        p.exchange_once();
        for (; p.answers_waiting() != 0; ++answered)
            BOOST_REQUIRE(p.expect().as<std::string>().size() == mebibyte.size());
    }
    BOOST_TEST(answered == calls);
}

BOOST_AUTO_TEST_CASE(a_session_whose_calls_hold_its_memory_is_not_read_from_until_one_is_answered)
{
    server_options o = open_options();
    o.session_memory_bytes_max = 1u << 20;
    gated_scene here(o);
    peer client(here.s.endpoints().at(0));
    const echo_late big{std::string(300u << 10, 'b')};
    constexpr std::size_t calls = 12;
    for (std::size_t i = 0; i < calls; ++i)
        client.send(big, false);
    // Four hold more than the limit, so a fifth is not begun: the rest waits in the sockets, or
    // here.
    BOOST_REQUIRE(eventually([&] {
        const auto bytes = client.words().unsent();
        const ssize_t n = bytes.empty() ? 0
                                        : ::send(client.fd(), bytes.data(), bytes.size(),
                                                 MSG_NOSIGNAL | MSG_DONTWAIT);
        client.words().sent(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        return here.door->waiting() == 4;
    }));
    BOOST_TEST(here.s.status().calls == 4u);
    here.door->open();
    while (client.answers_waiting() < calls)
        client.exchange_once();
    for (std::size_t i = 0; i < calls; ++i)
        BOOST_TEST(client.expect().as<std::string>().size() == big.text.size());
}

BOOST_AUTO_TEST_CASE(a_call_that_finds_no_memory_left_is_overloaded_and_others_go_on)
{
    server_options o = open_options();
    o.calls_memory_bytes_max = 1u << 20;
    gated_scene here(o);
    peer first(here.s.endpoints().at(0)), second(here.s.endpoints().at(0));
    const echo_late big{std::string(700u << 10, 'b')};
    first.send(big);
    BOOST_REQUIRE(eventually([&] { return here.door->waiting() == 1; }));
    const answer refused = second.ask(big);
    BOOST_TEST((refused.failed == errc::overloaded));
    BOOST_TEST((refused.retry_after > 0ms));
    here.door->open();
    BOOST_TEST(first.expect().as<std::string>().size() == big.text.size());
    // What the answered call held is there again.
    BOOST_TEST(second.ask(big).as<std::string>().size() == big.text.size());
}

BOOST_AUTO_TEST_CASE(replies_that_wait_for_a_reader_are_bounded_by_the_memory_of_all_calls)
{
    server_options o = open_options();
    o.calls_memory_bytes_max = 4u << 20;
    gated_scene here(o);
    peer client(here.s.endpoints().at(0));
    constexpr std::size_t calls = 40;
    for (std::size_t i = 0; i < calls; ++i)
        client.send(fill{1u << 20}, i + 1 == calls);
    BOOST_REQUIRE(eventually([&] { return here.door->waiting() == calls; }));
    here.door->open();
    std::size_t answered = 0, overloaded = 0;
    for (std::size_t i = 0; i < calls; ++i) {
        const answer a = client.expect();
        answered += !a.failed;
        overloaded += a.failed == errc::overloaded;
    }
    BOOST_TEST(answered + overloaded == calls);
    BOOST_TEST(answered >= 4u);
    BOOST_TEST(overloaded > 0u);
    BOOST_TEST(client.ask(fill{10}).as<std::string>() == std::string(10, 'x'));
}
