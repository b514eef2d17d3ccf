// What typed calls need that has no types: buffers to encode into, deadlines, a caller that is
// over.
#include <wharf/detail/caller.hpp>
#include <wharf/detail/stream_channel.hpp>

#include <boost/asio/system_executor.hpp>

#include <algorithm>

namespace wharf::detail {

message_bytes::message_bytes(byte_buffer& scratch) : size_(scratch.size())
{
    if (size_ <= few_) {
        if (size_ != 0)
            std::memcpy(few_bytes_.data(), scratch.data(), size_);
        scratch.clear();
    }
    else if (size_ <= conversation_limits().frame_bytes_max) {
        many_bytes_ = std::move(scratch);
        scratch = byte_buffer();
    }
    else {
        auto made = std::make_shared<byte_buffer>();
        *made = std::move(scratch);
        shared_ = std::move(made);
    }
}

std::uint64_t send_call(conversation& to, std::uint16_t number, const encoded_call& what,
                        std::chrono::steady_clock::time_point now)
{
    const auto deadline = deadline_to_tell(what);
    return what.message.shared() ? to.call_shared(number, what.message.shared(), deadline, now)
                                 : to.call(number, what.message.view(), deadline, now);
}

namespace {

constexpr std::size_t scratch_bytes_kept_max = 256u << 10;
thread_local byte_buffer scratch_of_thread;

/// Where the calls of a session go that is over.
class closed_end final : public caller,
                         public stream_host,
                         public std::enable_shared_from_this<closed_end> {
public:
    void start(call_record& record, std::uint64_t) override
    {
        const error* failed = record.call().failure.get();
        outcome how;
        how.code = failed ? failed->code() : errc::not_connected;
        how.text = failed ? std::string_view(failed->text()) : "the session is over";
        record.finish(how, false);
    }
    bool withdraw(std::uint64_t, errc) override { return false; }
    std::shared_ptr<stream_channel> make_channel(bool receives, bool sends) override
    {
        return std::make_shared<stream_channel>(shared_from_this(), stream_channel::role::caller,
                                                receives, sends);
    }
    const limits& decode_limits() const noexcept override { return limits_; }
    std::chrono::nanoseconds default_timeout() const noexcept override { return {}; }

    std::unique_lock<std::mutex> lock() override { return std::unique_lock(mutex_); }
    bool has_room() const noexcept override { return false; }
    void written() override {}
    void give_up(stream_channel&) override {}
    boost::asio::any_io_executor channel_executor() override
    {
        return boost::asio::system_executor();
    }

private:
    std::mutex mutex_; // its channels are used by any thread
    const limits limits_{};
};

} // namespace

std::string_view caller::keep_name(std::string)
{
    throw error(errc::bad_argument, "calls in JSON go through a client");
}

std::shared_ptr<caller> closed_caller()
{
    return std::make_shared<closed_end>();
}

byte_buffer take_scratch() noexcept
{
    return std::move(scratch_of_thread);
}

void put_scratch(byte_buffer&& scratch) noexcept
{
    scratch.clear();
    scratch.shrink(scratch_bytes_kept_max);
    // An empty one is no reason to give up what the thread has.
    if (scratch.capacity() > scratch_of_thread.capacity())
        scratch_of_thread = std::move(scratch);
}

std::chrono::steady_clock::time_point deadline_of(const caller& through,
                                                  const call_options& options) noexcept
{
    // A year is as good as for ever, and keeps the sum within the clock.
    constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 365);
    const std::chrono::nanoseconds timeout = options.timeout.value_or(through.default_timeout());
    return std::chrono::steady_clock::now() +
           std::clamp(timeout, std::chrono::nanoseconds(0), longest);
}

} // namespace wharf::detail
