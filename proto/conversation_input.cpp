// From received bytes to frames: the opening, the header's checks, and who handles which kind.
#include "conversation_state.hpp"

#include <algorithm>
#include <array>

namespace wharf {

using namespace detail;

namespace {

std::string to_hex(std::byte b)
{
    constexpr char digits[] = "0123456789abcdef";
    const auto value = std::to_integer<unsigned>(b);
    return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

} // namespace

std::span<std::byte> conversation::state::prepare()
{
    release_finished();
    if (has_ended) {
        in.release();
        return in.prepare(0);
    }
    // Room for the rest of a frame that has begun, so that its payload is contiguous.
    std::size_t wanted = 0;
    const auto unread = in.unread();
    if (opening_read == opening_bytes && unread.size() >= frame_header_bytes) {
        const std::size_t length =
            std::min(load_le<std::uint32_t>(unread.data()), limits.frame_bytes_max);
        const std::size_t whole = frame_header_bytes + length;
        wanted = whole > unread.size() ? whole - unread.size() : 0;
    }
    return in.prepare(wanted);
}

event conversation::state::next()
{
    release_finished();
    for (;;) {
        if (has_ended) [[unlikely]]
            return end_event;
        if (opening_read != opening_bytes) [[unlikely]]
            if (!read_opening())
                return has_ended ? event(end_event) : event();

        const auto unread = in.unread();
        if (unread.size() < frame_header_bytes)
            return {};
        const frame_header header = load_header(unread.data());
        errc code = errc::bad_frame;
        if (const char* fault = find_fault(header, code)) [[unlikely]]
            return end(code, fault);
        const std::size_t whole = frame_header_bytes + header.length;
        if (unread.size() < whole)
            return {};
        in.consume(whole);
        if (!is_open) [[unlikely]]
            handshake_read += whole;
        ++frames_read;
        if (outcome happened = dispatch(header, unread.subspan(frame_header_bytes, header.length)))
            return *std::move(happened);
    }
}

bool conversation::state::read_opening()
{
    constexpr std::array<unsigned char, opening_bytes> expected = {
        opening_magic[0], opening_magic[1], opening_magic[2],     opening_magic[3],
        opening_magic[4], opening_magic[5], opening_conversation, protocol_version,
    };
    for (const std::byte b : in.unread()) {
        if (b != std::byte{expected[opening_read]}) {
            if (opening_read < 6)
                end(errc::bad_protocol,
                    "not a wharf peer: byte " + std::to_string(opening_read) + " is " + to_hex(b));
            else if (opening_read == 6)
                end(errc::bad_protocol, b == std::byte{opening_archive_pair}
                                            ? "the peer is a raw archive pair"
                                            : "not a wharf conversation: kind " + to_hex(b));
            else
                end(errc::unsupported_protocol,
                    "the peer speaks version " + std::to_string(std::to_integer<unsigned>(b)) +
                        ", this program version " + std::to_string(protocol_version));
            return false;
        }
        in.consume(1);
        if (++opening_read == opening_bytes)
            return true;
    }
    return false;
}

const char* conversation::state::find_fault(const frame_header& header, errc& code) const noexcept
{
    if (header.length > limits.frame_bytes_max) [[unlikely]] {
        code = errc::frame_limit;
        return "a frame larger than the limit";
    }
    if (const char* fault = detail::find_fault(header)) [[unlikely]]
        return fault;
    if (!is_open) [[unlikely]] {
        if (header.kind != frame_kind::hello && header.kind != frame_kind::goaway)
            return "a frame before the hello";
        if (handshake_read + frame_header_bytes + header.length > limits.handshake_bytes_max) {
            code = errc::frame_limit;
            return "a handshake larger than the limit";
        }
    }
    else if (header.kind == frame_kind::hello) [[unlikely]] {
        return "a second hello";
    }
    if (header.kind == frame_kind::call && header.number >= peer_commands) [[unlikely]]
        return "a call to a number that was not declared";
    return nullptr;
}

conversation::state::outcome conversation::state::dispatch(const frame_header& header, payload body)
{
    switch (header.kind) {
    case frame_kind::call: return on_call(header, body);
    case frame_kind::reply: return on_reply(header, body);
    case frame_kind::error: return on_error(header, body);
    case frame_kind::declare: return on_declare(header, body);
    case frame_kind::ping: return on_ping(body);
    case frame_kind::pong: return events::ponged{load_le<std::uint64_t>(body.data())};
    case frame_kind::goaway: return on_goaway(header, body);
    case frame_kind::hello: return on_hello(body);
    }
    return end(errc::bad_frame, "unknown kind of frame");
}

event conversation::state::end_of_input()
{
    if (has_ended)
        return end_event;
    if (is_inside_frame())
        return end(errc::truncated, "the connection was closed inside a frame");
    if (is_inside_message())
        return end(errc::truncated, "the connection was closed inside a message");
    has_ended = true;
    end_event = {errc::connection_closed, {}};
    return end_event;
}

bool conversation::state::is_inside_frame() const noexcept
{
    return !in.unread().empty() || (opening_read != 0 && opening_read != opening_bytes);
}

bool conversation::state::is_inside_message() const noexcept
{
    return partial_calls.size() != 0 || partial_replies.size() != 0;
}

void conversation::state::release_finished() noexcept
{
    if (!finished.bytes.empty()) [[unlikely]]
        finished = partial_message();
}

} // namespace wharf
