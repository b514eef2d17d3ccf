// The deadlines of a conversation: the handshake's, our calls', and that of a frame that stalls.
#include "conversation_state.hpp"

#include <algorithm>

namespace wharf {

std::optional<conversation::time_point> conversation::state::next_deadline()
{
    if (has_ended)
        return std::nullopt;
    std::optional<time_point> earliest = deadlines.earliest(own_calls);
    const auto consider = [&](time_point when) {
        earliest = earliest ? std::min(*earliest, when) : when;
    };
    if (!is_open)
        consider(handshake_deadline);
    else if (can_stall())
        // Receiving takes no time as an argument: a stall is counted from when expire() sees it.
        consider((stall_frames_read == frames_read ? stall_since : last_expire) +
                 limits.frame_timeout);
    return earliest;
}

event conversation::state::expire(time_point now)
{
    release_finished();
    last_expire = now;
    if (has_ended)
        return events::nothing{};
    if (!is_open && now >= handshake_deadline)
        return end(errc::handshake_timeout, {});
    if (is_open && can_stall() && has_stalled(now))
        return end(errc::deadline_exceeded, is_inside_frame()
                                                ? "a frame was not complete in time"
                                                : "a message of several frames did not go on");
    if (own_calls.size() != 0)
        out.reserve(detail::frame_header_bytes); // of a cancel: nothing throws once it is taken out
    if (const auto id = deadlines.take_expired(now, own_calls)) {
        give_up(*id);
        return events::expired{*id};
    }
    return events::nothing{};
}

bool conversation::state::can_stall() const noexcept
{
    return limits.frame_timeout.count() > 0 && (is_inside_frame() || is_inside_message());
}

bool conversation::state::has_stalled(time_point now) noexcept
{
    if (stall_frames_read == frames_read)
        return now >= stall_since + limits.frame_timeout;
    stall_frames_read = frames_read;
    stall_since = now;
    return false;
}

} // namespace wharf
