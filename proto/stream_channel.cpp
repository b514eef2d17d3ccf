// stream_channel: items between a conversation and whoever waits for them.
#include <wharf/detail/stream_channel.hpp>

#include <wharf/detail/caller.hpp>
#include <wharf/detail/message_owner.hpp>

#include <algorithm>
#include <cstring>

namespace wharf::detail {

namespace {

/// Items above this have a block of their own, which is moved and not copied; below, they share.
constexpr std::size_t block_bytes = 4u << 10;
constexpr std::size_t spares_max = 2;
constexpr std::size_t spare_bytes_max = 256u << 10;

/// The item's own buffer, unless that is far larger: a user may let many items wait.
bool take_over(std::span<const std::byte> item, message_owner* owner, byte_buffer& into) noexcept
{
    if (owner == nullptr || item.size() <= block_bytes || owner->capacity() / 2 > item.size())
        return false;
    into = owner->take_unshared();
    return true;
}

} // namespace

// ---- Items that nobody took yet -----------------------------------------------------------------

void item_queue::push(std::span<const std::byte> item, message_owner* owner)
{
    if (byte_buffer own; take_over(item, owner, own)) {
        block whole;
        whole.bytes = std::move(own);
        whole.is_one_item = true;
        blocks_.push_back(std::move(whole));
        ++count_;
        return;
    }
    const std::uint32_t size = static_cast<std::uint32_t>(item.size());
    const bool shares = item.size() + sizeof size <= block_bytes;
    const bool begins = blocks_.empty() || !shares || blocks_.back().is_one_item ||
                        blocks_.back().bytes.size() + sizeof size + item.size() > block_bytes;
    if (begins) {
        block fresh;
        fresh.bytes = take_spare();
        fresh.is_one_item = !shares;
        blocks_.push_back(std::move(fresh));
    }
    byte_buffer& to = blocks_.back().bytes;
    try {
        to.reserve_more(item.size() + (shares ? sizeof size : 0));
    }
    catch (...) {
        if (begins)
            blocks_.pop_back();
        throw;
    }
    if (shares)
        to.append(&size, sizeof size);
    to.append(item);
    ++count_;
}

std::span<const std::byte> item_queue::read(const block& from, std::size_t at) noexcept
{
    if (from.is_one_item)
        return from.bytes.view();
    std::uint32_t size = 0;
    std::memcpy(&size, from.bytes.data() + at, sizeof size);
    return from.bytes.view().subspan(at + sizeof size, size);
}

void item_queue::clear() noexcept
{
    blocks_.clear();
    count_ = 0;
}

void item_queue::drop_front() noexcept
{
    block& first = blocks_.front();
    if (!first.is_one_item)
        first.begin += sizeof(std::uint32_t) + read(first, first.begin).size();
    if (first.is_one_item || first.begin == first.bytes.size()) {
        keep_spare(std::move(first.bytes));
        blocks_.pop_front();
    }
    --count_;
}

void item_queue::pop(byte_buffer& into)
{
    into.clear();
    if (blocks_.front().is_one_item)
        std::swap(into, blocks_.front().bytes);
    else
        into.append(read(blocks_.front(), blocks_.front().begin));
    drop_front();
}

byte_buffer item_queue::take_spare() noexcept
{
    if (spares_.empty())
        return {};
    byte_buffer spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
}

void item_queue::keep_spare(byte_buffer&& spare) noexcept
{
    if (spare.capacity() == 0 || spare.capacity() > spare_bytes_max || spares_.size() >= spares_max)
        return;
    spare.clear();
    try {
        spares_.push_back(std::move(spare));
    }
    catch (const std::bad_alloc&) { // then there is none
    }
}

// ---- Its user -----------------------------------------------------------------------------------

stream_channel::stream_channel(std::shared_ptr<stream_host> host, role which, bool receives,
                               bool sends)
    : host_(std::move(host)), role_(which), receives_(receives), sends_(sends)
{}

stream_channel::~stream_channel()
{
    if (receiver_)
        receiver_->abandon();
    if (sender_)
        sender_->abandon();
}

arrival stream_channel::failure() const
{
    if (failure_)
        return arrival(failure_->code(), failure_->text(), failure_->retry_after());
    if (is_closed_)
        return arrival(errc::cancelled, "the stream was closed");
    return arrival(errc::cancelled, "the call is over");
}

bool stream_channel::take(arrival& into)
{
    into.failure.reset();
    into.has_bytes = false;
    if (!items_.empty()) {
        items_.pop(into.bytes);
        into.has_bytes = true;
        if (!is_over_)
            give_credit(into.bytes.size());
        translate_arrival(into);
        return true;
    }
    if (receiving_ended_ && !is_closed_ && !failure_)
        return true;
    if (is_over_ || is_closed_) {
        into.failure = failure().failure;
        return true;
    }
    return false;
}

bool stream_channel::try_receive(arrival& into)
{
    const auto held = host_->lock();
    return receives_ && receiver_ == nullptr && take(into);
}

void stream_channel::async_receive(stream_waiter& waiter)
{
    const auto held = host_->lock();
    arrival now;
    if (receiver_ != nullptr || !receives_)
        waiter.complete(arrival(errc::bad_argument,
                                receives_ ? "a receive is under way" : "nothing is received here"));
    else if (take(now))
        waiter.complete(std::move(now));
    else
        receiver_ = &waiter;
}

bool stream_channel::can_write() const noexcept
{
    return talk_ != nullptr && !is_over_ && !is_held_ && host_->has_room() &&
           talk_->can_send(id_, sends_as());
}

void stream_channel::translate_arrival(arrival& item) const
{
    if (!translation_ || !translation_->is_of_incoming())
        return;
    try {
        item.bytes = translation_->incoming(item.bytes.view());
    }
    catch (const error& e) {
        item.failure = std::make_unique<error>(e);
        item.has_bytes = false;
    }
}

void stream_channel::write(std::span<const std::byte> item)
{
    byte_buffer translated;
    if (translation_) [[unlikely]] {
        translated = translation_->outgoing(item);
        item = translated.view();
    }
    talk_->send_item(id_, sends_as(), item);
    host_->item_written(*this, item.size());
    host_->written();
}

bool stream_channel::try_send(std::span<const std::byte> item)
{
    const auto held = host_->lock();
    if (!sends_ || sender_ != nullptr || sending_ended_ || is_over_ || is_closed_ || !can_write())
        return false;
    write(item);
    return true;
}

void stream_channel::async_send(byte_buffer item, stream_waiter& waiter)
{
    const auto held = host_->lock();
    if (sender_ != nullptr || !sends_ || (sending_ended_ && !is_over_ && !is_closed_)) {
        waiter.complete(arrival(errc::bad_argument,
                                sender_ ? "a send is under way" : "nothing is sent here any more"));
        return;
    }
    if (is_over_ || is_closed_) {
        waiter.complete(failure());
        return;
    }
    sender_ = &waiter;
    unsent_ = std::move(item);
    on_writable();
}

void stream_channel::cancel(std::uint64_t ticket)
{
    const auto held = host_->lock();
    if (receiver_ != nullptr && receiver_->ticket == ticket)
        finish_receiver(arrival(errc::cancelled));
    if (sender_ != nullptr && sender_->ticket == ticket) {
        finish_sender(arrival(errc::cancelled));
        write_end();
    }
}

void stream_channel::end_sending()
{
    const auto held = host_->lock();
    sending_ended_ = true;
    write_end();
}

void stream_channel::close() noexcept
{
    const auto held = host_->lock();
    if (is_closed_)
        return;
    is_closed_ = true;
    give_credit_back();
    items_.clear();
    if (receiver_)
        finish_receiver(failure());
    if (sender_)
        finish_sender(failure());
    if (!is_over_ && role_ == role::caller)
        host_->give_up(*this);
}

void stream_channel::fail(errc code, std::string_view text, std::chrono::milliseconds retry_after)
{
    const auto held = host_->lock();
    on_failed(code, text, retry_after);
}

void stream_channel::finish_receiving()
{
    const auto held = host_->lock();
    if (!is_over_)
        on_end();
}

// ---- Its host -----------------------------------------------------------------------------------

void stream_channel::attach(conversation& talk, std::uint64_t id)
{
    talk_ = &talk;
    id_ = id;
    on_writable();
    write_end();
}

void stream_channel::go_on()
{
    is_held_ = false;
    if (talk_ == nullptr)
        return;
    on_writable();
    write_end();
}

void stream_channel::give_credit(std::size_t bytes)
{
    talk_->consumed(id_, receives_as(), bytes);
    host_->written();
}

void stream_channel::on_item(std::span<const std::byte> message)
{
    if (is_over_ || is_closed_ || !receives_) {
        give_credit(message.size());
        return;
    }
    message_owner* const owner = talk_->owner_of(message);
    if (receiver_ == nullptr) {
        items_.push(message, owner);
        return;
    }
    arrival item;
    const std::size_t size = message.size();
    if (!take_over(message, owner, item.bytes)) {
        item.bytes = take_scratch();
        item.bytes.append(message);
    }
    item.has_bytes = true;
    give_credit(size);
    translate_arrival(item);
    finish_receiver(std::move(item));
}

void stream_channel::on_end()
{
    receiving_ended_ = true;
    if (role_ == role::caller)
        on_answered();
    if (receiver_ != nullptr)
        finish_receiver(is_closed_ || failure_ ? failure() : arrival());
}

void stream_channel::on_failed(errc code, std::string_view text,
                               std::chrono::milliseconds retry_after)
{
    if (is_over_)
        return;
    failure_ = std::make_unique<error>(code, std::string(text), retry_after);
    on_answered();
    if (receiver_)
        finish_receiver(failure());
}

void stream_channel::on_answered()
{
    if (is_over_)
        return;
    give_credit_back();
    is_over_ = true;
    if (sender_)
        finish_sender(failure());
    if (receiver_ != nullptr && !receiving_ended_ && !failure_)
        finish_receiver(failure());
}

void stream_channel::on_writable()
{
    if (sender_ == nullptr || !can_write())
        return;
    arrival how;
    try {
        write(unsent_.view());
    }
    catch (const error& e) {
        how.failure = std::make_unique<error>(e);
    }
    finish_sender(std::move(how));
    write_end();
}

/// An upload's end follows the item that waits.
void stream_channel::write_end()
{
    if (!sending_ended_ || end_written_ || sender_ != nullptr || talk_ == nullptr || is_over_ ||
        is_held_ || role_ != role::caller)
        return;
    end_written_ = true;
    talk_->end_upload(id_);
    host_->written();
}

/// Of all items that stay here for their user, or are dropped.
void stream_channel::give_credit_back()
{
    if (!is_over_)
        items_.for_each([this](std::size_t bytes) { give_credit(bytes); });
}

void stream_channel::finish_sender(arrival&& how)
{
    stream_waiter* waiter = std::exchange(sender_, nullptr);
    put_scratch(std::move(unsent_));
    unsent_ = byte_buffer();
    waiter->complete(std::move(how));
}

void stream_channel::finish_receiver(arrival&& how)
{
    std::exchange(receiver_, nullptr)->complete(std::move(how));
}

} // namespace wharf::detail
