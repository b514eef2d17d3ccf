// The part of both clients that knows no types: pending calls, one connection, deadlines,
// reconnects.
#pragma once

#include "backoff.hpp"

#include <wharf/client_options.hpp>
#include <wharf/conversation.hpp>
#include <wharf/detail/client_core.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <poll.h>

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace wharf::detail {

/// Who does the waiting.
enum class driver {
    executor, ///< handlers on the client's executor
    callers   ///< the threads that call, by drive()
};

/// Empty: WHARF_ENDPOINT from the environment, else the default endpoint.
endpoint endpoint_of(std::string_view where);

/// One mutex guards everything; it is never held while a call is finished. A connection's bytes are
/// read in turns, of which a connection has one at a time: its events point into its buffers, and
/// so nothing else may expire or read it meanwhile.
class client_core : public std::enable_shared_from_this<client_core> {
public:
    using clock = conversation::clock;
    using time_point = conversation::time_point;

    client_core(const boost::asio::any_io_executor& executor, endpoint where,
                const client_options& options, driver who);

    void start(call_record& record, std::uint64_t ticket);
    bool withdraw(std::uint64_t ticket, errc code);
    void close() noexcept;
    std::uint64_t next_ticket() noexcept { return ++last_ticket_; }
    const client_options& options() const noexcept { return options_; }

    // For driver::callers.
    /// Waits until something happens, or `until`, and handles it. One thread at a time.
    void drive(boost::asio::io_context& context, time_point until);
    /// Waits until everything that is queued has been sent, or `until`, while another thread
    /// drives.
    void send_all(time_point until);

private:
    using lock = std::unique_lock<std::mutex>;

    struct link : std::enable_shared_from_this<link> {
        link(transport&& s, conversation&& t) : stream(std::move(s)), talk(std::move(t)) {}
        transport stream;
        conversation talk;
        boost::unordered_flat_map<std::uint64_t, call_record*> calls; ///< sent, unanswered
        std::uint64_t bytes_sent = 0;
        bool gone = false;         ///< closed: its handlers have nothing more to do
        bool write_broken = false; ///< the reading side will say why
        bool in_turn = false;
        bool expire_after_turn = false;
        bool read_armed = false;
        bool write_armed = false;
        std::uint32_t read_generation = 0; ///< tells a handler whether it was disarmed meanwhile
        std::uint32_t write_generation = 0;
        std::thread::id turn_thread;
        std::optional<time_point> idle_since;
        std::optional<error> refusal; ///< the daemon's goaway before the handshake was complete
    };
    using link_ptr = std::shared_ptr<link>;

    /// A call that is finished as soon as the mutex is free.
    struct ending {
        call_record* record;
        errc code;
        std::string text;
        std::chrono::milliseconds retry_after{};
    };

    // core.cpp: calls
    void finish(call_record* record, errc code, std::string text,
                std::chrono::milliseconds retry_after = {});
    void finish_waiting(errc code, const std::string& text);
    void release(lock& held);
    void admit();
    void admit_one(link& to, call_record* record, time_point now);
    void take_back(link& from,
                   const std::function<bool(std::uint64_t id, const call_record&)>& which);
    std::string deadline_text(bool sent) const;
    bool is_pending() const noexcept;

    // core.cpp: time
    void note_deadline(time_point deadline);
    void rearm_timer();
    void on_timer(std::uint32_t generation);
    void expire(time_point now);
    void expire(const link_ptr& from, time_point now);

    // core_io.cpp: the connection
    void schedule_flush();
    void on_flush();
    void check_idle(lock& held);
    void flush_current();
    void flush(link& to);
    void turn(lock& held, const link_ptr& from);
    bool handle(lock& held, const link_ptr& from, event&& what);
    void on_going_away(const link_ptr& from, const events::going_away& what);
    void on_failed(const link_ptr& from, const events::failed& what);
    void retire(const link_ptr& from, std::uint64_t last_call);
    void lose(const link_ptr& from, errc code, std::string text);
    static void shut(link& which) noexcept;
    void settle();
    void arm_read(const link_ptr& on);
    void arm_write(link& on);
    static void disarm(link& which) noexcept;

    // core_connect.cpp: coming into being
    void want_connection();
    static boost::asio::awaitable<void> establish(std::shared_ptr<client_core> self);
    void established(transport&& stream);
    void connecting_ended(std::exception_ptr why);
    void connect_failed(const error& why);
    void stop_connecting();
    void pause_before_next();

    const boost::asio::any_io_executor executor_;
    const endpoint where_;
    const std::string where_text_;
    const client_options options_;
    const driver driver_;
    std::atomic<std::uint64_t> last_ticket_{0};

    std::mutex mutex_;
    bool closed_ = false;
    std::deque<call_record*> waiting_; ///< not sent, in order
    std::size_t bytes_held_ = 0;       ///< of commands that are waiting or sent
    link_ptr link_;
    std::vector<link_ptr> retired_; ///< take no more calls; those that they took are answered
    std::vector<ending> endings_;
    std::vector<link_ptr> drive_links_; ///< kept for their memory, by the thread that drives
    std::vector<pollfd> drive_files_;
    bool flush_posted_ = false;

    boost::asio::steady_timer timer_;
    std::optional<time_point> timer_at_;
    std::uint32_t timer_generation_ = 0;

    boost::asio::strand<boost::asio::any_io_executor> strand_; ///< of establish() and its signal
    boost::asio::cancellation_signal stop_connecting_;
    bool connecting_ = false;
    backoff backoff_;
    std::mt19937 random_;
    time_point connect_not_before_{};
    std::optional<error> last_connect_error_;
};

} // namespace wharf::detail
