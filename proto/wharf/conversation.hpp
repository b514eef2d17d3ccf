// One connection without I/O: bytes and time go in, events and bytes come out.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/error.hpp>
#include <wharf/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace wharf {

namespace detail {
class message_owner;
}

/// The version of the protocol that this program speaks; it stands in the first eight bytes.
inline constexpr std::uint8_t protocol_version = 1;

/// What each end says of itself first. Unknown feature records of a peer are ignored.
struct hello {
    std::string software;              ///< for logs, e.g. "wharfd 0.1.0"; at most 127 bytes
    std::uint32_t frame_bytes_max = 0; ///< the largest frame payload that this end accepts
    /// The most classes of a command of which this end takes the versions; zero: it knows none.
    std::uint32_t classes_max = 0;
    std::uint64_t message_bytes_max = 0; ///< the largest message that this end accepts
    /// The credit that each stream towards this end begins with, and all of them together. Zero: it
    /// knows neither streams nor cancelling.
    std::uint32_t stream_window_bytes = 0;
    std::uint64_t session_window_bytes = 0;
    bool operator==(const hello&) const = default;
};

/// A call has up to two streams. Items of `reply` travel from who answers to who called, items of
/// `upload` the other way. Towards this end, `reply` belongs to a call of ours and `upload` to one
/// of the peer; away from this end it is the other way round.
enum class flow : std::uint8_t { reply, upload };

/// What conversation::next() returns. Values: comparable and printable. Spans and views point into
/// the conversation and are valid until its next call of prepare(), next() or expire().
namespace events {
/// Nothing complete is buffered: receive more.
struct nothing {
    bool operator==(const nothing&) const = default;
};
/// The handshake is complete.
struct opened {
    hello peer;
    bool operator==(const opened&) const = default;
};
/// The peer will call the command of this name by this number.
struct declared {
    std::uint16_t number = 0;
    std::string_view name;
    /// The peer's classes of the command, where it told them, as in declare().
    std::optional<std::span<const std::byte>> classes{};
    bool operator==(const declared& other) const;
};
/// What the peer says of a command that we declared with our classes: its own.
struct versions {
    std::uint16_t number = 0;
    std::span<const std::byte> classes;
    bool operator==(const versions& other) const;
};
/// The peer calls a command that it has declared. Answer it exactly once: a reply or an error.
struct called {
    std::uint64_t id = 0;
    std::uint16_t number = 0;
    std::optional<std::chrono::milliseconds> timeout; ///< what is left of the caller's deadline
    std::span<const std::byte> message;
    bool operator==(const called& other) const;
};
/// The reply to a call of ours.
struct replied {
    std::uint64_t id = 0;
    std::span<const std::byte> message;
    bool operator==(const replied& other) const;
};
/// The error that answers a call of ours.
struct failed {
    std::uint64_t id = 0;
    errc code{};
    std::string_view text; ///< the peer's words
    std::chrono::milliseconds retry_after{};
    bool operator==(const failed&) const = default;
};
/// A call of ours passed its deadline: the peer is told as by cancel().
struct expired {
    std::uint64_t id = 0;
    bool operator==(const expired&) const = default;
};
/// One item of a stream. Say consumed() once it is out of memory: that is what lets the peer go on.
struct item {
    std::uint64_t id = 0;
    flow which{};
    std::span<const std::byte> message;
    bool operator==(const item& other) const;
};
/// The peer has sent all items of its call's upload.
struct upload_ended {
    std::uint64_t id = 0;
    bool operator==(const upload_ended&) const = default;
};
/// The peer gave up its call: whatever answers it is not sent. It counts as in flight, as it holds
/// what its handler holds, until it is answered all the same.
struct cancelled {
    std::uint64_t id = 0;
    bool operator==(const cancelled&) const = default;
};
/// can_send() holds again for a stream of which it did not. Id zero: for any number of them.
struct window_opened {
    std::uint64_t id = 0;
    flow which{};
    bool operator==(const window_opened&) const = default;
};
/// The answer to our ping.
struct ponged {
    std::uint64_t token = 0;
    bool operator==(const ponged&) const = default;
};
/// The peer accepts no more calls: those of ours with an id above `last_call` were not accepted.
struct going_away {
    std::uint64_t last_call = 0;
    errc code{};
    std::string_view text;
    bool operator==(const going_away&) const = default;
};
/// The conversation is over and takes no more bytes. `code` is errc::connection_closed for an end
/// in order; otherwise output() ends with a goaway that tells the peer, to be sent before closing.
struct ended {
    errc code{};
    std::string text;
    bool operator==(const ended&) const = default;
};
} // namespace events

