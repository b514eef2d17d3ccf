// stream_call: a call with streams, from its start to the reply or error that ends it.
#include <wharf/detail/message_owner.hpp>
#include <wharf/detail/stream_operations.hpp>

namespace wharf::detail {

void throw_failure(arrival& of, std::string* diagnostics)
{
    if (!of.failure)
        return;
    if (diagnostics)
        *diagnostics = of.failure->text();
    throw error(std::move(*of.failure));
}

stream_call::stream_call(const std::shared_ptr<caller>& through,
                         const boost::asio::any_io_executor& executor, encoded_call&& call)
    : call_record(std::move(call)), through_(through), executor_(executor)
{}

stream_call::~stream_call()
{
    if (waiter_)
        waiter_->abandon();
}

std::shared_ptr<stream_call> stream_call::start(const std::shared_ptr<caller>& through,
                                                const boost::asio::any_io_executor& executor,
                                                encoded_call&& call, bool receives, bool sends)
{
    auto made = std::make_shared<stream_call>(through, executor, std::move(call));
    made->channel_ = through->make_channel(receives, sends);
    made->ticket_ = through->next_ticket();
    made->self_ = made;
    through->start(*made, made->ticket_);
    return made;
}

void stream_call::finish(const outcome& how, bool)
{
    const std::shared_ptr<stream_call> self = std::move(self_);
    is_finished_.store(true, std::memory_order_release);
    arrival result;
    if (how.ok()) {
        channel_->finish_receiving();
        if (how.owner != nullptr)
            result.bytes = how.owner->take_unshared();
        else
            result.bytes.append(how.message);
        result.has_bytes = true;
    }
    else {
        channel_->fail(how.code, how.text, how.retry_after);
        result = arrival(how.code, how.text, how.retry_after);
    }
    std::unique_lock held(mutex_);
    result_ = std::move(result);
    deliver();
}

/// With the lock held.
void stream_call::deliver()
{
    if (waiter_ != nullptr && result_)
        std::exchange(waiter_, nullptr)->complete(std::move(*result_));
}

void stream_call::wait_for_result(stream_waiter& waiter)
{
    std::unique_lock held(mutex_);
    if (is_taken_) {
        waiter.complete(arrival(errc::bad_argument, "the result was asked for already"));
        return;
    }
    is_taken_ = true;
    waiter_ = &waiter;
    deliver();
}

void stream_call::cancel(std::uint64_t named)
{
    std::unique_lock held(mutex_);
    if (waiter_ == nullptr || waiter_->ticket != named)
        return;
    is_taken_ = false;
    std::exchange(waiter_, nullptr)->complete(arrival(errc::cancelled));
}

void stream_call::close() noexcept
{
    if (!is_finished_.load(std::memory_order_acquire))
        through_->withdraw(ticket_, errc::cancelled);
    channel_->close();
}

} // namespace wharf::detail
