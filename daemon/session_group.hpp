// The sessions that live on one executor, which runs one function at a time.
#pragma once

#include "metrics.hpp"
#include "session.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wharf {

/// What a configuration tells sessions. Constant: each session keeps what was in force when it
/// began, so that none finds its limits or its role changed under it.
struct session_settings {
    server_options options;
    admission rules;
};

/// The settings of the sessions to come. Any thread.
class settings_in_force {
public:
    std::shared_ptr<const session_settings> get() const
    {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    void set(std::shared_ptr<const session_settings> to)
    {
        const std::lock_guard lock(mutex_);
        now_.swap(to); // what was there goes when the lock has
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const session_settings> now_;
};

/// What all sessions of a server share; it outlives their groups.
struct session_surroundings {
    const settings_in_force& settings;
    const router& commands;
    blocking_pool& pool;
    std::atomic<std::size_t>& calls_memory;
    /// A session ended, on its thread.
    std::function<void(bool was_refused)> ended;
};

/// Sessions come by add() and stay until they end, or leave for another group. Functions are safe
/// in any thread but where they say otherwise.
class session_group {
public:
    /// With `leave`, sessions that call anything but system.* are handed to it, on their thread.
    session_group(boost::asio::any_io_executor executor, const session_surroundings& around,
                  std::function<void(session_seed&&)> leave = {});
    session_group(const session_group&) = delete;
    session_group& operator=(const session_group&) = delete;

    /// Each session keeps this alive, as long as somebody else does when it begins.
    void keep_alive(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

    /// Begins a session. Throws std::bad_alloc.
    void add(transport stream, std::uint64_t id, std::optional<principal> who, session_end refusal,
             bool takes_json);
    /// Goes on with a session that left another group.
    void add(session_seed&& seed);
    /// Every session accepts no more calls, answers what it accepted and ends; so do those that
    /// come later.
    void drain();
    /// Every session ends now.
    void close_all();
    /// The same at once, on the group's thread or while nobody runs its executor.
    void close_all_here();

    /// At most `count` sessions with ids above `after`, in the order of their ids. On the group's
    /// thread.
    std::vector<session_info> list(std::size_t count, std::uint64_t after) const;

    const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
    const call_metrics& metrics() const noexcept { return metrics_; }
    const session_counters& counters() const noexcept { return counters_; }
    /// Sessions given to this group that have neither ended nor left.
    std::uint32_t load() const noexcept { return load_.load(std::memory_order_relaxed); }

private:
    /// What sessions of the same settings have in common.
    struct common {
        std::shared_ptr<const session_settings> settings;
        session_host host;
    };
    std::shared_ptr<const common> common_now();
    void keep_sweeping();
    void stop_sweeping();
    void sweep();
    void begin(const std::shared_ptr<session>& s);
    void on_ended(session& s);
    void on_leaving(session_seed&& seed);
    template <class... Args>
    std::shared_ptr<session> make(Args&&... args);

    boost::asio::any_io_executor executor_;
    const session_surroundings& around_;
    session_counters counters_;
    call_metrics metrics_;
    std::function<void(session_seed&&)> leave_;
    std::mutex common_mutex_;
    std::shared_ptr<const common> common_; ///< shared with the sessions that began with it
    std::weak_ptr<void> owner_;
    std::atomic<std::uint32_t> load_{0};
    bool draining_ = false;
    /// Of the sweep to come. Its handler owns it, as the executor's context goes before the group.
    std::weak_ptr<boost::asio::steady_timer> sweep_timer_;
    /// By id; each takes itself out when it ends.
    boost::unordered_flat_map<std::uint64_t, session*> sessions_;
    /// Of the sweep under way: sessions that it has not looked at yet.
    std::vector<std::uint64_t> to_sweep_;
};

} // namespace wharf
