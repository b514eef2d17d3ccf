// One command in flight, as its handler sees it.
#pragma once

#include <wharf/call_options.hpp>
#include <wharf/session_handle.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wharf {

/// One command in flight, as its handler sees it. References that it returns live as long as the
/// call: until an inline or blocking handler returns, or until an awaitable handler's coroutine
/// ends. It belongs to its handler: to the session's thread, but for that of a blocking handler.
class call {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// For sessions, and for tests of handlers. `cancelled` may be null.
    call(const std::shared_ptr<detail::session_core>& session, const detail::session_facts& facts,
         std::uint64_t id, time_point deadline,
         const std::atomic<bool>* cancelled = nullptr) noexcept
        : session_(&session), facts_(&facts), cancelled_(cancelled), id_(id), deadline_(deadline)
    {}

    /// Who calls, as the allow table said when the session began.
    const principal& caller() const noexcept { return facts_->caller; }
    /// The other end of the connection, and this one.
    const peer_address& peer() const noexcept { return facts_->peer; }
    const peer_address& local() const noexcept { return facts_->local; }
    /// Unique for the life of the server.
    std::uint64_t session_id() const noexcept { return facts_->id; }
    /// The session: calls to its peer, state of its own. Copy it to keep it.
    session_handle session() const { return session_handle(*session_); }
    /// The call's number within its session.
    std::uint64_t id() const noexcept { return id_; }
    /// When the caller stops waiting; time_point::max() when it said nothing. An answer that comes
    /// later is dropped by the caller.
    time_point deadline() const noexcept { return deadline_; }
    /// What is left of the deadline, as the options of a call that this handler makes in turn; at
    /// least zero. Nothing where the caller said nothing.
    call_options options() const noexcept;
    /// Has the caller given up, or gone? An awaitable handler's awaits end with
    /// asio::error::operation_aborted then; a blocking handler asks here.
    bool is_cancelled() const noexcept
    {
        return cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed);
    }
    /// The executor of the session's thread: where an awaitable handler resumes.
    boost::asio::any_io_executor get_executor() const noexcept { return facts_->executor; }
    /// The names of the commands that the caller may call, sorted. On the session's thread.
    std::vector<std::string> commands() const;

private:
    const std::shared_ptr<detail::session_core>* session_;
    const detail::session_facts* facts_;
    const std::atomic<bool>* cancelled_;
    std::uint64_t id_;
    time_point deadline_;
};

} // namespace wharf
