// What a conversation remembers between two calls of its functions.
#pragma once

#include "deadline_queue.hpp"
#include "frame.hpp"
#include "id_map.hpp"
#include "input_buffer.hpp"
#include "output_queue.hpp"
#include "reassembly.hpp"

#include <wharf/conversation.hpp>

#include <map>
#include <string>

namespace wharf {

/// Functions are grouped by file: conversation_input.cpp takes frames apart,
/// conversation_control.cpp handles all but calls and their answers, which are in
/// conversation_calls.cpp; conversation_time.cpp has the deadlines.
struct conversation::state {
    using frame_header = detail::frame_header;
    using frame_kind = detail::frame_kind;
    using payload = std::span<const std::byte>;
    /// Nothing where a frame asks for no event: the next frame is looked at.
    using outcome = std::optional<event>;

    state(const conversation_limits& given, std::string_view software, time_point now);

    // conversation_input.cpp
    std::span<std::byte> prepare();
    event next();
    event end_of_input();
    bool read_opening();
    const char* find_fault(const frame_header& header, errc& code) const noexcept;
    outcome dispatch(const frame_header& header, payload body);
    bool is_inside_frame() const noexcept;
    bool is_inside_message() const noexcept;
    void release_finished() noexcept;

    // conversation_time.cpp
    std::optional<time_point> next_deadline();
    event expire(time_point now);
    bool can_stall() const noexcept;
    bool has_stalled(time_point now) noexcept;

    // conversation_control.cpp
    void write_opening(std::string_view software);
    outcome on_hello(payload body);
    outcome on_declare(const frame_header& header, payload body);
    outcome on_ping(payload body);
    outcome on_goaway(const frame_header& header, payload body);
    void write_pong(std::uint64_t token);
    void flush_pong() noexcept;
    void write_goaway(errc code, std::string_view text);
    /// Ends the conversation and tells the peer; the event that says so.
    event end(errc code, std::string text);

    // conversation_calls.cpp
    outcome on_call(const frame_header& header, payload body);
    outcome on_first_call_frame(const frame_header& header, payload body);
    outcome on_next_call_frame(detail::partial_message& message, const frame_header& header,
                               payload body);
    outcome on_reply(const frame_header& header, payload body);
    outcome on_error(const frame_header& header, payload body);
    outcome refuse_call(const frame_header& header, errc code, std::string_view text,
                        std::chrono::milliseconds retry_after = {});
    outcome check_skipped();
    void write_error(std::uint64_t id, errc code, std::string_view text,
                     std::chrono::milliseconds retry_after);
    bool fits(std::size_t have, std::size_t more) const noexcept;
    void forget(std::uint64_t id) noexcept;

    conversation_limits limits;
    hello peer;
    detail::input_buffer in;
    detail::output_queue out;

    // The handshake and the end.
    std::size_t opening_read = 0;   ///< bytes of the peer's opening that were right
    std::size_t handshake_read = 0; ///< bytes of frames before the peer's hello
    std::uint64_t frames_read = 0;
    bool is_open = false;
    bool has_ended = false;
    bool is_sealed = false; ///< the last goaway is written: nothing may follow it
    events::ended end_event;
    bool goaway_sent = false;
    bool goaway_received = false;
    time_point handshake_deadline;

    // A frame that does not go on: what was read when expire() last looked, and when that was.
    std::uint64_t stall_frames_read = 0;
    time_point stall_since;
    time_point last_expire;

    // Calls of the peer.
    struct peer_call {};
    detail::id_map<peer_call> peer_calls; ///< accepted and unanswered
    std::uint64_t last_peer_call = 0;     ///< the highest id seen
    std::uint64_t last_accepted_call = 0; ///< the highest id seen before our goaway
    std::uint32_t peer_commands = 0;      ///< how many the peer has declared
    detail::reassembly partial_calls;

    // Calls of ours.
    detail::id_map<detail::own_call> own_calls;
    std::uint64_t last_own_call = 0;
    std::map<std::string, std::uint16_t, std::less<>> own_commands;
    detail::deadline_queue deadlines;
    detail::reassembly partial_replies;

    detail::partial_message finished; ///< the message that the last event shows, where copied

    std::optional<std::uint64_t> pending_pong; ///< not written: too much is unsent
};

} // namespace wharf
