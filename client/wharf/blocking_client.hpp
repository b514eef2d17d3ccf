// The blocking client: the same verbs as client, waiting, without a thread of its own.
#pragma once

#include <wharf/blocking_stream.hpp>
#include <wharf/client_options.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/blocking_call.hpp>
#include <wharf/while_waiting.hpp>

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

namespace wharf {

/// As client, but a call returns its reply, or throws. The threads that call do the work: one of
/// them waits for the connection and handles what arrives, also for the others; while none waits,
/// nothing happens.
///
/// Distinct objects: safe. Shared objects: safe, but for the destructor.
class blocking_client {
public:
    /// Does not connect. `where` as in parse_endpoint(); empty: the environment's WHARF_ENDPOINT,
    /// else unix:/run/wharf/wharf.sock. Throws error(errc::bad_endpoint).
    explicit blocking_client(std::string_view where = {}, const client_options& options = {});
    /// No call may be pending. Streams may: they are closed.
    ~blocking_client();
    blocking_client(const blocking_client&) = delete;
    blocking_client& operator=(const blocking_client&) = delete;

    /// Calls a command and waits for its reply, not longer than options.timeout, or than
    /// client_options::timeout. Throws error as client's calls complete with. Connecting, waiting
    /// for a daemon and reconnecting are client's too.
    template <command C>
    reply_t<C> call(const C& what, const call_options& options = {})
    {
        return call_while(what, options, nullptr);
    }
    /// The same for a call that can be given up while it waits.
    template <command C>
    reply_t<C> call(const C& what, const call_options& options, const while_waiting& meanwhile)
    {
        return call_while(what, options, &meanwhile);
    }
    template <command C>
    reply_t<C> call(const C& what, const call_options& options, std::stop_token stop)
    {
        const while_waiting meanwhile{std::move(stop), {}, {}};
        return call_while(what, options, &meanwhile);
    }
    /// Makes the command in place, C{args...}.
    template <command C, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Args>, C> && ...) && requires(Args&&... args)
    {
        C{std::forward<Args>(args)...};
    }
    reply_t<C> call(Args&&... args) { return call(C{std::forward<Args>(args)...}, call_options{}); }

    /// Calls a command that streams, one way or both, and returns a blocking_stream at once. As for
    /// client::stream(),
    /// a timeout in the options is that of the whole stream; without one, the default timeout is
    /// for sending the call. `meanwhile` is for each operation of the stream that waits.
    template <class C>
    auto stream(const C& what, const call_options& options = {}, while_waiting meanwhile = {})
    {
        static_assert(streams_reply<C> || streams_upload<C>,
                      "wharf: this command does not stream: call it by call()");
        detail::encoded_call call = detail::encode_call(through(), what, options);
        call.is_open_ended = !options.timeout;
        return blocking_stream<C>(std::make_unique<detail::blocking_stream_call>(
            core_, std::move(call), streams_reply<C>, streams_upload<C>, std::move(meanwhile)));
    }
    template <class C>
    auto stream(const C& what, const call_options& options, std::stop_token stop)
    {
        return stream(what, options, while_waiting{std::move(stop), {}, {}});
    }

    /// Calls that are not finished: waiting, or sent and unanswered. Any thread.
    std::size_t in_flight() const noexcept;

    /// Ends every pending call with errc::cancelled and closes the connection. Any thread.
    void close() noexcept;

private:
    template <command C>
    reply_t<C> call_while(const C& what, const call_options& options,
                          const while_waiting* meanwhile)
    {
        static_assert(!streams_reply<C> && !streams_upload<C>,
                      "wharf: this command streams: call it by stream()");
        const detail::caller& through = this->through();
        detail::blocking_call<reply_t<C>> waited(detail::encode_call(through, what, options),
                                                 through.decode_limits());
        wait_for(waited, meanwhile);
        auto& result = waited.result();
        if (result.failure) {
            if (options.diagnostics)
                *options.diagnostics = result.failure->text();
            throw *result.failure;
        }
        if constexpr (!std::is_void_v<reply_t<C>>)
            return std::move(result.value);
    }

    const detail::caller& through() const noexcept;
    void wait_for(detail::waited_call& call, const while_waiting* meanwhile);

    std::shared_ptr<detail::blocking_core> core_; ///< shared with its streams
};

} // namespace wharf
