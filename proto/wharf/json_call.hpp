// Calls by name, with JSON instead of C++ types, for programs that do not have these.
#pragma once

#include <wharf/call_options.hpp>
#include <wharf/detail/call_operation.hpp>
#include <wharf/detail/stream_operations.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wharf {

/// A JSON text as it travels: an argument, a reply or an item of a command that is called in JSON.
struct json_text {
    std::string text;
    bool operator==(const json_text&) const = default;
};

namespace detail {

encoded_call encode_json_call(caller& through, std::string_view command, std::string_view argument,
                              const call_options& options);
void decode_reply(std::span<const std::byte> message, message_owner* owner, const limits& bounds,
                  json_text& value);
encoded_item encode_item(const json_text& what);
std::shared_ptr<stream_call> start_json_stream(const std::shared_ptr<caller>& through,
                                               const boost::asio::any_io_executor& executor,
                                               std::string_view command, std::string_view argument,
                                               const call_options& options);

} // namespace detail

/// Calls a command by its name. `by`: a client or a session_handle. The argument is encoded before
/// this returns. The token's signature is void(error_code, json_text); the reply of a void command
/// is "null". The daemon checks the argument: errc::bad_json with the place and what was expected.
/// Errors besides those of async_call(): errc::unknown_command, errc::unsupported_json.
template <class Caller, class Token = boost::asio::use_awaitable_t<>>
auto async_call_json(Caller& by, std::string_view command, std::string_view argument,
                     const call_options& options = {}, Token&& token = Token())
{
    const std::shared_ptr<detail::caller> through = by.through();
    return detail::initiate_call<json_text, Token>(
        through, by.get_executor(), detail::encode_json_call(*through, command, argument, options),
        token);
}

/// A call in JSON of a command that streams, one way or both; see wharf::stream. Movable. Dropping
/// it before the call is over cancels the call.
class json_stream {
public:
    template <class Caller>
    json_stream(Caller& by, std::string_view command, std::string_view argument,
                const call_options& options = {})
        : call_(detail::start_json_stream(by.through(), by.get_executor(), command, argument,
                                          options))
    {}
    json_stream(json_stream&&) noexcept = default;
    json_stream& operator=(json_stream&& other) noexcept
    {
        if (this != &other) {
            close();
            call_ = std::move(other.call_);
        }
        return *this;
    }
    ~json_stream() { close(); }

    /// The next item, or nothing at the end: void(error_code, std::optional<json_text>).
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_next(Token&& token = Token())
    {
        return detail::receive_item<json_text, Token>(call_->channel(), token,
                                                      call_->diagnostics());
    }
    /// Sends one item of an upload: void(error_code).
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_send(const json_text& item, Token&& token = Token())
    {
        return detail::send_item<Token>(call_->channel(), detail::encode_item(item), token,
                                        call_->diagnostics());
    }
    void end_upload() { call_->channel()->end_sending(); }
    /// The reply, which is empty where the command streams it; once.
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_result(Token&& token = Token())
    {
        return detail::async_result<json_text, Token>(call_, token);
    }
    void close() noexcept
    {
        if (call_)
            call_->close();
    }

private:
    std::shared_ptr<detail::stream_call> call_;
};

} // namespace wharf
