// Descriptors: owning, opening, adopting and waiting for them, their options and error numbers.
#pragma once

#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace wharf {

/// Owns a descriptor.
class unique_fd {
public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept
    {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~unique_fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

/// A new stream socket, CLOEXEC and non-blocking. Throws.
unique_fd open_stream(int family, const std::string& name);

/// Checks that `fd` is an open stream socket of a family we serve, listening or connected as
/// wanted, and takes it over. Throws error(errc::bad_endpoint) and leaves it alone where it is not.
unique_fd adopt(const fd_endpoint& e, bool listening);

/// Throws the error for errno (or `number`), its text "what: the system's words".
[[noreturn]] void throw_system(const std::string& what, int number);
errc errc_from_errno(int number) noexcept;

/// setsockopt of an int. Throws.
void set_option(int fd, int level, int option, int value, const char* name);
int get_option(int fd, int level, int option) noexcept;

/// Throws.
void close_on_exec(int fd);

/// Sets a TCP connection's options; does nothing for another family.
void apply_options(int fd, const tcp_options& options);

/// Waits until one of `events` (POLLIN, POLLOUT) or an error is there, and returns what is.
/// Throws error(errc::deadline_exceeded, what) when that takes longer than until `deadline`.
short wait_ready(int fd, short events, std::chrono::steady_clock::time_point deadline,
                 const char* what);
/// From now; a duration that no clock can hold becomes a year.
std::chrono::steady_clock::time_point deadline_after(std::chrono::milliseconds timeout) noexcept;

} // namespace wharf
