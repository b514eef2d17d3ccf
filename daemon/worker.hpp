// One thread with its own event loop, and the sessions that live on it.
#pragma once

#include "session_group.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace wharf {

/// The public members are safe from any thread, but start(), stop() and probe(), which belong to
/// one each.
class worker {
public:
    worker(const session_surroundings& around, std::function<void(session_seed&&)> leave = {});
    ~worker();

    /// Names the thread, which runs until stop().
    void start(const std::string& name);
    /// Ends the loop when nothing is under way, or after a second whatever is, and waits for the
    /// thread.
    void stop();

    boost::asio::io_context& context() noexcept { return *context_; }
    session_group& sessions() noexcept { return sessions_; }
    const session_group& sessions() const noexcept { return sessions_; }

    /// Asks the loop for a sign of life, unless it still owes one.
    void probe();
    /// How long the last sign of life took, or how long one is overdue.
    std::chrono::nanoseconds delay() const noexcept;

private:
    using clock = std::chrono::steady_clock;

    /// Made first and destroyed first: it destroys sessions, which refer to their group.
    std::unique_ptr<boost::asio::io_context> context_;
    session_group sessions_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::atomic<clock::rep> asked_{0}; ///< when a probe was sent that has not come back; else 0
    std::atomic<clock::rep> delay_{0}; ///< of the last one that came back
    std::thread thread_;
    std::future<void> ended_; ///< of the loop
};

} // namespace wharf
