// Peers that stall, dribble or break every rule, all at once: the server's memory stays bounded,
// and the others are served.
#include "commands.hpp"
#include "crowd.hpp"
#include "daemon_process.hpp"

#include <wharf/client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using wharf::error_code;

namespace {

constexpr std::uint64_t mebibyte = 1u << 20;

// The limits that the server is given, and what follows from them.
constexpr std::uint64_t send_queue = 64u << 10;
constexpr std::uint64_t reassembly = 256u << 10;
constexpr std::uint64_t message_max = 512u << 10;
constexpr std::uint64_t socket_buffers = 32u << 10;

/// For all send queues and calls together: less than the crowd asks for by far, enough for each to
/// fill its own queue.
std::uint64_t calls_memory()
{
    return stress::scaled(32, 224) * mebibyte;
}

stress::crowd_size size_of_crowd()
{
    return stress::is_full() ? stress::crowd_size{1000, 1000, 100}
                             : stress::crowd_size{100, 100, 20};
}

std::vector<std::string> limits()
{
    return {"threads=2",
            "send_queue=" + std::to_string(send_queue),
            "calls_memory=" + std::to_string(calls_memory()),
            "session_memory=262144",
            "reassembly=" + std::to_string(reassembly),
            "message=" + std::to_string(message_max),
            "frame_timeout_ms=2000",
            "handshake_timeout_ms=2000",
            "send_timeout_ms=20000",
            "socket_buffers=" + std::to_string(socket_buffers)};
}

/// A session itself, and what it has received and not taken yet.
constexpr std::uint64_t bytes_of_session = 24u << 10;

/// A socket that nobody reads from holds its send buffer, which the kernel makes twice as large as
/// it is told, and the peer's receive buffer is not ours; one that is not read by us holds its
/// receive buffer too. Unix sockets have the system's size. The others are next to empty.
std::uint64_t sockets_max(const stress::crowd_size& size)
{
    std::uint64_t of_system = 0;
    std::ifstream("/proc/sys/net/core/wmem_default") >> of_system;
    const std::uint64_t full = std::max(2 * (socket_buffers + socket_buffers), of_system);
    return std::uint64_t(size.stalled + size.hostile) * full +
           std::uint64_t(size.dribbling) * (16u << 10);
}

/// What one run of the clients that behave came to.
struct throughput {
    double per_second = 0;
    /// Of the time that the server, the crowd and the clients took together.
    double per_processor_second = 0;
    /// Other programs took more than a fifth of the machine: only the second figure tells much.
    bool is_disturbed = false;
};

double ratio_of(const throughput& amid, const throughput& alone)
{
    return amid.is_disturbed || alone.is_disturbed
               ? amid.per_processor_second / alone.per_processor_second
               : amid.per_second / alone.per_second;
}

/// Clients that behave: so many calls in flight for so long; how many were answered, and the most
/// that the server said its sockets held.
class healthy_clients {
public:
    healthy_clients(const std::vector<wharf::endpoint>& where, pid_t server) : server_(server)
    {
        for (const wharf::endpoint& each : where)
            clients_.push_back(std::make_unique<wharf::client>(context_, to_string(each)));
    }

    throughput run(std::chrono::milliseconds time)
    {
        const double ours_before = our_time(), all_before = stress::processor_time_of_all();
        answered_ = 0;
        is_over_ = false;
        asio::steady_timer end(context_, time);
        end.async_wait([this](error_code) { is_over_ = true; });
        for (const auto& each : clients_)
            for (int i = 0; i != 32; ++i)
                call(*each);
        ask_levels();
        const auto begin = stress::clock::now();
        context_.restart();
        context_.run();
        throughput got;
        const double wall = std::chrono::duration<double>(stress::clock::now() - begin).count();
        const double ours = our_time() - ours_before;
        got.per_second = double(answered_) / wall;
        got.per_processor_second = double(answered_) / std::max(ours, 0.01);
        const double others = stress::processor_time_of_all() - all_before - ours;
        got.is_disturbed = others > 0.2 * wall * std::thread::hardware_concurrency();
        return got;
    }
    const stress::complaints& wrong() const { return wrong_; }
    const stress::levels& worst() const { return worst_; }

private:
    double our_time() const
    {
        return stress::processor_time(server_) + stress::processor_time(::getpid());
    }
    void call(wharf::client& through)
    {
        const std::uint64_t token = ++last_token_;
        through.async_call(stress::ask{token, "healthy"},
                           [this, &through, token](error_code failed, const stress::answer& got) {
                               if (failed || got.value != stress::mix(token))
                                   wrong_.add(failed ? failed.message() : "another's reply");
                               ++answered_;
                               if (!is_over_)
                                   call(through);
                           });
    }
    /// Again after a pause: it looks at thousands of descriptors, which takes the server
    /// milliseconds.
    void ask_levels()
    {
        asked_ = stress::clock::now();
        clients_[0]->async_call(
            stress::ask_levels{}, [this](error_code failed, const stress::levels& now) {
                if (failed)
                    wrong_.add(failed.message());
                worst_.sessions = std::max(worst_.sessions, now.sessions);
                worst_.socket_memory = std::max(worst_.socket_memory, now.socket_memory);
                worst_.calls = now.calls;
                worst_.sessions_total = now.sessions_total;
                wait_and_ask();
            });
    }
    void wait_and_ask()
    {
        pause_.expires_at(asked_ + 200ms);
        pause_.async_wait([this](error_code) {
            if (!is_over_)
                ask_levels();
        });
    }

