// Frames of calls and of their answers, whole or in parts.
#include "conversation_state.hpp"

#include <wharf/archive/guards.hpp>

#include <algorithm>
#include <cstring>

namespace wharf {

using namespace detail;

namespace {

constexpr std::chrono::milliseconds overloaded_retry_after{100};

} // namespace

conversation::state::outcome conversation::state::on_call(const frame_header& header, payload body)
{
    if (header.id > last_peer_call) [[likely]]
        return on_first_call_frame(header, body);
    if (partial_message* message = partial_calls.find(header.id);
        message != nullptr && message->kind == frame_kind::call)
        return on_next_call_frame(*message, header, body);
    return end(errc::bad_frame, "a call id that does not ascend");
}

conversation::state::outcome conversation::state::on_first_call_frame(const frame_header& header,
                                                                      payload body)
{
    last_peer_call = header.id;
    if (goaway_sent) [[unlikely]]
        return refuse_call(header, errc::going_away, {});
    last_accepted_call = header.id;
    if (peer_calls.size() >= limits.calls_in_flight_max) [[unlikely]]
        return refuse_call(header, errc::overloaded, "too many calls in flight",
                           overloaded_retry_after);

    std::optional<std::chrono::milliseconds> timeout;
    if ((header.flags & flag_timeout) != 0) {
        timeout = std::chrono::milliseconds(load_le<std::uint32_t>(body.data()));
        body = body.subspan(4);
    }
    const bool more = (header.flags & flag_more) != 0;
    if (body.size() > limits.message_bytes_max || (more && !fits(0, body.size()))) [[unlikely]]
        return refuse_call(header, errc::message_limit, {});

    if (!more) [[likely]] {
        peer_calls.insert(header.id, {});
        return events::called{header.id, header.number, timeout, body};
    }
    partial_message& message = partial_calls.start(header.id, frame_kind::call);
    message.number = header.number;
    message.timeout = timeout;
    partial_calls.append(message, body);
    peer_calls.insert(header.id, {});
    return std::nullopt;
}

conversation::state::outcome conversation::state::on_next_call_frame(partial_message& message,
                                                                     const frame_header& header,
                                                                     payload body)
{
    if (header.number != message.number)
        return end(errc::bad_frame, "parts of one call with different numbers");
    if ((header.flags & flag_timeout) != 0)
        return end(errc::bad_frame, "a timeout in the middle of a call");
    const bool more = (header.flags & flag_more) != 0;
    if (message.is_skipped) {
        if (!more)
            partial_calls.drop(header.id);
        return std::nullopt;
    }
    if (!fits(message.size, body.size())) {
        peer_calls.erase(header.id);
        write_error(header.id, errc::message_limit, {}, {});
        if (!more)
            partial_calls.drop(header.id);
        else
            partial_calls.skip(message);
        return check_skipped();
    }
    partial_calls.append(message, body);
    return more ? std::nullopt : finish_call(header);
}

conversation::state::outcome conversation::state::finish_call(const frame_header& header)
{
    partial_message whole;
    partial_calls.take(header.id, whole);
    return events::called{header.id, header.number, whole.timeout, finish(whole)};
}

conversation::state::outcome conversation::state::refuse_call(const frame_header& header, errc code,
                                                              std::string_view text,
                                                              std::chrono::milliseconds retry_after)
{
    write_error(header.id, code, text, retry_after);
    if ((header.flags & flag_more) == 0)
        return std::nullopt;
    partial_message& message = partial_calls.start(header.id, frame_kind::call);
    message.number = header.number;
    partial_calls.skip(message);
    return check_skipped();
}

conversation::state::outcome conversation::state::check_skipped()
{
    if (partial_calls.skipped() > limits.calls_in_flight_max)
        return end(errc::session_limit, "too many refused calls that still arrive");
    return std::nullopt;
}

conversation::state::outcome conversation::state::on_reply(const frame_header& header, payload body)
{
    if (header.id > last_own_call) [[unlikely]]
        return end(errc::bad_frame, "a reply to a call that was never made");
    const own_call* call = own_calls.find(header.id);
    if (call == nullptr) [[unlikely]]
        return std::nullopt; // a second answer
    const bool more = (header.flags & flag_more) != 0;
    if (call->is_given_up) [[unlikely]] {
        if (!more)
            own_calls.erase(header.id);
        return std::nullopt;
    }
    partial_message* message = partial_replies.find(header.id);
    if (message == nullptr && !more && body.size() <= limits.message_bytes_max) [[likely]] {
        end_own_call(header.id);
        return events::replied{header.id, body};
    }
    if (message != nullptr && message->kind != frame_kind::reply)
        return end(errc::bad_frame, "a reply inside an item");
    if (!fits(message != nullptr ? message->size : 0, body.size())) {
        if (more)
            give_up(header.id);
        else
            end_own_call(header.id);
        return events::failed{
            header.id, errc::message_limit, "the reply is larger than the limit", {}};
    }
    if (message == nullptr)
        message = &partial_replies.start(header.id, frame_kind::reply);
    partial_replies.append(*message, body);
    return more ? std::nullopt : finish_reply(header);
}

conversation::state::outcome conversation::state::finish_reply(const frame_header& header)
{
    partial_message whole;
    partial_replies.take(header.id, whole);
    end_own_call(header.id);
    return events::replied{header.id, finish(whole)};
}

conversation::state::outcome conversation::state::on_error(const frame_header& header, payload body)
{
    if (header.id > last_own_call) [[unlikely]]
        return end(errc::bad_frame, "an error for a call that was never made");
    const own_call* call = own_calls.find(header.id);
    if (call == nullptr)
        return std::nullopt;
    const bool is_given_up = call->is_given_up;
    end_own_call(header.id);
    if (is_given_up)
        return std::nullopt;
    const payload text = body.subspan(6);
    return events::failed{header.id,
                          errc_from_wire(load_le<std::uint16_t>(body.data())),
                          {reinterpret_cast<const char*>(text.data()), text.size()},
                          std::chrono::milliseconds(load_le<std::uint32_t>(body.data() + 2))};
}

void conversation::state::write_error(std::uint64_t id, errc code, std::string_view text,
                                      std::chrono::milliseconds retry_after)
{
    if (is_sealed)
        return;
    text = text.substr(0, text_bytes_max);
    std::byte body[6 + text_bytes_max];
    store_le(body, static_cast<std::uint16_t>(code));
    const auto wait =
        std::clamp<std::chrono::milliseconds::rep>(retry_after.count(), 0, 0xffffffff);
    store_le(body + 2, static_cast<std::uint32_t>(wait));
    if (!text.empty())
        std::memcpy(body + 6, text.data(), text.size());
    out.add_message(output_queue::lane_of(id, false), {0, frame_kind::error, 0, 0, id}, {},
                    {body, 6 + text.size()}, frame_bytes());
}

bool conversation::state::fits(std::size_t have, std::size_t more) const noexcept
{
    if (!checks<guard::partials>)
        return true;
    const std::size_t held = partial_calls.bytes() + partial_replies.bytes();
    return more <= limits.message_bytes_max && have <= limits.message_bytes_max - more &&
           more <= limits.reassembly_bytes_max && held <= limits.reassembly_bytes_max - more;
}

} // namespace wharf
