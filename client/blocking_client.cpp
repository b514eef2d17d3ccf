// The waiting of the blocking client: leaders, followers, stops.
#include "blocking_core.hpp"

#include <algorithm>
#include <optional>

namespace wharf {
namespace detail {

using clock = std::chrono::steady_clock;

blocking_core::blocking_core(std::string_view where, const client_options& options)
    : context_(1), work_(context_.get_executor())
{
    core_ = std::make_shared<client_core>(context_.get_executor(), endpoint_of(where), options,
                                          driver::callers);
}

blocking_core::~blocking_core()
{
    core_->close();
    work_.reset();
    context_.restart();
    context_.poll(); // what was cancelled lets go of the core
}

void blocking_core::call(waited_call& call, const while_waiting* meanwhile)
{
    call.mutex_ = &mutex_;
    std::optional<std::stop_callback<std::function<void()>>> stopped;
    if (meanwhile != nullptr)
        core_->make_interruptible();
    const std::uint64_t ticket = core_->next_ticket();
    core_->start(call, ticket);
    if (meanwhile == nullptr) {
        wait(call, call.call().deadline);
    }
    else {
        // Withdrawing finishes the call, which ends a follower's wait; a leader's is interrupted.
        stopped.emplace(meanwhile->stop, [this, ticket] {
            if (core_->withdraw(ticket, errc::cancelled))
                core_->interrupt();
        });
        wait_with_progress(call, *meanwhile);
    }
    give_up(call, errc::deadline_exceeded);
}

/// Finishes a call that is not done, and returns when it is.
void blocking_core::give_up(waited_call& call, errc code)
{
    if (call.is_done() || core_->withdraw(call.ticket, code))
        return;
    std::unique_lock held(mutex_);
    call.wake_.wait(held, [&] { return call.is_done(); }); // another thread is finishing it
}

void blocking_core::wait_with_progress(waited_call& call, const while_waiting& meanwhile)
{
    const time_point deadline = call.call().deadline;
    if (!meanwhile.progress) {
        wait(call, deadline);
        return;
    }
    const auto interval = std::max(meanwhile.interval, std::chrono::milliseconds(1));
    for (time_point next = clock::now() + interval; !call.is_done(); next += interval) {
        wait(call, std::min(next, deadline));
        if (call.is_done() || clock::now() >= deadline)
            return;
        try {
            meanwhile.progress();
        }
        catch (...) {
            give_up(call, errc::cancelled);
            throw;
        }
    }
}

void blocking_core::wait(waited& what, time_point until)
{
    std::unique_lock held(mutex_);
    while (!what.is_done() && clock::now() < until) {
        if (!led_) {
            led_ = true;
            held.unlock();
            lead(what, until);
            held.lock();
            led_ = false;
            continue;
        }
        held.unlock();
        core_->send_all(until);
        held.lock();
        if (what.is_done() || !led_)
            continue;
        const auto place = followers_.insert(followers_.end(), &what);
        what.wake_.wait_until(held, until, [&] { return what.is_done() || !led_; });
        followers_.erase(place);
    }
    if (!led_ && !followers_.empty())
        followers_.front()->wake_.notify_one();
}

void blocking_core::lead(waited& what, time_point until)
{
    while (!what.is_done() && clock::now() < until)
        core_->drive(context_, until);
}

void waited::set_done() noexcept
{
    std::lock_guard held(*mutex_);
    done_.store(true, std::memory_order_release);
    wake_.notify_one();
}

} // namespace detail

blocking_client::blocking_client(std::string_view where, const client_options& options)
    : core_(std::make_unique<detail::blocking_core>(where, options))
{}

blocking_client::~blocking_client() = default;

std::size_t blocking_client::in_flight() const noexcept
{
    return core_->core().in_flight();
}

void blocking_client::close() noexcept
{
    core_->core().close();
}

const detail::caller& blocking_client::through() const noexcept
{
    return core_->core();
}

void blocking_client::wait_for(detail::waited_call& call, const while_waiting* meanwhile)
{
    core_->call(call, meanwhile);
}

} // namespace wharf
