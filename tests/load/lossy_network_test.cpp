// A network that loses packets, is cut and comes back: what was acknowledged happened once, and
// every call ends by its deadline.
#include "network.hpp"
#include "support.hpp"

#include <wharf/aggregate.hpp>
#include <wharf/archive.hpp>
#include <wharf/client.hpp>
#include <wharf/command.hpp>
#include <wharf/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using wharf::errc;
using wharf::error_code;

namespace {

/// Each call of the test has a key of its own.
struct put {
    using reply = void;
    static constexpr std::string_view name = "lossy.put";
    std::uint64_t key = 0;
    std::string value;
};

/// Adds one, and replies what it is then.
struct count {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "lossy.count";
    std::uint64_t key = 0;
};

std::string value_of(std::uint64_t key)
{
    // Now and then more than the packets of one round trip.
    return std::to_string(key) + std::string(key % 16 == 0 ? 40000 : 40, 'v');
}

/// What really happened, whoever heard of it.
class ledger {
public:
    void serve(wharf::router& commands)
    {
        commands.on<put>([this](const put& c) {
            const std::lock_guard lock(mutex_);
            ++times_[c.key];
            values_[c.key] = c.value;
        });
        commands.on<count>([this](const count& c) {
            const std::lock_guard lock(mutex_);
            ++times_[c.key];
            return ++counter_;
        });
    }
    // After the server has stopped.
    int times(std::uint64_t key) const
    {
        const auto found = times_.find(key);
        return found == times_.end() ? 0 : found->second;
    }
    bool has_value(std::uint64_t key) const
    {
        const auto found = values_.find(key);
        return found != values_.end() && found->second == value_of(key);
    }
    std::uint64_t counter() const { return counter_; }

private:
    std::mutex mutex_;
    std::map<std::uint64_t, int> times_;
    std::map<std::uint64_t, std::string> values_;
    std::uint64_t counter_ = 0;
};

/// How one call ended.
struct outcome {
    std::uint64_t key = 0;
    bool is_count = false;
    errc code{};
    std::uint64_t counted = 0;
    std::chrono::milliseconds late{}; ///< behind its deadline
};

/// Calls without a pause, several at once, each with a deadline; until it is told to stop.
class callers {
public:
    explicit callers(const std::string& where) : client_(context_, where, options()) {}

    void run()
    {
        for (int i = 0; i != 8; ++i)
            call();
        context_.run();
    }
    /// Any thread.
    void stop() { is_over_ = true; }
    const std::vector<outcome>& outcomes() const { return outcomes_; }

private:
    static wharf::client_options options()
    {
        wharf::client_options o;
        o.tcp.user_timeout = 600ms;
        o.reconnect_delay_max = 100ms;
        return o;
    }
    void call()
    {
        const std::uint64_t key = ++last_key_;
        const std::chrono::milliseconds timeout(300 + stress::mix(key) % 1000);
        const auto deadline = stress::clock::now() + timeout;
        const wharf::call_options how{.timeout = timeout};
        const auto end = [this, key, deadline](bool is_count, error_code failed,
                                               std::uint64_t counted) {
            const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(
                stress::clock::now() - deadline);
            outcomes_.push_back({key, is_count, static_cast<errc>(failed.value()), counted, late});
            if (!is_over_)
                call();
        };
        if (key % 2 == 0)
            client_.async_call(put{key, value_of(key)}, how,
                               [end](error_code failed) { end(false, failed, 0); });
        else
            client_.async_call(count{key}, how, [end](error_code failed, std::uint64_t now) {
                end(true, failed, now);
            });
    }

