// The floor's wire format: a length and a number, then the payload; and a buffer to cut it from.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include <sys/socket.h>

namespace bench {

struct raw_header {
    std::uint32_t length = 0; ///< of the payload
    std::uint32_t id = 0;
};

/// A header says at most this; more closes the connection.
inline constexpr std::uint32_t raw_payload_max = 16u << 20;

/// Bytes received and not yet taken.
class raw_buffer {
public:
    /// One recv. False: end of stream, or an error other than "nothing yet".
    bool receive(int fd, int flags);

    /// The next complete frame with its header, or nullptr. Valid until the next receive.
    const std::byte* next(raw_header& header);

    bool broken() const { return broken_; }

private:
    void make_room();

    std::vector<std::byte> bytes_ = std::vector<std::byte>(128u << 10);
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t wanted_ = 0; ///< size of the frame that is arriving, if known
    bool broken_ = false;
};

inline void raw_buffer::make_room()
{
    constexpr std::size_t least = 64u << 10;
    if (begin_ == end_)
        begin_ = end_ = 0;
    if (bytes_.size() - begin_ >= std::max(wanted_, end_ - begin_ + least))
        return;
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    bytes_.resize(std::max({bytes_.size(), wanted_, end_ + least}));
}

inline bool raw_buffer::receive(int fd, int flags)
{
    make_room();
    const auto count = ::recv(fd, bytes_.data() + end_, bytes_.size() - end_, flags);
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    end_ += static_cast<std::size_t>(count);
    return true;
}

inline const std::byte* raw_buffer::next(raw_header& header)
{
    if (end_ - begin_ < sizeof header)
        return nullptr;
    std::memcpy(&header, bytes_.data() + begin_, sizeof header);
    broken_ = header.length > raw_payload_max;
    wanted_ = sizeof header + header.length;
    if (broken_ || end_ - begin_ < wanted_)
        return nullptr;
    const auto* frame = bytes_.data() + begin_;
    begin_ += wanted_;
    wanted_ = 0;
    return frame;
}

} // namespace bench
