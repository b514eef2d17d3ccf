// Two conversations wired back to back in memory, in virtual time.
#pragma once

#include "event_print.hpp"
#include "wire.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace wharf::test {

/// One end: its conversation, what it has seen, and what it does at each event.
struct peer_end {
    peer_end(side which, const conversation_limits& limits, std::string software,
             conversation::time_point now)
        : talk(which, limits, std::move(software), now)
    {}

    void drain()
    {
        while (!talk.has_ended()) {
            const event happened = talk.next();
            if (std::holds_alternative<events::nothing>(happened))
                return;
            seen.push_back(to_string(happened));
            if (on_event)
                on_event(happened);
        }
    }

    conversation talk;
    std::vector<std::string> seen;
    std::function<void(const event&)> on_event;
};

struct conversation_pair {
    explicit conversation_pair(const conversation_limits& client_limits = {},
                               const conversation_limits& server_limits = {})
        : client(side::client, client_limits, "client", now),
          server(side::server, server_limits, "server", now)
    {}

    /// Moves bytes in both directions, at most `piece` at a time, until there are none.
    void run(std::size_t piece = static_cast<std::size_t>(-1))
    {
        while (move(client, server, piece) + move(server, client, piece) != 0) {}
    }
    /// Runs the handshake and forgets its events.
    void open()
    {
        run();
        BOOST_REQUIRE(client.talk.is_open());
        BOOST_REQUIRE(server.talk.is_open());
        client.seen.clear();
        server.seen.clear();
    }
    static std::size_t move(peer_end& from, peer_end& to, std::size_t piece)
    {
        const auto unsent = from.talk.unsent();
        if (unsent.empty() || to.talk.has_ended())
            return 0;
        const auto room = to.talk.prepare();
        const std::size_t n = std::min({unsent.size(), room.size(), piece});
        std::memcpy(room.data(), unsent.data(), n);
        to.talk.commit(n);
        from.talk.sent(n);
        to.drain();
        return n;
    }

    conversation::time_point now{std::chrono::hours(1)};
    peer_end client;
    peer_end server;
};

inline std::uint64_t call(peer_end& end, std::string_view name, const wire::bytes& message,
                          std::optional<conversation::time_point> deadline = {},
                          conversation::time_point now = {})
{
    return end.talk.call(end.talk.declare(name), wire::view(message), deadline, now);
}

inline bool reply(peer_end& end, std::uint64_t id, const wire::bytes& message)
{
    const auto mark = end.talk.begin_reply(id);
    end.talk.output().append(wire::view(message));
    return end.talk.end_reply(mark);
}

/// The code of the wharf::error that a function throws; 0 where it throws none.
template <class Function>
errc code_of(Function function)
{
    try {
        function();
    }
    catch (const error& e) {
        return e.code();
    }
    return errc{};
}

/// Bytes that differ from place to place and from seed to seed.
inline wire::bytes noise(std::size_t size, std::uint64_t seed)
{
    wire::bytes result(size, '\0');
    std::uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    for (char& c : result) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        c = static_cast<char>(x);
    }
    return result;
}

} // namespace wharf::test

BOOST_TEST_DONT_PRINT_LOG_VALUE(wharf::errc)
