// The waiting of streams of the blocking client.
#include <wharf/blocking_stream.hpp>

#include "blocking_core.hpp"

#include <algorithm>

namespace wharf::detail {

using clock = std::chrono::steady_clock;

/// An operation of a stream, on the stack of the thread that waits for it.
class waited_arrival final : public stream_waiter, public waited {
public:
    waited_arrival(blocking_core& in, stream_waiting& of) noexcept
    {
        in.begin(*this);
        ticket = of.next_ticket();
    }
    void complete(arrival&& how) override
    {
        what = std::move(how);
        set_done();
    }
    /// The thread that waits holds what it waits in: this is never called.
    void abandon() noexcept override { set_done(); }

    arrival what;
};

blocking_stream_call::blocking_stream_call(std::shared_ptr<blocking_core> core, encoded_call&& call,
                                           bool receives, bool sends, while_waiting&& meanwhile)
    : core_(std::move(core)),
      meanwhile_(std::move(meanwhile)),
      deadline_(call.deadline),
      is_open_ended_(call.is_open_ended),
      call_(stream_call::start(core_->core().shared_from_this(), core_->core().channel_executor(),
                               std::move(call), receives, sends))
{
    if (meanwhile_.stop.stop_possible())
        stopped_.emplace(meanwhile_.stop, [this] { call_->close(); });
}

blocking_stream_call::~blocking_stream_call()
{
    stopped_.reset(); // waits for one that runs
    close();
}

void blocking_stream_call::close() noexcept
{
    call_->close();
}

void blocking_stream_call::check_stop() const
{
    if (meanwhile_.stop.stop_requested())
        throw error(errc::cancelled, "the stream was stopped");
}

arrival blocking_stream_call::receive(time_point until)
{
    check_stop();
    stream_channel& channel = *call_->channel();
    arrival next;
    next.bytes = take_scratch();
    if (channel.try_receive(next)) {
        core_->core().send_now(); // the credit
    }
    else {
        put_scratch(std::move(next.bytes));
        waited_arrival waiter(*core_, channel);
        channel.async_receive(waiter);
        wait(waiter, until, channel);
        next = std::move(waiter.what);
    }
    check(next);
    return next;
}

void blocking_stream_call::send(encoded_item&& item, time_point until)
{
    check_stop();
    stream_channel& channel = *call_->channel();
    arrival how;
    how.failure = std::move(item.failure);
    check(how);
    if (channel.try_send(item.bytes.view())) {
        put_scratch(std::move(item.bytes));
    }
    else {
        waited_arrival waiter(*core_, channel);
        channel.async_send(std::move(item.bytes), waiter);
        wait(waiter, until, channel);
        how = std::move(waiter.what);
    }
    core_->core().send_now();
    check(how);
}

void blocking_stream_call::end_upload()
{
    call_->channel()->end_sending();
    core_->core().send_now();
}

arrival blocking_stream_call::result()
{
    check_stop();
    waited_arrival waiter(*core_, *call_);
    call_->wait_for_result(waiter);
    wait(waiter, time_point::max(), *call_);
    check(waiter.what);
    return std::move(waiter.what);
}

void blocking_stream_call::wait(waited_arrival& what, time_point until, stream_waiting& in)
{
    if (!meanwhile_.progress) {
        if (!wait_until(what, until, time_point::max()))
            cancel(what, in);
        return;
    }
    const auto interval = std::max(meanwhile_.interval, std::chrono::milliseconds(1));
    for (time_point next = clock::now() + interval; !wait_until(what, until, next);
         next += interval) {
        if (clock::now() >= until) {
            cancel(what, in);
            return;
        }
        try {
            meanwhile_.progress();
        }
        catch (...) {
            close();
            core_->wait_for_end(what);
            throw;
        }
    }
}

/// True: it is done. What the deadline of the call ends is done.
bool blocking_stream_call::wait_until(waited_arrival& what, time_point until, time_point next)
{
    const time_point own = std::min(until, next);
    for (;;) {
        const time_point deadline = was_sent_ ? time_point::max() : deadline_;
        if (core_->wait(what, std::min(own, deadline)))
            return true;
        if (clock::now() < deadline)
            return false;
        if (!is_open_ended_) {
            core_->core().withdraw(call_->ticket, errc::deadline_exceeded);
            core_->wait_for_end(what);
            return true;
        }
        core_->core().withdraw_unsent(call_->ticket);
        was_sent_ = true; // or it has failed, and with it what waits
    }
}

/// Its own time is up. What came in the last moment counts.
void blocking_stream_call::cancel(waited_arrival& what, stream_waiting& in)
{
    in.cancel(what.ticket);
    core_->wait_for_end(what);
    if (what.what.failure && what.what.failure->code() == errc::cancelled)
        what.what = arrival(errc::deadline_exceeded, "the operation took too long");
}

} // namespace wharf::detail
