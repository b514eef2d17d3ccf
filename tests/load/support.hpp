// What the load and fault tests share: their size, a server with an endpoint, levels of memory.
#pragma once

#include <wharf/server.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <sys/types.h>

namespace stress {

using clock = std::chrono::steady_clock;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool is_instrumented = true;
#else
constexpr bool is_instrumented = false;
#endif

/// No test waits longer for anything that must come.
constexpr std::chrono::seconds patience(is_instrumented ? 60 : 20);

/// Is WHARF_LOAD=full in the environment?
bool is_full();
/// The one size in an ordinary run, the other with WHARF_LOAD=full.
template <class T>
T scaled(T small, T full)
{
    return is_full() ? full : small;
}

/// Stateless, so that a reply can be judged by its call alone.
std::uint64_t mix(std::uint64_t token) noexcept;

/// What went wrong first, said from any thread: Boost.Test's macros are for one.
class complaints {
public:
    void add(const std::string& what);
    int count() const;
    std::string first() const;

private:
    mutable std::mutex mutex_;
    int count_ = 0;
    std::string first_;
};

/// Something that other threads count up and this one waits for.
class counter {
public:
    void add(std::int64_t n = 1);
    /// False where it is still less when the time is over.
    bool reaches(std::int64_t n, std::chrono::milliseconds within = patience) const;
    std::int64_t value() const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::int64_t value_ = 0;
};

/// A fresh directory, removed with what is in it.
class scratch {
public:
    scratch();
    ~scratch();
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    std::string operator/(const std::string& file) const { return path_ + "/" + file; }

private:
    std::string path_;
};

/// Everybody may call everything, on a unix socket and on a TCP port of loopback.
wharf::server_options open_options(const std::string& unix_path, std::uint32_t threads);

/// The largest resident memory that a process ever had, in bytes; and what it has now.
std::uint64_t resident_peak(pid_t of);
std::uint64_t resident_now(pid_t of);
/// Processor time in seconds, since the beginning: of a process, and of the whole machine.
double processor_time(pid_t of);
double processor_time_of_all();
/// What the kernel holds for all sockets of this process, in bytes.
std::uint64_t own_socket_memory();

} // namespace stress
