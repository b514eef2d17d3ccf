// One connection: the I/O around a conversation, on one thread at a time.
#pragma once

#include "admission.hpp"
#include "blocking_pool.hpp"
#include "metrics.hpp"
#include "session_seed.hpp"

#include <wharf/conversation.hpp>
#include <wharf/detail/answer.hpp>
#include <wharf/detail/peer_versions.hpp>
#include <wharf/detail/stream_channel.hpp>
#include <wharf/options.hpp>
#include <wharf/service.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace wharf {

/// What one worker's sessions count. Written by that worker's thread only, read by any.
struct alignas(64) session_counters {
    std::atomic<std::uint64_t> calls{0}, errors{0};
    static void add(std::atomic<std::uint64_t>& to) noexcept
    {
        to.store(to.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

class inline_slot;

/// What a thread gives to each of its sessions; it outlives them.
struct session_host {
    const server_options& options;
    /// Held by the calls and the send queues of all sessions of the server.
    std::atomic<std::size_t>& calls_memory;
    const router& commands;
    const admission& rules;
    session_counters& counters;
    call_metrics& metrics; ///< of this thread
    blocking_pool& pool;
    /// The session is over; called once, on its thread. Not for one that left the lobby.
    std::function<void(class session&)> ended;
    /// Set in the lobby alone: called on its thread, once, with what is left of a session that goes
    /// on elsewhere. The session that gave it does nothing more, and ended() is not called.
    std::function<void(session_seed&&)> leave_lobby;
};

/// How a session ended.
struct session_end {
    errc code = errc::connection_closed;
    std::string text;
};

/// What a session tells of itself.
struct session_info {
    std::uint64_t id = 0;
    peer_address peer;
    principal caller;
    std::chrono::system_clock::time_point since;
    std::uint64_t calls = 0;      ///< received
    std::uint32_t in_flight = 0;  ///< of these, unanswered
    std::uint32_t peer_calls = 0; ///< calls to the peer, unanswered
    std::uint32_t streams = 0;    ///< streaming calls under way, in either direction
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

/// Reads, lets the conversation say what happened, runs handlers, writes. All replies that inline
/// handlers make out of one receive leave in one send, and the send is tried before it is awaited.
///
/// Shared between its own coroutine, the handlers under way, and who holds one of its streams.
/// Everything runs on one thread, that of the transport's executor, but for the functions of
/// detail::caller and close(), which go there by themselves.
class session final : public std::enable_shared_from_this<session>,
                      public detail::session_core,
                      public detail::stream_host {
public:
    /// Without a principal the peer is refused: it is told so and nothing that it sends is decoded.
    session(transport stream, std::uint64_t id, std::optional<principal> who, session_end refusal,
            bool takes_json, const session_host& host);
    /// Goes on with what left the lobby, on another thread's executor.
    session(session_seed&& seed, const boost::asio::any_io_executor& executor,
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
    session_info info() const;
    /// Gives memory back where the session only waits, and nothing was received since then. True
    /// where it does so now. On the session's thread.
    bool rest(std::chrono::steady_clock::time_point quiet_since);

    // detail::session_core
    using detail::session_core::close;
    void start(detail::call_record& record, std::uint64_t ticket) override;
    bool withdraw(std::uint64_t ticket, errc code) override;
    std::shared_ptr<detail::stream_channel> make_channel(bool receives, bool sends) override;
    const limits& decode_limits() const noexcept override { return host_.options.decode; }
    std::chrono::nanoseconds default_timeout() const noexcept override;
    const detail::session_facts& facts() const noexcept override { return facts_; }
    bool may_call(std::string_view command) const override;
    void close(errc why, std::string text) override;
    std::shared_ptr<void>& state(std::type_index type) override;

    // detail::stream_host
    std::unique_lock<std::mutex> lock() override { return {}; }
    bool has_room() const noexcept override;
    void written() override;
    void item_written(const detail::stream_channel& by, std::size_t bytes) noexcept override;
    void give_up(detail::stream_channel& dropped) override;
    boost::asio::any_io_executor channel_executor() override { return facts_.executor; }

private:
    using time_point = std::chrono::steady_clock::time_point;
    class running_call;
    class awaitable_call;
    struct call_place;
    class blocking_call;
    class lifetime;
    using channel_ptr = std::shared_ptr<detail::stream_channel>;

    /// What happened to the events that are buffered.
    enum class turn {
        drained, ///< nothing complete is left: receive
        no_room, ///< events wait for room
        to_leave ///< the rest is for another thread
    };
    /// Answers that leave together: alike, but for their bytes.
    struct answers {
        std::uint32_t index = 0;
        errc code{};
        std::uint64_t count = 0;
        std::uint64_t bytes_in = 0, bytes_out = 0;
        time_point begun;
    };

    // session.cpp: the loop, and what the peer says
    static boost::asio::awaitable<void> run(lifetime life);
    boost::asio::awaitable<void> serve();
    turn answer_received();
    bool wants_rest() const noexcept;
    void receive();
    bool answer_at_once(const error_code& failed, std::size_t n);
    turn take_events();
    void take(const event& what);
    void on_opened();
    void on_declared(const events::declared& e);
    void on_called(const events::called& e);
    void answer_inline(const declared_command& what, const events::called& e, time_point deadline);
    void fail_inline(const declared_command& what, const events::called& e, inline_slot& slot,
                     const detail::call_failure& failure);
    void refuse(const events::called& e, const declared_command& what, errc code,
                std::string_view text = {}, std::chrono::milliseconds retry_after = {});
    void note_failure(const std::string& command, std::uint64_t call_id,
                      const detail::call_failure& why);
    void begin_inline_run(std::uint32_t index);
    void end_inline_run();
    void note_answered(std::uint32_t index, errc code, time_point begun, std::uint64_t bytes_in,
                       std::uint64_t bytes_out);
    void report_answers();

    // session_calls.cpp: handlers that outlast the turn
    void start_awaitable(const declared_command& what, const events::called& e,
                         time_point deadline);
    static boost::asio::awaitable<void> run_awaitable(awaitable_call& c,
                                                      boost::asio::awaitable<void> body);
    void finish_awaitable(awaitable_call& done, const std::exception_ptr& thrown);
    void start_blocking(const declared_command& what, const events::called& e, time_point deadline);
    void finish_blocking(const std::shared_ptr<blocking_call>& done);
    void write_answer(blocking_call& done);
    void write_waiting_answers();
    void close_answer(running_call& done, errc code, detail::call_failure failure,
                      std::size_t bytes_out);
    void cancel(running_call& which, errc why, errc answer);
    void cancel(running_call& which, errc why) { cancel(which, why, why); }
    void cancel_all(errc why);
    void look_at_calls(time_point when);
    void expire_calls();

    // session_streams.cpp: items, credit and room
    void on_item(const events::item& e);
    void on_window(const events::window_opened& e);
    void serve_blocked_channels();
    detail::stream_channel* channel_of_peers(std::uint64_t id) const noexcept;
    detail::stream_channel* channel_of_ours(std::uint64_t id) const noexcept;

    // session_peer.cpp: calls to the peer
    void call_peer(detail::call_record& record, std::uint64_t ticket);
    void send_to_peer(detail::call_record& record, time_point now);
    void on_versions(const events::versions& e);
    bool call_peer_again(std::uint64_t id);
    void withdraw_now(std::uint64_t ticket, errc code);
    void finish_peer_call(std::uint64_t id, const detail::outcome& how);
    void fail_peer_calls(errc code, std::string_view text, std::uint64_t after_id);

    // session_write.cpp
    bool may_write() const noexcept;
    bool may_take() const noexcept;
    void flush();
    std::size_t write_some(error_code& failed);
    void flush_soon();
    void wait_writable();
    void charge_queue() noexcept;

    // session_end.cpp: time, and the end
    void end(errc code, std::string text);
    void wake();
    void tell_change();
    boost::asio::awaitable<void> wait_for_change();
    boost::asio::awaitable<void> wait_for_change_or_hangup();
    void arm(time_point when);
    void on_timer();
    void expire_deadlines();
    boost::asio::awaitable<void> answer_the_rest();
    void cancel_starved_calls();
    void begin_going_away();
    boost::asio::awaitable<void> finish();
    boost::asio::awaitable<void> wait_for_handlers();
    void log_end() const;

    // session_hooks.cpp: the session's own user, and the way out of the lobby
    bool is_lobby() const noexcept { return static_cast<bool>(host_.leave_lobby); }
    void run_open_hooks();
    void run_close_hooks() noexcept;
    void leave_lobby();

    const session_host& host_;
    detail::session_facts facts_;
    transport stream_;
    conversation conversation_;
    boost::asio::steady_timer timer_;
    /// Never expires: it is cancelled when something changed, or when a receive ended.
    boost::asio::steady_timer change_;
    std::vector<declared_command> declared_;
    detail::peer_versions versions_; ///< of the peer's commands
    std::vector<std::pair<std::type_index, std::shared_ptr<void>>> states_;
    /// This, for its calls; reset at the end, as it keeps the session alive.
    std::shared_ptr<detail::session_core> self_;

    boost::unordered_flat_map<std::uint64_t, running_call*> running_;
    boost::unordered_flat_map<std::uint64_t, detail::call_record*> peer_calls_;
    std::vector<std::unique_ptr<call_place>> spare_places_;
    std::vector<std::shared_ptr<blocking_call>> waiting_answers_; ///< of which room is missing
    std::vector<answers> answered_;                               ///< since the last flush
    answers inline_run_; ///< the next of these; its bytes_out is where it began

    std::optional<session_end> end_;
    std::optional<time_point> armed_for_;
    std::optional<time_point> blocked_since_; ///< the peer has taken no byte since
    std::optional<time_point> linger_until_;
    std::optional<time_point> lobby_until_;
    std::optional<time_point> calls_due_; ///< when expire_calls() looks next
    time_point now_;
    time_point received_at_; ///< what is being answered
    time_point last_call_;
    std::chrono::system_clock::time_point since_;
    std::uint64_t calls_ = 0, bytes_in_ = 0, bytes_out_ = 0;
    std::size_t high_water_;
    std::size_t memory_held_ = 0;   ///< by the calls of handlers that outlast their turn
    std::size_t queue_charged_ = 0; ///< of calls_memory, for what is unsent
    std::uint64_t last_served_ = 0; ///< the channel that wrote last, of those that waited
    int last_reads_left_;
    error_code read_failed_;
    bool refused_ = false;
    bool reads_ = false;   ///< waits for bytes of the peer, with room for them
    bool rests_ = false;   ///< waits for them without
    bool was_new_ = false; ///< it has rested after the handshake
    bool broken_ = false;  ///< the stream takes no more bytes
    bool input_ended_ = false;
    bool write_waits_ = false;
    bool change_awaited_ = false; ///< by more than the end of a receive
    bool flush_posted_ = false;
    bool drain_asked_ = false;
    bool going_away_ = false;
    bool leaving_ = false;
    bool left_ = false;
    bool in_turn_ = false; ///< a flush follows
    bool opened_ = false;  ///< the handshake is complete
    bool open_hooks_run_ = false;
    bool close_hooks_due_ = false;
    mutable bool room_was_missing_ = false; ///< a channel waits for on_writable()
};

} // namespace wharf
