// Where a conversation receives into: starts small, follows the traffic, keeps frames contiguous.
#pragma once

#include <wharf/byte_buffer.hpp>

#include <cstddef>
#include <cstring>
#include <span>

namespace wharf::detail {

/// Received bytes that are not yet consumed, and room for more behind them.
class input_buffer {
public:
    /// Adaptive growth stops at `capacity_max`; a frame that needs more gets it.
    explicit input_buffer(std::size_t capacity_max) noexcept : capacity_max_(capacity_max) {}

    std::span<const std::byte> unread() const noexcept
    {
        return {bytes_.data() + read_, bytes_.size() - read_};
    }
    void consume(std::size_t n) noexcept { read_ += n; }

    /// Room to receive into, never empty; at least `wanted` bytes fit. Moves the unread bytes.
    std::span<std::byte> prepare(std::size_t wanted);
    void commit(std::size_t n) noexcept;
    /// Appends bytes that were received elsewhere; room for them was prepared.
    void put(std::span<const std::byte> bytes) noexcept
    {
        std::memcpy(bytes_.end(), bytes.data(), bytes.size());
        bytes_.set_end(bytes_.end() + bytes.size());
    }

    std::size_t capacity() const noexcept { return bytes_.capacity(); }
    /// Gives the memory back; nothing unread may be left.
    void release() noexcept;

private:
    static constexpr std::size_t capacity_min = 4096;
    static constexpr std::size_t room_min = 512;
    static constexpr unsigned small_receives_before_shrink = 16;

    byte_buffer bytes_;
    std::size_t read_ = 0; ///< consumed bytes at the front
    std::size_t room_ = 0; ///< what prepare() offered last
    std::size_t capacity_max_;
    std::size_t capacity_wanted_ = capacity_min;
    unsigned small_receives_ = 0;
};

} // namespace wharf::detail
