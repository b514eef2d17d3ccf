// From received bytes to frames: the opening, the header's checks, and who handles which kind.
#include "conversation_state.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace wharf {

using namespace detail;

namespace {

std::string to_hex(std::byte b)
{
    constexpr char digits[] = "0123456789abcdef";
    const auto value = std::to_integer<unsigned>(b);
    return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

/// Where less than this share of a frame is missing, it is copied: that is cheaper than to receive
/// it by itself.
constexpr std::uint32_t in_place_share = 16;

} // namespace

std::span<std::byte> conversation::state::prepare()
{
    release_finished();
    if (has_ended) {
        direct = {};
        in.release();
        return in.prepare(0);
    }
    if (direct.left != 0) [[unlikely]] {
        // The header of the next frame lands behind, and is taken out by commit().
        in.prepare(frame_header_bytes);
        return {direct.bytes.end(), direct.left + frame_header_bytes};
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

void conversation::state::commit(std::size_t n) noexcept
{
    if (direct.left == 0) [[likely]] {
        in.commit(n);
        return;
    }
    const std::size_t part = std::min(n, direct.left);
    direct.bytes.set_end(direct.bytes.end() + part);
    direct.left -= part;
    if (n != part)
        in.put({direct.bytes.end(), n - part});
}

void conversation::state::rest() noexcept
{
    if (in.unread().empty() && direct.left == 0)
        in.release();
    if (out.bytes() == 0 && !out.has_open_message())
        out.buffer().shrink(0);
    peer_calls.release();
    own_calls.release();
}

event conversation::state::next()
{
    release_finished();
    try {
        for (;;) {
            if (has_ended) [[unlikely]]
                return end_event;
            if (has_pending()) [[unlikely]]
                return take_pending();
            if (direct.is_active) [[unlikely]] {
                if (direct.left != 0)
                    return {};
                if (outcome happened = end_in_place())
                    return *std::move(happened);
            }
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
            if (unread.size() < whole) {
                if (is_inside_message() &&
                    whole - unread.size() >= limits.frame_bytes_max / in_place_share) [[unlikely]]
                    begin_in_place(header, unread.subspan(frame_header_bytes));
                return {};
            }
            in.consume(whole);
            if (!is_open) [[unlikely]]
                handshake_read += whole;
            ++frames_read;
            if (outcome happened =
                    dispatch(header, unread.subspan(frame_header_bytes, header.length)))
                return *std::move(happened);
        }
    }
    catch (const std::bad_alloc&) {
        // Half of a frame was acted on: there is no way to go on.
        end(errc::overloaded, "out of memory");
        throw;
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
    if (header.kind >= frame_kind::item &&
        (header.kind == frame_kind::versions ? !tells_versions() : !has_streams)) [[unlikely]]
        return "unknown kind of frame"; // one of the two hellos did not say that it is known
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
    case frame_kind::item: return on_item(header, body);
    case frame_kind::upload: return on_upload(header, body);
    case frame_kind::window: return on_window(header, body);
    case frame_kind::cancel: return on_cancel(header);
    case frame_kind::versions: return on_versions(header, body);
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
    return direct.is_active || !in.unread().empty() ||
           (opening_read != 0 && opening_read != opening_bytes);
}

reassembly& conversation::state::partials_of(frame_kind kind) noexcept
{
    return kind == frame_kind::call || kind == frame_kind::upload ? partial_calls : partial_replies;
}

/// The rest of a part is received into the message that it continues: nothing is copied. Whatever
/// could refuse the part is left to the way of whole frames.
void conversation::state::begin_in_place(const frame_header& header, payload begun)
{
    reassembly& partials = partials_of(header.kind);
    partial_message* message = partials.find(header.id);
    if (message == nullptr || message->is_skipped || message->kind != header.kind ||
        message->number != header.number || (header.flags & flag_timeout) != 0 ||
        !fits(message->size, header.length))
        return;
    direct.bytes = partials.lend(*message, header.length, frame_header_bytes);
    direct.bytes.append(begun);
    direct.header = header;
    direct.left = header.length - begun.size();
    direct.is_active = true;
    in.consume(frame_header_bytes + begun.size());
    if (header.kind == frame_kind::item || header.kind == frame_kind::upload)
        charge(header, *message);
}

conversation::state::outcome conversation::state::end_in_place()
{
    const frame_header header = direct.header;
    byte_buffer bytes = std::move(direct.bytes);
    const bool more = (header.flags & flag_more) != 0;
    direct.is_active = false;
    ++frames_read;
    partial_message* message = partials_of(header.kind).find(header.id);
    if (message == nullptr) { // its call was given up meanwhile
        if (header.kind == frame_kind::reply && !more)
            own_calls.erase(header.id);
        return std::nullopt;
    }
    reassembly::give_back(*message, std::move(bytes));
    if (more)
        return std::nullopt;
    switch (header.kind) {
    case frame_kind::call: return finish_call(header);
    case frame_kind::reply: return finish_reply(header);
    default: return finish_item(header);
    }
}

/// What one frame or a call of our user's made happen beside the event that it had already.
event conversation::state::take_pending() noexcept
{
    if (ended_upload != 0)
        return events::upload_ended{std::exchange(ended_upload, 0)};
    is_session_reopened = false;
    return events::window_opened{0, flow{}};
}

conversation::state::payload conversation::state::finish(partial_message& message) noexcept
{
    finished = message_owner(std::move(message.bytes));
    has_finished = true;
    return finished.view();
}

void conversation::state::release_finished() noexcept
{
    if (has_finished) [[unlikely]] {
        finished = message_owner();
        has_finished = false;
    }
}

} // namespace wharf
