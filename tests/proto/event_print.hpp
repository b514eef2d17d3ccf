// Prints events, so that a test can compare and show what a conversation said.
#pragma once

#include <wharf/conversation.hpp>

#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>

namespace wharf::events {

/// Short messages in hex, long ones by size and checksum.
inline std::string shown(std::span<const std::byte> bytes)
{
    std::ostringstream to;
    to << std::hex << std::setfill('0');
    if (bytes.size() <= 32) {
        for (const std::byte b : bytes)
            to << std::setw(2) << std::to_integer<unsigned>(b);
        return to.str();
    }
    std::uint64_t sum = 14695981039346656037u;
    for (const std::byte b : bytes)
        sum = (sum ^ std::to_integer<unsigned>(b)) * 1099511628211u;
    to << std::dec << bytes.size() << " bytes, " << std::hex << sum;
    return to.str();
}

inline std::ostream& operator<<(std::ostream& to, const nothing&)
{
    return to << "nothing";
}
inline std::ostream& operator<<(std::ostream& to, const opened& e)
{
    to << "opened(" << e.peer.software << ", " << e.peer.frame_bytes_max << ", "
       << e.peer.message_bytes_max;
    if (e.peer.stream_window_bytes != 0)
        to << ", " << e.peer.stream_window_bytes << ", " << e.peer.session_window_bytes;
    return to << ")";
}
inline std::ostream& operator<<(std::ostream& to, const declared& e)
{
    to << "declared(" << e.number << ", " << e.name;
    if (e.classes)
        to << ", " << shown(*e.classes);
    return to << ")";
}
inline std::ostream& operator<<(std::ostream& to, const versions& e)
{
    return to << "versions(" << e.number << ", " << shown(e.classes) << ")";
}
inline std::ostream& operator<<(std::ostream& to, const called& e)
{
    to << "called(" << e.id << ", " << e.number << ", ";
    if (e.timeout)
        to << e.timeout->count() << "ms, ";
    return to << shown(e.message) << ")";
}
inline std::ostream& operator<<(std::ostream& to, const replied& e)
{
    return to << "replied(" << e.id << ", " << shown(e.message) << ")";
}
inline std::ostream& operator<<(std::ostream& to, const failed& e)
{
    return to << "failed(" << e.id << ", " << to_name(e.code) << ", \"" << e.text << "\", "
              << e.retry_after.count() << "ms)";
}
inline std::ostream& operator<<(std::ostream& to, const expired& e)
{
    return to << "expired(" << e.id << ")";
}
inline const char* shown(flow which)
{
    return which == flow::upload ? "upload" : "reply";
}
inline std::ostream& operator<<(std::ostream& to, const item& e)
{
    return to << "item(" << e.id << ", " << shown(e.which) << ", " << shown(e.message) << ")";
}
inline std::ostream& operator<<(std::ostream& to, const upload_ended& e)
{
    return to << "upload_ended(" << e.id << ")";
}
inline std::ostream& operator<<(std::ostream& to, const cancelled& e)
{
    return to << "cancelled(" << e.id << ")";
}
inline std::ostream& operator<<(std::ostream& to, const window_opened& e)
{
    if (e.id == 0)
        return to << "window_opened(session)";
    return to << "window_opened(" << e.id << ", " << shown(e.which) << ")";
}
inline std::ostream& operator<<(std::ostream& to, const ponged& e)
{
    return to << "ponged(" << e.token << ")";
}
inline std::ostream& operator<<(std::ostream& to, const going_away& e)
{
    return to << "going_away(" << e.last_call << ", " << to_name(e.code) << ", \"" << e.text
              << "\")";
}
inline std::ostream& operator<<(std::ostream& to, const ended& e)
{
    return to << "ended(" << to_name(e.code) << ", \"" << e.text << "\")";
}
inline std::ostream& operator<<(std::ostream& to, const event& e)
{
    std::visit([&](const auto& value) { to << value; }, e);
    return to;
}

inline std::string to_string(const event& e)
{
    std::ostringstream to;
    to << e;
    return to.str();
}

} // namespace wharf::events
