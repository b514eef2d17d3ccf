// What a client, and one call of it, can be told: plain values.
#pragma once

#include <wharf/endpoint.hpp>
#include <wharf/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace wharf {

/// Everything about a client that has a default. A value: the client keeps a copy.
struct client_options {
    /// The deadline of a call that names none, counted from the moment it is made.
    std::chrono::nanoseconds timeout = std::chrono::seconds(10);
    /// true: a call waits for a daemon that is not there yet, until its deadline. false: it fails
    /// with the connect error at once.
    bool wait_for_ready = true;
    tcp_options tcp{};
    std::string software = "wharf client"; ///< who we are, for the daemon's log

    conversation_limits conversation{};
    limits decode{}; ///< what a reply may cost
    /// Calls that are sent and unanswered, at once. More wait here, in order.
    std::uint32_t calls_in_flight_max = 1024;
    /// Calls that wait; one more is errc::overloaded.
    std::uint32_t calls_waiting_max = 64u << 10;
    /// Encoded commands of all calls that are not finished; one more is errc::overloaded.
    std::size_t calls_bytes_max = 64u << 20;
    /// Pause before connecting again: random, up to this, doubled at each failure.
    std::chrono::milliseconds reconnect_delay_min{50};
    std::chrono::milliseconds reconnect_delay_max{5000};
};

/// What one call can be told. An aggregate, written in place: `{.timeout = 2s}`.
struct call_options {
    /// How long the whole call may take: resolving, connecting, queueing, sending and waiting.
    /// Nothing: client_options::timeout. What is left of it travels to the daemon.
    std::optional<std::chrono::nanoseconds> timeout{};
    /// Where the text of an error goes, for tokens that give an error_code only. It must live until
    /// the call completes; it is not touched on success.
    std::string* diagnostics = nullptr;
};

// g++ 12 destroys an aggregate temporary twice when it stands inside a co_await expression:
// `{.timeout = 2s}` there is safe only because nothing is done on destruction.
static_assert(std::is_trivially_destructible_v<call_options>);

} // namespace wharf
