// Reading and writing a connection by system calls of its own: what each of them waits for is said
// at the call.
#pragma once

#include <wharf/error.hpp>
#include <wharf/transport.hpp>

#include <chrono>
#include <cstddef>
#include <span>

namespace wharf::detail {

/// What a receive does where nothing has arrived.
enum class receive_mode {
    at_once, ///< fails with would_block
    waits    ///< the same, but after the time of let_receives_wait()
};

/// Receives that say so wait for so long, at the most. False: they do not, and fail at once.
bool let_receives_wait(transport& stream, std::chrono::milliseconds at_most) noexcept;

/// Bytes that were received; none with an error, of which asio::error::eof is the end.
std::size_t receive(transport& stream, std::span<std::byte> room, receive_mode mode,
                    error_code& failed) noexcept;

/// Sends what the system takes at once, and never waits. The parts: 16 at the most.
std::size_t send_at_once(transport& stream, std::span<const std::span<const std::byte>> parts,
                         error_code& failed) noexcept;

} // namespace wharf::detail
