// The frames that a conversation wants sent, in one contiguous buffer.
#pragma once

#include "frame.hpp"

#include <wharf/byte_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace wharf::detail {

/// Appends frames at the end; the sender takes bytes from the front. Sent bytes leave the buffer
/// only when that is cheap, so that a long queue is not moved at each send.
class output_queue {
public:
    byte_buffer& buffer() noexcept { return buffer_; }

    /// What may be sent: everything but a message that is being written.
    std::span<const std::byte> unsent() const noexcept
    {
        const std::size_t end = open_ ? open_at_ : buffer_.size();
        return {buffer_.data() + sent_, end - sent_};
    }
    void sent(std::size_t n) noexcept;
    /// How much can be added without allocating.
    std::size_t room() const noexcept { return buffer_.capacity() - buffer_.size(); }

    /// Appends a header and returns where its payload of header.length bytes is to be written.
    std::byte* add_frame(const frame_header& header)
    {
        std::byte* to = buffer_.reserve_more(frame_header_bytes + header.length);
        store_header(to, header);
        buffer_.set_end(to + frame_header_bytes + header.length);
        return to + frame_header_bytes;
    }

    /// Appends a message in as many frames as it takes. `first.flags` are those of its first frame,
    /// `head` are the bytes that stand before the message there.
    void add_message(frame_header first, std::span<const std::byte> head,
                     std::span<const std::byte> message, std::uint32_t frame_bytes_max);

    /// Opens a message that is written straight into buffer(); nothing else may be added before it
    /// is finished or dropped.
    std::size_t open_message()
    {
        open_at_ = buffer_.size();
        open_ = true;
        buffer_.set_end(buffer_.reserve_more(frame_header_bytes) + frame_header_bytes);
        return open_at_;
    }
    std::size_t open_message_bytes() const noexcept
    {
        return buffer_.size() - open_at_ - frame_header_bytes;
    }
    bool has_open_message() const noexcept { return open_; }
    /// Completes its header; splits it where it exceeds a frame.
    void finish_message(frame_header header, std::uint32_t frame_bytes_max);
    void drop_message() noexcept;

private:
    void split_message(frame_header header, std::uint32_t frame_bytes_max);

    /// A buffer larger than this is given back when everything is sent.
    static constexpr std::size_t idle_capacity_max = 256u << 10;

    byte_buffer buffer_;
    std::size_t sent_ = 0; ///< bytes at the front that are sent already
    bool open_ = false;
    std::size_t open_at_ = 0;
};

} // namespace wharf::detail
