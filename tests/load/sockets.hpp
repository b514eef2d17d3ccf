// Plain sockets of peers that are not to behave: connected, owned, and reset when they are told to.
#pragma once

#include <wharf/endpoint.hpp>

#include <utility>

namespace stress {

/// A descriptor with an owner.
class socket_fd {
public:
    explicit socket_fd(int fd = -1) noexcept : fd_(fd) {}
    socket_fd(socket_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    socket_fd& operator=(socket_fd&& other) noexcept
    {
        reset();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~socket_fd() { reset(); }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }
    void reset() noexcept;

private:
    int fd_;
};

/// Connects to a unix or IPv4 endpoint; empty where that fails. Loopback answers at once, and a
/// full backlog of a unix socket fails at once.
socket_fd connect_now(const wharf::endpoint& where);
/// Closing it resets a TCP connection, whatever is on the way; a unix one just ends.
void reset_on_close(int fd);

} // namespace stress
