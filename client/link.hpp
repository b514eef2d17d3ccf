// One connection of a client, and what a session_handle to it can do.
#pragma once

#include <wharf/conversation.hpp>
#include <wharf/detail/peer_versions.hpp>
#include <wharf/detail/stream_channel.hpp>
#include <wharf/session_handle.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <typeindex>
#include <vector>

namespace wharf::detail {

class client_core;
class served_call;
struct command_entry;

/// Shared between its core, handlers of what it waits for, and calls of its peer that are served.
/// It keeps its core alive, which drops it when it is over. The public members are guarded by the
/// core's mutex.
class link final : public session_core, public std::enable_shared_from_this<link> {
public:
    using time_point = conversation::time_point;

    link(std::shared_ptr<client_core> owner, transport&& s, conversation&& t, session_facts facts)
        : stream(std::move(s)),
          talk(std::move(t)),
          owner_(std::move(owner)),
          facts_(std::move(facts))
    {}

    // session_core
    void start(call_record& record, std::uint64_t ticket) override;
    bool withdraw(std::uint64_t ticket, errc code) override;
    std::shared_ptr<stream_channel> make_channel(bool receives, bool sends) override;
    const limits& decode_limits() const noexcept override;
    std::chrono::nanoseconds default_timeout() const noexcept override;
    const session_facts& facts() const noexcept override { return facts_; }
    bool may_call(std::string_view) const override { return true; }
    void close(errc why, std::string text) override;
    std::shared_ptr<void>& state(std::type_index type) override;

    transport stream;
    conversation talk;
    std::deque<call_record*> waiting; ///< calls by a session_handle: for this connection only
    boost::unordered_flat_map<std::uint64_t, call_record*> calls; ///< sent, unanswered
    /// Those of `calls` that stream.
    boost::unordered_flat_map<std::uint64_t, std::shared_ptr<stream_channel>> streams;
    boost::unordered_flat_map<std::uint64_t, std::shared_ptr<served_call>> served;
    std::size_t handlers_left = 0; ///< of calls that were served when it ended
    std::deque<std::shared_ptr<served_call>> unanswered; ///< their replies wait for room
    std::vector<const command_entry*> declared;          ///< by the peer's numbers
    /// How to store what answers them, by the same; as long as there is a null: as it is.
    std::vector<std::unique_ptr<const step_down>> older_answers;
    peer_versions versions; ///< of its commands
    std::uint64_t bytes_sent = 0;
    std::uint32_t refusals_unsent = 0; ///< errors that answered calls of the peer at once
    bool gone = false;                 ///< closed: its handlers have nothing more to do
    bool write_broken = false;         ///< the reading side will say why
    bool room_was_short = false;       ///< streams were told to wait
    bool in_turn = false;
    bool expire_after_turn = false;
    bool read_armed = false;
    bool write_armed = false;
    bool waits_to_receive = false;     ///< where it is told to
    std::uint32_t read_generation = 0; ///< tells a handler whether it was disarmed meanwhile
    std::uint32_t write_generation = 0;
    std::thread::id turn_thread;
    std::optional<time_point> idle_since; ///< by client_core::coarse_now()
    std::optional<error> refusal;         ///< the daemon's goaway before the handshake was complete
    std::optional<error> end;             ///< why it is gone

    // Signs of life: asked for while the connection is watched.
    bool is_watched = false;
    time_point heard_at{};
    std::optional<time_point> pinged_at;

    bool leaving = false; ///< we said goodbye: it takes no more calls
    bool hooks_running = false;
    bool open_hooks_done = false;                ///< the close hooks are due once
    boost::asio::cancellation_signal stop_hooks; ///< used on the strand of the handlers

    /// Is this the ticket of a call by a session_handle?
    static bool is_own(std::uint64_t ticket) noexcept { return ticket >> ticket_bits != 0; }

private:
    /// Tells this connection's calls from those of others in call_record::ticket.
    std::uint64_t named(std::uint64_t ticket) const noexcept
    {
        return facts_.id << ticket_bits | ticket;
    }
    static constexpr unsigned ticket_bits = 40;

    const std::shared_ptr<client_core> owner_;
    const session_facts facts_;
    std::map<std::type_index, std::shared_ptr<void>> states_; ///< of the strand
};

using link_ptr = std::shared_ptr<link>;

} // namespace wharf::detail
