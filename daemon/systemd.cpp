// Talks to the service manager; the only file that includes sd-daemon.h.
#include "systemd.hpp"

#include <wharf/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

namespace wharf::systemd {

namespace {

endpoint to_endpoint(const sockaddr_storage& address, socklen_t length)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return tcp_endpoint{text, ntohs(v4.sin_port)};
    }
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        return tcp_endpoint{text, ntohs(v6.sin6_port)};
    }
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    const std::size_t bytes =
        length - std::min<std::size_t>(length, offsetof(sockaddr_un, sun_path));
    if (bytes > 0 && local.sun_path[0] == '\0')
        return unix_endpoint{std::string(local.sun_path + 1, bytes - 1), true};
    return unix_endpoint{std::string(local.sun_path, ::strnlen(local.sun_path, bytes)), false};
}

passed_socket read_socket(int fd, std::string name)
{
    const auto refuse = [&](const char* problem) {
        throw error(errc::bad_endpoint, "the service manager passed descriptor " +
                                            std::to_string(fd) + " (" + name + "), which " +
                                            problem);
    };
    if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        refuse("is not a listening stream socket");
    auto where = bound_to(fd);
    if (!where)
        refuse("is neither a TCP nor a unix socket");
    return {fd, std::move(name), std::move(*where)};
}

/// Status texts may hold names from a configuration: one line each.
std::string one_line(std::string text)
{
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

} // namespace

std::vector<passed_socket> take_passed_sockets()
{
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    std::vector<std::string> copied;
    for (int i = 0; i < count; ++i) {
        copied.emplace_back(names[i]);
        std::free(names[i]);
    }
    std::free(names);
    std::vector<passed_socket> sockets;
    for (int i = 0; i < count; ++i)
        sockets.push_back(
            read_socket(SD_LISTEN_FDS_START + i, copied[static_cast<std::size_t>(i)]));
    return sockets;
}

std::optional<endpoint> bound_to(int fd)
{
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6 &&
         address.ss_family != AF_UNIX))
        return {};
    return to_endpoint(address, length);
}

std::vector<std::optional<std::size_t>> adopt(server_options& options,
                                              const std::vector<passed_socket>& sockets)
{
    std::vector<std::optional<std::size_t>> of(options.listeners.size());
    std::vector<bool> taken(sockets.size());
    const auto give = [&](std::size_t listener, std::size_t socket) {
        listener_options& l = options.listeners[listener];
        if (l.name.empty())
            l.name = to_string(l.where); // what allow lines call it must not change
        l.where = fd_endpoint{sockets[socket].fd};
        // The socket's own properties are the manager's business.
        l.unix_group.clear();
        l.unix_mode = listener_options{}.unix_mode;
        l.ipv6_only = false;
        of[listener] = socket;
        taken[socket] = true;
    };
    const auto each = [&](auto fits) {
        for (std::size_t s = 0; s < sockets.size(); ++s) {
            for (std::size_t l = 0; l < of.size() && !taken[s]; ++l) {
                if (!of[l] && fits(options.listeners[l], sockets[s]))
                    give(l, s);
            }
        }
    };
    each([](const listener_options& l, const passed_socket& s) { return l.where == s.where; });
    each([](const listener_options& l, const passed_socket& s) { return l.name == s.name; });
    std::set<std::string> names;
    for (const listener_options& l : options.listeners)
        names.insert(l.name.empty() ? to_string(l.where) : l.name);
    const tcp_options tcp = options.listeners.empty() ? tcp_options{} : options.listeners[0].tcp;
    for (std::size_t s = 0; s < sockets.size(); ++s) {
        if (taken[s])
            continue;
        listener_options l;
        l.name = sockets[s].name;
        for (int n = 2; !names.insert(l.name).second; ++n)
            l.name = sockets[s].name + "-" + std::to_string(n);
        l.where = fd_endpoint{sockets[s].fd};
        l.tcp = tcp;
        options.listeners.push_back(std::move(l));
        of.push_back(s);
    }
    return of;
}

void notify_ready(const std::string& status)
{
    ::sd_notify(0, ("READY=1\nSTATUS=" + one_line(status)).c_str());
}

void notify_status(const std::string& status)
{
    ::sd_notify(0, ("STATUS=" + one_line(status)).c_str());
}

void notify_reloading()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t us = std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
    ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us)).c_str());
}

void notify_stopping(const std::string& status, std::chrono::milliseconds more)
{
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(more).count();
    ::sd_notify(0, ("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(us) +
                    "\nSTATUS=" + one_line(status))
                       .c_str());
}

void notify_watchdog()
{
    ::sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_interval()
{
    std::uint64_t us = 0;
    if (::sd_watchdog_enabled(0, &us) <= 0 || us < 2)
        return {};
    return std::chrono::microseconds(us / 2);
}

} // namespace wharf::systemd
