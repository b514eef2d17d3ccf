// Messages of several frames that wait to be sent: one frame of each in turn.
#pragma once

#include "frame.hpp"
#include "id_map.hpp"

#include <wharf/byte_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <span>
#include <utility>

namespace wharf::detail {

/// The bytes of a message: in a buffer of their own, or in one that whoever made the call keeps
/// too, which is constant.
class bulk_payload {
public:
    bulk_payload() noexcept = default;
    explicit bulk_payload(byte_buffer&& own) noexcept : own_(std::move(own)) {}
    explicit bulk_payload(std::shared_ptr<const byte_buffer> shared) noexcept
        : shared_(std::move(shared))
    {}
    const std::byte* data() const noexcept { return shared_ ? shared_->data() : own_.data(); }
    std::size_t size() const noexcept { return shared_ ? shared_->size() : own_.size(); }

private:
    byte_buffer own_;
    std::shared_ptr<const byte_buffer> shared_;
};

/// A lane is what one call still has to say: its messages leave in order, and those of different
/// lanes frame by frame in turns. A message stays in the buffer that it came in, and its headers
/// are made when they leave, so that no payload is copied. Lanes are bounded by the calls in
/// flight, and their messages by credit.
class bulk_queue {
public:
    /// What dropping a lane took back.
    struct dropped {
        std::size_t item_bytes = 0;    ///< frames of items that did not leave, headers included
        bool is_call_cut = false;      ///< the message of a call was not sent to its end
        bool is_answer_unsent = false; ///< a reply or error did not leave, or not to its end
    };

    bool empty() const noexcept { return lanes_.empty(); }
    bool has(std::uint64_t key) const noexcept { return index_.contains(key); }
    /// All that is unsent, headers included.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Has a frame left in part? Then nothing else may leave before the rest of it.
    bool is_inside_frame() const noexcept { return begun_ != 0; }
    std::size_t begun_frame_bytes() const noexcept;
    /// How much must have left from the other queue before the first lane may go on.
    std::uint64_t first_not_before() const noexcept { return lanes_.front().not_before; }

    /// Appends the message that stands in `bytes` from `from` on. The header is that of its last
    /// frame but for the length. `not_before` counts if this opens the lane. Where it throws,
    /// nothing has changed, `bytes` included.
    template <class Bytes>
    void add(std::uint64_t key, const frame_header& last, Bytes&& bytes, std::size_t from,
             std::uint32_t frame_bytes_max, bool has_short_first, std::uint64_t not_before)
    {
        message& added = open(key, not_before);
        added.bytes = bulk_payload(std::forward<Bytes>(bytes));
        start(added, last, from, frame_bytes_max, has_short_first);
    }

    /// The parts of the frame that has begun; how many there are.
    std::size_t show_begun(std::span<std::span<const std::byte>> parts) const noexcept;
    /// The parts of up to `frames_max` frames that follow it, in the order in which they leave.
    std::size_t show_next(std::span<std::span<const std::byte>> parts,
                          std::size_t frames_max) const noexcept;
    /// Takes up to `n` bytes, but none behind the next end of a frame; how many it took.
    std::size_t sent(std::size_t n) noexcept;

    /// Drops a lane but for the frame that has begun.
    dropped drop(std::uint64_t key) noexcept;
    void drop_all() noexcept;

    /// How many frames a message is sent in, or what is left of one.
    static std::size_t frames_of(std::size_t size, std::uint32_t frame_bytes_max,
                                 bool is_at_short_first) noexcept;

    /// The first frame of a message in several is this short. The calls' go at once, so that their
    /// ids ascend whatever overtakes the rest; and whoever receives knows early that there is more
    /// to come, and receives it in place.
    static constexpr std::uint32_t short_first_bytes = 1024;

    static constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

private:
    struct message {
        bulk_payload bytes;
        std::size_t at = 0; ///< where the next frame's payload begins
        frame_header last;
        std::uint32_t frame_bytes_max = 0;
        bool is_at_short_first = false;
        bool is_cut = false; ///< what follows the frame that has begun was dropped

        std::size_t left() const noexcept { return bytes.size() - at; }
        frame_header next_header() const noexcept;
        std::size_t bytes_left() const noexcept;
    };
    struct lane {
        std::uint64_t key = 0;
        std::uint64_t not_before = 0;
        std::list<message> messages;
    };
    class shower;

    message& open(std::uint64_t key, std::uint64_t not_before);
    void start(message& m, const frame_header& last, std::size_t from,
               std::uint32_t frame_bytes_max, bool has_short_first) noexcept;
    void end_frame() noexcept;
    void drop_messages(lane& from, dropped& result) noexcept;

    std::list<lane> lanes_; ///< a frame that has begun is of the first one
    id_map<std::list<lane>::iterator> index_;
    std::size_t bytes_ = 0;
    std::size_t begun_ = 0; ///< bytes of the first lane's frame that have left
    /// The headers that show_begun() and show_next() show.
    static constexpr std::size_t headers_max = 32;
    mutable std::array<std::byte, headers_max * frame_header_bytes> headers_;
    mutable std::size_t headers_shown_ = 0;
};

} // namespace wharf::detail
