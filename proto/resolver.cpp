// Name look-ups by getaddrinfo() on detached threads.
#include "resolver.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>

#include <csignal>
#include <netdb.h>

namespace wharf {
namespace {

// The one number that must be per process: threads are what a stuck resolver eats.
std::atomic<int> lookups_running{0};

struct running_lookup {
    bool granted = lookups_running.fetch_add(1, std::memory_order_relaxed) < lookups_max;
    running_lookup() = default;
    running_lookup(const running_lookup&) = delete;
    ~running_lookup() { lookups_running.fetch_sub(1, std::memory_order_relaxed); }
};

// Signals belong to the threads that the program started itself.
class signals_blocked {
public:
    signals_blocked()
    {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    signals_blocked(const signals_blocked&) = delete;
    ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

} // namespace

resolution system_lookup(const std::string& host, std::uint16_t port)
{
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    resolution out;
    int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
    if (failed != 0) {
        out.text = ::gai_strerror(failed);
        return out;
    }
    for (addrinfo* i = list; i != nullptr && out.addresses.size() < addresses_max; i = i->ai_next) {
        if ((i->ai_family != AF_INET && i->ai_family != AF_INET6) ||
            i->ai_addrlen > sizeof(sockaddr_storage))
            continue;
        socket_address a;
        std::memcpy(&a.storage, i->ai_addr, i->ai_addrlen);
        a.size = i->ai_addrlen;
        out.addresses.push_back(a);
    }
    if (out.addresses.empty())
        out.text = "the name has no IPv4 or IPv6 address";
    return out;
}

bool start_lookup(lookup look, std::string host, std::uint16_t port,
                  std::function<void(resolution)> done)
{
    auto running = std::make_shared<running_lookup>();
    if (!running->granted)
        return false;
    signals_blocked while_starting;
    try {
        std::thread([running, look = std::move(look), host = std::move(host), port,
                     done = std::move(done)] {
            resolution found;
            try {
                found = look(host, port);
            }
            catch (const std::exception& e) {
                found = resolution();
                found.text = e.what();
            }
            done(std::move(found));
        }).detach();
    }
    catch (const std::system_error&) {
        return false;
    }
    return true;
}

} // namespace wharf
