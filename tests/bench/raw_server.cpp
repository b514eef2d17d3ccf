// The floor of the comparison: an epoll server that echoes length-prefixed frames and does nothing
// else. One recv takes all that is there, one send answers all of it. The argument is how many
// threads share the connections, 1 by default: each has an epoll of its own.
#include "raw_frame.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace {

struct connection {
    int fd = -1;
    bench::raw_buffer in;
    std::vector<std::byte> out;
    std::size_t sent = 0;
    bool waits_to_write = false;
};

[[noreturn]] void fail(const char* what)
{
    std::perror(what);
    std::exit(1);
}

// Listens on a free port of loopback and prints its number and the process id.
int listen_somewhere()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(fd, SOMAXCONN) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        fail("listen");
    std::printf("%d %d\n", ntohs(address.sin_port), ::getpid());
    std::fflush(stdout);
    return fd;
}

void watch(int epoll, int operation, connection& c, std::uint32_t events)
{
    epoll_event event{};
    event.events = events;
    event.data.ptr = &c;
    if (::epoll_ctl(epoll, operation, c.fd, &event) != 0)
        fail("epoll_ctl");
}

void accept_one(int epoll, int listener)
{
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto owned = std::make_unique<connection>();
    owned->fd = fd;
    watch(epoll, EPOLL_CTL_ADD, *owned.release(), EPOLLIN);
}

void echo_all(connection& c)
{
    bench::raw_header header;
    while (const auto* frame = c.in.next(header))
        c.out.insert(c.out.end(), frame, frame + sizeof header + header.length);
}

// False: the connection is over.
bool turn(connection& c)
{
    if (!c.waits_to_write) {
        if (!c.in.receive(c.fd, 0))
            return false;
        echo_all(c);
        if (c.in.broken())
            return false;
    }
    while (c.sent < c.out.size()) {
        const auto count = ::send(c.fd, c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN;
        c.sent += static_cast<std::size_t>(count);
    }
    c.out.clear();
    c.sent = 0;
    return true;
}

void serve(int epoll, connection& c)
{
    if (!turn(c)) {
        ::close(c.fd);
        delete &c;
        return;
    }
    const bool pending = c.sent < c.out.size();
    if (pending == c.waits_to_write)
        return;
    c.waits_to_write = pending;
    watch(epoll, EPOLL_CTL_MOD, c, pending ? EPOLLOUT : EPOLLIN);
}

/// Serves what is in the first epoll; those who connect go to each of them in turn.
void run(std::span<const int> epolls, const connection* listener)
{
    std::array<epoll_event, 128> events;
    std::size_t next = 0;
    for (;;) {
        const int count =
            ::epoll_wait(epolls.front(), events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            auto& c = *static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (&c == listener)
                accept_one(epolls[next++ % epolls.size()], listener->fd);
            else
                serve(epolls.front(), c);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<int> epolls(argc > 1 ? std::stoul(argv[1]) : 1);
    for (int& each : epolls)
        each = ::epoll_create1(0);
    connection listener;
    listener.fd = listen_somewhere();
    watch(epolls.front(), EPOLL_CTL_ADD, listener, EPOLLIN);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < epolls.size(); ++i)
        others.emplace_back([&, i] { run({&epolls[i], 1}, nullptr); });
    run(epolls, &listener);
}