using event = std::variant<events::nothing, events::opened, events::declared, events::called,
                           events::replied, events::failed, events::expired, events::item,
                           events::upload_ended, events::cancelled, events::window_opened,
                           events::ponged, events::going_away, events::ended, events::versions>;

/// Which end of the connection this is. Once open, both ends may call.
enum class side : std::uint8_t { client, server };

/// The protocol state of one connection: framing, handshake, call ids, deadlines, ping, goaway.
/// It has no socket, clock or thread: time is an argument. proto/README.md gives the bytes.
///
/// Never throws but std::bad_alloc and what declare(), call() and send_item() list; whatever the
/// peer sends ends in an event. Where next() throws std::bad_alloc the conversation has ended; what
/// else throws it has done nothing.
/// Distinct objects: safe. Shared objects: unsafe.
class conversation {
public:
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;

    /// Both ends write their opening into output() at once.
    conversation(side which, const conversation_limits& limits, std::string software,
                 time_point now);
    ~conversation();
    conversation(conversation&&) noexcept;
    conversation& operator=(conversation&&) noexcept;

    // ---- Bytes in -------------------------------------------------------------------------

    /// Room to receive into, never empty. It grows with what a receive fills, up to a few frames,
    /// and shrinks again. Call next() until events::nothing first: what is unread stays buffered.
    std::span<std::byte> prepare();
    /// The first `n` bytes of prepare() were received.
    void commit(std::size_t n) noexcept;
    /// Gives back what a connection does not need while nothing happens on it; what is unread,
    /// unsent or in flight stays. Spans of prepare() end here.
    void rest() noexcept;
    /// The next thing that happened; call until it returns events::nothing or events::ended, which
    /// it returns ever after. May write to output() (pongs, refusals), so no reply may be open.
    event next();
    /// The memory of this message, where it is that of the last event and in a buffer of its own,
    /// as messages of several frames are; else null. It may be moved from, and must not be used
    /// after the next call of prepare(), next() or expire().
    detail::message_owner* owner_of(std::span<const std::byte> message) noexcept;
    /// The peer closed its sending side, and next() has nothing more: events::ended with
    /// errc::connection_closed between messages, errc::truncated inside a frame or a message of
    /// several frames. After the former, calls of the peer can still be answered.
    event end_of_input();

    // ---- Time in --------------------------------------------------------------------------

    /// When expire() next has something to say; nothing when no deadline is pending.
    std::optional<time_point> next_deadline() const;
    /// One deadline that has passed (events::expired, or events::ended for the handshake or a frame
    /// that stalls), or events::nothing; call until it returns that. Harmless when called early.
    event expire(time_point now);

    // ---- Bytes out ------------------------------------------------------------------------

    /// What is to be sent next: the first part of all that is unsent. sent() takes from its front.
    /// Messages of several frames wait apart and go out frame by frame, in turns, so that control
    /// frames and short messages overtake them.
    std::span<const std::byte> unsent() const noexcept;
    /// The same, as up to parts.size() parts that may leave in one gathered write; returns how many
    /// there are. Valid until any other function that is not const: copy them where bytes are still
    /// on their way when the next thing is said, as that may change the order of what is unsent.
    std::size_t unsent_parts(std::span<std::span<const std::byte>> parts) const noexcept;
    /// All of it, in bytes.
    std::size_t unsent_bytes() const noexcept;
    /// Of these, what certainly leaves before a call that is made now.
    std::size_t unsent_bytes_before_next() const noexcept;
    /// The first `n` bytes of what was shown are on their way.
    void sent(std::size_t n) noexcept;
    /// Where a reply is appended, see begin_reply(). It may hold other bytes.
    byte_buffer& output() noexcept;

