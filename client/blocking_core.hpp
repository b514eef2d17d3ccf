// Threads that share one connection and wait: one leads, and handles what arrives for all.
#pragma once

#include "core.hpp"

#include <wharf/blocking_client.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <list>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

namespace wharf::detail {

/// The leader waits in client_core::drive(), the others on their own conditions. A leader that is
/// done names the next one. Its mutex is locked inside the core's, never the other way round.
class blocking_core {
public:
    using time_point = std::chrono::steady_clock::time_point;

    blocking_core(std::string_view where, const client_options& options);
    ~blocking_core();

    client_core& core() noexcept { return *core_; }

    void call(waited_call& call, const while_waiting* meanwhile);

    // For whoever waits. Something is finished, by whatever thread, after begin().
    void begin(waited& what) noexcept { what.core_ = this; }
    /// True: it is done, and may be destroyed. `only_peer`: nothing but the daemon's answer,
    /// close() and the time end this wait.
    bool wait(waited& what, time_point until, bool only_peer = false);
    /// For what another thread is finishing, or has finished.
    void wait_for_end(waited& what);
    void set_done(waited& what) noexcept;

private:
    /// False: it is not done, and its time is over.
    bool lead(waited& what, time_point until, bool is_alone);
    bool wait_with_progress(waited_call& call, const while_waiting& meanwhile);
    void give_up(waited_call& call, errc code);

    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::shared_ptr<client_core> core_;
    std::mutex mutex_;
    const waited* leading_ = nullptr; ///< what the leader waits for; null: nobody leads
    std::thread::id leader_;
    std::list<waited*> followers_;
    bool is_shared_ = false; ///< there has been a follower
};

} // namespace wharf::detail
