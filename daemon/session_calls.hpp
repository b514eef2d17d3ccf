// The calls of a session whose handlers outlast the turn in which they came.
#pragma once

#include "session.hpp"

#include <wharf/detail/answer.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <atomic>
#include <memory>
#include <string>

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace wharf {

/// Where an inline handler's answer is written: at once, and without streams.
class inline_slot final : public detail::conversation_slot {
public:
    using conversation_slot::conversation_slot;
    std::shared_ptr<detail::stream_channel> channel(bool receives, bool sends) override;
};

/// One handler under way. It is in session::running_ from its making until its answer.
class session::running_call {
public:
    running_call(const running_call&) = delete;
    running_call& operator=(const running_call&) = delete;

    /// Tells the handler that nobody waits any more; on the session's thread, once.
    virtual void stop() = 0;
    /// Counts memory as the call's own until release(). Throws error(errc::overloaded) where all
    /// calls together hold too much.
    void hold(std::size_t bytes);
    channel_ptr make_channel(bool receives, bool sends);
    /// The call is answered: it is no longer one of the session's.
    void release() noexcept;

    const std::shared_ptr<detail::session_core> core; ///< the session: its handlers keep it
    session& owner;
    const detail::command_entry& entry;
    /// How to store what answers it, in the session's declared commands; null: as it is.
    const detail::step_down* const older;
    std::atomic<bool> is_cancelled{false};
    errc cancelled_as{}; ///< why, on the session's thread
    call current;
    channel_ptr channel; ///< the call's streams, when it has any
    const std::size_t bytes_in;
    const time_point begun;

protected:
    running_call(session& s, const declared_command& what, const events::called& e,
                 time_point deadline);
    ~running_call();

private:
    std::size_t held_ = 0;
    bool is_listed_ = true;
};

/// A handler that awaits. It belongs to the completion of its coroutine.
class session::awaitable_call final : public running_call {
public:
    /// Gives the place back to the session.
    struct deleter {
        void operator()(awaitable_call* c) const noexcept;
    };
    using pointer = std::unique_ptr<awaitable_call, deleter>;
    static pointer make(session& s, const declared_command& what, const events::called& e,
                        time_point deadline);

    void stop() override;

    /// Waits for room before the reply is written.
    class slot_type final : public detail::conversation_slot {
    public:
        explicit slot_type(awaitable_call& of);
        bool has_room() const noexcept override { return of_.owner.may_write(); }
        awaitable<void> async_room() override;
        channel_ptr channel(bool receives, bool sends) override;
        void hold(std::size_t bytes) override { of_.hold(bytes); }

    private:
        awaitable_call& of_;
    };
    call_place& place;
    slot_type slot;

private:
    awaitable_call(session& s, const declared_command& what, const events::called& e,
                   time_point deadline, call_place& in);
    ~awaitable_call() = default;
};

/// Where an awaitable_call lives, and its signal: they are used again, the signal with the memory
/// that it needs in use.
struct session::call_place {
    boost::asio::cancellation_signal signal;
    alignas(awaitable_call) std::byte room[sizeof(awaitable_call)];
};

/// A handler that blocks, with what it reads and writes in its own memory: the pool's thread has
/// that and nothing else of the session. Shared between the session and the pool.
class session::blocking_call final : public running_call,
                                     public std::enable_shared_from_this<blocking_call> {
public:
    blocking_call(session& s, const declared_command& what, const events::called& e,
                  time_point deadline);
    void stop() override {} // it asks call::is_cancelled()
    /// Decodes, handles, encodes; on a thread of the pool.
    void run() noexcept;

    detail::message_owner message;
    byte_buffer reply;
    bool ok = false;
    detail::call_failure failure;

private:
    class slot_type;
};

} // namespace wharf
