// One call of the daemon that a client serves, from its arrival to its answer.
#pragma once

#include "core.hpp"

#include <wharf/byte_buffer.hpp>
#include <wharf/call.hpp>
#include <wharf/detail/answer.hpp>
#include <wharf/detail/handlers.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace wharf::detail {

/// Shared between its connection, which tells it of items and cancelling, and its handler. The
/// handler writes the reply into a buffer here, because the conversation is used by other threads
/// meanwhile; what both touch is guarded by the core's mutex.
class served_call final : public reply_slot {
public:
    served_call(std::shared_ptr<client_core> owner, link_ptr over, const command_entry& what,
                const events::called& e, call::time_point deadline)
        : core(std::move(owner)),
          on(std::move(over)),
          session(on),
          entry(what),
          current(session, session->facts(), e.id, deadline, &is_cancelled),
          message(take_message(on->talk, e.message))
    {}

    // reply_slot, for the handler
    const limits& bounds() const noexcept override { return core->options().decode; }
    byte_buffer& open() override
    {
        reply.clear();
        return reply;
    }
    std::shared_ptr<stream_channel> channel(bool receives, bool sends) override
    {
        return core->channel_of(*this, receives, sends);
    }
    void hold(std::size_t bytes) override { core->hold(*this, bytes); }
    message_owner* owner_of(std::span<const std::byte>) noexcept override { return &message; }

    /// Nobody waits for it any more: it has failed, and no handler sees it.
    bool may_not_begin()
    {
        const call::time_point until = current.deadline();
        const bool is_late =
            until != call::time_point::max() && until <= call::time_point::clock::now();
        if (is_late || is_cancelled)
            failure = std::make_unique<call_failure>(
                call_failure{is_late ? errc::deadline_exceeded : errc::cancelled, {}, {}, {}});
        return failure != nullptr;
    }

    const std::shared_ptr<client_core> core;
    const link_ptr on;
    const std::shared_ptr<session_core> session; ///< for `current`
    const command_entry& entry;
    const step_down* older = nullptr; ///< of the link; null: the reply leaves as it is
    std::atomic<bool> is_cancelled{false};
    call current;
    message_owner message; ///< until the handler has it
    byte_buffer reply;
    std::unique_ptr<call_failure> failure;
    boost::asio::cancellation_signal stop; ///< used on the strand of the handlers
    boost::asio::awaitable<void> body;

    // Guarded.
    errc cancelled_as{}; ///< what answers it where its handler fails; zero: it was not cancelled
    std::size_t held_bytes = 0;
    std::shared_ptr<stream_channel> streams; ///< made when the handler asks for it
    std::vector<byte_buffer> early_items;    ///< what came before; the peer's credit bounds it
    bool upload_ended = false;
};

} // namespace wharf::detail
