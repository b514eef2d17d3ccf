// One call as a connection sees it: an encoded command, a deadline, and how it is completed.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/error.hpp>
#include <wharf/limits.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wharf {
class conversation;
}

namespace wharf::detail {

class message_owner;
struct command_types;

/// How a call ended. The views are valid during call_record::finish() only.
struct outcome {
    errc code{}; ///< zero: it succeeded
    std::string_view text;
    std::chrono::milliseconds retry_after{};
    std::span<const std::byte> message; ///< the reply
    message_owner* owner = nullptr;     ///< of its memory, where that may be shared
    bool ok() const noexcept { return code == errc{}; }
};

/// Bytes that are in place when there are few of them: most commands need no allocation. When there
/// are many, the connection shares them while they leave.
class message_bytes {
public:
    message_bytes() noexcept = default;
    /// Takes what `scratch` holds and leaves it empty; many bytes are moved, not copied.
    explicit message_bytes(byte_buffer& scratch);
    message_bytes(message_bytes&& other) noexcept { *this = std::move(other); }
    message_bytes& operator=(message_bytes&& other) noexcept
    {
        size_ = other.size_;
        if (size_ <= few_)
            std::memcpy(few_bytes_.data(), other.few_bytes_.data(), size_);
        many_bytes_ = std::move(other.many_bytes_);
        shared_ = std::move(other.shared_);
        return *this;
    }
    std::span<const std::byte> view() const noexcept
    {
        if (size_ <= few_)
            return std::span(few_bytes_.data(), size_);
        return shared_ ? shared_->view() : many_bytes_.view();
    }
    std::size_t size() const noexcept { return size_; }
    /// Set where they are so many that they leave in several frames.
    const std::shared_ptr<const byte_buffer>& shared() const noexcept { return shared_; }

private:
    static constexpr std::size_t few_ = 120;
    std::size_t size_ = 0;
    std::array<std::byte, few_> few_bytes_;
    byte_buffer many_bytes_;
    std::shared_ptr<const byte_buffer> shared_;
};

/// A command after encoding, with all that the call needs to know of it.
struct encoded_call {
    std::string_view name; ///< static storage
    std::chrono::steady_clock::time_point deadline;
    /// Of a stream without a timeout of its own: the deadline is for sending the call, and does not
    /// travel.
    bool is_open_ended = false;
    std::string* diagnostics = nullptr;
    /// Of its messages; null where these are no archives.
    const command_types* types = nullptr;
    message_bytes message;
    /// Encoding failed: the call is never sent.
    std::unique_ptr<error> failure;
};

/// The deadline that the peer is told.
inline std::optional<std::chrono::steady_clock::time_point>
deadline_to_tell(const encoded_call& what) noexcept
{
    if (what.is_open_ended)
        return std::nullopt;
    return what.deadline;
}

/// Says it to the peer, and returns its id. Throws as conversation::call().
std::uint64_t send_call(conversation& to, std::uint16_t number, const encoded_call& what,
                        std::chrono::steady_clock::time_point now);

class stream_channel;

/// A call from start to finish(). The caller holds pointers to it in between, and keeps its own
/// account of it in the public members, which belong to the caller from start to finish().
class call_record {
public:
    explicit call_record(encoded_call&& what) noexcept : call_(std::move(what)) {}
    call_record(const call_record&) = delete;
    call_record& operator=(const call_record&) = delete;

    /// Called exactly once, without any lock held; may destroy the record. `within`: this is called
    /// by a handler on the caller's executor, so that a completion may run at once.
    virtual void finish(const outcome& how, bool within) = 0;

    const encoded_call& call() const noexcept { return call_; }
    /// The streams of the call; null for most. It is attached when the call is sent.
    const std::shared_ptr<stream_channel>& channel() const noexcept { return channel_; }

    std::uint64_t ticket = 0; ///< names the call for cancellation, never used twice
    /// The peer refuses it for its version; it is sent again.
    bool is_too_new = false;
    std::uint64_t refused_as = 0;  ///< its id then
    std::uint64_t sent_before = 0; ///< bytes of the connection before this call's first

protected:
    ~call_record() = default;

    std::shared_ptr<stream_channel> channel_;

private:
    encoded_call call_;
};

} // namespace wharf::detail
