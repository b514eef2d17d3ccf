// Turns, and what a gathered write is shown of them.
#include "bulk_queue.hpp"

#include <algorithm>
#include <utility>

namespace wharf::detail {
namespace {

constexpr frame_header next_frame(const frame_header& last, std::size_t left,
                                  std::uint32_t frame_bytes_max, bool is_short_first) noexcept
{
    frame_header header = last;
    if (is_short_first || left > frame_bytes_max) {
        header.length = is_short_first ? bulk_queue::short_first_bytes : frame_bytes_max;
        header.flags = flag_more;
    }
    else {
        header.length = static_cast<std::uint32_t>(left);
    }
    return header;
}

bool is_item(const frame_header& header) noexcept
{
    return header.kind == frame_kind::item || header.kind == frame_kind::upload;
}

bool is_answer(const frame_header& header) noexcept
{
    return header.kind == frame_kind::reply || header.kind == frame_kind::error;
}

} // namespace

std::size_t bulk_queue::frames_of(std::size_t size, std::uint32_t frame_bytes_max,
                                  bool is_at_short_first) noexcept
{
    const std::size_t rest = is_at_short_first ? size - short_first_bytes : size;
    const std::size_t frames = rest == 0 ? 1 : (rest + frame_bytes_max - 1) / frame_bytes_max;
    return frames + (is_at_short_first ? 1 : 0);
}

frame_header bulk_queue::message::next_header() const noexcept
{
    return next_frame(last, left(), frame_bytes_max, is_at_short_first);
}

std::size_t bulk_queue::message::bytes_left() const noexcept
{
    return left() + frame_header_bytes * frames_of(left(), frame_bytes_max, is_at_short_first);
}

std::size_t bulk_queue::begun_frame_bytes() const noexcept
{
    return begun_ == 0
               ? 0
               : frame_header_bytes + lanes_.front().messages.front().next_header().length - begun_;
}

/// Where it throws, nothing has changed.
bulk_queue::message& bulk_queue::open(std::uint64_t key, std::uint64_t not_before)
{
    std::list<message> added(1);
    message& m = added.front();
    if (const auto* found = index_.find(key)) {
        (*found)->messages.splice((*found)->messages.end(), added);
    }
    else {
        std::list<lane> opened(1);
        opened.front().key = key;
        opened.front().not_before = not_before;
        index_.insert(key, opened.begin());
        opened.front().messages.splice(opened.front().messages.end(), added);
        lanes_.splice(lanes_.end(), opened);
    }
    return m;
}

void bulk_queue::start(message& m, const frame_header& last, std::size_t from,
                       std::uint32_t frame_bytes_max, bool has_short_first) noexcept
{
    m.at = from;
    m.last = last;
    m.frame_bytes_max = frame_bytes_max;
    m.is_at_short_first = has_short_first && m.left() > frame_bytes_max;
    bytes_ += m.bytes_left();
}

std::size_t bulk_queue::show_begun(std::span<std::span<const std::byte>> parts) const noexcept
{
    headers_shown_ = 0;
    if (begun_ == 0 || parts.empty())
        return 0;
    const message& m = lanes_.front().messages.front();
    const frame_header header = m.next_header();
    std::size_t n = 0;
    if (begun_ < frame_header_bytes) {
        store_header(headers_.data(), header);
        ++headers_shown_;
        parts[n++] = {headers_.data() + begun_, frame_header_bytes - begun_};
    }
    const std::size_t done = begun_ - std::min(begun_, frame_header_bytes);
    if (done < header.length && n < parts.size())
        parts[n++] = {m.bytes.data() + m.at + done, header.length - done};
    return n;
}

/// Adds frames to the parts of a gathered write, as long as there is room for them.
class bulk_queue::shower {
public:
    shower(const bulk_queue& from, std::span<std::span<const std::byte>> parts,
           std::size_t frames_max) noexcept
        : from_(from), parts_(parts), frames_left_(frames_max)
    {}

    std::size_t parts_shown() const noexcept { return shown_; }

    /// The frame whose payload begins at `at`; false where no other can follow.
    bool add(const message& m, std::size_t at, const frame_header& header) noexcept
    {
        if (frames_left_ == 0 || from_.headers_shown_ == headers_max || shown_ == parts_.size())
            return false;
        --frames_left_;
        std::byte* const to = from_.headers_.data() + from_.headers_shown_++ * frame_header_bytes;
        store_header(to, header);
        parts_[shown_++] = {to, frame_header_bytes};
        if (header.length == 0)
            return true;
        if (shown_ == parts_.size())
            return false;
        parts_[shown_++] = {m.bytes.data() + at, header.length};
        return true;
    }

