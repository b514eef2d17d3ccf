// Reading and writing a connection without Asio.
#include <wharf/detail/transport_io.hpp>

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

namespace wharf::detail {

namespace {

error_code last_error() noexcept
{
    return {errno, boost::system::system_category()};
}

} // namespace

bool let_receives_wait(transport& stream, std::chrono::milliseconds at_most) noexcept
{
    const int file = stream.native_handle();
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(at_most);
    const timeval limit{static_cast<time_t>(whole.count()),
                        std::chrono::microseconds(at_most - whole).count()};
    if (::setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
        return false;
    const int flags = ::fcntl(file, F_GETFL);
    return flags >= 0 && ::fcntl(file, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

std::size_t receive(transport& stream, std::span<std::byte> room, receive_mode mode,
                    error_code& failed) noexcept
{
    const ssize_t n = ::recv(stream.native_handle(), room.data(), room.size(),
                             mode == receive_mode::waits ? 0 : MSG_DONTWAIT);
    if (n > 0) {
        failed.clear();
        return static_cast<std::size_t>(n);
    }
    failed = n == 0 ? error_code(boost::asio::error::eof) : last_error();
    return 0;
}

std::size_t send_at_once(transport& stream, std::span<const std::span<const std::byte>> parts,
                         error_code& failed) noexcept
{
    std::array<iovec, 16> buffers;
    msghdr message{};
    message.msg_iov = buffers.data();
    message.msg_iovlen = std::min(parts.size(), buffers.size());
    for (std::size_t i = 0; i != message.msg_iovlen; ++i)
        buffers[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
    const ssize_t n = ::sendmsg(stream.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        failed = last_error();
        return 0;
    }
    failed.clear();
    return static_cast<std::size_t>(n);
}

} // namespace wharf::detail
