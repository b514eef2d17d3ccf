// The built-in service by which a daemon tells about itself.
#pragma once

#include <wharf/server.hpp>
#include <wharf/service.hpp>
#include <wharf/system.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace wharf {

/// What a process lets its operators do to it. Each is called on the thread of the session that
/// asks, and completes there. What they throw is the answer.
struct system_controls {
    /// Who asks, for the log.
    struct operator_name {
        std::string name;
        std::uint64_t session = 0;
    };
    std::function<awaitable<system::log_level_reply>(system::log_level, operator_name)> log_level;
    std::function<awaitable<system::reload_reply>(operator_name)> reload;
    std::function<awaitable<system::drain_reply>(system::drain, operator_name)> drain;
};

/// Answers the commands of wharf/system.hpp. It waits for no store and no thread, so that an
/// operator gets an answer when one of them is stuck.
/// Shared objects: safe, where the functions it was given are.
class system_service {
public:
    struct sources {
        std::string software; ///< "wharfd 0.1.0"
        /// Numbers that the server does not know and that only grow.
        std::function<std::vector<std::pair<std::string, std::uint64_t>>()> counters;
        /// What the store tells about itself; may be empty.
        std::function<std::vector<std::pair<std::string, std::string>>()> store;
        /// Commands without a function here are not served.
        system_controls controls{};
    };

    /// `serving` must outlive this.
    system_service(const server& serving, sources from);
    void serve(router& commands);

    /// What system.status answers.
    system::status_reply status() const;
    /// What system.sessions answers.
    awaitable<system::sessions_reply> sessions(system::sessions what) const;
    /// What system.metrics answers.
    std::string metrics() const;
    /// What system.describe answers to who may call these commands, which are sorted. Throws
    /// error(errc::permission_denied) for others, whether they exist or not.
    system::description describe(std::string_view command,
                                 const std::vector<std::string>& may_call) const;

private:
    void serve_controls(router& commands);
    std::uint64_t uptime_ms() const;

    const server* serving_;
    sources from_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

} // namespace wharf
