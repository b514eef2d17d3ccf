// A client without an executor of its own: the threads that wait do its work.
#include "core.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

#include <sys/eventfd.h>

namespace wharf::detail {

namespace {

timespec to_timeout(std::chrono::nanoseconds left)
{
    left = std::max(left, std::chrono::nanoseconds(0));
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(whole.count()),
            static_cast<long>(std::chrono::nanoseconds(left - whole).count())};
}

bool has_unsent(const link& each) noexcept
{
    return !each.gone && !each.write_broken && !each.talk.unsent().empty();
}

} // namespace

/// What the thread that drives waits for, in drive_links_ and drive_files_. Brings `until` forward.
void client_core::choose_files(time_point& until)
{
    drive_links_.assign(1, link_);
    drive_links_.insert(drive_links_.end(), retired_.begin(), retired_.end());
    drive_files_.clear();
    polls_for_writing_ = false;
    for (const link_ptr& each : drive_links_) {
        const bool writes = has_unsent(*each);
        polls_for_writing_ |= writes;
        drive_files_.push_back({each->stream.native_handle(),
                                static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
        if (auto look = next_look(*each))
            until = std::min(until, *look);
    }
    drive_files_.push_back({wake_file_, POLLIN, 0});
}

/// Waits for the connection and nothing else, where that is all that may come soon: to wait in
/// recv() costs a microsecond less than in poll(). False: something else may come.
bool client_core::drive_alone(guard& held, time_point until)
{
    if (!link_ || !link_->waits_to_receive || link_->in_turn || !retired_.empty() ||
        has_unsent(*link_))
        return false;
    if (const auto look = next_look(*link_))
        until = std::min(until, *look);
    if (until - clock::now() < receive_wait)
        return false;
    if (!turn(held, link_ptr(link_), true))
        expire(clock::now());
    settle();
    release(held);
    return true;
}

void client_core::drive(boost::asio::io_context& context, time_point until, bool is_alone)
{
    guard held(mutex_);
    if (is_alone && drive_alone(held, until))
        return;
    if (!link_) {
        held.unlock();
        context.restart();
        context.run_one_until(until);
        return;
    }
    choose_files(until);
    is_polling_ = true;
    held.unlock();
    const time_point begun = clock::now();
    const timespec timeout = to_timeout(until - begun);
    const int ready = ::ppoll(drive_files_.data(), drive_files_.size(), &timeout, nullptr);
    held.lock();
    is_polling_ = false;
    for (std::size_t i = 0; ready > 0 && i != drive_links_.size(); ++i) {
        const link_ptr& each = drive_links_[i];
        const short events = drive_files_[i].revents;
        if ((events & ~POLLOUT) != 0 && !each->gone && !each->in_turn)
            turn(held, each);
        else if (events != 0)
            flush(*each);
    }
    if (ready > 0 && drive_files_.back().revents != 0) {
        eventfd_t ignored;
        ::eventfd_read(wake_file_, &ignored);
    }
    drive_links_.clear();
    // Something may always be ready.
    if (ready <= 0 || begun >= until)
        expire(clock::now());
    settle();
    release(held);
}

void client_core::send_now()
{
    guard held(mutex_);
    flush_current();
    const auto waits = [](const link_ptr& each) { return has_unsent(*each); };
    const bool is_rest =
        (link_ && waits(link_)) || std::any_of(retired_.begin(), retired_.end(), waits);
    if (is_rest && is_polling_ && !polls_for_writing_)
        interrupt();
    release(held);
}

void client_core::interrupt() noexcept
{
    ::eventfd_write(wake_file_, 1);
    if (!is_wake_posted_.exchange(true)) // where it waits for a connection
        boost::asio::post(executor_,
                          [self = shared_from_this()] { self->is_wake_posted_ = false; });
}

} // namespace wharf::detail
