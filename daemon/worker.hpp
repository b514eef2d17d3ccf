// One thread with its own event loop, and the sessions that live on it.
#pragma once

#include "session.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <unordered_map>

namespace wharf {

/// Sessions come by add() and stay until they end. The public members are safe from any thread.
class worker {
public:
    /// `session_ended` is called on the worker's thread after each session.
    worker(const server_options& options, std::atomic<std::size_t>& calls_memory,
           const router& commands, const admission& rules,
           std::function<void(bool refused)> session_ended);
    ~worker();

    void start(unsigned number);
    /// Ends the loop when nothing is under way, or after a second whatever is, and waits for the
    /// thread.
    void stop();

    boost::asio::io_context& context() noexcept { return context_; }
    void add(std::shared_ptr<session> s);
    std::shared_ptr<session> make_session(transport stream, std::uint64_t id,
                                          std::optional<principal> who, session_end refusal);
    /// Every session accepts no more calls, answers what it accepted and ends.
    void drain();
    /// Every session ends now.
    void close_all();

    const session_counters& counters() const noexcept { return counters_; }
    /// Sessions given to this worker that have not ended.
    std::uint32_t load() const noexcept { return load_.load(std::memory_order_relaxed); }

private:
    void on_ended(session& s);

    session_counters counters_;
    std::function<void(bool)> session_ended_;
    session_host host_;
    std::atomic<std::uint32_t> load_{0};
    bool draining_ = false;
    // Sessions refer to what stands above, and the context destroys them.
    boost::asio::io_context context_;
    std::unordered_map<std::uint64_t, session*> sessions_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
    std::future<void> ended_; ///< of the loop
};

} // namespace wharf
