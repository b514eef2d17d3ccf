// Splitting messages into frames, and forgetting what was sent.
#include "output_queue.hpp"

#include <algorithm>
#include <cstring>

namespace wharf::detail {

void output_queue::sent(std::size_t n) noexcept
{
    sent_ += std::min(n, unsent().size());
    if (open_)
        return; // the open message's place is known by its offset
    if (sent_ == buffer_.size()) {
        buffer_.clear();
        buffer_.shrink(idle_capacity_max);
        sent_ = 0;
    }
    else if (sent_ > buffer_.size() / 2) {
        // Each byte moves at most once per byte that was sent.
        buffer_.erase_front(sent_);
        sent_ = 0;
    }
}

void output_queue::add_message(frame_header first, std::span<const std::byte> head,
                               std::span<const std::byte> message, std::uint32_t frame_bytes_max)
{
    frame_header header = first;
    for (;;) {
        const std::size_t part =
            std::min<std::size_t>(message.size(), frame_bytes_max - head.size());
        const bool more = part < message.size();
        header.length = static_cast<std::uint32_t>(head.size() + part);
        if (more)
            header.flags |= flag_more;
        std::byte* to = add_frame(header);
        if (!head.empty())
            std::memcpy(to, head.data(), head.size());
        if (part != 0)
            std::memcpy(to + head.size(), message.data(), part);
        if (!more)
            return;
        message = message.subspan(part);
        head = {};
        header.flags = 0;
    }
}

void output_queue::finish_message(frame_header header, std::uint32_t frame_bytes_max)
{
    const std::size_t size = open_message_bytes();
    if (size <= frame_bytes_max) [[likely]] {
        header.length = static_cast<std::uint32_t>(size);
        store_header(buffer_.data() + open_at_, header);
    }
    else {
        split_message(header, frame_bytes_max);
    }
    open_ = false;
}

void output_queue::split_message(frame_header header, std::uint32_t frame_bytes_max)
{
    const std::size_t size = open_message_bytes();
    const std::size_t frames = (size + frame_bytes_max - 1) / frame_bytes_max;
    const std::size_t extra = (frames - 1) * frame_header_bytes;
    buffer_.set_end(buffer_.reserve_more(extra) + extra);
    // From the last part to the first: each moves up by the headers that come before it.
    std::byte* const begin = buffer_.data() + open_at_;
    for (std::size_t i = frames; i-- > 0;) {
        const std::size_t from = i * frame_bytes_max;
        const std::size_t part = std::min<std::size_t>(size - from, frame_bytes_max);
        std::byte* const to = begin + from + i * frame_header_bytes;
        if (i != 0)
            std::memmove(to + frame_header_bytes, begin + frame_header_bytes + from, part);
        header.length = static_cast<std::uint32_t>(part);
        header.flags = i + 1 < frames ? flag_more : 0;
        store_header(to, header);
    }
}

void output_queue::drop_message() noexcept
{
    if (!open_)
        return;
    buffer_.set_end(buffer_.data() + open_at_);
    open_ = false;
}

} // namespace wharf::detail
