// The asynchronous byte stream under a conversation: one socket type for TCP and unix sockets.
#pragma once

#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <chrono>
#include <string>

namespace wharf {

/// A connected stream of either family. Non-blocking towards its user: a write that would wait
/// returns asio::error::would_block.
using transport = boost::asio::generic::stream_protocol::socket;
/// A listening socket of either family.
using transport_acceptor =
    boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

/// How a listening socket is opened; the daemon's listener_options say the same with a name.
struct listen_settings {
    int backlog = 0;                ///< 0: SOMAXCONN
    bool ipv6_only = false;         ///< for [::]: false accepts IPv4 too
    std::uint32_t unix_mode = 0660; ///< permissions of a unix socket's path
    std::string unix_group;         ///< group of a unix socket's path; empty: the process's own
};

/// Binds and listens. A stale unix socket file, on which nobody listens, is replaced; a live one is
/// errc::address_in_use. Throws error with errc::address_in_use, access_denied, bad_endpoint,
/// host_not_found or io_error and a text that names the endpoint.
transport_acceptor open_listener(const boost::asio::any_io_executor& executor,
                                 const endpoint& where, const listen_settings& settings = {});

/// Connects, names included: numeric addresses ask no resolver; the addresses of a name are tried
/// in order, the next one early when the first is slow (after RFC 8305). Never longer than until
/// `deadline`. Throws error with errc::connection_refused, unreachable, host_not_found,
/// deadline_exceeded, access_denied or bad_endpoint and a text that names the endpoint.
/// An address that names all of a machine (0.0.0.0, [::]) is errc::bad_endpoint here. A TCP
/// connection that the system itself gave up on is errc::deadline_exceeded too.
/// Cancelling it closes what it opened at once and throws errc::cancelled. The awaiting coroutine's
/// executor must not run two handlers at once (one thread, or a strand). Look-ups run on a detached
/// thread that owns its data, so that a stuck resolver delays nobody.
boost::asio::awaitable<transport> async_connect(endpoint where,
                                                std::chrono::steady_clock::time_point deadline,
                                                tcp_options options = {});

/// Ends a connection in order: says that nothing more will be sent, reads and drops what the peer
/// still sends until it ends too or `deadline` comes, and closes. Without the reading, bytes that
/// nobody read would make the system reset the connection, and the reset can overtake the last
/// reply. Whatever the peer does, the socket is closed then and nothing is thrown; the awaiting
/// coroutine's executor must not run two handlers at once.
boost::asio::awaitable<void> async_close_gracefully(transport& stream,
                                                    std::chrono::steady_clock::time_point deadline);

/// Sets the options on a TCP connection; a unix one has none of them. Either kind is closed on exec
/// from then on, which a connection that Asio accepted is not.
/// Throws error(errc::io_error) where the system refuses an option.
void apply(transport& stream, const tcp_options& options);

/// Who is at the other end, with peer credentials on a unix socket; and this end. An IPv4 peer of a
/// dual-stack listener has its IPv4 address. The address is empty where the connection is gone.
peer_address remote_address(const transport& stream);
peer_address local_address(const transport& stream);
/// The endpoint that a listener is really bound to, the port that the system chose included.
endpoint bound_endpoint(const transport_acceptor& acceptor);

/// What the system's error code means as one of ours.
errc to_errc(const error_code& system) noexcept;

} // namespace wharf
