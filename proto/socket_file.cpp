// The file over a blocking socket: messages with their lengths, sent and received independently.
#include <wharf/socket.hpp>

#include "native.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace wharf {
namespace {

// The first byte is no text and no start of TLS; the kind tells this file from a conversation.
constexpr std::array<unsigned char, 8> opening = {0x89, 'w', 'h', 'a', 'r', 'f', 'A', 0x01};
constexpr std::size_t kind_at = 6, version_at = 7;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t receive_bytes = 64u << 10;
constexpr std::size_t keep_bytes = 1u << 20; // memory that an idle file may hold on to

std::size_t length_at(const std::byte* p)
{
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        n |= std::to_integer<std::uint32_t>(p[i]) << (8 * i);
    return n;
}

} // namespace

socket_file::socket_file(socket& connected, const socket_file_options& options)
    : socket_(connected), options_(options)
{
    options_.message_bytes_max = std::min<std::size_t>(options_.message_bytes_max, UINT32_MAX);
    options_.buffered_bytes_max = std::max(
        options_.buffered_bytes_max, opening.size() + length_bytes + options_.message_bytes_max);
}

void socket_file::send_message(std::span<const std::byte> message)
{
    if (!socket_.is_connected())
        throw error(errc::not_connected, "sending a message needs a connection");
    if (send_failed_)
        throw error(errc::connection_reset, "an earlier message was sent in part only");
    if (message.size() > options_.message_bytes_max)
        throw error(errc::message_limit, std::to_string(message.size()) + " bytes to send, the " +
                                             "limit is " +
                                             std::to_string(options_.message_bytes_max));
    std::array<unsigned char, opening.size() + length_bytes> head;
    std::size_t head_bytes = 0;
    if (!opened_)
        head_bytes = opening.size(), std::copy(opening.begin(), opening.end(), head.begin());
    for (std::size_t i = 0; i < length_bytes; ++i)
        head[head_bytes++] = static_cast<unsigned char>(message.size() >> (8 * i));

    time_point deadline = deadline_after(options_.timeout);
    int fd = socket_.native_handle();
    send_failed_ = true; // until all of it is sent
    for (std::size_t sent = 0, all = head_bytes + message.size(); sent < all;) {
        std::size_t of_head = std::min(sent, head_bytes);
        iovec parts[2] = {{head.data() + of_head, head_bytes - of_head},
                          {const_cast<std::byte*>(message.data()) + (sent - of_head),
                           message.size() - (sent - of_head)}};
        msghdr header{};
        header.msg_iov = parts;
        header.msg_iovlen = 2;
        ssize_t n = ::sendmsg(fd, &header, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += static_cast<std::size_t>(n);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            throw_system("cannot send a message", errno);
        // The peer may be sending too, and not receive before it has: make room for it.
        bool receiving = !ended_ && unread_bytes() < options_.buffered_bytes_max;
        short wanted = static_cast<short>(POLLOUT | (receiving ? POLLIN : 0));
        try {
            short ready = wait_ready(fd, wanted, deadline, "sending a message");
            if (receiving && (ready & (POLLIN | POLLERR | POLLHUP)) != 0)
                receive_available(options_.buffered_bytes_max);
        }
        catch (const error& e) {
            // Nothing of it is sent: the message can be sent again.
            if (sent == 0 && e.code() == errc::deadline_exceeded)
                send_failed_ = false;
            throw;
        }
    }
    opened_ = true;
    send_failed_ = false;
}

std::span<const std::byte> socket_file::receive_message()
{
    if (!socket_.is_connected())
        throw error(errc::not_connected, "receiving a message needs a connection");
    check_opening(); // what sending received may have been refused already
    current_.clear();
    current_.shrink(keep_bytes);
    time_point deadline = deadline_after(options_.timeout);
    for (;;) {
        if (auto bytes = next_message_bytes())
            return take_message(*bytes);
        if (ended_)
            throw_ended();
        if (receive_available(options_.buffered_bytes_max) == input::none_now)
            wait_ready(socket_.native_handle(), POLLIN, deadline, "receiving a message");
    }
}

bool socket_file::has_message() const
{
    // A length over the limit counts: receive_message() does not wait before it refuses it.
    return opening_ == opening.size() && unread_bytes() >= length_bytes &&
           (length_at(unread()) > options_.message_bytes_max ||
            unread_bytes() - length_bytes >= length_at(unread()));
}

// One recv of whatever is there. Memory grows with what arrives, never with what a length claims.
socket_file::input socket_file::receive_available(std::size_t bytes_max)
{
    if (taken_ != 0 && taken_ >= unread_bytes()) {
        arrived_.erase_front(taken_);
        taken_ = 0;
        arrived_.shrink(keep_bytes);
    }
    std::size_t room = std::clamp(unread_bytes(), receive_bytes, receive_bytes * 16);
    room = std::min(room, bytes_max - std::min(bytes_max, unread_bytes()));
    if (room == 0)
        return input::none_now;
    std::byte* to = arrived_.reserve_more(room);
    ssize_t n = ::recv(socket_.native_handle(), to, room, 0);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR)
            return input::none_now;
        throw_system("cannot receive", errno);
    }
    if (n == 0) {
        ended_ = true;
        return input::ended;
    }
    arrived_.set_end(to + n);
    check_opening();
    return input::some;
}

void socket_file::check_opening()
{
    while (opening_ < opening.size() && unread_bytes() > 0) {
        auto byte = std::to_integer<unsigned char>(*unread());
        if (byte != opening[opening_]) {
            if (opening_ == kind_at && byte == 'C')
                throw error(errc::bad_protocol, "the peer holds a conversation, as a wharfd and "
                                                "its clients do: use a wharf::client for it");
            if (opening_ == version_at)
                throw error(errc::unsupported_protocol,
                            "the peer's archives have version " + std::to_string(byte) +
                                ", this program's version " + std::to_string(opening[version_at]));
            throw error(errc::bad_protocol, "the peer sends no Wharf archives");
        }
        ++opening_;
        ++taken_;
    }
}

std::optional<std::size_t> socket_file::next_message_bytes() const
{
    if (opening_ < opening.size() || unread_bytes() < length_bytes)
        return std::nullopt;
    std::size_t bytes = length_at(unread());
    if (bytes > options_.message_bytes_max)
        throw error(errc::message_limit, "the peer's message has " + std::to_string(bytes) +
                                             " bytes, the limit is " +
                                             std::to_string(options_.message_bytes_max));
    if (unread_bytes() - length_bytes < bytes)
        return std::nullopt;
    return bytes;
}

// The message moves to a buffer of its own: sending may receive more while it is being loaded.
std::span<const std::byte> socket_file::take_message(std::size_t bytes)
{
    std::size_t begin = taken_ + length_bytes;
    if (begin + bytes == arrived_.size()) {
        std::swap(current_, arrived_);
        taken_ = 0;
        return current_.view().subspan(begin);
    }
    current_.append(arrived_.data() + begin, bytes);
    taken_ = begin + bytes;
    return current_.view();
}

void socket_file::throw_ended() const
{
    if (unread_bytes() == 0 && (opening_ == 0 || opening_ == opening.size()))
        throw error(errc::connection_closed);
    if (opening_ < opening.size())
        throw error(errc::truncated, "the peer ended inside of its opening");
    throw error(errc::truncated,
                unread_bytes() < length_bytes
                    ? "the peer ended inside of a message's length"
                    : "the peer ended " + std::to_string(unread_bytes() - length_bytes) +
                          " bytes into a message of " + std::to_string(length_at(unread())));
}

} // namespace wharf
