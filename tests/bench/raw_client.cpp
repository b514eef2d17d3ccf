// The clients of the floor: blocking for one call at a time, windowed for many in flight on one
// connection, epoll for many connections.
#include "meter.hpp"
#include "raw_frame.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace {

using bench::clock;

constexpr std::uint32_t in_flight = 128;
constexpr std::uint32_t connections = 64;

[[noreturn]] void fail(const char* what)
{
    std::perror(what);
    std::exit(1);
}

int dial(std::uint16_t port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// The sizes of the messages that the workloads exchange, in a flat encoding without field names.
std::size_t payload_bytes(std::string_view workload)
{
    if (workload == "W4a" || workload == "W4b")
        return 1u << 20;
    if (workload == "W5")
        return 128004;
    return 28;
}

void append_frame(std::vector<std::byte>& out, std::uint32_t id, std::size_t payload)
{
    const bench::raw_header header{static_cast<std::uint32_t>(payload), id};
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    out.insert(out.end(), bytes, bytes + sizeof header);
    out.resize(out.size() + payload, std::byte{'x'});
}

void send_all(int fd, const std::vector<std::byte>& bytes)
{
    for (std::size_t sent = 0; sent < bytes.size();) {
        const auto count = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count < 0)
            fail("send");
        sent += static_cast<std::size_t>(count);
    }
}

void receive(bench::raw_buffer& in, int fd)
{
    if (!in.receive(fd, 0))
        fail("recv");
}

void one_at_a_time(bench::meter& meter)
{
    const int fd = dial(meter.options().port);
    std::vector<std::byte> request;
    append_frame(request, 1, payload_bytes(meter.options().workload));
    bench::raw_buffer in;
    bench::raw_header header;
    clock::time_point began;
    do {
        began = clock::now();
        send_all(fd, request);
        while (!in.next(header))
            receive(in, fd);
    } while (meter.completed(began));
}

// What one read completes leaves again in one write.
void many_in_flight(bench::meter& meter)
{
    const int fd = dial(meter.options().port);
    const auto payload = payload_bytes(meter.options().workload);
    std::array<clock::time_point, in_flight> began;
    std::vector<std::byte> out;
    for (std::uint32_t id = 0; id < in_flight; ++id) {
        began[id] = clock::now();
        append_frame(out, id, payload);
    }
    bench::raw_buffer in;
    bench::raw_header header;
    for (;;) {
        send_all(fd, out);
        out.clear();
        receive(in, fd);
        while (in.next(header)) {
            if (!meter.completed(began.at(header.id)))
                return;
            began[header.id] = clock::now();
            append_frame(out, header.id, payload);
        }
    }
}

struct connection {
    int fd = -1;
    bench::raw_buffer in;
    clock::time_point began;
};

// False: the slice is over.
bool answered(bench::meter& meter, connection& c, const std::vector<std::byte>& request)
{
    receive(c.in, c.fd);
    bench::raw_header header;
    while (c.in.next(header)) {
        if (!meter.completed(c.began))
            return false;
        c.began = clock::now();
        send_all(c.fd, request);
    }
    return true;
}

void many_connections(bench::meter& meter)
{
    const int epoll = ::epoll_create1(0);
    std::vector<std::byte> request;
    append_frame(request, 1, payload_bytes(meter.options().workload));
    std::vector<connection> all(connections);
    for (auto& c : all) {
        c.fd = dial(meter.options().port);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &c;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, c.fd, &event);
    }
    for (auto& c : all) {
        c.began = clock::now();
        send_all(c.fd, request);
    }
    std::array<epoll_event, connections> events;
    for (;;) {
        const int count = ::epoll_wait(epoll, events.data(), events.size(), -1);
        for (int i = 0; i < count; ++i) {
            auto* c = static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!answered(meter, *c, request))
                return;
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    bench::meter meter(bench::parse_slice(argc, argv));
    const auto& workload = meter.options().workload;
    if (workload == "W2")
        many_in_flight(meter);
    else if (workload == "W3")
        many_connections(meter);
    else
        one_at_a_time(meter);
}
