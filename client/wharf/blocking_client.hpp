// The blocking client: the same verbs as client, waiting, without a thread of its own.
#pragma once

#include <wharf/client_options.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/blocking_call.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace wharf {

/// As client, but a call returns its reply, or throws. The threads that call do the work: one of
/// them waits for the connection and handles what arrives, also for the others.
///
/// Distinct objects: safe. Shared objects: safe, but for the destructor.
class blocking_client {
public:
    /// Does not connect. `where` as in parse_endpoint(); empty: the environment's WHARF_ENDPOINT,
    /// else unix:/run/wharf/wharf.sock. Throws error(errc::bad_endpoint).
    explicit blocking_client(std::string_view where = {}, const client_options& options = {});
    /// No call may be pending.
    ~blocking_client();
    blocking_client(const blocking_client&) = delete;
    blocking_client& operator=(const blocking_client&) = delete;

    /// Calls a command and waits for its reply, not longer than options.timeout, or than
    /// client_options::timeout. Throws error as client's calls complete with. Connecting, waiting
    /// for a daemon and reconnecting are client's too.
    template <command C>
    reply_t<C> call(const C& what, const call_options& options = {})
    {
        const detail::client_core& core = this->core();
        detail::blocking_call<reply_t<C>> waited(detail::encode_call(core, what, options),
                                                 detail::options_of(core).decode);
        wait_for(waited);
        auto& result = waited.result();
        if (result.failure) {
            if (options.diagnostics)
                *options.diagnostics = result.failure->text();
            throw *result.failure;
        }
        if constexpr (!std::is_void_v<reply_t<C>>)
            return std::move(result.value);
    }
    /// Makes the command in place, C{args...}.
    template <command C, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Args>, C> && ...) && requires(Args&&... args)
    {
        C{std::forward<Args>(args)...};
    }
    reply_t<C> call(Args&&... args) { return call(C{std::forward<Args>(args)...}, call_options{}); }

    /// Ends every pending call with errc::cancelled and closes the connection. Any thread.
    void close() noexcept;

private:
    const detail::client_core& core() const noexcept;
    void wait_for(detail::waited_call& call);

    std::unique_ptr<detail::blocking_core> core_;
};

} // namespace wharf
