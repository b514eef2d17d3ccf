// session: what is unsent, and the socket that takes it.
#include "session.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include <array>

namespace wharf {
namespace asio = boost::asio;

namespace {

/// Parts of one gathered write: what the system takes in one go costs little for each of them.
constexpr std::size_t parts_max = 16;

/// A sequence of buffers for write_some().
class gathered {
public:
    using value_type = asio::const_buffer;
    using const_iterator = const asio::const_buffer*;
    explicit gathered(std::span<const std::span<const std::byte>> parts) noexcept
    {
        for (const auto& part : parts)
            all_[count_++] = asio::const_buffer(part.data(), part.size());
    }
    const_iterator begin() const noexcept { return all_.data(); }
    const_iterator end() const noexcept { return all_.data() + count_; }

private:
    std::array<asio::const_buffer, parts_max> all_;
    std::size_t count_ = 0;
};

} // namespace

bool session::may_write() const noexcept
{
    return conversation_.unsent_bytes() < high_water_;
}

/// Is there room for another event of the peer: for what it may make us write, and hold?
bool session::may_take() const noexcept
{
    return may_write() && memory_held_ < host_.options.session_memory_bytes_max;
}

std::size_t session::write_some(error_code& failed)
{
    const auto first = conversation_.unsent();
    if (first.size() == conversation_.unsent_bytes()) [[likely]]
        return stream_.write_some(asio::buffer(first.data(), first.size()), failed);
    // Long messages stay where they were encoded, and their headers apart.
    std::array<std::span<const std::byte>, parts_max> parts;
    const std::size_t count = conversation_.unsent_parts(parts);
    return stream_.write_some(gathered(std::span(parts).first(count)), failed);
}

void session::flush()
{
    if (left_)
        return;
    end_inline_run();
    if (!write_waits_ && !broken_) {
        while (conversation_.unsent_bytes() != 0) {
            error_code failed;
            const std::size_t n = write_some(failed);
            if (failed == asio::error::would_block || failed == asio::error::try_again) {
                wait_writable();
                break;
            }
            if (failed) {
                broken_ = true;
                end(to_errc(failed), {});
                break;
            }
            conversation_.sent(n);
            bytes_out_ += n;
            blocked_since_.reset();
        }
        charge_queue();
    }
    report_answers();
    if (broken_)
        return;
    // Replies wait for room before they are written, so only what may not wait, such as errors,
    // piles up here: a peer that asks and does not read.
    if (conversation_.unsent_bytes() >
        host_.options.send_queue_bytes_max + host_.options.conversation.message_bytes_max) {
        broken_ = true;
        end(errc::slow_reader, "the send queue is full");
        return;
    }
    if (!waiting_answers_.empty() && may_write()) {
        write_waiting_answers();
        flush_soon();
    }
    if (room_was_missing_ && conversation_.unsent_bytes() < high_water_ / 2)
        serve_blocked_channels();
}

/// What stays unsent counts as memory of all calls; what leaves at once does not touch the counter
/// that all threads share.
void session::charge_queue() noexcept
{
    const std::size_t unsent = conversation_.unsent_bytes();
    if (unsent == queue_charged_)
        return;
    host_.calls_memory.fetch_add(unsent - queue_charged_, std::memory_order_relaxed);
    queue_charged_ = unsent;
}

void session::flush_soon()
{
    if (flush_posted_ || in_turn_)
        return;
    flush_posted_ = true;
    asio::post(facts_.executor, [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->flush();
        self->tell_change();
    });
}

void session::wait_writable()
{
    write_waits_ = true;
    if (!blocked_since_)
        blocked_since_ = std::chrono::steady_clock::now();
    arm(*blocked_since_ + host_.options.send_timeout);
    stream_.async_wait(transport::wait_write, [self = shared_from_this()](const error_code&) {
        // An abort is a wake-up of the reader: writing is simply tried again.
        self->write_waits_ = false;
        self->flush();
        self->tell_change();
    });
}

} // namespace wharf
