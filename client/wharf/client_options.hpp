// What a client can be told: a plain value.
#pragma once

#include <wharf/call_options.hpp>
#include <wharf/endpoint.hpp>
#include <wharf/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace wharf {

/// Everything about a client that has a default. A value: the client keeps a copy.
struct client_options {
    /// The deadline of a call that names none, counted from the moment it is made.
    std::chrono::nanoseconds timeout = std::chrono::seconds(10);
    /// true: a call waits for a daemon that is not there yet, until its deadline. false: it fails
    /// with the connect error at once.
    bool wait_for_ready = true;
    /// true: connects without waiting for a call, watches its connection, and connects again when
    /// it is lost, until close(). client::serve(), on_connect() and on_state() mean the same. A
    /// blocking_client, which has no thread for it, ignores it.
    bool keep_connected = false;
    tcp_options tcp{};
    std::string software = "wharf client"; ///< who we are, for the daemon's log

    /// While streams are open, and always where the client keeps its connection: when nothing was
    /// received for this long, the daemon is asked for a sign of life. Zero: never.
    std::chrono::milliseconds ping_interval{15000};
    /// When nothing comes for this long after asking, the connection is given up: what is in flight
    /// ends with errc::outcome_unknown, "no sign of life".
    std::chrono::milliseconds ping_timeout{10000};

    /// Also what the daemon may send of streams before it is consumed, and how many calls of its
    /// own it may have in flight here.
    conversation_limits conversation{};
    /// What a reply, an item or a call of the daemon may cost. `memory_bytes_max` bounds the calls
    /// of the daemon together too: one more is answered errc::overloaded.
    limits decode{};
    /// Calls that are sent and unanswered, at once, those that were given up meanwhile included.
    /// More wait here, in order.
    std::uint32_t calls_in_flight_max = 1024;
    /// Calls that wait; one more is errc::overloaded.
    std::uint32_t calls_waiting_max = 64u << 10;
    /// Encoded commands of all calls that are not finished; one more is errc::overloaded.
    std::size_t calls_bytes_max = 64u << 20;
    /// Threads for handlers of this client that block; made when the first is called.
    std::uint32_t blocking_threads = 1;
    /// Pause before connecting again: random, up to this, doubled at each failure.
    std::chrono::milliseconds reconnect_delay_min{50};
    std::chrono::milliseconds reconnect_delay_max{5000};
};

} // namespace wharf
