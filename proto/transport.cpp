// What a transport can be asked and told once it stands: options, addresses, its end.
#include <wharf/transport.hpp>

#include "address.hpp"
#include "listen.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <memory>

namespace wharf {
namespace {

namespace asio = boost::asio;

// Asio gives the handle of a const socket to nobody; reading its names changes nothing.
template <class Socket>
int handle_of(const Socket& socket)
{
    return const_cast<Socket&>(socket).native_handle();
}

// What the deadline of a close may touch: nothing once the coroutine has let go of its stream.
struct closing {
    transport* stream;
};

struct closing_guard {
    std::shared_ptr<closing> state;
    ~closing_guard() { state->stream = nullptr; }
};

} // namespace

transport_acceptor open_listener(const asio::any_io_executor& executor, const endpoint& where,
                                 const listen_settings& settings)
{
    unique_fd fd = listen_stream(where, settings);
    int family = get_option(fd.get(), SOL_SOCKET, SO_DOMAIN);
    transport_acceptor acceptor(executor, asio::generic::stream_protocol(family, 0), fd.get());
    fd.release();
    acceptor.non_blocking(true);
    return acceptor;
}

asio::awaitable<void> async_close_gracefully(transport& stream,
                                             std::chrono::steady_clock::time_point deadline)
{
    asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    auto running = std::make_shared<closing>(closing{&stream});
    closing_guard guard{running};
    asio::steady_timer timer(executor, deadline);
    timer.async_wait([running](const error_code&) {
        error_code ignored;
        if (running->stream != nullptr)
            running->stream->close(ignored);
    });
    error_code ec;
    stream.shutdown(asio::socket_base::shutdown_send, ec);
    std::array<char, 4096> dropped;
    while (!ec && stream.is_open() && cancellation.cancelled() == asio::cancellation_type::none)
        co_await stream.async_read_some(asio::buffer(dropped),
                                        asio::redirect_error(asio::use_awaitable, ec));
    stream.close(ec);
}

void apply(transport& stream, const tcp_options& options)
{
    close_on_exec(stream.native_handle());
    apply_options(stream.native_handle(), options);
}

peer_address remote_address(const transport& stream)
{
    return peer_of(handle_of(stream));
}

peer_address local_address(const transport& stream)
{
    return self_of(handle_of(stream));
}

endpoint bound_endpoint(const transport_acceptor& acceptor)
{
    return to_endpoint(local_name(handle_of(acceptor)));
}

errc to_errc(const error_code& system) noexcept
{
    if (system.category() == wharf_category())
        return static_cast<errc>(system.value());
    if (system == asio::error::eof)
        return errc::connection_closed;
    if (system.category() == asio::error::get_netdb_category() ||
        system.category() == asio::error::get_addrinfo_category())
        return errc::host_not_found;
    if (system.category() == boost::system::system_category() ||
        system.category() == boost::system::generic_category())
        return errc_from_errno(system.value());
    return errc::io_error;
}

} // namespace wharf
