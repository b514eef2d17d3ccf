// Credit: what each end may still send of a stream, and of all streams of the session.
#include "conversation_state.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace wharf {

using namespace detail;

namespace {

/// No window may bring a credit above this, nor above what it began with.
constexpr std::int64_t credit_max = std::int64_t{1} << 31;

bool add_credit(std::int64_t& to, std::uint32_t more, std::uint64_t initial) noexcept
{
    const auto most = std::max(credit_max, static_cast<std::int64_t>(initial));
    if (to > most - static_cast<std::int64_t>(more))
        return false;
    to += more;
    return true;
}

} // namespace

/// Of a call that is in flight.
conversation::state::call_streams& conversation::state::streams_of(std::uint64_t id, bool is_ours)
{
    const std::uint64_t lane = output_queue::lane_of(id, is_ours);
    if (call_streams* found = streams.find(lane))
        return *found;
    return streams.insert(
        lane, {.may_send = peer.stream_window_bytes, .may_receive = limits.stream_window_bytes});
}

bool conversation::state::has_credit(std::uint64_t id, bool is_ours) const noexcept
{
    if (!has_streams || session_may_send <= 0)
        return false;
    const call_streams* s = streams.find(output_queue::lane_of(id, is_ours));
    return s == nullptr || s->may_send > 0;
}

/// May the peer begin an item, as far as the session goes? Items of different calls leave in
/// another order than that in which they were counted, as short ones overtake: what was counted
/// last, and may exceed the credit by its size, can come before one that was counted while there
/// was some.
bool conversation::state::has_session_credit() const noexcept
{
    const std::size_t most =
        std::min(item_cost(limits.message_bytes_max) + frame_header_bytes, std::size_t{1} << 62);
    return session_may_receive > -static_cast<std::int64_t>(most);
}

std::size_t conversation::state::item_cost(std::size_t bytes) const noexcept
{
    const std::size_t frames =
        bytes == 0 ? 1 : (bytes + limits.frame_bytes_max - 1) / limits.frame_bytes_max;
    return bytes + frames * frame_header_bytes;
}

conversation::state::outcome conversation::state::on_window(const frame_header& header,
                                                            payload body)
{
    const auto more = load_le<std::uint32_t>(body.data());
    if (more == 0)
        return end(errc::bad_frame, "a window of nothing");
    const char* const too_much = "a window beyond the limit";
    if (header.id == 0) {
        const bool was_closed = session_may_send <= 0;
        if (!add_credit(session_may_send, more, peer.session_window_bytes))
            return end(errc::window_exceeded, too_much);
        if (was_closed && session_may_send > 0)
            return events::window_opened{0, flow{}};
        return std::nullopt;
    }
    const bool is_ours = (header.flags & flag_upload) != 0;
    if (header.id > (is_ours ? last_own_call : last_peer_call))
        return end(errc::bad_frame, "a window of a call that was never made");
    if (!is_sending(header.id, is_ours))
        return std::nullopt;
    call_streams& s = streams_of(header.id, is_ours);
    const bool was_closed = s.may_send <= 0;
    if (!add_credit(s.may_send, more, peer.stream_window_bytes))
        return end(errc::window_exceeded, too_much);
    if (was_closed && s.may_send > 0 && session_may_send > 0)
        return events::window_opened{header.id, is_ours ? flow::upload : flow::reply};
    return std::nullopt;
}

/// A frame of an item was accepted.
void conversation::state::charge(const frame_header& header, partial_message& message) noexcept
{
    const std::size_t cost = frame_header_bytes + header.length;
    message.cost += cost;
    session_may_receive -= static_cast<std::int64_t>(cost);
    if (call_streams* s =
            streams.find(output_queue::lane_of(header.id, header.kind == frame_kind::item)))
        s->may_receive -= static_cast<std::int64_t>(cost);
}

void conversation::state::consumed(std::uint64_t id, bool is_ours, std::size_t bytes) noexcept
{
    if (!is_sealed)
        give_back(id, is_ours, item_cost(bytes));
}

void conversation::state::give_back(std::uint64_t id, bool is_ours, std::size_t cost) noexcept
{
    call_streams* s = streams.find(output_queue::lane_of(id, is_ours));
    if (s != nullptr && !(s->is_upload_over && !is_ours)) {
        s->due += cost;
        write_window(id, is_ours ? std::uint8_t{} : flag_upload, s->due, s->may_receive,
                     limits.stream_window_bytes);
    }
    give_back_to_session(cost);
}

void conversation::state::give_back_to_session(std::size_t cost) noexcept
{
    session_due += cost;
    write_window(0, 0, session_due, session_may_receive, limits.session_window_bytes);
}

void conversation::state::give_back_held() noexcept
{
    are_windows_held = false;
    streams.for_each([&](std::uint64_t lane, call_streams& s) {
        const bool is_ours = (lane & 1) != 0;
        write_window(lane / 2, is_ours ? std::uint8_t{} : flag_upload, s.due, s.may_receive,
                     limits.stream_window_bytes);
    });
    give_back_to_session(0);
}

/// Half a window at a time. While much is unsent it waits: a peer that does not read gets no
/// credit, and so cannot make the output grow.
void conversation::state::write_window(std::uint64_t id, std::uint8_t flags, std::uint64_t& due,
                                       std::int64_t& may_receive, std::uint64_t window) noexcept
{
    if (due < std::max<std::uint64_t>(window / 2, 1) || is_sealed)
        return;
    if (out.has_open_message() || out.short_bytes() > unsent_bytes_for_held) {
        are_windows_held = true;
        return;
    }
    const auto missing =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(window) - may_receive);
    const std::uint64_t all = std::min(due, missing);
    const auto more = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(all, std::numeric_limits<std::uint32_t>::max()));
    try {
        if (more != 0)
            store_le(out.add_frame({4, frame_kind::window, flags, 0, id}), more);
    }
    catch (const std::bad_alloc&) {
        are_windows_held = true;
        return;
    }
    may_receive += more;
    due = all - more;
}

/// Credit of the session for items that were dropped before they left.
void conversation::state::refund(std::size_t cost) noexcept
{
    const bool was_closed = session_may_send <= 0;
    session_may_send += static_cast<std::int64_t>(cost);
    if (was_closed && session_may_send > 0)
        is_session_reopened = true;
}

} // namespace wharf
