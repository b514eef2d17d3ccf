// What is left of a session when it goes to another thread.
#pragma once

#include <wharf/conversation.hpp>
#include <wharf/detail/handlers.hpp>
#include <wharf/detail/peer_versions.hpp>
#include <wharf/session_handle.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wharf {

/// A command that a peer has declared, and what became of it.
struct declared_command {
    const detail::command_entry* entry = nullptr; ///< null where there is none
    /// Why it may not be called; errc{} when it may, and then there is an entry.
    errc refusal = errc::unknown_command;
    /// Of "system.*", which an operator gets whatever else is full.
    bool is_system = false;
    std::string name;
    /// How to store what answers it for this peer; null: as it is. It says why, where the refusal
    /// is errc::newer_version.
    std::unique_ptr<const detail::step_down> older{};
};

/// A descriptor with one owner, bound to no event loop.
class loose_descriptor {
public:
    loose_descriptor() noexcept = default;
    explicit loose_descriptor(int fd) noexcept : fd_(fd) {}
    loose_descriptor(loose_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    loose_descriptor& operator=(loose_descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~loose_descriptor();
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// A session between two threads: no handler runs, no call to the peer is under way, its hooks have
/// not run. Events may still be buffered in the conversation. Dropped, it closes the connection.
struct session_seed {
    loose_descriptor socket;
    int family = 0;
    conversation talk;
    detail::session_facts facts; ///< the executor is that of the thread that gives it away
    std::vector<declared_command> declared;
    detail::peer_versions versions; ///< of the peer's commands
    std::chrono::system_clock::time_point since;
    std::uint64_t calls = 0, bytes_in = 0, bytes_out = 0;
};

} // namespace wharf
