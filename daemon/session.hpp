// One connection: the I/O around a conversation, on one worker for life.
#pragma once

#include "admission.hpp"
#include "router.hpp"

#include <wharf/conversation.hpp>
#include <wharf/options.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace wharf {

/// What one worker's sessions count. Written by that worker's thread only, read by any.
struct alignas(64) session_counters {
    std::atomic<std::uint64_t> calls{0}, errors{0};
    static void add(std::atomic<std::uint64_t>& to) noexcept
    {
        to.store(to.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

/// What a worker gives to each of its sessions; it outlives them.
struct session_host {
    const server_options& options;
    std::atomic<std::size_t>& calls_memory; ///< held by the calls of all sessions of the server
    const router& commands;
    const admission& rules;
    session_counters& counters;
    /// The session is over; called once, on its thread.
    std::function<void(class session&)> ended;
};

/// How a session ended.
struct session_end {
    errc code = errc::connection_closed;
    std::string text;
};

/// Reads, lets the conversation say what happened, runs handlers, writes. All replies that inline
/// handlers make out of one receive leave in one send, and the send is tried before it is awaited.
///
/// Shared between its own coroutine and the coroutines of its awaitable handlers, the last of which
/// destroys it. Everything runs on the executor of the transport, which is one thread.
class session : public std::enable_shared_from_this<session> {
public:
    /// Without a principal the peer is refused: it is told so and nothing that it sends is decoded.
    session(transport stream, std::uint64_t id, std::optional<principal> who, session_end refusal,
            const session_host& host);
    ~session();

    std::uint64_t id() const noexcept { return facts_.id; }
    bool is_refused() const noexcept { return refused_; }

    /// Begins; on the session's thread.
    void start();
    /// Accepts no more calls, answers what was accepted, ends.
    void drain();
    /// Ends without answering anything more.
    void close_now(errc why);

private:
    using time_point = std::chrono::steady_clock::time_point;
    class late_slot;
    struct late_call;
    struct declared_command {
        const detail::command_entry* entry = nullptr;
        errc refusal{}; ///< why it may not be called, when it may not
        std::string name;
    };
    enum class turn { drained, more };

    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<void> answer_the_rest();
    boost::asio::awaitable<void> finish();
    boost::asio::awaitable<void> wait_for_change();
    boost::asio::awaitable<void> run_late(std::unique_ptr<late_call> late);

    turn take_events();
    void on_declared(const events::declared& e);
    void on_called(const events::called& e);
    void start_late(const declared_command& what, const events::called& e, call current);
    void note_failure(const std::string& command, std::uint64_t call_id,
                      const detail::call_failure& why);
    void begin_going_away();

    bool may_write() const noexcept;
    bool has_room() const noexcept;
    void flush();
    void flush_soon();
    void wait_writable();
    void end(errc code, std::string text);
    void wake();
    void tell_change();
    void arm(time_point when);
    void on_timer();
    void expire_deadlines();
    void log_end() const;

    const session_host& host_;
    detail::session_facts facts_;
    transport stream_;
    conversation conversation_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer change_; ///< never expires: cancelled when something changed
    std::vector<declared_command> declared_;

    std::optional<session_end> end_;
    std::optional<time_point> armed_for_;
    std::optional<time_point> blocked_since_; ///< the peer has taken no byte since
    std::optional<time_point> linger_until_;
    time_point now_;
    time_point last_call_;
    std::size_t high_water_;
    std::size_t memory_held_ = 0; ///< by the calls that awaitable handlers run
    int last_reads_left_;
    bool refused_ = false;
    bool broken_ = false; ///< the stream takes no more bytes
    bool write_waits_ = false;
    bool flush_posted_ = false;
    bool drain_asked_ = false;
    bool going_away_ = false;
};

} // namespace wharf
