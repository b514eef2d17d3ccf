// A script for one conversation: bytes and calls in, events and bytes out; run whole, in pieces,
// cut, damaged, and short of memory.
#pragma once

#include "event_print.hpp"
#include "wire.hpp"

#include <functional>
#include <string>
#include <vector>

namespace wharf::test {

using events_seen = std::vector<std::string>;

inline const conversation::time_point start_time{};

/// A conversation, with its opening already taken from output().
struct subject {
    explicit subject(const conversation_limits& limits = {}, side which = side::server);
    /// Receives bytes in pieces of at most `piece` bytes and records what next() returns.
    void feed(std::string_view input, std::size_t piece = static_cast<std::size_t>(-1));
    void drain();
    event next();
    void close_input();
    /// Takes what is unsent.
    wire::bytes take_output();

    conversation talk;
    wire::bytes opening; ///< what it sent first
    events_seen seen;
};

/// The peer's opening and hello, as most scripts begin.
wire::bytes handshake();
events_seen handshake_events();

/// One step of a script.
struct step {
    wire::bytes input{};
    /// Is a message of several frames unfinished after this step?
    bool inside_message = false;
    /// What the user does once the input of this step has come.
    std::function<void(conversation&)> act{};
};

struct script {
    conversation_limits limits{};
    std::vector<step> steps; ///< a frame, or the opening, each
    events_seen events{};    ///< what next() returns, in order
    wire::bytes output{};    ///< what the conversation writes after its hello

    wire::bytes input() const;
    /// Checks events and output with the input in one piece, byte by byte and in other pieces; cut
    /// at every byte; with each byte of the handshake, and each frame's kind, damaged; with a
    /// handshake that times out; and with each allocation failing.
    void check() const;

private:
    /// Plays the first `size` bytes.
    void play(subject& with, std::size_t size, std::size_t piece) const;
    void check_in_pieces(std::size_t piece) const;
    void check_cut_at(std::size_t size, bool between_steps) const;
    void check_damaged_opening(std::size_t at) const;
    void check_damaged_frame(std::size_t first_byte) const;
    void check_slow_handshake(std::size_t size) const;
    bool check_failed_allocation(long at) const;
};

} // namespace wharf::test
