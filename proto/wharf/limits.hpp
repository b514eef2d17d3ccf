// Every bound on what a peer can make this process hold or do, with its default and its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wharf {

/// Bounds of one load of bytes (and, for depth, of one store). An aggregate: set what differs.
/// A value, as the next: distinct objects are safe in different threads.
struct limits {
    /// A message larger than this is refused before it is buffered.
    std::size_t message_bytes_max = 16u << 20;
    /// Nesting of values in which recursion is possible. A process stack holds far more; but to
    /// refuse a bomb of a few bytes costs up to 2 us for each level that the exception leaves.
    std::uint32_t depth_max = 32;
    /// Objects behind pointers that one message may have.
    std::uint32_t objects_max = 1u << 20;
    /// The longest chain of objects that own one another by shared pointers: destroying its head
    /// recurses as deep, and references let few bytes make a long one.
    std::uint32_t chain_max = 4096;
    /// Memory charged while decoding: base + factor x bytes received, at most memory_bytes_max.
    /// Honest types need up to 48x (vector<optional<string>>); node-based containers are charged
    /// per node.
    std::size_t memory_base_bytes = 64u << 10;
    std::size_t memory_factor = 64;
    std::size_t memory_bytes_max = 64u << 20;
    bool operator==(const limits&) const = default;
};

/// Bounds of one connection's protocol state. Both ends have them.
struct conversation_limits {
    /// Payload of one frame; a longer message travels in several.
    std::uint32_t frame_bytes_max = 64u << 10;
    /// One message, all of its frames together.
    std::size_t message_bytes_max = 16u << 20;
    /// Partly received messages of one session, together.
    std::size_t reassembly_bytes_max = 64u << 20;
    /// Calls that the peer may have in flight; one more is answered errc::overloaded.
    std::uint32_t calls_in_flight_max = 1024;
    /// Command names that the peer may declare.
    std::uint32_t commands_max = 1024;
    /// Classes of one command of which the peer may tell the versions, and of which this end tells
    /// its own, at most 128. Zero: versions are not exchanged.
    std::uint32_t classes_max = 128;
    /// What a peer may send of one stream, and of all streams of a session, before the items are
    /// consumed here. A longer item that has begun is completed, within reassembly_bytes_max.
    std::uint32_t stream_window_bytes = 256u << 10;
    std::size_t session_window_bytes = 4u << 20;
    /// Bytes that a peer may send before its handshake is complete.
    std::size_t handshake_bytes_max = 4u << 10;
    std::chrono::milliseconds handshake_timeout{5000};
    /// A frame that has begun must be complete in this time, and a message of several frames must
    /// go on; up to twice as long can pass before it is noticed. Zero: never.
    std::chrono::milliseconds frame_timeout{30000};
    bool operator==(const conversation_limits&) const = default;
};

} // namespace wharf
