// worker: a thread, its event loop and its sessions.
#include "worker.hpp"

#include "log_events.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

#include <pthread.h>

namespace wharf {
namespace asio = boost::asio;

namespace {
/// How long a stop waits for what other threads have begun, after all sessions have ended.
constexpr std::chrono::seconds last_work_time{1};
} // namespace

worker::worker(const session_surroundings& around, std::function<void(session_seed&&)> leave)
    : context_(std::make_unique<asio::io_context>(1)), // one thread runs it
      sessions_(context_->get_executor(), around, std::move(leave)),
      work_(context_->get_executor())
{}

worker::~worker()
{
    stop();
    work_.reset();
    context_.reset();
}

void worker::start(const std::string& name)
{
    std::promise<void> at_end;
    ended_ = at_end.get_future();
    thread_ = std::thread([this, name, at_end = std::move(at_end)]() mutable {
        pthread_setname_np(pthread_self(), name.c_str());
        for (;;) {
            try {
                context_->run();
                at_end.set_value();
                return;
            }
            catch (const std::exception& e) {
                // One handler's failure must not end the sessions beside it.
                log::write(log::level::error, log::worker_failed,
                           std::string("worker: ") + e.what());
            }
        }
    });
}

void worker::stop()
{
    if (!thread_.joinable())
        return;
    // A thread that completed a call, the store's for one, may still be inside its post to this
    // loop, which counts as work: the loop ends by itself when nothing is under way any more.
    work_.reset();
    if (ended_.wait_for(last_work_time) != std::future_status::ready)
        context_->stop(); // a handler that never ends
    thread_.join();
}

void worker::probe()
{
    if (asked_.load(std::memory_order_acquire) != 0)
        return;
    const clock::rep now = clock::now().time_since_epoch().count();
    asked_.store(now, std::memory_order_relaxed);
    asio::post(*context_, [this, now] {
        delay_.store(clock::now().time_since_epoch().count() - now, std::memory_order_relaxed);
        asked_.store(0, std::memory_order_release);
    });
}

std::chrono::nanoseconds worker::delay() const noexcept
{
    const clock::rep asked = asked_.load(std::memory_order_acquire);
    const clock::rep overdue = asked == 0 ? 0 : clock::now().time_since_epoch().count() - asked;
    return clock::duration(std::max(overdue, delay_.load(std::memory_order_relaxed)));
}

} // namespace wharf
