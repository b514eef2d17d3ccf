// How the tests of transports run one coroutine, and listeners that never answer.
#pragma once

#include "socket_support.hpp"

#include "connect.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <linux/filter.h>
#include <netinet/in.h>

namespace wharf {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// One connect: what came of it, and how long it took.
struct connecting {
    std::optional<transport> stream;
    std::optional<error> failure;
    clock::duration took{};
    bool done = false;

    errc code() const { return failure ? failure->code() : errc{}; }
};

inline asio::awaitable<void> seek(connecting& out, endpoint where, clock::time_point deadline,
                                  const connect_settings& settings)
{
    clock::time_point began = clock::now();
    try {
        asio::awaitable<transport> op = async_connect(where, deadline, tcp_options(), settings);
        out.stream.emplace(co_await std::move(op));
    }
    catch (const error& e) {
        out.failure = e;
    }
    out.took = clock::now() - began;
    out.done = true;
}

/// Runs a connect to its end on a context of its own; the stream stays usable until `io` goes.
inline connecting connect_now(asio::io_context& io, const endpoint& where,
                              std::chrono::milliseconds timeout = 5s,
                              const connect_settings& settings = {})
{
    connecting out;
    asio::co_spawn(io, seek(out, where, clock::now() + timeout, settings),
                   [](std::exception_ptr e) {
                       if (e)
                           std::rethrow_exception(e);
                   });
    io.restart();
    io.run();
    return out;
}

inline connecting connect_now(asio::io_context& io, const std::string& where,
                              std::chrono::milliseconds timeout = 5s,
                              const connect_settings& settings = {})
{
    return connect_now(io, parse_endpoint(where), timeout, settings);
}

inline transport_acceptor listen_at(asio::io_context& io, const std::string& where,
                                    const listen_settings& settings = {})
{
    return open_listener(io.get_executor(), parse_endpoint(where), settings);
}

/// Makes the system drop every packet for this TCP socket, as a broken network does.
inline void drop_packets(int fd)
{
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    sock_fprog program{1, &nothing};
    BOOST_REQUIRE_EQUAL(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
                        0);
}

inline socket_address address_of(const endpoint& e)
{
    return numeric_address(std::get<tcp_endpoint>(e)).value();
}

inline std::uint16_t port_of(const transport_acceptor& acceptor)
{
    return std::get<tcp_endpoint>(bound_endpoint(acceptor)).port;
}

inline std::string bound_text(const transport_acceptor& acceptor)
{
    return to_string(bound_endpoint(acceptor));
}

} // namespace wharf