    /// All frames of a message, but for the one that has begun.
    bool add_all(const message& m, bool has_begun) noexcept
    {
        std::size_t at = m.at;
        bool is_short_first = m.is_at_short_first;
        for (bool skip = has_begun;; skip = false) {
            const frame_header header =
                next_frame(m.last, m.bytes.size() - at, m.frame_bytes_max, is_short_first);
            if (!skip && !add(m, at, header))
                return false;
            at += header.length;
            is_short_first = false;
            if (at == m.bytes.size() || (skip && m.is_cut))
                return true;
        }
    }

private:
    const bulk_queue& from_;
    std::span<std::span<const std::byte>> parts_;
    std::size_t frames_left_;
    std::size_t shown_ = 0;
};

std::size_t bulk_queue::show_next(std::span<std::span<const std::byte>> parts,
                                  std::size_t frames_max) const noexcept
{
    shower show(*this, parts, frames_max);
    if (lanes_.size() == 1) {
        bool has_begun = begun_ != 0;
        for (const message& m : lanes_.front().messages) {
            if (!show.add_all(m, has_begun))
                break;
            has_begun = false;
        }
        return show.parts_shown();
    }
    // One turn of each; the next turns are shown when these have left.
    auto each = lanes_.begin();
    if (begun_ != 0)
        ++each;
    for (; each != lanes_.end(); ++each) {
        const message& m = each->messages.front();
        if (!show.add(m, m.at, m.next_header()))
            break;
    }
    return show.parts_shown();
}

std::size_t bulk_queue::sent(std::size_t n) noexcept
{
    const message& m = lanes_.front().messages.front();
    const std::size_t whole = frame_header_bytes + m.next_header().length;
    const std::size_t taken = std::min(n, whole - begun_);
    begun_ += taken;
    bytes_ -= taken;
    if (begun_ == whole)
        end_frame();
    return taken;
}

void bulk_queue::end_frame() noexcept
{
    lane& first = lanes_.front();
    message& m = first.messages.front();
    m.at += m.next_header().length;
    m.is_at_short_first = false;
    begun_ = 0;
    if (m.at == m.bytes.size() || m.is_cut)
        first.messages.pop_front();
    if (first.messages.empty()) {
        // A lane that was dropped may have a follower of the same key.
        const auto* found = index_.find(first.key);
        if (found != nullptr && *found == lanes_.begin())
            index_.erase(first.key);
        lanes_.pop_front();
    }
    else {
        lanes_.splice(lanes_.end(), lanes_, lanes_.begin());
    }
}

bulk_queue::dropped bulk_queue::drop(std::uint64_t key) noexcept
{
    dropped result;
    const auto* found = index_.find(key);
    if (found == nullptr)
        return result;
    const auto at = *found;
    index_.erase(key);
    drop_messages(*at, result);
    if (at->messages.empty())
        lanes_.erase(at);
    return result;
}

void bulk_queue::drop_all() noexcept
{
    dropped ignored;
    for (auto at = lanes_.begin(); at != lanes_.end();) {
        drop_messages(*at, ignored);
        at = at->messages.empty() ? lanes_.erase(at) : std::next(at);
    }
    index_ = {};
}

void bulk_queue::drop_messages(lane& from, dropped& result) noexcept
{
    const bool has_begun = begun_ != 0 && &from == &lanes_.front();
    for (auto at = from.messages.begin(); at != from.messages.end();) {
        message& m = *at;
        const bool stays = has_begun && at == from.messages.begin();
        const std::size_t begun = stays ? frame_header_bytes + m.next_header().length : 0;
        const std::size_t unsent = m.is_cut ? 0 : m.bytes_left() - begun;
        bytes_ -= unsent;
        if (unsent != 0) {
            if (is_item(m.last))
                result.item_bytes += unsent;
            result.is_call_cut |= m.last.kind == frame_kind::call;
            result.is_answer_unsent |= is_answer(m.last);
        }
        if (stays)
            m.is_cut = true;
        at = stays ? std::next(at) : from.messages.erase(at);
    }
}

} // namespace wharf::detail
