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
    /// What system.describe answers to a caller in this role. Throws error(errc::permission_denied)
    /// for what it may not call, whether that exists or not.
    system::description describe(std::string_view command, std::string_view role) const;
    /// The commands that a caller in this role may call, sorted.
    std::vector<std::string> list(std::string_view role) const;

private:
    std::uint64_t uptime_ms() const;

    const server* serving_;
    sources from_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

} // namespace wharf