    const pid_t server_;
    asio::io_context context_;
    asio::steady_timer pause_{context_};
    std::vector<std::unique_ptr<wharf::client>> clients_;
    std::uint64_t answered_ = 0, last_token_ = 0;
    bool is_over_ = false;
    stress::clock::time_point asked_;
    stress::complaints wrong_;
    stress::levels worst_;
};

std::string described(const throughput& one)
{
    return std::to_string(std::lround(one.per_second)) + " calls/s (" +
           std::to_string(std::lround(one.per_processor_second)) + " of a processor's" +
           (one.is_disturbed ? ", disturbed)" : ")");
}

} // namespace

BOOST_AUTO_TEST_CASE(a_hostile_crowd_is_held_within_the_limits_and_the_others_are_served)
{
    const stress::crowd_size size = size_of_crowd();
    const auto peers = std::uint64_t(size.stalled + size.dribbling + size.hostile);
    const auto time = stress::scaled(400ms, 2000ms);
    stress::daemon_process daemon(limits());
    healthy_clients healthy(daemon.endpoints(), daemon.pid());
    healthy.run(100ms); // connects, and warms up
    const std::uint64_t resident_before = stress::resident_now(daemon.pid());

    // Other programs take their part of the machine too: alone and amid the crowd by turns.
    std::vector<double> ratios;
    std::string figures;
    stress::crowd::counts did;
    for (int round = 0; round != 3; ++round) {
        const throughput alone = healthy.run(time);
        stress::crowd crowd(daemon.endpoints(), size);
        BOOST_REQUIRE(crowd.is_complete(stress::patience));
        healthy.run(300ms); // until those that stall have all that they may get
        const throughput amid = healthy.run(time);
        ratios.push_back(ratio_of(amid, alone));
        figures += described(alone) + " alone, " + described(amid) + " amid the crowd; ";
        const stress::crowd::counts now = crowd.so_far();
        did.connected += now.connected, did.closed += now.closed, did.written += now.written;
    }
    const std::uint64_t resident = stress::resident_peak(daemon.pid());
    std::sort(ratios.begin(), ratios.end());
    const double ratio = stress::is_full() ? ratios[1] : ratios[2];

    const stress::levels& worst = healthy.worst();
    BOOST_TEST_MESSAGE(figures << "resident " << resident_before / mebibyte << " MiB, at most "
                               << resident / mebibyte << " MiB; sockets at most "
                               << worst.socket_memory / mebibyte << " MiB; sessions "
                               << worst.sessions << "; the crowd connected " << did.connected
                               << " times, was closed " << did.closed << " times, wrote "
                               << did.written / 1024 << " KiB");
    BOOST_TEST(healthy.wrong().count() == 0, healthy.wrong().first());
    // It was there, and it did harm.
    BOOST_TEST(worst.sessions > std::uint64_t(size.stalled + size.dribbling));
    BOOST_TEST(did.closed > std::uint64_t(size.hostile));
    BOOST_TEST(ratio >= 0.5);
    BOOST_TEST(worst.socket_memory <= sockets_max(size));
    if (!stress::is_instrumented)
        BOOST_TEST(resident <= resident_before + calls_memory() + peers * bytes_of_session);
    BOOST_TEST(daemon.stop() == 0);
}
