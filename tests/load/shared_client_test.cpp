// Many threads use one client, and calls are given up at random: every reply is that of its call.
#include "commands.hpp"
#include "service.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using wharf::errc;
using wharf::error_code;

namespace {

constexpr int threads_calling = 16;
constexpr std::uint64_t calls_in_flight = 50;

/// Most messages are short; a few take several frames, so that replies are interleaved.
std::string padding_of(std::uint64_t token)
{
    const std::uint64_t which = stress::mix(token ^ 0x5bd1e995) % 512;
    if (which == 0)
        return std::string(70000 + token % 60000, 'l');
    return std::string(which % 64, 's');
}

/// Says what is wrong with a reply, or nothing.
void judge(std::uint64_t token, const stress::answer& got, stress::complaints& wrong)
{
    if (got.value != stress::mix(token) || got.padding != padding_of(token))
        wrong.add("the call with token " + std::to_string(token) + " got another's reply");
}

struct fixture {
    stress::scratch directory;
    wharf::server server{stress::open_options(directory / "socket", 2)};
    stress::service service{server};
    std::string where = "unix:" + directory / "socket";

    fixture()
    {
        server.serve(service);
        server.start();
    }
    ~fixture() { server.stop(); }
};

/// A context whose handlers run on threads of their own.
class runners {
public:
    explicit runners(int count)
    {
        for (int i = 0; i != count; ++i)
            threads_.emplace_back([this] { context_.run(); });
    }
    ~runners()
    {
        work_.reset();
        for (std::thread& each : threads_)
            each.join();
    }
    asio::io_context& context() { return context_; }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::vector<std::thread> threads_;
};

/// Runs f(thread, call number) on 16 threads, `total` calls in all, and waits for them.
template <class F>
void on_16_threads(std::uint64_t total, F f)
{
    std::vector<std::thread> threads;
    for (int t = 0; t != threads_calling; ++t)
        threads.emplace_back([=] { f(std::uint64_t(t), total / threads_calling); });
    for (std::thread& each : threads)
        each.join();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(shared_client, fixture)

BOOST_AUTO_TEST_CASE(sixteen_threads_share_one_asynchronous_client)
{
    const std::uint64_t total = stress::scaled(100'000, 1'000'000);
    stress::complaints wrong;
    std::atomic<std::uint64_t> right{0};
    {
        runners here(2);
        wharf::client client(here.context(), where);
        on_16_threads(total, [&](std::uint64_t thread, std::uint64_t calls) {
            for (std::uint64_t done = 0; done < calls;) {
                const std::uint64_t some = std::min(calls_in_flight, calls - done);
                stress::counter answered;
                for (std::uint64_t i = 0; i != some; ++i, ++done) {
                    const std::uint64_t token = thread << 32 | done;
                    const auto take = [&, token](error_code failed, const stress::answer& got) {
                        if (failed)
                            wrong.add(failed.message());
                        else
                            judge(token, got, wrong), ++right;
                        answered.add();
                    };
                    if (token % 3 == 0)
                        client.async_call(stress::ask_later{token, padding_of(token)}, take);
                    else if (token % 3 == 1)
                        client.async_call(stress::ask_blocking{token, padding_of(token)}, take);
                    else
                        client.async_call(stress::ask{token, padding_of(token)}, take);
                }
                if (!answered.reaches(std::int64_t(some)))
                    return wrong.add("a call is never answered");
            }
        });
        client.close();
    }
    BOOST_TEST(wrong.count() == 0, wrong.first());
    BOOST_TEST(right == total / threads_calling * threads_calling);
    BOOST_TEST(server.status().sessions_total == 1);
}

BOOST_AUTO_TEST_CASE(sixteen_threads_share_one_blocking_client)
{
    const std::uint64_t total = stress::scaled(100'000, 1'000'000);
    stress::complaints wrong;
    std::atomic<std::uint64_t> right{0};
    wharf::blocking_client client(where);
    on_16_threads(total, [&](std::uint64_t thread, std::uint64_t calls) {
        try {
            for (std::uint64_t i = 0; i != calls; ++i, ++right) {
                const std::uint64_t token = thread << 32 | i;
                judge(token,
                      token % 3 == 0 ? client.call(stress::ask_later{token, padding_of(token)})
                                     : client.call(stress::ask{token, padding_of(token)}),
                      wrong);
            }
        }
        catch (const wharf::error& e) {
            wrong.add(e.what());
        }
    });
    BOOST_TEST(wrong.count() == 0, wrong.first());
    BOOST_TEST(right == total / threads_calling * threads_calling);
    BOOST_TEST(server.status().sessions_total == 1);
}

namespace {

/// Pipelines calls from one thread and gives up some of them, at any moment of their lives.
class pipeline {
public:
    pipeline(const std::string& where, std::uint64_t total)
        : client_(context_, where), total_(total)
    {}

    void run()
    {
        while (started_ != in_flight_max)
            start();
        context_.run();
    }
    std::uint64_t answered() const { return answered_; }
    std::uint64_t given_up() const { return given_up_; }
    std::uint64_t chosen() const { return chosen_; }
    const stress::complaints& wrong() const { return wrong_; }
    /// After all that, on the same connection.
    bool still_answers()
    {
        bool is_right = false;
        client_.async_call(stress::ask{7, {}}, [&](error_code failed, const stress::answer& got) {
            is_right = !failed && got.value == stress::mix(7);
        });
        context_.restart();
        context_.run();
        return is_right;
    }

private:
    static constexpr std::uint64_t in_flight_max = 500;

    struct pending {
        std::uint64_t token = 0;
        asio::cancellation_signal give_up;
        bool is_chosen = false;
        bool is_over = false;
    };

    void start()
    {
        auto one = std::make_shared<pending>();
        one->token = started_++;
        auto take = asio::bind_cancellation_slot(
            one->give_up.slot(), [this, one](error_code failed, const stress::answer& got) {
                finish(*one, failed, got);
            });
        if (one->token % 3 == 0)
            client_.async_call(stress::ask_later{one->token, padding_of(one->token)}, take);
        else
            client_.async_call(stress::ask{one->token, padding_of(one->token)}, take);
        // 30 of 100, at once or some steps later: queued, sent, or being answered.
        one->is_chosen = random_() % 100 < 30;
        if (one->is_chosen) {
            ++chosen_;
            victims_.push_back({step_ + random_() % in_flight_max, one});
        }
    }

    void finish(pending& one, error_code failed, const stress::answer& got)
    {
        if (std::exchange(one.is_over, true))
            wrong_.add("call " + std::to_string(one.token) + " completed twice");
        if (!failed)
            ++answered_, judge(one.token, got, wrong_);
        else if (failed == errc::cancelled && one.is_chosen)
            ++given_up_;
        else
            wrong_.add("call " + std::to_string(one.token) + ": " + failed.message());
        ++step_;
        if (started_ != total_)
            start();
        for (std::size_t looked = victims_.size(); looked != 0; --looked) {
            auto [due, victim] = std::move(victims_.front());
            victims_.pop_front();
            if (due <= step_ && !victim->is_over)
                victim->give_up.emit(asio::cancellation_type::terminal);
            else if (!victim->is_over)
                victims_.push_back({due, std::move(victim)});
        }
    }

    asio::io_context context_;
    wharf::client client_;
    const std::uint64_t total_;
    std::minstd_rand random_{20261121};
    std::deque<std::pair<std::uint64_t, std::shared_ptr<pending>>> victims_;
    std::uint64_t started_ = 0, step_ = 0, answered_ = 0, given_up_ = 0, chosen_ = 0;
    stress::complaints wrong_;
};

} // namespace

// Row 86: giving up a call never costs the connection.
BOOST_AUTO_TEST_CASE(three_of_ten_pipelined_calls_are_given_up_and_none_is_misdelivered)
{
    const std::uint64_t total = stress::is_instrumented && !stress::is_full() ? 20'000 : 100'000;
    pipeline calls(where, total);
    calls.run();
    BOOST_TEST(calls.wrong().count() == 0, calls.wrong().first());
    BOOST_TEST(calls.answered() + calls.given_up() == total);
    // Of those chosen many are answered before their turn comes.
    BOOST_TEST(calls.chosen() > total / 4);
    BOOST_TEST(calls.given_up() > total / 10);
    BOOST_TEST(calls.still_answers());
    BOOST_TEST(server.status().sessions_total == 1);
    BOOST_TEST_MESSAGE(calls.given_up() << " of " << total << " calls given up");
}

BOOST_AUTO_TEST_SUITE_END()
