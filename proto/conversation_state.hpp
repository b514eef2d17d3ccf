// What a conversation remembers between two calls of its functions.
#pragma once

#include "deadline_queue.hpp"
#include "frame.hpp"
#include "id_map.hpp"
#include "input_buffer.hpp"
#include "output_queue.hpp"
#include "reassembly.hpp"

#include <wharf/conversation.hpp>
#include <wharf/detail/message_owner.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wharf {

/// Functions are grouped by file: conversation_input.cpp takes frames apart,
/// conversation_control.cpp handles all but calls and their answers, which are in
/// conversation_calls.cpp; conversation_cancel.cpp gives calls up, conversation_streams.cpp has
/// items, conversation_windows.cpp their credit, and conversation_time.cpp the deadlines.
struct conversation::state {
    using frame_header = detail::frame_header;
    using frame_kind = detail::frame_kind;
    using payload = std::span<const std::byte>;
    /// Nothing where a frame asks for no event: the next frame is looked at.
    using outcome = std::optional<event>;
    /// What the answer to a call of the peer will find.
    enum class peer_call : std::uint8_t {
        live,
        cancelled, ///< whatever its answer is, the peer is told that it was cancelled
        answered,  ///< by the conversation, while its handler still runs
    };

    state(const conversation_limits& given, std::string_view software, time_point now);

    // conversation_input.cpp
    std::span<std::byte> prepare();
    void commit(std::size_t n) noexcept;
    void rest() noexcept;
    event next();
    event end_of_input();
    bool read_opening();
    const char* find_fault(const frame_header& header, errc& code) const noexcept;
    outcome dispatch(const frame_header& header, payload body);
    bool is_inside_frame() const noexcept;
    bool is_inside_message() const noexcept
    {
        return partial_calls.size() != 0 || partial_replies.size() != 0;
    }
    /// A message of several frames is complete. It stays until release_finished().
    payload finish(detail::partial_message& message) noexcept;
    void release_finished() noexcept;
    bool has_pending() const noexcept { return ended_upload != 0 || is_session_reopened; }
    event take_pending() noexcept;
    detail::reassembly& partials_of(frame_kind kind) noexcept;
    void begin_in_place(const frame_header& header, payload begun);
    outcome end_in_place();

    // conversation_time.cpp
    std::optional<time_point> next_deadline();
    event expire(time_point now);
    bool can_stall() const noexcept;
    bool has_stalled(time_point now) noexcept;

    // conversation_control.cpp
    void write_opening(std::string_view software);
    outcome on_hello(payload body);
    outcome on_declare(const frame_header& header, payload body);
    outcome on_versions(const frame_header& header, payload body);
    /// Reads the classes among these records, where they are wanted; what is wrong ends it.
    outcome read_classes(payload records, const char* of, std::optional<payload>& into);
    bool tells_versions() const noexcept
    {
        return peer.classes_max != 0 && limits.classes_max != 0;
    }
    /// May so many bytes of classes be told?
    bool may_tell(std::size_t bytes) const noexcept
    {
        return is_open && !is_sealed && tells_versions() &&
               bytes / detail::class_entry_bytes <= std::min(limits.classes_max, peer.classes_max);
    }
    outcome on_ping(payload body);
    outcome on_goaway(const frame_header& header, payload body);
    void write_pong(std::uint64_t token);
    /// What waited because too much was unsent.
    void flush_held() noexcept;
    bool has_held() const noexcept { return pending_pong.has_value() || are_windows_held; }
    void write_goaway(errc code, std::string_view text);
    /// Ends the conversation and tells the peer; the event that says so. Where there is no memory,
    /// the peer is not told.
    event end(errc code, std::string_view text) noexcept;

    // conversation.cpp
    template <class Write>
    std::uint64_t make_call(std::uint16_t number, std::size_t size,
                            std::optional<time_point> deadline, time_point now, const Write& write);

    // conversation_calls.cpp
    outcome on_call(const frame_header& header, payload body);
    outcome on_first_call_frame(const frame_header& header, payload body);
    outcome on_next_call_frame(detail::partial_message& message, const frame_header& header,
                               payload body);
    outcome finish_call(const frame_header& header);
    outcome on_reply(const frame_header& header, payload body);
    outcome finish_reply(const frame_header& header);
    outcome on_error(const frame_header& header, payload body);
    outcome refuse_call(const frame_header& header, errc code, std::string_view text,
                        std::chrono::milliseconds retry_after = {});
    outcome check_skipped();
    void write_error(std::uint64_t id, errc code, std::string_view text,
                     std::chrono::milliseconds retry_after);
    void write_cancelled(std::uint64_t id)
    {
        out.drop_message(); // the reply that is open is not sent
        write_error(id, errc::cancelled, {}, {});
    }
    bool fits(std::size_t have, std::size_t more) const noexcept;
    /// The size of the frames that we send.
    std::uint32_t frame_bytes() const noexcept
    {
        return std::min(peer.frame_bytes_max, limits.frame_bytes_max);
    }

