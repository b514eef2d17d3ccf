// The verbs of whatever can call: async_call and stream, for client and session_handle alike.
#pragma once

#include <wharf/call_options.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/call_operation.hpp>
#include <wharf/stream.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace wharf::detail {

/// Derived has `std::shared_ptr<caller> through() const` and `get_executor() const`.
template <class Derived>
class calls {
public:
    /// Calls a command. The command is encoded before this returns: it need not live longer.
    ///
    /// The token's signature is void(error_code, reply), or void(error_code) where the reply is
    /// void; `co_await x.async_call(c)` and use_future return the reply and throw wharf::error,
    /// with the peer's text. Other tokens find the text by call_options::diagnostics.
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
        static_assert(!streams_reply<type> && !streams_upload<type>,
                      "wharf: this command streams: call it by stream()");
        using reply = reply_t<type>;
        const std::shared_ptr<caller> through = self().through();
        static_assert(
            is_safe_operand<C, Token, typename signature_of<reply, error_code>::type>,
            "wharf: g++ 12 destroys an aggregate temporary in a co_await expression twice: name "
            "the command first (put command{...}; co_await x.async_call(command)), or let it be "
            "made (co_await x.async_call<put>(...))");
        return initiate_call<reply, Token>(through, self().get_executor(),
                                           encode_call<type>(*through, what, options), token);
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

    /// Calls a command that streams, one way or both, and returns at once. The command is encoded
    /// before this returns. A timeout in the options is that of the whole stream. Without one, the
    /// default timeout is for sending the call; from then on the stream lives as long as the peer
    /// shows that it does, see client_options::ping_interval.
    /// A stream of a session_handle is used on the session's thread only.
    template <class C>
    requires(streams_reply<std::remove_cvref_t<C>> || streams_upload<std::remove_cvref_t<C>>)
        wharf::stream<std::remove_cvref_t<C>> stream(const C& what,
                                                     const call_options& options = {})
    {
        return wharf::stream<C>(
            start_stream<C>(self().through(), self().get_executor(), what, options));
    }

protected:
    calls() = default;
    ~calls() = default;

private:
    Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

} // namespace wharf::detail
