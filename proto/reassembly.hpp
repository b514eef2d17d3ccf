// Messages of several frames, while their frames arrive.
#pragma once

#include "id_map.hpp"

#include <wharf/byte_buffer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace wharf::detail {

/// The first frames of one message.
struct partial_message {
    byte_buffer bytes;
    std::uint16_t number = 0;
    std::optional<std::chrono::milliseconds> timeout;
    bool is_skipped = false; ///< refused: what still comes of it is dropped
};

/// The partly received messages of one direction, by call id; frames of several may interleave.
class reassembly {
public:
    partial_message* find(std::uint64_t id) noexcept { return messages_.find(id); }
    partial_message& start(std::uint64_t id) { return messages_.insert(id, {}); }

    void append(partial_message& message, std::span<const std::byte> part)
    {
        capacity_ -= message.bytes.capacity();
        message.bytes.append(part);
        capacity_ += message.bytes.capacity();
        bytes_ += part.size();
    }
    /// Frees what a message holds and drops what still comes of it.
    void skip(partial_message& message) noexcept
    {
        bytes_ -= message.bytes.size();
        capacity_ -= message.bytes.capacity();
        message.bytes = byte_buffer();
        message.is_skipped = true;
        ++skipped_;
    }
    /// Takes the message out; false where there is none.
    bool take(std::uint64_t id, partial_message& into) noexcept
    {
        partial_message* found = messages_.find(id);
        if (found == nullptr)
            return false;
        bytes_ -= found->bytes.size();
        capacity_ -= found->bytes.capacity();
        skipped_ -= found->is_skipped ? 1 : 0;
        into = std::move(*found);
        messages_.erase(id);
        return true;
    }
    void drop(std::uint64_t id) noexcept
    {
        partial_message dropped;
        take(id, dropped);
    }

    std::size_t size() const noexcept { return messages_.size(); }
    std::size_t skipped() const noexcept { return skipped_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// The memory behind bytes(), up to twice as much.
    std::size_t capacity() const noexcept { return capacity_; }

private:
    id_map<partial_message> messages_;
    std::size_t bytes_ = 0;
    std::size_t capacity_ = 0;
    std::size_t skipped_ = 0;
};

} // namespace wharf::detail
