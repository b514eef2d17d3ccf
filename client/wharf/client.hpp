// The asynchronous client: typed calls over one connection, with any completion token.
#pragma once

#include <wharf/client_options.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/call_operation.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wharf {

/// Calls commands of a daemon over one connection, which it opens at the first call, and again
/// after it was lost.
///
/// A call waits for a daemon that is not there yet, until its deadline (10 s unless said otherwise;
/// there is no call without one). A call that was not sent when a connection was lost, or that the
/// daemon said it did not accept, goes out on the next one. A call that was sent and not answered
/// ends with errc::outcome_unknown: it is never repeated silently.
///
/// Calls complete in the order in which their replies arrive, on the completion handler's executor,
/// or on the client's. Cancelling a call (terminal, partial or total) stops waiting for it; the
/// connection stays, and what the daemon does is not undone.
///
/// While no call is pending a client keeps no work: io_context::run() can return.
///
/// Errors: what the daemon answered, with its text, and
///  - errc::deadline_exceeded; the text names the endpoint and the last connect error, if it was
///    never reached
///  - errc::outcome_unknown, errc::cancelled, errc::permission_denied (also from the handshake)
///  - errc::overloaded where a limit of client_options was reached, here or in the daemon
///  - with wait_for_ready = false: connection_refused, host_not_found, unreachable, access_denied
///  - the archive's, for a command that cannot be stored or a reply that cannot be loaded.
///
/// Distinct objects: safe. Shared objects: safe, but for the destructor.
class client {
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
    /// As close().
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Calls a command. The command is encoded before this returns: it need not live longer.
    ///
    /// The token's signature is void(error_code, reply), or void(error_code) where the reply is
    /// void; `co_await client.async_call(c)` and use_future return the reply and throw
    /// wharf::error, with the daemon's text. Other tokens find the text by
    /// call_options::diagnostics.
    template <class C, class Token = boost::asio::use_awaitable_t<>>
    requires(command<std::remove_cvref_t<C>> &&
             !std::same_as<std::remove_cvref_t<Token>,
                           call_options>) auto async_call(C&& what, Token&& token = Token())
    {
        return async_call(std::forward<C>(what), call_options{}, std::forward<Token>(token));
    }
    /// The same, with options.
    template <class C, class Token = boost::asio::use_awaitable_t<>>
    requires command<std::remove_cvref_t<C>>
    auto async_call(C&& what, const call_options& options, Token&& token = Token())
    {
        using type = std::remove_cvref_t<C>;
        using reply = reply_t<type>;
        using result = decltype(detail::initiate_call<reply, Token>(
            core_, executor_, std::declval<detail::encoded_call>(), token));
        static_assert(
            std::is_lvalue_reference_v<C> || !std::is_aggregate_v<type> ||
                std::is_trivially_destructible_v<type> || !detail::is_awaitable<result>,
            "wharf: g++ 12 destroys an aggregate temporary in a co_await expression twice: name "
            "the "
            "command first (put command{...}; co_await client.async_call(command)), or let the "
            "client make it (co_await client.async_call<put>(...))");
        return detail::initiate_call<reply, Token>(
            core_, executor_, detail::encode_call<type>(*core_, what, options), token);
    }
    /// Makes the command in place, C{args...}, which is safe inside a co_await expression.
    template <command C, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Args>, C> && ...) && requires(Args&&... args)
    {
        C{std::forward<Args>(args)...};
    }
    auto async_call(Args&&... args)
    {
        const C what{std::forward<Args>(args)...};
        return async_call(what, call_options{}, boost::asio::use_awaitable);
    }

    /// Ends every pending call with errc::cancelled and closes the connection. Later calls end the
    /// same. Any thread.
    void close() noexcept;

    const executor_type& get_executor() const noexcept { return executor_; }

private:
    executor_type executor_;
    std::shared_ptr<detail::client_core> core_;
};

} // namespace wharf
