// Handshake, declarations, ping, goaway and the end of a conversation.
#include "conversation_state.hpp"

#include <algorithm>
#include <cstring>

namespace wharf {

using namespace detail;

namespace {

std::string_view as_text(std::span<const std::byte> bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> as_bytes_of(std::string_view text) noexcept
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// Pongs wait while more than this is unsent, so that pings cannot make output grow.
constexpr std::size_t unsent_bytes_for_pong = 64u << 10;

} // namespace

void conversation::state::write_opening(std::string_view software)
{
    byte_buffer& to = out.buffer();
    to.append(opening_magic, sizeof opening_magic);
    const unsigned char last[] = {opening_conversation, protocol_version};
    to.append(last, sizeof last);

    byte_buffer records;
    std::byte number[8];
    append_record(records, record_software, as_bytes_of(software.substr(0, software_bytes_max)));
    store_le(number, limits.frame_bytes_max);
    append_record(records, record_frame_bytes_max, {number, 4});
    store_le(number, static_cast<std::uint64_t>(limits.message_bytes_max));
    append_record(records, record_message_bytes_max, {number, 8});

    const frame_header header{static_cast<std::uint32_t>(records.size()), frame_kind::hello};
    std::memcpy(out.add_frame(header), records.data(), records.size());
}

conversation::state::outcome conversation::state::on_hello(payload body)
{
    bool seen[4] = {};
    record_reader reader(body);
    while (const auto record = reader.next()) {
        const payload value = record->value;
        if (record->type == 0 || record->type > record_message_bytes_max)
            continue; // a feature of a later version
        if (seen[record->type])
            return end(errc::bad_frame, "a hello with a repeated record");
        seen[record->type] = true;
        const std::size_t size_max = record->type == record_software          ? software_bytes_max
                                     : record->type == record_frame_bytes_max ? 4u
                                                                              : 8u;
        if (value.size() > size_max || (record->type != record_software && value.size() < size_max))
            return end(errc::bad_frame, "a hello with a record of the wrong length");
        if (record->type == record_software)
            peer.software = as_text(value);
        else if (record->type == record_frame_bytes_max)
            peer.frame_bytes_max = load_le<std::uint32_t>(value.data());
        else
            peer.message_bytes_max = load_le<std::uint64_t>(value.data());
    }
    if (reader.is_truncated())
        return end(errc::bad_frame, "a hello with a truncated record");
    if (!seen[record_frame_bytes_max] || !seen[record_message_bytes_max])
        return end(errc::bad_frame, "a hello without its required records");
    if (peer.frame_bytes_max < frame_bytes_min)
        return end(errc::bad_frame, "a hello with a frame limit below the least");
    is_open = true;
    return events::opened{peer};
}

conversation::state::outcome conversation::state::on_declare(const frame_header& header,
                                                             payload body)
{
    if (header.number != peer_commands)
        return end(errc::bad_frame, "a declaration out of order");
    if (peer_commands >= limits.commands_max)
        return end(errc::session_limit, "too many commands declared");
    const auto length = std::to_integer<std::size_t>(body[0]);
    if (body.size() - 1 < length)
        return end(errc::bad_frame, "a declaration with a truncated name");
    const payload name = body.subspan(1, length);
    if (!is_command_name(name))
        return end(errc::bad_frame, "a declaration with a bad name");
    record_reader reader(body.subspan(1 + length));
    while (reader.next()) {
        // Records are features of later versions.
    }
    if (reader.is_truncated())
        return end(errc::bad_frame, "a declaration with a truncated record");
    ++peer_commands;
    return events::declared{header.number, as_text(name)};
}

conversation::state::outcome conversation::state::on_ping(payload body)
{
    const auto token = load_le<std::uint64_t>(body.data());
    if (out.unsent().size() > unsent_bytes_for_pong)
        pending_pong = token; // answers the pings before it, too
    else
        write_pong(token);
    return std::nullopt;
}

void conversation::state::write_pong(std::uint64_t token)
{
    if (!is_sealed)
        store_le(out.add_frame({8, frame_kind::pong}), token);
}

void conversation::state::flush_pong() noexcept
{
    // Half of the threshold, so that the frame fits in the memory that is there: no allocation.
    if (pending_pong && !out.has_open_message() &&
        out.unsent().size() <= unsent_bytes_for_pong / 2 && out.room() >= frame_header_bytes + 8) {
        write_pong(*pending_pong);
        pending_pong.reset();
    }
}

conversation::state::outcome conversation::state::on_goaway(const frame_header& header,
                                                            payload body)
{
    goaway_received = true;
    return events::going_away{header.id, errc_from_wire(load_le<std::uint16_t>(body.data())),
                              as_text(body.subspan(2))};
}

void conversation::state::write_goaway(errc code, std::string_view text)
{
    text = text.substr(0, text_bytes_max);
    std::byte* to = out.add_frame({static_cast<std::uint32_t>(2 + text.size()), frame_kind::goaway,
                                   0, 0, last_accepted_call});
    store_le(to, static_cast<std::uint16_t>(code));
    std::memcpy(to + 2, text.data(), text.size());
    goaway_sent = true;
}

event conversation::state::end(errc code, std::string text)
{
    out.drop_message();
    write_goaway(code, text);
    has_ended = is_sealed = true;
    end_event = {code, std::move(text)};
    return end_event;
}

} // namespace wharf
