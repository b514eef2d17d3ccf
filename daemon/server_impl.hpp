// What a server consists of, for the files that implement it.
#pragma once

#include "admission.hpp"
#include "blocking_pool.hpp"
#include "listener.hpp"
#include "session_group.hpp"
#include "worker.hpp"

#include <wharf/server.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace wharf {

/// New sessions begin in the lobby: the accepting thread, or the program's executor, where they
/// stay. From the lobby they go to a worker when they call something that may take time, so that
/// an operator's system.status is answered while workers are busy.
struct server::impl : std::enable_shared_from_this<server::impl> {
    enum class phase { filling, running, stopping, stopped };

    impl(server_options o, std::optional<boost::asio::any_io_executor> on);

    // Start.
    void open_listeners();
    void make_groups();
    bool has_own_threads() const noexcept { return !program; }

    // Connections.
    void take(std::string_view listener_name, const tcp_options& tcp,
              boost::asio::generic::stream_protocol protocol, int fd) noexcept;
    /// As the settings in force have it; null for a name that no listener has.
    static const listener_options* find_listener(const server_options& in,
                                                 std::string_view listener_name);
    void on_ended(bool was_refused);
    bool all_have_ended() const noexcept { return sessions == 0 && refusals == 0; }
    template <class F>
    void for_each_group(F&& f) const
    {
        if (lobby != nullptr)
            f(*lobby);
        for (const auto& w : workers)
            f(w->sessions());
    }

    // Placement, on the lobby's thread.
    void place(session_seed&& seed);
    void place_waiting();
    void keep_probing();
    void probe();
    void stop_probing();

    // Stop.
    void run_stop_hooks();
    void stop_threads(std::chrono::milliseconds drain_timeout);
    void close_listeners();
    void close_listeners_from_outside();
    bool wait_for_sessions(std::chrono::milliseconds limit);
    void begin_stop_on_program();
    void finish_stop_on_program();
    void abandon_program();

    // Looking.
    /// What is in force; until the start, what was given.
    std::shared_ptr<const session_settings> in_force() const { return settings.get(); }
    std::vector<command_figures> figures() const;

    const std::optional<boost::asio::any_io_executor> program;
    const server_options options; ///< as they were given
    settings_in_force settings;   ///< empty before the start
    std::mutex change_mutex;      ///< one change of the settings after the other
    router commands;
    std::vector<std::shared_ptr<void>> services;
    std::vector<std::function<void()>> stop_hooks;

    std::atomic<phase> now{phase::filling};
    std::atomic<std::uint64_t> last_id{0}, sessions_total{0}, refused{0};
    std::atomic<std::uint32_t> sessions{0}, refusals{0};
    std::atomic<std::size_t> calls_memory{0};
    std::mutex mutex; ///< for `all_ended` alone
    std::condition_variable all_ended;

    blocking_pool pool;
    std::optional<session_surroundings> around;
    std::unique_ptr<session_group> on_program;
    std::unique_ptr<worker> lobby_thread;
    session_group* lobby = nullptr; ///< one of the two
    std::vector<std::unique_ptr<worker>> workers;
    std::vector<std::shared_ptr<listener>> listeners;

    // On the lobby's thread:
    std::deque<session_seed> waiting; ///< for a worker, while all of them are late
    std::size_t next_worker = 0;
    std::optional<boost::asio::steady_timer> probe_timer;
    bool probing = false, placing_anywhere = false;

    // On the program's executor:
    std::optional<boost::asio::steady_timer> drain_timer;
    std::vector<std::function<void()>> on_stopped;
};

} // namespace wharf