    asio::io_context context_;
    wharf::client client_;
    std::uint64_t last_key_ = 0;
    std::atomic<bool> is_over_{false};
    std::vector<outcome> outcomes_;
};

bool is_wanted()
{
    if (std::getenv("CI") != nullptr) {
        BOOST_TEST_MESSAGE("skipped: not in CI, which cannot rely on namespaces");
        return false;
    }
    if (const auto why = stress::why_no_network()) {
        BOOST_TEST_MESSAGE("skipped: " << *why);
        return false;
    }
    return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(what_was_acknowledged_happened_once_and_every_call_ends_by_its_deadline)
{
    if (!is_wanted())
        return;
    const stress::network net;
    wharf::server_options options = stress::open_options("", 2);
    options.listeners.erase(options.listeners.begin());
    options.listeners[0].where = wharf::tcp_endpoint{"192.0.2.1", 0};
    options.listeners[0].tcp.user_timeout = 600ms;
    ledger truth;
    wharf::server server(options);
    server.serve(truth);
    net.server.run([&] { server.start(); });

    callers calling(to_string(server.endpoints().front()));
    const auto there =
        std::async(std::launch::async, [&] { net.client.run([&] { calling.run(); }); });
    // Whatever is thrown here: the future's destructor waits.
    const struct stopper {
        callers& calling;
        ~stopper() { calling.stop(); }
    } at_the_end{calling};
    // What the network does, and for how long.
    struct phase {
        int to_server, to_client;
        std::chrono::milliseconds time;
    };
    // The third: calls arrive and are done, but nobody hears of it.
    const phase phases[] = {{0, 0, 200ms},     {10, 10, 500ms}, {0, 100, 900ms}, {0, 0, 300ms},
                            {100, 100, 900ms}, {0, 0, 300ms},   {30, 30, 600ms}};
    // Nobody counts this up: a phase lasts as long as it lasts.
    const stress::counter never;
    for (int cycle = 0; cycle != stress::scaled(1, 15); ++cycle)
        for (const phase& each : phases) {
            net.lose(each.to_server, each.to_client);
            never.reaches(1, each.time);
        }
    net.lose(0, 0);
    calling.stop();
    there.wait();
    server.stop();

    std::map<errc, int> ended;
    std::set<std::uint64_t> counted;
    std::uint64_t counts_acknowledged = 0, counts_unknown = 0;
    std::chrono::milliseconds latest{-1000};
    stress::complaints wrong;
    for (const outcome& each : calling.outcomes()) {
        ++ended[each.code];
        latest = std::max(latest, each.late);
        const std::string which = "call " + std::to_string(each.key);
        const int times = truth.times(each.key);
        if (times > 1)
            wrong.add(which + " happened twice");
        if (each.code == errc{}) {
            if (times != 1)
                wrong.add(which + " was acknowledged and did not happen");
            if (each.is_count && !counted.insert(each.counted).second)
                wrong.add(which + " was given a number that another call has");
            if (!each.is_count && !truth.has_value(each.key))
                wrong.add(which + " put something else");
            counts_acknowledged += each.is_count;
        }
        else {
            if (each.code != errc::outcome_unknown && each.code != errc::deadline_exceeded)
                wrong.add(which + ": " + std::string(to_name(each.code)));
            counts_unknown += each.is_count;
        }
    }
    for (const auto& [code, times] : ended)
        BOOST_TEST_MESSAGE((code == errc{} ? "acknowledged" : to_name(code)) << ": " << times);
    BOOST_TEST_MESSAGE("latest end behind its deadline: " << latest.count() << " ms; connections: "
                                                          << server.status().sessions_total);
    BOOST_TEST(wrong.count() == 0, wrong.first());
    BOOST_TEST(truth.counter() >= counts_acknowledged);
    BOOST_TEST(truth.counter() <= counts_acknowledged + counts_unknown);
    BOOST_TEST((latest <= (stress::is_instrumented ? 1000ms : 200ms)));
    // The network was bad, and the calls went on.
    BOOST_TEST(ended[errc::deadline_exceeded] > 0);
    BOOST_TEST(ended[errc::outcome_unknown] > 0);
    BOOST_TEST(ended[errc{}] > 100);
    BOOST_TEST(server.status().sessions_total > 1);
}
