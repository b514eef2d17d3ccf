// Frames built by hand for tests, byte by byte from the description in proto/README.md and not by
// the functions under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wire {

/// Bytes on the wire; std::string has the operators that a test wants.
using bytes = std::string;

inline std::span<const std::byte> view(std::string_view text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline bytes copy(std::span<const std::byte> from)
{
    return {reinterpret_cast<const char*>(from.data()), from.size()};
}

/// A little-endian integer of `size` bytes.
inline bytes number(std::uint64_t value, std::size_t size)
{
    bytes result;
    for (std::size_t i = 0; i < size; ++i)
        result.push_back(static_cast<char>(value >> (8 * i)));
    return result;
}
inline bytes u8(std::uint64_t v)
{
    return number(v, 1);
}
inline bytes u16(std::uint64_t v)
{
    return number(v, 2);
}
inline bytes u32(std::uint64_t v)
{
    return number(v, 4);
}
inline bytes u64(std::uint64_t v)
{
    return number(v, 8);
}

enum kind {
    hello_kind = 1,
    declare_kind,
    call_kind,
    reply_kind,
    error_kind,
    ping_kind,
    pong_kind,
    goaway_kind,
    item_kind,
    upload_kind,
    window_kind,
    cancel_kind,
    versions_kind
};
enum flag { more = 1, timeout = 2, last = 4, of_upload = 8 };

inline bytes frame(unsigned kind, unsigned flags, unsigned number, std::uint64_t id,
                   const bytes& payload)
{
    return u32(payload.size()) + u8(kind) + u8(flags) + u16(number) + u64(id) + payload;
}

inline bytes opening(char kind = 'C', unsigned version = 1)
{
    return bytes("\x89wharf") + kind + u8(version);
}
inline bytes record(unsigned type, const bytes& value)
{
    return u16(type) + u16(value.size()) + value;
}
inline bytes hello(const bytes& software = "peer", std::uint32_t frame_max = 65536,
                   std::uint64_t message_max = 16u << 20)
{
    return frame(hello_kind, 0, 0, 0,
                 record(1, software) + record(2, u32(frame_max)) + record(3, u64(message_max)));
}
/// Of a peer that knows streams.
inline bytes hello_with_windows(std::uint32_t stream, std::uint64_t session,
                                std::uint32_t frame_max = 65536,
                                std::uint64_t message_max = 16u << 20)
{
    return frame(hello_kind, 0, 0, 0,
                 record(1, "peer") + record(2, u32(frame_max)) + record(3, u64(message_max)) +
                     record(4, u32(stream) + u64(session)));
}
inline bytes declare(unsigned number, const bytes& name)
{
    return frame(declare_kind, 0, number, 0, u8(name.size()) + name);
}
/// Of a peer that knows streams, and takes so many classes.
inline bytes hello_with_versions(std::uint32_t classes_max)
{
    return frame(hello_kind, 0, 0, 0,
                 record(1, "peer") + record(2, u32(65536)) + record(3, u64(16u << 20)) +
                     record(4, u32(1u << 20) + u64(8u << 20)) + record(5, u32(classes_max)));
}
inline bytes listed(std::uint64_t id, std::uint32_t version)
{
    return u64(id) + u32(version);
}
/// With these records behind the name.
inline bytes declare_with(unsigned number, const bytes& name, const bytes& records)
{
    return frame(declare_kind, 0, number, 0, u8(name.size()) + name + records);
}
inline bytes versions(unsigned number, const bytes& records)
{
    return frame(versions_kind, 0, number, 0, records);
}
inline bytes call(std::uint64_t id, unsigned number, const bytes& message, unsigned flags = 0)
{
    return frame(call_kind, flags, number, id, message);
}
inline bytes call_within(std::uint32_t ms, std::uint64_t id, unsigned number, const bytes& message,
                         unsigned flags = 0)
{
    return frame(call_kind, flags | timeout, number, id, u32(ms) + message);
}
inline bytes reply(std::uint64_t id, const bytes& message, unsigned flags = 0)
{
    return frame(reply_kind, flags, 0, id, message);
}
inline bytes error(std::uint64_t id, unsigned code, const bytes& text = {}, std::uint32_t ms = 0)
{
    return frame(error_kind, 0, 0, id, u16(code) + u32(ms) + text);
}
inline bytes ping(std::uint64_t token)
{
    return frame(ping_kind, 0, 0, 0, u64(token));
}
inline bytes pong(std::uint64_t token)
{
    return frame(pong_kind, 0, 0, 0, u64(token));
}
inline bytes goaway(std::uint64_t last, unsigned code, const bytes& text = {})
{
    return frame(goaway_kind, 0, 0, last, u16(code) + text);
}

inline bytes item(std::uint64_t id, const bytes& message, unsigned flags = 0)
{
    return frame(item_kind, flags, 0, id, message);
}
inline bytes upload(std::uint64_t id, const bytes& message, unsigned flags = 0)
{
    return frame(upload_kind, flags, 0, id, message);
}
inline bytes window(std::uint64_t id, std::uint32_t more_bytes, unsigned flags = 0)
{
    return frame(window_kind, flags, 0, id, u32(more_bytes));
}
inline bytes cancel(std::uint64_t id)
{
    return frame(cancel_kind, 0, 0, id, "");
}

/// "89 77 68" or "897768", with #-comments, to bytes.
inline bytes from_hex(std::string_view text)
{
    bytes result;
    int high = -1;
    bool comment = false;
    for (const char c : text) {
        comment = (comment || c == '#') && c != '\n';
        const std::size_t digit = std::string_view("0123456789abcdef").find(c);
        if (comment || digit == std::string_view::npos)
            continue;
        if (high < 0) {
            high = static_cast<int>(digit);
        }
        else {
            result.push_back(static_cast<char>(high * 16 + static_cast<int>(digit)));
            high = -1;
        }
    }
    return result;
}

inline bytes to_hex(std::string_view from)
{
    bytes result;
    for (const char c : from) {
        result.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
        result.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 15]);
    }
    return result;
}

} // namespace wire
