// In which order things leave, and forgetting what was sent.
#include "output_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace wharf::detail {

void output_queue::sent(std::size_t n) noexcept
{
    if (bulk_) [[unlikely]]
        n -= sent_with_bulk(n);
    sent_short(std::min(n, short_bytes()));
}

std::size_t output_queue::sent_with_bulk(std::size_t n) noexcept
{
    std::size_t done = 0;
    while (done != n && bulk_) {
        const std::size_t end = std::min(owed_at_, short_end());
        if (bulk_->is_inside_frame() || sent_ == end) {
            done += bulk_->sent(n - done);
            overtaken_ = 0;
            owed_at_ = nowhere;
            release_bulk();
            continue;
        }
        const std::size_t taken = std::min(n - done, end - sent_);
        done += taken;
        overtaken_ += taken;
        if (owed_at_ == nowhere && overtaken_ >= overtaking_bytes_max)
            owed_at_ = short_end(); // the end of the last whole frame that is known
        const std::size_t moved = sent_short(taken);
        taken_out_ += moved;
        if (owed_at_ != nowhere)
            owed_at_ -= moved;
    }
    return done;
}

std::size_t output_queue::sent_short(std::size_t n) noexcept
{
    sent_ += n;
    const std::size_t all = sent_;
    if (open_)
        return 0; // the open message's place is known by its offset
    if (all == buffer_.size()) {
        buffer_.clear();
        buffer_.shrink(idle_capacity_max);
    }
    else if (all > buffer_.size() / 2) {
        // Each byte moves at most once per byte that was sent.
        buffer_.erase_front(all);
    }
    else {
        return 0;
    }
    sent_ = 0;
    return all;
}

void output_queue::release_bulk() noexcept
{
    if (bulk_->empty()) {
        bulk_.reset();
        overtaken_ = 0;
        owed_at_ = nowhere;
    }
    else if (owed_at_ != nowhere && bulk_->first_not_before() > taken_out_ + owed_at_) {
        owed_at_ = nowhere; // whose turn it was is gone, and the next has not begun yet
    }
}

std::span<const std::byte> output_queue::first_part() const noexcept
{
    std::span<const std::byte> first;
    unsent_parts({&first, 1});
    return first;
}

std::size_t output_queue::unsent_parts(std::span<std::span<const std::byte>> parts) const noexcept
{
    if (parts.empty())
        return 0;
    if (!bulk_) [[likely]] {
        parts[0] = {buffer_.data() + sent_, short_bytes()};
        return parts[0].empty() ? 0 : 1;
    }
    // The same order as in sent_with_bulk().
    std::size_t n = bulk_->show_begun(parts);
    const bool is_owed = owed_at_ != nowhere;
    const std::size_t end = std::min(owed_at_, short_end());
    if (sent_ < end && n < parts.size())
        parts[n++] = {buffer_.data() + sent_, end - sent_};
    n += bulk_->show_next(parts.subspan(n), is_owed ? 1 : bulk_queue::any_number);
    return n;
}

template <class Bytes>
void output_queue::add_bulk(std::uint64_t lane, const frame_header& header, Bytes&& bytes,
                            std::size_t from, std::uint32_t frame_bytes_max, bool has_short_first,
                            std::uint64_t not_before)
{
    if (!bulk_)
        bulk_ = std::make_unique<bulk_queue>();
    bulk_->add(lane, header, std::forward<Bytes>(bytes), from, frame_bytes_max, has_short_first,
               not_before);
}

std::size_t output_queue::add_to_bulk(std::uint64_t lane, const frame_header& header,
                                      std::span<const std::byte> head,
                                      std::span<const std::byte> message,
                                      std::uint32_t frame_bytes_max,
                                      const std::shared_ptr<const byte_buffer>* shared)
{
    frame_header last = header;
    last.flags &= static_cast<std::uint8_t>(~flag_timeout);
    std::size_t first_part = 0;
    if (header.kind == frame_kind::call) {
        // The lane is a new one, as its id is. Room is made first: nothing throws between the two.
        first_part = bulk_queue::short_first_bytes - head.size();
        reserve(frame_header_bytes + bulk_queue::short_first_bytes);
    }
    const std::size_t rest = message.size() - first_part;
    const std::size_t frames =
        (first_part != 0 ? 1 : 0) +
        bulk_queue::frames_of(rest, frame_bytes_max, first_part == 0 && rest > frame_bytes_max);
    const std::size_t first_frame =
        first_part != 0 ? frame_header_bytes + bulk_queue::short_first_bytes : 0;
    const std::uint64_t not_before = taken_out_ + buffer_.size() + first_frame;
    if (shared != nullptr) {
        add_bulk(lane, last, *shared, first_part, frame_bytes_max, first_part == 0, not_before);
    }
    else {
        byte_buffer copy;
        copy.append(message.subspan(first_part));
        add_bulk(lane, last, std::move(copy), 0, frame_bytes_max, first_part == 0, not_before);
    }
    if (first_part != 0) {
        frame_header first = header;
        first.flags |= flag_more;
        first.length = bulk_queue::short_first_bytes;
        std::byte* to = add_frame(first);
        if (!head.empty())
            std::memcpy(to, head.data(), head.size());
        std::memcpy(to + head.size(), message.data(), first_part);
    }
    return frames;
}

void output_queue::finish_in_bulk(std::uint64_t lane, const frame_header& header,
                                  std::uint32_t frame_bytes_max)
{
    const std::size_t from = open_at_ + frame_header_bytes;
    if (open_at_ != sent_) { // other bytes stand before it
        byte_buffer copy;
        copy.append(buffer_.view().subspan(from));
        add_bulk(lane, header, std::move(copy), 0, frame_bytes_max, true, 0);
        drop_message();
        return;
    }
    add_bulk(lane, header, std::move(buffer_), from, frame_bytes_max, true, 0);
    taken_out_ += sent_;
    owed_at_ -= owed_at_ == nowhere ? 0 : sent_;
    sent_ = 0;
    open_ = false;
}

void output_queue::drop_message() noexcept
{
    if (!open_)
        return;
    buffer_.set_end(buffer_.data() + open_at_);
    open_ = false;
}

bulk_queue::dropped output_queue::drop_waiting(std::uint64_t lane) noexcept
{
    if (!bulk_)
        return {};
    const bulk_queue::dropped result = bulk_->drop(lane);
    release_bulk();
    return result;
}

void output_queue::drop_all_waiting() noexcept
{
    if (!bulk_)
        return;
    bulk_->drop_all();
    release_bulk();
}

} // namespace wharf::detail
