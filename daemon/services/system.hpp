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

/// Answers system.ping, system.status and system.list (wharf/system.hpp). It touches no store, so
/// that an operator gets an answer when the store is slow.
/// Shared objects: safe, where the functions it was given are.
class system_service {
public:
    struct sources {
        std::string software; ///< "wharfd 0.1.0"
        /// Numbers that the server does not know.
        std::function<std::vector<std::pair<std::string, std::uint64_t>>()> counters;
        /// What the store tells about itself; may be empty.
        std::function<std::vector<std::pair<std::string, std::string>>()> store;
    };

    /// `serving` must outlive this.
    system_service(const server& serving, sources from);
    void serve(router& commands);

    /// What system.status answers.
    system::status_reply status() const;
    /// The commands that a caller in this role may call, sorted.
    std::vector<std::string> list(std::string_view role) const;

private:
    const server* serving_;
    sources from_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

} // namespace wharf
