// The rules that hold for each frame by itself.
#include "frame.hpp"

#include <wharf/command.hpp>

#include <limits>

namespace wharf::detail {
namespace {

struct rule {
    std::uint8_t flags; ///< those that may be set
    bool has_number;
    bool has_id;
    std::uint32_t length_min;
    std::uint32_t length_max;
};

constexpr std::uint32_t any_length = std::numeric_limits<std::uint32_t>::max();

/// By kind; the frame limit of the session comes on top.
constexpr rule rules[] = {
    {},
    {0, false, false, 0, any_length},                       // hello
    {0, true, false, 2, any_length},                        // declare
    {flag_more | flag_timeout, true, true, 0, any_length},  // call
    {flag_more, false, true, 0, any_length},                // reply
    {0, false, true, 6, 6 + std::uint32_t{text_bytes_max}}, // error
    {0, false, false, 8, 8},                                // ping
    {0, false, false, 8, 8},                                // pong
    {0, false, true, 2, 2 + std::uint32_t{text_bytes_max}}, // goaway
    {flag_more, false, true, 0, any_length},                // item
    {flag_more | flag_last, false, true, 0, any_length},    // upload
    {flag_upload, false, true, 4, 4},                       // window
    {0, false, true, 0, 0},                                 // cancel
    {0, true, false, 4, any_length},                        // versions
};

/// Of these kinds the id zero speaks of the whole session.
constexpr bool may_have_no_call(frame_kind kind) noexcept
{
    return kind == frame_kind::goaway || kind == frame_kind::window;
}

} // namespace

const char* find_fault(const frame_header& header) noexcept
{
    const auto kind = static_cast<std::size_t>(header.kind);
    if (kind == 0 || kind >= std::size(rules)) [[unlikely]]
        return "unknown kind of frame";
    const rule& r = rules[kind];
    if ((header.flags & ~r.flags) != 0) [[unlikely]]
        return "unknown flags";
    if (header.number != 0 && !r.has_number) [[unlikely]]
        return "a number in a frame that has none";
    if (header.id != 0 && !r.has_id) [[unlikely]]
        return "a call id in a frame that has none";
    if (header.id == 0 && r.has_id) [[unlikely]] {
        if (!may_have_no_call(header.kind))
            return "call id zero";
        if ((header.flags & flag_upload) != 0)
            return "a window of the session with a direction";
    }
    if (header.length < r.length_min || header.length > r.length_max) [[unlikely]]
        return "a payload of the wrong length";
    const std::uint32_t before_message = (header.flags & flag_timeout) != 0 ? 4 : 0;
    if (header.length < before_message) [[unlikely]]
        return "a payload too short for its timeout";
    if ((header.flags & flag_more) != 0) [[unlikely]] {
        if (header.length == before_message)
            return "an empty part of a message";
        if ((header.flags & flag_last) != 0)
            return "an end before the last part of an item";
    }
    return nullptr;
}

std::optional<record_reader::record> record_reader::next() noexcept
{
    if (rest_.empty() || truncated_)
        return std::nullopt;
    if (rest_.size() < 4) {
        truncated_ = true;
        return std::nullopt;
    }
    const auto type = load_le<std::uint16_t>(rest_.data());
    const std::size_t length = load_le<std::uint16_t>(rest_.data() + 2);
    if (rest_.size() - 4 < length) {
        truncated_ = true;
        return std::nullopt;
    }
    const record found{type, rest_.subspan(4, length)};
    rest_ = rest_.subspan(4 + length);
    return found;
}

void append_record(byte_buffer& to, std::uint16_t type, std::span<const std::byte> value)
{
    std::byte head[record_head_bytes];
    store_le(head, type);
    store_le(head + 2, static_cast<std::uint16_t>(value.size()));
    to.append(head, sizeof head);
    to.append(value);
}

void store_record(std::byte* to, std::uint16_t type, std::span<const std::byte> value) noexcept
{
    store_le(to, type);
    store_le(to + 2, static_cast<std::uint16_t>(value.size()));
    if (!value.empty())
        std::memcpy(to + record_head_bytes, value.data(), value.size());
}

bool is_class_list(std::span<const std::byte> value) noexcept
{
    if (value.size() % class_entry_bytes != 0)
        return false;
    for (std::size_t at = class_entry_bytes; at < value.size(); at += class_entry_bytes)
        if (load_le<std::uint64_t>(value.data() + at) <=
            load_le<std::uint64_t>(value.data() + at - class_entry_bytes))
            return false;
    return true;
}

bool is_command_name(std::span<const std::byte> name) noexcept
{
    if (name.empty() || name.size() > command_name_bytes_max)
        return false;
    for (const std::byte b : name)
        if (b <= std::byte{' '} || b > std::byte{'~'})
            return false;
    return true;
}

} // namespace wharf::detail
