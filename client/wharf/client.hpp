// The asynchronous client: typed calls and streams over one connection, in both directions.
#pragma once

#include <wharf/client_options.hpp>
#include <wharf/detail/calls.hpp>
#include <wharf/session_handle.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wharf {

namespace detail {
class client_core;
}

/// What a client that keeps its connection is doing, see client::on_state().
enum class client_state : std::uint8_t {
    connecting, ///< an attempt begins
    ready,      ///< calls go out: connected, and the on_connect hook is done
    backoff,    ///< the connection was lost, or an attempt failed: a pause, then the next one
    closed      ///< by close()
};

/// Calls commands of a daemon over one connection, which it opens at the first call, and again
/// after it was lost. It can serve commands to the daemon over the same connection.
///
/// A call waits for a daemon that is not there yet, until its deadline (10 s unless said otherwise;
/// there is no call without one). A call that was not sent when a connection was lost, or that the
/// daemon said it did not accept, goes out on the next one. A call that was sent and not answered
/// ends with errc::outcome_unknown: it is never repeated silently. The same holds for streams.
///
/// Calls complete in the order in which their replies arrive, on the completion handler's executor,
/// or on the client's. Cancelling a call (terminal, partial or total), or its deadline, stops
/// waiting for it and tells the daemon, which stops its handler; the connection stays, and what the
/// daemon has done is not undone. Such a call counts as in flight until the daemon has answered.
///
/// While no call is pending a client keeps no work: io_context::run() can return. A client that
/// keeps its connection (keep_connected, serve(), on_connect(), on_state()) has work until close().
///
/// Errors: what the daemon answered, with its text, and
///  - errc::deadline_exceeded; the text names the endpoint and the last connect error, if it was
///    never reached
///  - errc::outcome_unknown, errc::cancelled, errc::permission_denied (also from the handshake)
///  - errc::overloaded where a limit of client_options was reached, here or in the daemon
///  - with wait_for_ready = false: connection_refused, host_not_found, unreachable, access_denied
///  - errc::unsupported_protocol for a stream where the daemon knows none
///  - the archive's, for a command that cannot be stored or a reply that cannot be loaded.
///
/// Distinct objects: safe. Shared objects: safe, but for the destructor, serve() and the hooks.
class client : public detail::calls<client> {
public:
    using executor_type = boost::asio::any_io_executor;

    /// Does not connect. `where` as in parse_endpoint(); empty: the environment's WHARF_ENDPOINT,
    /// else unix:/run/wharf/wharf.sock. Throws error(errc::bad_endpoint).
    /// The executor's context must outlive the client.
    explicit client(const executor_type& executor, std::string_view where = {},
                    const client_options& options = {});
    template <class Context>
    requires std::convertible_to<Context&, boost::asio::execution_context&>
    explicit client(Context& context, std::string_view where = {},
                    const client_options& options = {})
        : client(executor_type(context.get_executor()), where, options)
    {}
    /// As close(); waits for a blocking handler that is running. Not from a handler of this client.
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    // async_call() and stream(): see detail::calls.

    /// Serves commands to the daemon: calls service.serve(router&), as server::serve(). An rvalue
    /// is moved in and lives as long as the client; an lvalue must outlive it. Handlers start one
    /// after the other, posted to a strand of the client's executor, never inside a call of this
    /// client; those that block have threads of their own. The router's open and close hooks run
    /// for each connection.
    ///
    /// Call it, and the hooks below, before the first call and before the executor runs. They throw
    /// error(errc::bad_argument) once there was a connection, and serve() what the router throws.
    template <class Service>
    void serve(Service&& service)
    {
        if constexpr (std::is_lvalue_reference_v<Service>) {
            service.serve(commands());
        }
        else {
            auto kept = std::make_shared<std::remove_cvref_t<Service>>(std::move(service));
            kept->serve(commands());
            keep(std::move(kept));
        }
    }

    /// Runs on each new connection, before the calls that wait are sent. Its own calls go by the
    /// handle, over that connection: here a program subscribes again. A hook that throws ends the
    /// connection, and the next attempt comes after a pause. It is cancelled where the connection
    /// ends.
    using connect_hook = std::function<boost::asio::awaitable<void>(session_handle)>;
    void on_connect(connect_hook hook);

    /// Is told each change of state, in order, on the strand of the handlers; with the error that
    /// is the reason of a backoff, else with nullptr.
    using state_hook = std::function<void(client_state, const error*)>;
    void on_state(state_hook hook);

    /// Calls that are not finished: waiting, or sent and unanswered. Any thread.
    std::size_t in_flight() const noexcept;

    /// Ends every pending call with errc::cancelled and closes the connection. Later calls end the
    /// same. What the system has taken of earlier calls still reaches the daemon, but nobody waits
    /// for it: let calls finish first that must. Any thread.
    void close() noexcept;

    const executor_type& get_executor() const noexcept { return executor_; }
    /// For async_call and stream.
    std::shared_ptr<detail::caller> through() const noexcept;

private:
    router& commands();
    void keep(std::shared_ptr<void> service);

    executor_type executor_;
    std::shared_ptr<detail::client_core> core_;
};

} // namespace wharf