    /// The number of a command in calls; declares the name to the peer at its first use.
    /// Throws error(errc::session_limit) past commands_max, and error(errc::bad_argument) where the
    /// name is not 1 to 127 bytes of printable ASCII without spaces.
    ///
    /// `classes`: those of the command's messages and their versions, 12 bytes each, as README.md
    /// has them. They are told where the peer wants to know, and are not too many; then is_told().
    std::uint16_t declare(std::string_view name,
                          std::optional<std::span<const std::byte>> classes = {});
    /// The number of a command that was declared.
    std::optional<std::uint16_t> find_declared(std::string_view name) const noexcept;
    /// Were the classes of our command told?
    bool is_told(std::uint16_t number) const noexcept;
    /// Answers a declaration that told classes with our own of that command, or with none where
    /// they are too many. Once each.
    void tell_versions(std::uint16_t number, std::span<const std::byte> classes);
    /// Sends a call and returns its id. `timeout` travels; `deadline` is when expire() reports it.
    /// Throws error(errc::message_limit) where the message exceeds what the peer accepts,
    /// error(errc::going_away) after a goaway in either direction, and error(errc::not_connected)
    /// before the handshake is complete and after the end.
    std::uint64_t call(std::uint16_t number, std::span<const std::byte> message,
                       std::optional<time_point> deadline, time_point now);
    /// The same for a message in memory that is shared with the caller, and constant: what exceeds
    /// a frame is sent from there, and not copied. It is let go of when it has left, or is dropped.
    std::uint64_t call_shared(std::uint16_t number,
                              const std::shared_ptr<const byte_buffer>& message,
                              std::optional<time_point> deadline, time_point now);
    /// Gives up a call of ours, and tells the peer. What still comes of it is dropped, and there is
    /// no event for it any more; it counts as in flight until the peer has answered it.
    void cancel(std::uint64_t id);

    /// Starts the reply to a call: append its message to output(), then end_reply().
    /// Only one is open at a time, and nothing else may be written meanwhile; unsent() does not
    /// show it before its end. Answers to calls that are not in flight, and after an error has
    /// ended the conversation, are dropped.
    struct reply_mark {
        std::uint64_t id = 0;
        std::size_t offset = 0;
    };
    reply_mark begin_reply(std::uint64_t id);
    /// Completes it; splits what exceeds a frame. False, and the reply is dropped, where the
    /// message exceeds what the peer accepts: answer with reply_error(errc::message_limit).
    bool end_reply(reply_mark mark);
    /// Drops what was written since begin_reply().
    void abandon_reply(reply_mark mark) noexcept;
    /// Answers a call with an error; the text is cut to 1 KiB.
    void reply_error(std::uint64_t id, errc code, std::string_view text = {},
                     std::chrono::milliseconds retry_after = {});

    // Streams. `which` of a call of ours: we send its upload and receive its reply items; of a call
    // of the peer: the other way round. Functions on calls that are not in flight do nothing.

    /// May an item be sent now: is there credit for this stream and for the session? When it is
    /// false, events::window_opened follows.
    bool can_send(std::uint64_t id, flow which) const noexcept;
    /// Sends an item, of any size that the peer takes, while can_send(). Throws
    /// error(errc::message_limit), error(errc::window_exceeded) without credit, and
    /// error(errc::unsupported_protocol) where one of the two ends knows no streams.
    void send_item(std::uint64_t id, flow which, std::span<const std::byte> message);
    /// No item follows in the upload of our call. A reply stream ends with the reply itself, which
    /// is empty, or with an error.
    void end_upload(std::uint64_t id);
    /// An item that came by events::item with a message of `bytes` bytes is out of memory: the peer
    /// may send as much again. Also for items of calls that are over. Writes a window when half of
    /// one is due, and while much is unsent only later.
    void consumed(std::uint64_t id, flow which, std::size_t bytes);

    void ping(std::uint64_t token);
    /// Says that no call after the last accepted one will be accepted, and why.
    void go_away(errc code, std::string_view text);

    // ---- State ----------------------------------------------------------------------------

    bool is_open() const noexcept; ///< the handshake is complete
    bool has_ended() const noexcept;
    std::uint32_t calls_in_flight() const noexcept; ///< calls of the peer that are unanswered
    /// Calls of ours that are unanswered, those that were given up among them.
    std::size_t own_calls_in_flight() const noexcept;
    const hello& peer() const noexcept; ///< what the peer said of itself; empty before is_open()
    std::size_t buffered_bytes() const noexcept; ///< memory that the peer's bytes hold

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace wharf
