// Items of streams: sent within the peer's credit, received within ours.
#include "conversation_state.hpp"

#include <wharf/archive/guards.hpp>

#include <string>

namespace wharf {

using namespace detail;

bool conversation::state::is_sending(std::uint64_t id, bool is_ours) const noexcept
{
    if (is_sealed)
        return false;
    if (is_ours) {
        const own_call* call = own_calls.find(id);
        return call != nullptr && !call->is_given_up;
    }
    const peer_call* call = peer_calls.find(id);
    return call != nullptr && *call == peer_call::live;
}

void conversation::state::send_item(std::uint64_t id, bool is_ours, payload message)
{
    if (!is_sending(id, is_ours))
        return;
    if (!has_streams)
        throw error(errc::unsupported_protocol, "the peer knows no streams");
    if (message.size() > peer.message_bytes_max)
        throw error(errc::message_limit,
                    "the peer accepts " + std::to_string(peer.message_bytes_max) + " bytes");
    if (!has_credit(id, is_ours))
        throw error(errc::window_exceeded, "an item was to be sent without credit");
    call_streams& s = streams_of(id, is_ours);
    if (is_ours && s.is_upload_over)
        return;
    const std::size_t frames = out.add_message(
        output_queue::lane_of(id, is_ours),
        {0, is_ours ? frame_kind::upload : frame_kind::item, 0, 0, id}, {}, message, frame_bytes());
    const auto cost = static_cast<std::int64_t>(message.size() + frames * frame_header_bytes);
    s.may_send -= cost;
    session_may_send -= cost;
}

void conversation::state::end_upload(std::uint64_t id)
{
    if (!is_sending(id, true) || !has_streams)
        return;
    call_streams& s = streams_of(id, true);
    if (s.is_upload_over)
        return;
    out.add_message(output_queue::lane_of(id, true), {0, frame_kind::upload, flag_last, 0, id}, {},
                    {}, frame_bytes());
    s.is_upload_over = true;
}

conversation::state::outcome conversation::state::on_item(const frame_header& header, payload body)
{
    if (header.id > last_own_call)
        return end(errc::bad_frame, "an item of a call that was never made");
    // A call that was given up stays until it is answered: no honest item comes later.
    const own_call* call = own_calls.find(header.id);
    if (call == nullptr)
        return end(errc::bad_frame, "an item behind the answer to its call");
    if (call->is_given_up) {
        drop_item(header);
        return std::nullopt;
    }
    const partial_message* message = partial_replies.find(header.id);
    if (message != nullptr && message->kind != frame_kind::item)
        return end(errc::bad_frame, "an item inside a reply");
    return receive_item(header, body);
}

conversation::state::outcome conversation::state::on_upload(const frame_header& header,
                                                            payload body)
{
    if (header.id > last_peer_call)
        return end(errc::bad_frame, "an upload to a call that was never made");
    const partial_message* message = partial_calls.find(header.id);
    if (message != nullptr && message->kind != frame_kind::upload)
        return end(errc::bad_frame, "an upload inside its call");
    const peer_call* call = peer_calls.find(header.id);
    const bool is_end = (header.flags & flag_last) != 0;
    if (call == nullptr || *call != peer_call::live) {
        // Answered while it was on its way.
        if (!is_end || !body.empty())
            drop_item(header);
        return std::nullopt;
    }
    call_streams& s = streams_of(header.id, false);
    if (s.is_upload_over)
        return end(errc::bad_frame, "an upload goes on behind its end");
    if (!is_end || !body.empty())
        return receive_item(header, body);
    if (message != nullptr)
        return end(errc::bad_frame, "an upload ends inside an item");
    s.is_upload_over = true;
    return events::upload_ended{header.id};
}

conversation::state::outcome conversation::state::receive_item(const frame_header& header,
                                                               payload body)
{
    reassembly& partials = partials_of(header.kind);
    partial_message* message = partials.find(header.id);
    if (message == nullptr) {
        const call_streams& s = streams_of(header.id, header.kind == frame_kind::item);
        if (checks<guard::credit> && (s.may_receive <= 0 || !has_session_credit()))
            return end(errc::window_exceeded, "an item without credit");
    }
    partial_message whole;
    const bool more = (header.flags & flag_more) != 0;
    if (!fits(message != nullptr ? message->size : 0, body.size())) {
        charge(header, message != nullptr ? *message : whole);
        return refuse_item(header, message != nullptr ? 0 : whole.cost);
    }
    if (message == nullptr && !more) {
        charge(header, whole);
        return item_received(header, body);
    }
    if (message == nullptr)
        message = &partials.start(header.id, header.kind);
    partials.append(*message, body);
    charge(header, *message);
    return more ? std::nullopt : finish_item(header);
}

conversation::state::outcome conversation::state::finish_item(const frame_header& header)
{
    partial_message whole;
    partials_of(header.kind).take(header.id, whole);
    // consumed() counts as few frames as the message can have: the others are given back at once.
    if (const std::size_t expected = item_cost(whole.size); whole.cost > expected)
        give_back(header.id, header.kind == frame_kind::item, whole.cost - expected);
    return item_received(header, finish(whole));
}

conversation::state::outcome conversation::state::item_received(const frame_header& header,
                                                                payload message)
{
    if ((header.flags & flag_last) != 0) {
        streams_of(header.id, false).is_upload_over = true;
        ended_upload = header.id;
    }
    return events::item{header.id, header.kind == frame_kind::item ? flow::reply : flow::upload,
                        message};
}

/// An item that cannot be held ends its call and nothing else.
conversation::state::outcome conversation::state::refuse_item(const frame_header& header,
                                                              std::size_t cost)
{
    const std::uint64_t id = header.id;
    give_back_to_session(cost);
    if (header.kind == frame_kind::item) {
        give_up(id);
        return events::failed{id, errc::message_limit, "an item is larger than the limit", {}};
    }
    end_streams_of_peer(id);
    refund(out.drop_waiting(output_queue::lane_of(id, false)).item_bytes);
    write_error(id, errc::message_limit, "an item is larger than the limit", {});
    *peer_calls.find(id) = peer_call::answered;
    return events::cancelled{id};
}

/// Of a call that is over: the session's credit comes back, the call's is of no use any more.
void conversation::state::drop_item(const frame_header& header) noexcept
{
    const std::size_t cost = frame_header_bytes + header.length;
    session_may_receive -= static_cast<std::int64_t>(cost);
    give_back_to_session(cost);
}

} // namespace wharf
