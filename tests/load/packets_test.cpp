// The classic exchange of packets and acknowledgements over one connection: either side sends, they
// change roles, and both send at once.
#include "support.hpp"

#include <wharf/aggregate.hpp>
#include <wharf/archive.hpp>
#include <wharf/client.hpp>
#include <wharf/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <numeric>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct acknowledgement {
    std::uint32_t number = 0;
    bool is_valid = false;
};

struct data_packet {
    using reply = acknowledgement;
    static constexpr std::string_view name = "packets.data";
    std::uint32_t number = 0;
    std::uint32_t sum = 0;
    std::vector<std::uint8_t> data;

    void fill(std::uint32_t n)
    {
        number = n;
        data.resize(n % 700);
        std::iota(data.begin(), data.end(), static_cast<std::uint8_t>(n));
        sum = std::accumulate(data.begin(), data.end(), n);
    }
    bool is_valid() const { return sum == std::accumulate(data.begin(), data.end(), number); }
};

/// Of one sender: what was acknowledged, and how often a packet had to be sent again.
struct sent {
    std::uint32_t acknowledged = 0;
    std::uint32_t repeated = 0;
};

/// Asks the other side to be the one that sends.
struct take_turn {
    using reply = sent;
    static constexpr std::string_view name = "packets.take_turn";
    std::uint32_t packets = 0;
};

/// Sends packets, each until it is acknowledged. Either side's verbs are the same.
template <class Side>
asio::awaitable<sent> send_packets(Side& through, std::uint32_t packets)
{
    sent all;
    data_packet packet;
    for (std::uint32_t n = 0; n != packets; ++n)
        for (bool is_taken = false; !is_taken;) {
            packet.fill(n);
            // Now and then one is damaged on its way.
            const bool is_damaged = n % 97 == 5 && all.repeated <= n / 97;
            packet.sum += is_damaged;
            const acknowledgement got = co_await through.async_call(packet);
            is_taken = got.is_valid && got.number == n;
            all.acknowledged += is_taken;
            all.repeated += !is_taken;
        }
    co_return all;
}

/// Takes packets, in order, and sends when it is asked to. Both sides serve it.
class exchange {
public:
    void serve(wharf::router& commands)
    {
        commands.on<data_packet>([this](const data_packet& packet) {
            if (!packet.is_valid())
                return acknowledgement{packet.number, false};
            in_order_ += packet.number == next_;
            next_ = packet.number + 1;
            return acknowledgement{packet.number, true};
        });
        commands.on<take_turn>([this](take_turn asked, wharf::call& current) {
            return send(asked.packets, current.session());
        });
    }
    /// Packets that came in their turn; then counts anew.
    std::uint32_t take_in_order()
    {
        next_ = 0;
        return in_order_.exchange(0);
    }

private:
    static asio::awaitable<sent> send(std::uint32_t packets, wharf::session_handle peer)
    {
        co_return co_await send_packets(peer, packets);
    }

    std::atomic<std::uint32_t> next_{0}, in_order_{0};
};

constexpr std::uint32_t packets_in_all = 1000;
constexpr std::uint32_t damaged = 11; // 5, 102, ... 975

} // namespace

// Row 32: 1000 packets, both roles, roles swapped on one connection.
BOOST_AUTO_TEST_CASE(row_32_packets_and_acknowledgements_with_either_side_as_the_sender)
{
    stress::scratch directory;
    exchange servers, clients;
    wharf::server server(stress::open_options(directory / "socket", 1));
    server.serve(servers);
    server.start();
    int connections = 0;
    for (const wharf::endpoint& where : server.endpoints()) {
        asio::io_context context;
        wharf::client_options patient;
        patient.timeout = stress::patience;
        wharf::client client(context, to_string(where), patient);
        client.serve(clients);
        const auto expect = [&](const sent& all, exchange& receiver) {
            BOOST_TEST(all.acknowledged == packets_in_all);
            BOOST_TEST(all.repeated == damaged);
            BOOST_TEST(receiver.take_in_order() == packets_in_all);
        };
        const auto finish = [&](std::future<sent> of) {
            context.restart();
            const auto until = stress::clock::now() + stress::patience;
            while (of.wait_for(0s) != std::future_status::ready && context.run_one_until(until)) {}
            return of.get();
        };
        // This side sends; then the other; then this one again, and at last both at once.
        const auto ours = [&] {
            return asio::co_spawn(context, send_packets(client, packets_in_all), asio::use_future);
        };
        const auto theirs = [&] {
            return client.async_call(take_turn{packets_in_all}, asio::use_future);
        };
        expect(finish(ours()), servers);
        expect(finish(theirs()), clients);
        expect(finish(ours()), servers);
        std::future<sent> up = ours();
        std::future<sent> down = theirs();
        expect(finish(std::move(up)), servers);
        expect(finish(std::move(down)), clients);
        client.close();
        BOOST_TEST(server.status().sessions_total == std::uint64_t(++connections));
    }
    server.stop();
}
