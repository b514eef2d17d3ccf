// When the input buffer moves, grows and shrinks.
#include "input_buffer.hpp"

#include <algorithm>
#include <utility>

namespace wharf::detail {

std::span<std::byte> input_buffer::prepare(std::size_t wanted)
{
    const std::size_t unread_size = bytes_.size() - read_;
    if (unread_size == 0) {
        bytes_.clear();
        read_ = 0;
        if (bytes_.capacity() > capacity_wanted_)
            bytes_.shrink(0);
    }
    const std::size_t room = std::max(wanted, room_min);
    // Little is left over as a rule (part of one frame): move it early, for a receive of full size.
    const std::size_t tail = static_cast<std::size_t>(bytes_.limit() - bytes_.end());
    if (read_ != 0 && (tail < room || tail < bytes_.capacity() / 2)) {
        bytes_.erase_front(read_);
        read_ = 0;
    }
    const std::size_t capacity = std::max(capacity_wanted_, bytes_.size() + room);
    if (bytes_.capacity() < capacity) {
        // A new one, since what grows may be given far more than it asks for.
        byte_buffer larger(capacity);
        larger.append(bytes_.view());
        bytes_ = std::move(larger);
    }
    room_ = static_cast<std::size_t>(bytes_.limit() - bytes_.end());
    return {bytes_.end(), room_};
}

void input_buffer::commit(std::size_t n) noexcept
{
    bytes_.set_end(bytes_.end() + n);
    if (n >= room_) {
        small_receives_ = 0;
        capacity_wanted_ = std::min(std::max(bytes_.capacity(), capacity_min) * 2, capacity_max_);
        capacity_wanted_ = std::max(capacity_wanted_, capacity_min);
    }
    else if (n > capacity_wanted_ / 8) {
        small_receives_ = 0;
    }
    else if (++small_receives_ >= small_receives_before_shrink) {
        small_receives_ = 0;
        capacity_wanted_ = std::max(capacity_wanted_ / 2, capacity_min);
    }
    room_ -= n;
}

void input_buffer::release() noexcept
{
    bytes_.clear();
    bytes_.shrink(0);
    read_ = room_ = 0;
}

} // namespace wharf::detail