    // conversation_cancel.cpp
    outcome on_cancel(const frame_header& header);
    void give_up(std::uint64_t id);
    /// A call of ours was answered.
    void end_own_call(std::uint64_t id)
    {
        own_calls.erase(id);
        if (has_streamed()) [[unlikely]]
            end_streams_of_own(id);
    }
    /// Our user answers a call of the peer, which was perhaps told already. Where it throws, the
    /// call is in flight as before.
    template <class Write>
    void answer(std::uint64_t id, const Write& write)
    {
        peer_call call;
        if (!peer_calls.take(id, call)) [[unlikely]]
            return;
        try {
            if (call == peer_call::live) [[likely]]
                write();
            else if (call == peer_call::cancelled)
                write_cancelled(id);
        }
        catch (...) {
            peer_calls.insert(id, call); // where it just was: this does not allocate
            throw;
        }
        if (has_streamed()) [[unlikely]]
            end_streams_of_peer(id);
    }
    void end_streams_of_own(std::uint64_t id);
    void end_streams_of_peer(std::uint64_t id) noexcept;
    bool has_streamed() const noexcept
    {
        return streams.size() != 0 || is_inside_message() || out.has_waiting();
    }

    // conversation_streams.cpp
    void send_item(std::uint64_t id, bool is_ours, payload message);
    void end_upload(std::uint64_t id);
    outcome on_item(const frame_header& header, payload body);
    outcome on_upload(const frame_header& header, payload body);
    outcome receive_item(const frame_header& header, payload body);
    outcome item_received(const frame_header& header, payload message);
    outcome finish_item(const frame_header& header);
    outcome refuse_item(const frame_header& header, std::size_t cost);
    void drop_item(const frame_header& header) noexcept;
    /// May this end still send items of this call?
    bool is_sending(std::uint64_t id, bool is_ours) const noexcept;

    // conversation_windows.cpp
    struct call_streams;
    call_streams& streams_of(std::uint64_t id, bool is_ours);
    bool has_credit(std::uint64_t id, bool is_ours) const noexcept;
    bool has_session_credit() const noexcept;
    outcome on_window(const frame_header& header, payload body);
    void charge(const frame_header& header, detail::partial_message& message) noexcept;
    void consumed(std::uint64_t id, bool is_ours, std::size_t bytes) noexcept;
    void give_back(std::uint64_t id, bool is_ours, std::size_t cost) noexcept;
    void give_back_to_session(std::size_t cost) noexcept;
    void give_back_held() noexcept;
    void write_window(std::uint64_t id, std::uint8_t flags, std::uint64_t& due,
                      std::int64_t& may_receive, std::uint64_t window) noexcept;
    void refund(std::size_t cost) noexcept;
    std::size_t item_cost(std::size_t bytes) const noexcept;

    conversation_limits limits;
    hello peer;
    detail::input_buffer in;
    detail::output_queue out;

    // The handshake and the end.
    std::size_t opening_read = 0;   ///< bytes of the peer's opening that were right
    std::size_t handshake_read = 0; ///< bytes of frames before the peer's hello
    std::uint64_t frames_read = 0;
    bool is_open = false;
    bool has_streams = false; ///< both hellos had windows
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
    detail::id_map<peer_call> peer_calls; ///< accepted, and not answered by our user
    std::uint64_t last_peer_call = 0;     ///< the highest id seen
    std::uint64_t last_accepted_call = 0; ///< the highest id seen before our goaway
    std::uint32_t peer_commands = 0;      ///< how many the peer has declared
    detail::reassembly partial_calls;

    // Calls of ours.
    detail::id_map<detail::own_call> own_calls;
    std::uint64_t last_own_call = 0;
    /// May the peer still answer a declaration with its classes?
    enum class own_classes : std::uint8_t { untold, told, answered };
    struct own_command {
        std::uint16_t number = 0;
        own_classes classes = own_classes::untold;
    };
    std::map<std::string, own_command, std::less<>> own_commands;
    /// Null where there is none. Looks at all: asked for once for each.
    own_command* find_own(std::uint16_t number) noexcept;
    detail::deadline_queue deadlines;
    detail::reassembly partial_replies;

    // Streams, by output_queue::lane_of(). A call that is not here has the credit it began with.
    struct call_streams {
        std::int64_t may_send = 0;    ///< of items of ours
        std::int64_t may_receive = 0; ///< what is left of the peer's credit
        std::uint64_t due = 0;        ///< out of memory here, and not yet given back
        bool is_upload_over = false;
    };
    detail::id_map<call_streams> streams;
    std::int64_t session_may_send = 0;
    std::int64_t session_may_receive = 0;
    std::uint64_t session_due = 0;

    /// The message that the last event shows, where it came in several frames.
    detail::message_owner finished;
    bool has_finished = false;

    /// A part of a message that is received into the message itself.
    struct in_place {
        frame_header header;
        byte_buffer bytes;
        std::size_t left = 0; ///< of the frame's payload
        bool is_active = false;
    } direct;

    // What next() says before it looks at the next frame.
    std::uint64_t ended_upload = 0;
    bool is_session_reopened = false;

    // What is not written, because too much is unsent.
    std::optional<std::uint64_t> pending_pong;
    bool are_windows_held = false;
};

/// While more than this is unsent, what a peer can make us write without end waits.
inline constexpr std::size_t unsent_bytes_for_held = 64u << 10;

} // namespace wharf
