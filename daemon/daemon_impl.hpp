// What a daemon consists of, for the files that implement it.
#pragma once

#include "command_line.hpp"
#include "config.hpp"
#include "services/system.hpp"
#include "systemd.hpp"

#include <wharf/daemon.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace wharf {

/// Everything here belongs to the main thread, which runs `events`: what operators ask for is done
/// there, one thing after the other.
struct daemon::impl {
    using operator_name = system_controls::operator_name;

    impl(int argc, char** argv);

    // daemon.cpp: the life of the process
    /// Command line, files and passed sockets. Throws std::exception.
    config::configuration read_configuration() const;
    /// The same at start: a fault ends the process.
    config::configuration read_or_leave() const;
    std::string status_text() const;
    void announce();
    void await_signal();
    void on_signal(int number);
    void drain(std::chrono::milliseconds timeout);
    void update_status();
    void feed_watchdog();
    int wait();

    // daemon_control.cpp: what operators ask for
    system_controls controls();
    /// Throws error(errc::bad_argument) with what is wrong; nothing has changed then.
    system::reload_reply reload(const operator_name& who);
    system::log_level_reply set_log_level(const system::log_level& what, const operator_name& who);
    system::drain_reply begin_drain(const system::drain& what, const operator_name& who);
    void put_in_force(config::configuration to);

    const std::string name;
    const std::string software;
    const command_line typed;
    /// Of the service manager; the descriptors are the listeners'.
    const std::vector<systemd::passed_socket> passed;
    config::configuration all; ///< in force
    wharf::server serving;

    boost::asio::io_context events{1};
    boost::asio::signal_set signals{events};
    boost::asio::steady_timer status_timer{events};
    boost::asio::steady_timer watchdog_timer{events};
    boost::asio::steady_timer log_level_timer{events}; ///< until the configured level is back
    std::optional<std::chrono::microseconds> watchdog;
    /// Shared with the answer of the workers, which may come late.
    std::shared_ptr<std::atomic<bool>> workers_asked = std::make_shared<std::atomic<bool>>(false);
    std::string last_status;
    std::string reload_refused; ///< why the last one was; empty: it was not
    bool draining = false;
    std::thread drainer;
};

} // namespace wharf
