// blocking_pool: one queue, some threads.
#include "blocking_pool.hpp"

#include "log_events.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include <pthread.h>

namespace wharf {

blocking_pool::blocking_pool(unsigned threads, std::size_t queue_max)
    : threads_max_(std::max(1u, threads)), queue_max_(queue_max)
{}

blocking_pool::~blocking_pool()
{
    stop();
}

void blocking_pool::set_queue_max(std::size_t queue_max)
{
    const std::lock_guard lock(mutex_);
    queue_max_ = queue_max;
}

std::size_t blocking_pool::queue_max() const
{
    const std::lock_guard lock(mutex_);
    return queue_max_;
}

bool blocking_pool::try_run(std::function<void()> work)
{
    const std::lock_guard lock(mutex_);
    if (stopped_)
        return false;
    // What has begun or will without waiting for another to end: one for each thread.
    const std::size_t outstanding = queue_.size() + running_;
    if (outstanding >= threads_max_ + queue_max_)
        return false;
    if (outstanding >= threads_.size() && threads_.size() < threads_max_) {
        try {
            threads_.emplace_back([this] { run(); });
        }
        catch (const std::system_error& e) {
            log::write(log::level::warning, log::no_blocking_thread,
                       std::string("no thread for handlers that block: ") + e.what());
            if (threads_.empty())
                return false;
        }
    }
    queue_.push_back(std::move(work));
    changed_.notify_one();
    return true;
}

void blocking_pool::run()
{
    pthread_setname_np(pthread_self(), "wharf-blocking");
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        if (queue_.empty()) {
            changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
            continue;
        }
        std::function<void()> work = std::move(queue_.front());
        queue_.pop_front();
        ++running_;
        lock.unlock();
        work();
        work = nullptr; // what it holds goes before it counts as done, and without the lock
        lock.lock();
        --running_;
    }
}

void blocking_pool::stop()
{
    std::deque<std::function<void()>> dropped; // destroyed without the lock
    std::vector<std::thread> ending;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        dropped.swap(queue_);
        ending.swap(threads_);
        changed_.notify_all();
    }
    for (std::thread& t : ending)
        t.join();
}

std::size_t blocking_pool::waiting() const
{
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

std::size_t blocking_pool::running() const
{
    const std::lock_guard lock(mutex_);
    return running_;
}

} // namespace wharf
