// The memory of a received message, which attachments that are loaded from it may come to share.
#pragma once

#include <wharf/byte_buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace wharf {

class attachment;
class conversation;
class load_archive;

namespace detail {

/// Below this a copy costs less than sharing.
inline constexpr std::size_t shared_bytes_min = 4096;

/// A message in a buffer of its own. Movable; views of it stay where they are.
/// Distinct objects: safe. Shared objects: unsafe; but what share() returns may go in any thread.
class message_owner {
public:
    message_owner() noexcept = default;
    explicit message_owner(byte_buffer&& bytes) noexcept : own_(std::move(bytes)) {}

    std::span<const std::byte> view() const noexcept
    {
        return shared_ ? shared_->view() : own_.view();
    }
    /// Holds this memory, and may lend it?
    bool has(std::span<const std::byte> part) const noexcept
    {
        const auto all = view();
        return part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size();
    }
    /// A part of the message with what keeps it in memory. Empty where a copy of it is the better
    /// bargain: it is small, or less than half of what would stay with it. Where the buffer is far
    /// larger than the message, the part is in memory of its own.
    attachment share(std::span<const std::byte> part);
    /// The memory that shares of it keep.
    std::size_t shared_bytes() const noexcept
    {
        return (shared_ ? shared_->capacity() : 0) + copied_;
    }
    std::size_t capacity() const noexcept
    {
        return shared_ ? shared_->capacity() : own_.capacity();
    }
    /// The buffer, to be used again; empty where somebody shares it.
    byte_buffer take_unshared() noexcept { return std::move(own_); }

private:
    byte_buffer own_;
    std::shared_ptr<const byte_buffer> shared_; ///< then own_ is empty
    std::size_t copied_ = 0;                    ///< of shares in memory of their own
};

/// The message of the event that the conversation returned last, to be kept: its own buffer where
/// it has one, else a copy.
message_owner take_message(conversation& from, std::span<const std::byte> message);

/// Lets the archive share the memory of its message. Null: it copies. Before its first value.
void let_share(load_archive& archive, message_owner* owner);

} // namespace detail
} // namespace wharf
