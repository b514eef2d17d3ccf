// Sizes, waits and measures of the load and fault tests.
#include "support.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stress {

bool is_full()
{
    const char* size = std::getenv("WHARF_LOAD");
    return size != nullptr && std::string_view(size) == "full";
}

// The finalizer of splitmix64.
std::uint64_t mix(std::uint64_t token) noexcept
{
    token ^= token >> 30;
    token *= 0xbf58476d1ce4e5b9;
    token ^= token >> 27;
    token *= 0x94d049bb133111eb;
    return token ^ token >> 31;
}

void complaints::add(const std::string& what)
{
    const std::lock_guard lock(mutex_);
    if (count_++ == 0)
        first_ = what;
}

int complaints::count() const
{
    const std::lock_guard lock(mutex_);
    return count_;
}

std::string complaints::first() const
{
    const std::lock_guard lock(mutex_);
    return first_;
}

void counter::add(std::int64_t n)
{
    const std::lock_guard lock(mutex_);
    value_ += n;
    changed_.notify_all();
}

bool counter::reaches(std::int64_t n, std::chrono::milliseconds within) const
{
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return value_ >= n; });
}

std::int64_t counter::value() const
{
    const std::lock_guard lock(mutex_);
    return value_;
}

scratch::scratch()
{
    path_ = (std::filesystem::temp_directory_path() / "wharf-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error(std::string("mkdtemp: ") + std::strerror(errno));
}

scratch::~scratch()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

wharf::server_options open_options(const std::string& unix_path, std::uint32_t threads)
{
    wharf::server_options options;
    wharf::listener_options local;
    local.name = "unix";
    local.where = wharf::unix_endpoint{unix_path};
    wharf::listener_options network;
    network.name = "tcp";
    network.where = wharf::tcp_endpoint{"127.0.0.1", 0};
    options.listeners = {local, network};
    options.roles.push_back({"all", {"*"}});
    options.allow.push_back({"*", "anonymous", "*", "all"});
    options.allow.push_back({"*", "unix", "*", "all"});
    options.threads = threads;
    return options;
}

namespace {

/// A line of /proc/PID/status that is in kB, in bytes.
std::uint64_t status_of(pid_t of, std::string_view key)
{
    std::ifstream status("/proc/" + std::to_string(of) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key))
            return std::stoull(line.substr(key.size())) * 1024;
    throw std::runtime_error("no " + std::string(key) + " of process " + std::to_string(of));
}

} // namespace

std::uint64_t resident_peak(pid_t of)
{
    return status_of(of, "VmHWM:");
}

std::uint64_t resident_now(pid_t of)
{
    return status_of(of, "VmRSS:");
}

namespace {

double seconds_of_ticks(std::uint64_t ticks)
{
    return double(ticks) / double(::sysconf(_SC_CLK_TCK));
}

} // namespace

double processor_time(pid_t of)
{
    std::ifstream file("/proc/" + std::to_string(of) + "/stat");
    std::string text;
    std::getline(file, text);
    // Behind the name, which may be anything: the state, then 10 numbers, user time, system time.
    std::istringstream rest(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i != 11; ++i)
        rest >> skipped;
    std::uint64_t user = 0, system = 0;
    rest >> user >> system;
    return seconds_of_ticks(user + system);
}

double processor_time_of_all()
{
    std::ifstream file("/proc/stat");
    std::string name;
    // user nice system idle iowait irq softirq steal
    std::uint64_t times[8] = {}, busy = 0;
    file >> name;
    for (int i = 0; i != 8; ++i) {
        file >> times[i];
        busy += i == 3 || i == 4 ? 0 : times[i];
    }
    return seconds_of_ticks(busy);
}

std::uint64_t own_socket_memory()
{
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::uint32_t held[SK_MEMINFO_VARS] = {};
        socklen_t size = sizeof held;
        const int fd = std::stoi(entry.path().filename().string());
        // What is no socket, or was closed meanwhile, has none.
        if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, held, &size) == 0) {
            // Of a TCP socket the queue holds what is allocated; a unix one has no queue.
            bytes += std::max(held[SK_MEMINFO_WMEM_ALLOC], held[SK_MEMINFO_WMEM_QUEUED]);
            for (const int level : {SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_FWD_ALLOC, SK_MEMINFO_OPTMEM,
                                    SK_MEMINFO_BACKLOG})
                // What is allocated ahead may be less than nothing for a moment.
                bytes += std::uint64_t(std::max(static_cast<std::int32_t>(held[level]), 0));
        }
    }
    return bytes;
}

} // namespace stress
