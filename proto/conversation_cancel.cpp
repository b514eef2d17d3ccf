// Giving calls up: what is dropped, what is told, and what is left to be answered.
#include "conversation_state.hpp"

namespace wharf {

using namespace detail;

/// Drops what both directions of a call of ours still hold. It stays in flight until it is
/// answered.
void conversation::state::give_up(std::uint64_t id)
{
    own_call* call = own_calls.find(id);
    if (call == nullptr || call->is_given_up)
        return;
    const bool is_told = has_streams && !is_sealed;
    if (is_told)
        out.reserve(frame_header_bytes); // nothing throws from here on
    call->is_given_up = true;
    streams.erase(output_queue::lane_of(id, true));
    if (is_told) {
        refund(out.drop_waiting(output_queue::lane_of(id, true)).item_bytes);
        out.add_frame({0, frame_kind::cancel, 0, 0, id});
    }
    if (partial_replies.find(id) != nullptr)
        give_back_to_session(partial_replies.drop(id));
}

conversation::state::outcome conversation::state::on_cancel(const frame_header& header)
{
    const std::uint64_t id = header.id;
    if (id > last_peer_call)
        return end(errc::bad_frame, "a cancel of a call that was never made");
    if (const partial_message* message = partial_calls.find(id);
        message != nullptr && message->kind == frame_kind::call) {
        const bool is_refused = message->is_skipped;
        partial_calls.drop(id);
        if (!is_refused) {
            peer_calls.erase(id);
            write_cancelled(id);
        }
        return std::nullopt;
    }
    peer_call* call = peer_calls.find(id);
    if (call == nullptr) { // answered already; but what has not left need not leave
        const auto dropped = out.drop_waiting(output_queue::lane_of(id, false));
        refund(dropped.item_bytes);
        if (dropped.is_answer_unsent)
            write_cancelled(id);
        return std::nullopt;
    }
    if (*call != peer_call::live)
        return std::nullopt;
    *call = peer_call::cancelled;
    end_streams_of_peer(id);
    refund(out.drop_waiting(output_queue::lane_of(id, false)).item_bytes);
    return events::cancelled{id};
}

/// An answer overtakes what the call still had to say: nobody waits for the rest of it.
void conversation::state::end_streams_of_own(std::uint64_t id)
{
    streams.erase(output_queue::lane_of(id, true));
    if (const partial_message* message = partial_replies.find(id); message != nullptr)
        give_back_to_session(partial_replies.drop(id));
    if (!has_streams || !out.is_waiting(output_queue::lane_of(id, true)))
        return; // the parts of a call that was refused go on
    out.reserve(frame_header_bytes);
    const auto dropped = out.drop_waiting(output_queue::lane_of(id, true));
    refund(dropped.item_bytes);
    if (dropped.is_call_cut && !is_sealed)
        out.add_frame({0, frame_kind::cancel, 0, 0, id});
}

void conversation::state::end_streams_of_peer(std::uint64_t id) noexcept
{
    streams.erase(output_queue::lane_of(id, false));
    if (ended_upload == id)
        ended_upload = 0;
    const partial_message* message = partial_calls.find(id);
    if (message != nullptr && message->kind == frame_kind::upload)
        give_back_to_session(partial_calls.drop(id));
}

} // namespace wharf
