// The part of both clients that knows no types: pending calls, one connection, deadlines,
// reconnects, calls that the daemon makes.
#pragma once

#include "backoff.hpp"
#include "link.hpp"

#include <wharf/client.hpp>
#include <wharf/client_options.hpp>
#include <wharf/conversation.hpp>
#include <wharf/detail/caller.hpp>
#include <wharf/detail/client_core.hpp>
#include <wharf/service.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <poll.h>

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace wharf::detail {

/// Who does the waiting.
enum class driver {
    executor, ///< handlers on the client's executor
    callers   ///< the threads that call, by drive()
};

/// Will another try to connect meet the same refusal?
bool is_permanent(errc code) noexcept;

/// Empty: WHARF_ENDPOINT from the environment, else the default endpoint.
endpoint endpoint_of(std::string_view where);

/// One mutex guards everything; it is never held while a call is finished or a handler runs. A
/// connection's bytes are read in turns, of which a connection has one at a time: its events point
/// into its buffers, and so nothing else may expire or read it meanwhile.
class client_core : public caller,
                    public stream_host,
                    public std::enable_shared_from_this<client_core> {
public:
    using clock = conversation::clock;
    using time_point = conversation::time_point;

    client_core(const boost::asio::any_io_executor& executor, endpoint where,
                const client_options& options, driver who);
    /// After construction, when it is shared.
    void begin();

    // caller
    void start(call_record& record, std::uint64_t ticket) override;
    bool withdraw(std::uint64_t ticket, errc code) override;
    std::shared_ptr<stream_channel> make_channel(bool receives, bool sends) override;
    const limits& decode_limits() const noexcept override { return options_.decode; }
    std::chrono::nanoseconds default_timeout() const noexcept override { return options_.timeout; }
    std::string_view keep_name(std::string name) override;

    // stream_host
    std::unique_lock<std::mutex> lock() override { return std::unique_lock(mutex_); }
    bool has_room() const noexcept override;
    void written() override;
    void give_up(stream_channel& dropped) override;
    boost::asio::any_io_executor channel_executor() override { return executor_; }

    // For link.
    void start_on(link& on, call_record& record);
    void close_link(const link_ptr& which, errc why, std::string text);

    // For client.
    void close() noexcept;
    std::size_t in_flight() noexcept;
    router& commands();
    void keep(std::shared_ptr<void> service);
    void on_connect(client::connect_hook hook);
    void on_state(client::state_hook hook);
    /// Closes, calls no hook any more, and waits for handlers that block.
    void end();

    // For served_call.
    const client_options& options() const noexcept { return options_; }
    std::shared_ptr<stream_channel> channel_of(served_call& of, bool receives, bool sends);
    void hold(served_call& more, std::size_t bytes);

    // For driver::callers.
    /// Waits until something happens, or `until`, and handles it. One thread at a time. `is_alone`:
    /// no other thread has to end its wait soon.
    void drive(boost::asio::io_context& context, time_point until, bool is_alone = false);
    /// Sends what is queued, as far as it can be at once; the thread that drives sends the rest.
    void send_now();
    /// Ends the wait of drive(), from any thread, whatever lock is held.
    void interrupt() noexcept;
    /// Finishes a call that is still waiting with errc::deadline_exceeded.
    void withdraw_unsent(std::uint64_t ticket);

private:
    using guard = std::unique_lock<std::mutex>;
    using strand = boost::asio::strand<boost::asio::any_io_executor>;
    using served_ptr = std::shared_ptr<served_call>;

    /// A call that is finished as soon as the mutex is free.
    struct ending {
        call_record* record;
        errc code;
        std::string text;
        std::chrono::milliseconds retry_after{};
    };

    // core.cpp, core_admit.cpp: calls
    bool is_refused(call_record& record, std::size_t waiting);
    void finish(call_record* record, errc code, std::string text,
                std::chrono::milliseconds retry_after = {});
    void finish_all(std::deque<call_record*>& waiting, errc code, const std::string& text);
    void release(guard& held);
    void admit(link& to);
    bool may_send(link& to) const;
    void admit_one(link& to, call_record* record, time_point now);
    void take_back(link& from, const error& why,
                   const std::function<bool(std::uint64_t id, const call_record&)>& which);
    static call_record* take_sent(link& from, std::uint64_t id);
    bool withdraw_from(std::deque<call_record*>& waiting, std::uint64_t ticket, errc code);
    std::string withdrawn_text(errc code, bool sent) const;
    std::string deadline_text(bool sent) const;
    bool is_pending() const noexcept;
    std::vector<link_ptr> links() const;

    // core_time.cpp
    void note_deadline(time_point deadline);
    void rearm_timer();
    void on_timer(std::uint32_t generation);
    void expire(time_point now);
    void expire(const link_ptr& from, time_point now);
    void expire_waiting(std::deque<call_record*>& waiting, time_point now);
    void watch(link& which);
    std::optional<time_point> next_look(const link& at) const;
    void check_life(const link_ptr& which, time_point now);

    // core_io.cpp: the connection
    void schedule_flush();
    void post_flush();
    void on_flush();
    static time_point coarse_now() noexcept;
    void check_idle(guard& held);
    void flush_current();
    void flush(link& to);
    void use_room(link& to);
    bool turn(guard& held, const link_ptr& from, bool waits = false);
    bool handle(guard& held, const link_ptr& from, event&& what);
    void handle_stream(const link_ptr& from, const event& what);
    void on_replied(guard& held, const link_ptr& from, const events::replied& what);
    void on_failed(const link_ptr& from, const events::failed& what);
    void on_versions(link& from, const events::versions& what);
    void send_again(link& from, call_record* record, std::uint64_t refused);
    void on_going_away(const link_ptr& from, const events::going_away& what);

    // core_drive.cpp
    /// No thread can end a receive that waits, but by shutting down the connection: after this time
    /// it looks whether it should go on.
    static constexpr std::chrono::milliseconds receive_wait{20};
    bool drive_alone(guard& held, time_point until);
    void choose_files(time_point& until);

    // core_ends.cpp
    void retire(const link_ptr& from, std::uint64_t last_call, const error& why);
    void lose(const link_ptr& from, errc code, std::string text);
    void shut(link& which, const error& why);
    void settle();
    void arm_read(const link_ptr& on);
    void arm_write(link& on);
    static void disarm(link& which) noexcept;

    // core_connect.cpp, core_keep.cpp: coming into being
    void want_connection();
    static boost::asio::awaitable<void> establish(std::shared_ptr<client_core> self);
    void established(transport&& stream);
    void connecting_ended(std::exception_ptr why);
    void connect_failed(const error& why);
    void stop_connecting();
    void pause_before_next();
    void on_opened(const link_ptr& on);
    static boost::asio::awaitable<void> run_hooks(std::shared_ptr<client_core> self, link_ptr on);
    void hooks_ended(const link_ptr& on, std::exception_ptr why);
    void leave(const link_ptr& which, const error& why);
    void close_hooks_when_due(const link_ptr& on);
    void keep_connected();
    void tell_state(client_state now, const error* why = nullptr);

    // core_serve.cpp: calls of the daemon
    void on_declared(link& from, const events::declared& what);
    void on_called(const link_ptr& from, const events::called& what);
    void refuse(link& from, std::uint64_t id, errc code, std::string_view text,
                std::chrono::milliseconds retry_after = {});
    void run_served(const served_ptr& one);
    void run_inline(const served_ptr& one);
    void run_blocking(const served_ptr& one);
    void run_late(const served_ptr& one);
    static boost::asio::awaitable<void> await_late(std::shared_ptr<client_core> self,
                                                   served_ptr one);
    void served_ended(const served_ptr& one);
    void answer_served(link& on, served_call& one);
    void answer_waiting(link& on);
    void cancel_served(const served_ptr& one, errc code, std::string_view text);
    void expire_served(link& on, time_point now);
    static std::optional<time_point> next_served_deadline(const link& on, time_point now);
    void on_upload(link& from, const events::item& what);
    void on_upload_ended(link& from, const events::upload_ended& what);
    void forget_served(served_call& one) noexcept;

    const boost::asio::any_io_executor executor_;
    const endpoint where_;
    const std::string where_text_;
    const client_options options_;
    const driver driver_;

    mutable std::mutex mutex_;
    bool closed_ = false;
    std::set<std::string, std::less<>> names_; ///< of calls in JSON
    std::deque<call_record*> waiting_;         ///< not sent, in order
    std::size_t bytes_held_ = 0;               ///< of commands that are waiting or sent
    link_ptr link_;
    std::vector<link_ptr> retired_; ///< take no more calls; those that they took are answered
    std::vector<ending> endings_;
    std::vector<link_ptr> drive_links_; ///< kept for their memory, by the thread that drives
    std::vector<pollfd> drive_files_;
    bool is_polling_ = false;                 ///< drive() waits for the connection
    bool polls_for_writing_ = false;          ///< ... also to send more
    int wake_file_ = -1;                      ///< an eventfd that ends its wait; constant
    std::atomic<bool> is_wake_posted_{false}; ///< what ends its wait for a connection
    bool flush_posted_ = false;

    boost::asio::steady_timer timer_;
    std::optional<time_point> timer_at_;
    std::uint32_t timer_generation_ = 0;

    strand strand_; ///< of establish() and its signal
    boost::asio::cancellation_signal stop_connecting_;
    bool connecting_ = false;
    backoff backoff_;
    std::mt19937 random_;
    time_point connect_not_before_{};
    std::optional<error> last_connect_error_;

    strand handlers_; ///< of hooks and of what is served
    router commands_;
    std::vector<std::shared_ptr<void>> services_;
    client::connect_hook on_connect_;
    std::shared_ptr<const client::state_hook> on_state_;
    std::atomic<bool> is_quiet_{false}; ///< the client object is gone, and what its hooks refer to
    bool keeps_ = false;                ///< connects by itself
    bool was_connected_ = false;        ///< what is served is constant from then on
    std::uint64_t last_link_ = 0;
    std::size_t served_bytes_ = 0; ///< held by calls of the daemon
    std::unique_ptr<boost::asio::thread_pool> blocking_;

public:
    ~client_core();
};

} // namespace wharf::detail
