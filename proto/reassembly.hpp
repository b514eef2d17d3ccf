// Messages of several frames, while their frames arrive.
#pragma once

#include "frame.hpp"
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
    std::size_t size = 0;     ///< of what came, or is being received in place
    std::size_t capacity = 0; ///< of the memory behind it
    /// What an item has cost its sender; zero for calls and replies.
    std::size_t cost = 0;
    std::optional<std::chrono::milliseconds> timeout;
    std::uint16_t number = 0;
    frame_kind kind{};       ///< of all of its frames
    bool is_skipped = false; ///< refused: what still comes of it is dropped
};

/// The partly received messages of one direction, by call id; frames of several may interleave.
class reassembly {
public:
    partial_message* find(std::uint64_t id) noexcept { return messages_.find(id); }
    partial_message& start(std::uint64_t id, frame_kind kind)
    {
        partial_message& message = messages_.insert(id, {});
        message.kind = kind;
        return message;
    }

    void append(partial_message& message, std::span<const std::byte> part)
    {
        message.bytes.append(part);
        message.size += part.size();
        bytes_ += part.size();
        note_capacity(message);
    }
    /// Lends the buffer out, for `n` more bytes that are counted at once; it has room for them and
    /// for `behind` others. Give it back, unless the message was dropped meanwhile.
    byte_buffer lend(partial_message& message, std::size_t n, std::size_t behind)
    {
        message.bytes.reserve_more(n + behind);
        message.size += n;
        bytes_ += n;
        note_capacity(message);
        return std::move(message.bytes);
    }
    static void give_back(partial_message& message, byte_buffer&& bytes) noexcept
    {
        message.bytes = std::move(bytes);
    }
    /// Frees what a message holds and drops what still comes of it.
    void skip(partial_message& message) noexcept
    {
        bytes_ -= message.size;
        capacity_ -= message.capacity;
        message.size = message.capacity = 0;
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
        bytes_ -= found->size;
        capacity_ -= found->capacity;
        skipped_ -= found->is_skipped ? 1 : 0;
        into = std::move(*found);
        messages_.erase(id);
        return true;
    }
    /// What the message has cost its sender.
    std::size_t drop(std::uint64_t id) noexcept
    {
        partial_message dropped;
        take(id, dropped);
        return dropped.cost;
    }

    std::size_t size() const noexcept { return messages_.size(); }
    std::size_t skipped() const noexcept { return skipped_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// The memory behind bytes(), up to twice as much.
    std::size_t capacity() const noexcept { return capacity_; }

private:
    void note_capacity(partial_message& message) noexcept
    {
        capacity_ += message.bytes.capacity() - message.capacity;
        message.capacity = message.bytes.capacity();
    }

    id_map<partial_message> messages_;
    std::size_t bytes_ = 0;
    std::size_t capacity_ = 0;
    std::size_t skipped_ = 0;
};

} // namespace wharf::detail
