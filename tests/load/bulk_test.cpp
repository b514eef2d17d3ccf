// Much in one stream: it takes little memory at either end, and control frames overtake it.
#include "commands.hpp"
#include "daemon_process.hpp"

#include <wharf/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using wharf::errc;
using wharf::error_code;

namespace {

constexpr std::uint64_t mebibyte = 1u << 20;
constexpr std::uint64_t bytes_of_chunk = 64u << 10;

} // namespace

// Row 53: 4 GiB, or 256 MiB in an ordinary run.
BOOST_AUTO_TEST_CASE(row_53_an_upload_of_gibibytes_takes_32_mebibytes_at_either_end)
{
    const std::uint64_t bytes =
        stress::scaled((stress::is_instrumented ? 64 : 256) * mebibyte, 4096 * mebibyte);
    for (int transport = 0; transport != 2; ++transport) {
        stress::daemon_process daemon({"threads=1"});
        const wharf::test::result peer =
            wharf::test::run({BULK_PEER, to_string(daemon.endpoints()[std::size_t(transport)]),
                              std::to_string(bytes), std::to_string(bytes_of_chunk)});
        BOOST_REQUIRE_MESSAGE(peer.status == 0, peer.errors);
        std::istringstream said(peer.output);
        std::uint64_t items = 0, got = 0, wrong = 1, resident = 0;
        said >> items >> got >> wrong >> resident;
        const std::uint64_t daemon_resident = stress::resident_peak(daemon.pid());
        BOOST_TEST(items == bytes / bytes_of_chunk);
        BOOST_TEST(got == bytes);
        BOOST_TEST(wrong == 0u);
        BOOST_TEST_MESSAGE(bytes / mebibyte << " MiB; resident at most: daemon "
                                            << daemon_resident / 1024 << " KiB, client "
                                            << resident / 1024 << " KiB");
        if (!stress::is_instrumented) {
            BOOST_TEST(daemon_resident < 32 * mebibyte);
            BOOST_TEST(resident < 32 * mebibyte);
        }
        BOOST_TEST(daemon.stop() == 0);
    }
}

namespace {

/// One connection that streams in one direction or the other, while calls on it are given up.
class streaming {
public:
    streaming(const std::string& where, std::uint64_t bytes)
        : client_(context_, where), items_(bytes / bytes_of_chunk)
    {}

    /// The longest time from giving up to the handler's end, over as many calls as fit.
    std::chrono::nanoseconds slowest_cancel(bool upwards)
    {
        auto bulk = asio::co_spawn(context_, upwards ? send() : receive(), asio::use_future);
        auto control = asio::co_spawn(context_, give_up_calls(), asio::use_future);
        context_.restart();
        context_.run();
        bulk.get();
        control.get();
        return slowest_;
    }
    int calls() const { return calls_; }

private:
    asio::awaitable<void> send()
    {
        const stress::upload_all what{};
        auto up = client_.stream(what);
        stress::chunk next;
        for (std::uint64_t i = 0; i != items_; ++i, ++moved_) {
            stress::fill_chunk(next, i, bytes_of_chunk);
            co_await up.async_send(next);
        }
        up.end_upload();
        const stress::received got = co_await up.async_result();
        is_over_ = true;
        if (got.items != items_ || got.wrong != 0)
            throw std::runtime_error("the upload arrived otherwise");
    }
    asio::awaitable<void> receive()
    {
        const stress::download what{items_, bytes_of_chunk};
        auto down = client_.stream(what);
        std::uint64_t got = 0;
        while (const std::optional<stress::chunk> next = co_await down.async_next()) {
            if (!is_right(*next, got))
                throw std::runtime_error("the download arrived otherwise");
            ++got, ++moved_;
        }
        is_over_ = true;
        if (got != items_)
            throw std::runtime_error("the download is not complete");
    }
    asio::awaitable<void> give_up_calls()
    {
        // Only while the stream is under way.
        for (std::uint64_t before = 0; !is_over_; before = moved_) {
            asio::cancellation_signal give_up;
            bool has_ended = false;
            client_.async_call(stress::hold{},
                               asio::bind_cancellation_slot(give_up.slot(),
                                                            [&](error_code) { has_ended = true; }));
            // Answered behind hold: that has begun then.
            co_await client_.async_call<stress::ask_cancels>(false);
            const auto begin = stress::clock::now();
            give_up.emit(asio::cancellation_type::terminal);
            const std::uint64_t wanted = ++given_up_;
            stress::cancels seen;
            while (seen.count < wanted && stress::clock::now() - begin < stress::patience)
                seen = co_await client_.async_call<stress::ask_cancels>(true);
            const std::chrono::nanoseconds took =
                std::chrono::nanoseconds(seen.last_ns) - begin.time_since_epoch();
            if (seen.count < wanted)
                throw std::runtime_error("the server's handler was not told");
            if (!has_ended)
                throw std::runtime_error("a call that was given up has not ended");
            if (is_over_ || moved_ == before)
                continue;
            ++calls_;
            slowest_ = std::max(slowest_, took);
        }
    }

    asio::io_context context_;
    wharf::client client_;
    const std::uint64_t items_;
    std::uint64_t moved_ = 0, given_up_ = 0;
    bool is_over_ = false;
    int calls_ = 0;
    std::chrono::nanoseconds slowest_{0};
};

} // namespace

// Row 21: no urgent data, but control frames that overtake; 1 GiB, or 64 MiB in an ordinary run.
BOOST_AUTO_TEST_CASE(row_21_a_cancel_overtakes_a_stream)
{
    const std::uint64_t bytes = stress::scaled(64, 1024) * mebibyte;
    for (int transport = 0; transport != 2; ++transport)
        for (const bool upwards : {false, true}) {
            stress::daemon_process daemon({"threads=1"});
            streaming one(to_string(daemon.endpoints()[std::size_t(transport)]), bytes);
            const auto slowest = one.slowest_cancel(upwards);
            BOOST_TEST_MESSAGE((upwards ? "up" : "down")
                               << ": " << one.calls() << " calls given up, the slowest in "
                               << slowest / 1us << " us");
            BOOST_TEST(one.calls() > 2);
            BOOST_TEST((slowest < (stress::is_instrumented ? 500ms : 50ms)));
            BOOST_TEST(daemon.stop() == 0);
        }
}
