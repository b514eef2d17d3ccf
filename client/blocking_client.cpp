// The waiting of the blocking client: leaders, followers, stops.
#include "blocking_core.hpp"

#include <algorithm>

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
    begin(call);
    const std::uint64_t ticket = core_->next_ticket();
    core_->start(call, ticket);
    bool is_done = false;
    if (meanwhile == nullptr) {
        is_done = wait(call, call.call().deadline, true);
    }
    else {
        // Withdrawing finishes the call, which ends its wait.
        const std::stop_callback stopped(
            meanwhile->stop, [this, ticket] { core_->withdraw(ticket, errc::cancelled); });
        is_done = wait_with_progress(call, *meanwhile);
    }
    if (!is_done)
        give_up(call, errc::deadline_exceeded);
}

/// Finishes a call, and returns when it is.
void blocking_core::give_up(waited_call& call, errc code)
{
    core_->withdraw(call.ticket, code);
    wait_for_end(call);
}

bool blocking_core::wait_with_progress(waited_call& call, const while_waiting& meanwhile)
{
    const time_point deadline = call.call().deadline;
    if (!meanwhile.progress)
        return wait(call, deadline);
    const auto interval = std::max(meanwhile.interval, std::chrono::milliseconds(1));
    for (time_point next = clock::now() + interval;; next += interval) {
        if (wait(call, std::min(next, deadline)))
            return true;
        if (clock::now() >= deadline)
            return false;
        try {
            meanwhile.progress();
        }
        catch (...) {
            give_up(call, errc::cancelled);
            throw;
        }
    }
}

bool blocking_core::wait(waited& what, time_point until, bool only_peer)
{
    std::unique_lock held(mutex_);
    while (!what.done_) {
        if (leading_ == nullptr) {
            leading_ = &what;
            leader_ = std::this_thread::get_id();
            const bool is_alone = only_peer && !is_shared_;
            held.unlock();
            const bool is_due = !lead(what, until, is_alone);
            held.lock();
            leading_ = nullptr;
            if (is_due)
                break;
            continue;
        }
        if (clock::now() >= until)
            break;
        is_shared_ = true;
        held.unlock();
        core_->send_now();
        held.lock();
        if (what.done_ || leading_ == nullptr)
            continue;
        const auto place = followers_.insert(followers_.end(), &what);
        what.wake_.wait_until(held, until, [&] { return what.done_ || leading_ == nullptr; });
        followers_.erase(place);
    }
    if (leading_ == nullptr && !followers_.empty())
        followers_.front()->wake_.notify_one();
    return what.done_;
}

bool blocking_core::lead(waited& what, time_point until, bool is_alone)
{
    // What is ready is taken before the time is looked at, which most calls never need.
    do
        core_->drive(context_, until, is_alone);
    while (!what.done_.load(std::memory_order_acquire) && clock::now() < until);
    return what.done_.load(std::memory_order_acquire);
}

void blocking_core::wait_for_end(waited& what)
{
    std::unique_lock held(mutex_);
    what.wake_.wait(held, [&] { return what.done_.load(); });
}

void blocking_core::set_done(waited& what) noexcept
{
    const std::lock_guard held(mutex_);
    what.done_.store(true, std::memory_order_release);
    what.wake_.notify_one();
    if (leading_ == &what && leader_ != std::this_thread::get_id())
        core_->interrupt();
}

void waited::set_done() noexcept
{
    core_->set_done(*this);
}

} // namespace detail

blocking_client::blocking_client(std::string_view where, const client_options& options)
    : core_(std::make_shared<detail::blocking_core>(where, options))
{}

blocking_client::~blocking_client()
{
    close();
}

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
