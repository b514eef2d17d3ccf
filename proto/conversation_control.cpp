// Handshake, declarations, ping, goaway and the end of a conversation.
#include "conversation_state.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

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

/// The sizes of a record that both ends know.
struct record_size {
    std::size_t least;
    std::size_t most;
};

record_size size_of_record(std::uint16_t type) noexcept
{
    switch (type) {
    case record_software: return {0, software_bytes_max};
    case record_frame_bytes_max: return {4, 4};
    case record_message_bytes_max: return {8, 8};
    case record_windows: return {record_windows_bytes, 0xffff};
    default: return {record_class_versions_bytes, 0xffff};
    }
}

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
    if (limits.stream_window_bytes != 0) {
        std::byte windows[record_windows_bytes];
        store_le(windows, limits.stream_window_bytes);
        store_le(windows + 4, static_cast<std::uint64_t>(limits.session_window_bytes));
        append_record(records, record_windows, windows);
    }
    if (limits.classes_max != 0) {
        store_le(number, limits.classes_max);
        append_record(records, record_class_versions, {number, record_class_versions_bytes});
    }

    const frame_header header{static_cast<std::uint32_t>(records.size()), frame_kind::hello};
    std::memcpy(out.add_frame(header), records.data(), records.size());
}

conversation::state::outcome conversation::state::on_hello(payload body)
{
    bool seen[record_class_versions + 1] = {};
    record_reader reader(body);
    while (const auto record = reader.next()) {
        const payload value = record->value;
        if (record->type == 0 || record->type > record_class_versions)
            continue; // a feature of a later version
        if (seen[record->type])
            return end(errc::bad_frame, "a hello with a repeated record");
        seen[record->type] = true;
        const record_size size = size_of_record(record->type);
        if (value.size() < size.least || value.size() > size.most)
            return end(errc::bad_frame, "a hello with a record of the wrong length");
        switch (record->type) {
        case record_software: peer.software = as_text(value); break;
        case record_frame_bytes_max:
            peer.frame_bytes_max = load_le<std::uint32_t>(value.data());
            break;
        case record_message_bytes_max:
            peer.message_bytes_max = load_le<std::uint64_t>(value.data());
            break;
        case record_class_versions: peer.classes_max = load_le<std::uint32_t>(value.data()); break;
        default:
            peer.stream_window_bytes = load_le<std::uint32_t>(value.data());
            peer.session_window_bytes = load_le<std::uint64_t>(value.data() + 4);
        }
    }
    if (reader.is_truncated())
        return end(errc::bad_frame, "a hello with a truncated record");
    if (!seen[record_frame_bytes_max] || !seen[record_message_bytes_max])
        return end(errc::bad_frame, "a hello without its required records");
    if (peer.frame_bytes_max < frame_bytes_min)
        return end(errc::bad_frame, "a hello with a frame limit below the least");
    if (seen[record_windows] &&
        (peer.stream_window_bytes == 0 || peer.session_window_bytes == 0 ||
         peer.session_window_bytes > std::numeric_limits<std::int64_t>::max()))
        return end(errc::bad_frame, "a hello with an impossible window");
    has_streams = seen[record_windows] && limits.stream_window_bytes != 0;
    session_may_send = static_cast<std::int64_t>(peer.session_window_bytes);
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
    std::optional<payload> classes;
    if (outcome over = read_classes(body.subspan(1 + length), "a declaration", classes))
        return over;
    ++peer_commands;
    return events::declared{header.number, as_text(name), classes};
}

conversation::state::outcome conversation::state::read_classes(payload records, const char* of,
                                                               std::optional<payload>& into)
{
    record_reader reader(records);
    while (const auto record = reader.next()) {
        if (record->type != record_classes || !tells_versions())
            continue; // a feature of a later version
        if (into)
            return end(errc::bad_frame, std::string(of) + " with a repeated record");
        if (!is_class_list(record->value))
            return end(errc::bad_frame, std::string(of) + " with a bad list of classes");
        if (record->value.size() / class_entry_bytes > limits.classes_max)
            return end(errc::session_limit, std::string(of) + " with too many classes");
        into = record->value;
    }
    if (reader.is_truncated())
        return end(errc::bad_frame, std::string(of) + " with a truncated record");
    return std::nullopt;
}

conversation::state::own_command* conversation::state::find_own(std::uint16_t number) noexcept
{
    const auto found = std::find_if(own_commands.begin(), own_commands.end(),
                                    [&](const auto& each) { return each.second.number == number; });
    return found == own_commands.end() ? nullptr : &found->second;
}

conversation::state::outcome conversation::state::on_versions(const frame_header& header,
                                                              payload body)
{
    own_command* const command = find_own(header.number);
    if (command == nullptr || command->classes != own_classes::told)
        return end(errc::bad_frame, "versions of a command whose classes were not told");
    std::optional<payload> classes;
    if (outcome over = read_classes(body, "versions", classes))
        return over;
    if (!classes)
        return end(errc::bad_frame, "versions without classes");
    command->classes = own_classes::answered;
    return events::versions{header.number, *classes};
}

conversation::state::outcome conversation::state::on_ping(payload body)
{
    const auto token = load_le<std::uint64_t>(body.data());
    if (out.short_bytes() > unsent_bytes_for_held)
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

void conversation::state::flush_held() noexcept
{
    if (out.has_open_message() || out.short_bytes() > unsent_bytes_for_held / 2)
        return;
    try {
        if (pending_pong)
            write_pong(*pending_pong);
        pending_pong.reset();
        if (are_windows_held)
            give_back_held();
    }
    catch (const std::bad_alloc&) {
        // It is tried again when more was sent.
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
    if (!text.empty())
        std::memcpy(to + 2, text.data(), text.size());
    goaway_sent = true;
}

event conversation::state::end(errc code, std::string_view text) noexcept
{
    out.drop_message();
    out.drop_all_waiting();
    has_ended = true;
    end_event.code = code;
    try {
        write_goaway(code, text);
    }
    catch (const std::bad_alloc&) {
    }
    goaway_sent = is_sealed = true;
    try {
        end_event.text = text;
        return end_event;
    }
    catch (const std::bad_alloc&) {
        return events::ended{code, {}};
    }
}

} // namespace wharf
