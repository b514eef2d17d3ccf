// The frames that a conversation wants sent: short ones in one contiguous buffer, and messages of
// several frames beside it.
#pragma once

#include "bulk_queue.hpp"
#include "frame.hpp"

#include <wharf/byte_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace wharf::detail {

/// Appends frames at the end; the sender takes bytes from the front. Sent bytes leave the buffer
/// only when that is cheap, so that a long queue is not moved at each send. What is short overtakes
/// messages of several frames at the ends of their frames, but lets one of their frames through
/// now and then.
///
/// What one call says stays in order: while a message of its lane waits, what follows waits too.
class output_queue {
public:
    /// The lanes of the calls of both ends.
    static constexpr std::uint64_t lane_of(std::uint64_t call_id, bool is_ours) noexcept
    {
        return call_id * 2 + (is_ours ? 1 : 0);
    }

    byte_buffer& buffer() noexcept { return buffer_; }

    /// The first part of what may be sent: everything but a message that is being written.
    std::span<const std::byte> unsent() const noexcept
    {
        if (bulk_) [[unlikely]]
            return first_part();
        return {buffer_.data() + sent_, short_bytes()};
    }
    /// As many parts as fit; how many they are.
    std::size_t unsent_parts(std::span<std::span<const std::byte>> parts) const noexcept;
    std::size_t bytes() const noexcept { return short_bytes() + (bulk_ ? bulk_->bytes() : 0); }
    /// Without the messages of several frames.
    std::size_t short_bytes() const noexcept { return short_end() - sent_; }
    /// What certainly leaves before a short frame that is added now.
    std::size_t bytes_before_next() const noexcept
    {
        return short_bytes() + (bulk_ ? bulk_->begun_frame_bytes() : 0);
    }
    void sent(std::size_t n) noexcept;

    /// Makes room, so that adding frames of so many bytes does not throw.
    void reserve(std::size_t bytes) { buffer_.reserve_more(bytes); }

    /// Appends a header and returns where its payload of header.length bytes is to be written.
    std::byte* add_frame(const frame_header& header)
    {
        std::byte* to = buffer_.reserve_more(frame_header_bytes + header.length);
        store_header(to, header);
        buffer_.set_end(to + frame_header_bytes + header.length);
        return to + frame_header_bytes;
    }

    /// Appends a message in as many frames as it takes. `header.flags` are those of its last frame;
    /// flag_timeout goes with `head`, the bytes that stand before the message, to the first.
    /// How many frames they are.
    std::size_t add_message(std::uint64_t lane, const frame_header& header,
                            std::span<const std::byte> head, std::span<const std::byte> message,
                            std::uint32_t frame_bytes_max)
    {
        const std::size_t size = head.size() + message.size();
        if (size > frame_bytes_max || is_waiting(lane)) [[unlikely]]
            return add_to_bulk(lane, header, head, message, frame_bytes_max);
        frame_header whole = header;
        whole.length = static_cast<std::uint32_t>(size);
        std::byte* to = add_frame(whole);
        if (!head.empty())
            std::memcpy(to, head.data(), head.size());
        if (!message.empty())
            std::memcpy(to + head.size(), message.data(), message.size());
        return 1;
    }

    /// The same for a message in a buffer that is shared: what exceeds a frame is not copied.
    std::size_t add_shared_message(std::uint64_t lane, const frame_header& header,
                                   std::span<const std::byte> head,
                                   const std::shared_ptr<const byte_buffer>& message,
                                   std::uint32_t frame_bytes_max)
    {
        if (head.size() + message->size() > frame_bytes_max || is_waiting(lane))
            return add_to_bulk(lane, header, head, message->view(), frame_bytes_max, &message);
        return add_message(lane, header, head, message->view(), frame_bytes_max);
    }

    /// Opens a message that is written straight into buffer(); nothing else may be added before it
    /// is finished or dropped.
    std::size_t open_message()
    {
        const std::size_t at = buffer_.size();
        buffer_.set_end(buffer_.reserve_more(frame_header_bytes) + frame_header_bytes);
        open_at_ = at;
        open_ = true;
        return at;
    }
    std::size_t open_message_bytes() const noexcept
    {
        return buffer_.size() - open_at_ - frame_header_bytes;
    }
    bool has_open_message() const noexcept { return open_; }
    /// Completes its header. What exceeds a frame, or must wait for its lane, leaves the buffer.
    void finish_message(std::uint64_t lane, frame_header header, std::uint32_t frame_bytes_max)
    {
        const std::size_t size = open_message_bytes();
        if (size > frame_bytes_max || is_waiting(lane)) [[unlikely]] {
            finish_in_bulk(lane, header, frame_bytes_max);
            return;
        }
        header.length = static_cast<std::uint32_t>(size);
        store_header(buffer_.data() + open_at_, header);
        open_ = false;
    }
    void drop_message() noexcept;

    bool has_waiting() const noexcept { return bulk_ != nullptr; }
    /// Does a message of this lane wait, so that what follows it must wait too?
    bool is_waiting(std::uint64_t lane) const noexcept { return bulk_ && bulk_->has(lane); }
    /// Drops what waits of a lane, but for a frame that has left in part.
    bulk_queue::dropped drop_waiting(std::uint64_t lane) noexcept;
    void drop_all_waiting() noexcept;

private:
    std::size_t short_end() const noexcept { return open_ ? open_at_ : buffer_.size(); }
    std::size_t add_to_bulk(std::uint64_t lane, const frame_header& header,
                            std::span<const std::byte> head, std::span<const std::byte> message,
                            std::uint32_t frame_bytes_max,
                            const std::shared_ptr<const byte_buffer>* shared = nullptr);
    void finish_in_bulk(std::uint64_t lane, const frame_header& header,
                        std::uint32_t frame_bytes_max);
    template <class Bytes>
    void add_bulk(std::uint64_t lane, const frame_header& header, Bytes&& bytes, std::size_t from,
                  std::uint32_t frame_bytes_max, bool has_short_first, std::uint64_t not_before);
    std::span<const std::byte> first_part() const noexcept;
    std::size_t sent_with_bulk(std::size_t n) noexcept;
    /// By how much what is left has moved to the front.
    std::size_t sent_short(std::size_t n) noexcept;
    void release_bulk() noexcept;

    /// A buffer larger than this is given back when everything is sent.
    static constexpr std::size_t idle_capacity_max = 256u << 10;
    /// So much may overtake before one frame of those that wait is let through.
    static constexpr std::size_t overtaking_bytes_max = 256u << 10;
    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    byte_buffer buffer_;
    std::size_t sent_ = 0; ///< bytes at the front that are sent already
    std::size_t open_at_ = 0;
    std::unique_ptr<bulk_queue> bulk_; ///< while something waits: most sessions have none
    std::size_t overtaken_ = 0;        ///< bytes that left since bulk_ could send a frame
    std::size_t owed_at_ = nowhere;    ///< the end of a frame behind which it is bulk_'s turn
    std::uint64_t taken_out_ = 0;      ///< bytes that have left the front of buffer_ beside bulk_
    bool open_ = false;
};

} // namespace wharf::detail
