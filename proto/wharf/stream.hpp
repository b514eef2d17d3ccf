// Streams as their users see them: sinks and sources of handlers, and a call that streams.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/stream_channel.hpp>
#include <wharf/detail/stream_operations.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace wharf {

/// Where a handler sends the items of its reply. It lives as long as the handler's call.
/// One send at a time. It belongs to the handler's coroutine.
template <class T>
class sink {
public:
    using item = T;
    /// For the handler forms, and for tests of handlers.
    explicit sink(std::shared_ptr<detail::stream_channel> to) noexcept : channel_(std::move(to)) {}

    /// Sends one item, which is encoded before this returns; completes when the connection has
    /// taken it, which waits while the caller's window is full. The token's signature is
    /// void(error_code); `co_await` throws wharf::error: errc::cancelled where the caller gave up.
    template <class I, class Token = boost::asio::use_awaitable_t<>>
    requires std::same_as<std::remove_cvref_t<I>, T>
    auto async_send(I&& what, Token&& token = Token())
    {
        static_assert(detail::is_safe_operand<I, Token, void(error_code)>,
                      "wharf: g++ 12 destroys an aggregate temporary in a co_await expression "
                      "twice: name the item first (tick t{...}; co_await out.async_send(t))");
        return detail::send_item<Token>(channel_, detail::encode_item(what), token);
    }

private:
    std::shared_ptr<detail::stream_channel> channel_;
};

/// Where a handler receives the items of its call's upload. As sink.
template <class T>
class source {
public:
    using item = T;
    explicit source(std::shared_ptr<detail::stream_channel> from) noexcept
        : channel_(std::move(from))
    {}

    /// The next item, or nothing where the caller has ended its upload. The token's signature is
    /// void(error_code, std::optional<T>); `co_await` throws wharf::error.
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_next(Token&& token = Token())
    {
        return detail::receive_item<T, Token>(channel_, token);
    }

private:
    std::shared_ptr<detail::stream_channel> channel_;
};

/// A call that streams, as its caller holds it. Dropping it before the call is over cancels the
/// call; the connection stays.
///
///     auto ticks = client.stream(watch{"gold"});
///     while (std::optional<tick> t = co_await ticks.async_next()) ...
///
/// Movable. Distinct objects: safe. Shared objects: unsafe, but that one receives while another
/// sends.
template <command C>
class stream {
public:
    /// Made by client::stream() and session_handle::stream().
    explicit stream(std::shared_ptr<detail::stream_call> call) noexcept : call_(std::move(call)) {}
    stream(stream&&) noexcept = default;
    stream& operator=(stream&& other) noexcept
    {
        if (this != &other) {
            close();
            call_ = std::move(other.call_);
        }
        return *this;
    }
    ~stream() { close(); }

    /// The next item of the reply, or nothing at its end. The token's signature is
    /// void(error_code, std::optional<item>); `co_await` throws wharf::error, also what the call
    /// itself ended with: errc::deadline_exceeded, errc::outcome_unknown and so on.
    template <class Token = boost::asio::use_awaitable_t<>>
    requires streams_reply<C>
    auto async_next(Token&& token = Token())
    {
        return detail::receive_item<reply_item_t<C>, Token>(call_->channel(), token,
                                                            call_->diagnostics());
    }

    /// Sends one item of the upload; as sink::async_send().
    template <class I, class Token = boost::asio::use_awaitable_t<>>
    requires(streams_upload<C>&& std::same_as<
             std::remove_cvref_t<I>, upload_item_t<C>>) auto async_send(I&& what,
                                                                        Token&& token = Token())
    {
        static_assert(detail::is_safe_operand<I, Token, void(error_code)>,
                      "wharf: g++ 12 destroys an aggregate temporary in a co_await expression "
                      "twice: name the item first (chunk c{...}; co_await up.async_send(c))");
        return detail::send_item<Token>(call_->channel(), detail::encode_item(what), token,
                                        call_->diagnostics());
    }
    /// The upload is complete.
    void end_upload() requires streams_upload<C> { call_->channel()->end_sending(); }

    /// The reply of a call that does not stream its reply; once. The token's signature is
    /// void(error_code, reply), or void(error_code) where the reply is void.
    template <class Token = boost::asio::use_awaitable_t<>>
    requires(!streams_reply<C>) auto async_result(Token&& token = Token())
    {
        return detail::async_result<reply_t<C>, Token>(call_, token);
    }

    /// Gives the call up where it is not over. Later operations fail with errc::cancelled.
    void close() noexcept
    {
        if (call_)
            call_->close();
    }

private:
    std::shared_ptr<detail::stream_call> call_;
};

} // namespace wharf
