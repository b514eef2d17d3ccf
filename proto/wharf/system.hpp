// The commands that every wharfd answers about itself, and those that change it while it runs: what
// system.ping, status, list, describe, sessions, metrics, log_level, reload and drain carry.
#pragma once

#include <wharf/schema.hpp>
#include <wharf/schema_history.hpp>

#include <boost/serialization/nvp.hpp>
#include <boost/serialization/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Shared by the daemon's system service and by whoever calls it. All of these are values:
/// copied, compared, stored and loaded; distinct objects are safe in different threads.
namespace wharf::system {

/// Answers with the same token. The cheapest call there is: it touches no store.
struct ping {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "system.ping";
    std::uint64_t token = 0;
    bool operator==(const ping&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(token);
    }
};

/// One place where the daemon listens: the port is the real one, also where 0 was configured.
struct endpoint_fact {
    std::string name;     ///< the listener's name in the configuration
    std::string endpoint; ///< "127.0.0.1:7040", "unix:/run/wharf/wharf.sock"
    bool operator==(const endpoint_fact&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(endpoint);
    }
};

/// A number with a name. The name ends with its unit where it has one: "frame_bytes_max",
/// "handshake_timeout_ms".
struct number_fact {
    std::string name;
    std::uint64_t value = 0;
    bool operator==(const number_fact&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(value);
    }
};

/// A text with a name.
struct text_fact {
    std::string name;
    std::string value;
    bool operator==(const text_fact&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(value);
    }
};

/// What the daemon knows about itself at one moment. The counters are read one after the other
/// while calls go on: they need not add up exactly.
struct status_reply {
    std::string software; ///< "wharfd 0.1.0"
    std::uint64_t pid = 0;
    std::uint64_t uptime_ms = 0;
    std::vector<endpoint_fact> endpoints;
    std::vector<number_fact> counters; ///< sessions, calls, errors, log records dropped, ...
    std::vector<number_fact> limits;   ///< every limit that is in force
    std::vector<text_fact> store;      ///< engine, directory, ...; empty without a store
    /// How much of a limit is taken now, by the limit's name, where that is one number.
    std::vector<number_fact> levels;
    bool operator==(const status_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(software) & BOOST_SERIALIZATION_NVP(pid) &
            BOOST_SERIALIZATION_NVP(uptime_ms) & BOOST_SERIALIZATION_NVP(endpoints) &
            BOOST_SERIALIZATION_NVP(counters) & BOOST_SERIALIZATION_NVP(limits) &
            BOOST_SERIALIZATION_NVP(store);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(levels);
    }
};

/// Asks for the daemon's state.
struct status {
    using reply = status_reply;
    static constexpr std::string_view name = "system.status";
    bool operator==(const status&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// Asks for the names of the commands that the caller may call, in order.
struct list {
    using reply = std::vector<std::string>;
    static constexpr std::string_view name = "system.list";
    bool operator==(const list&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// One connection to the daemon.
struct session_fact {
    std::uint64_t id = 0;
    std::string peer; ///< address
    std::string name; ///< of the principal: "alice", "uid 1000", "anonymous"
    std::string role;
    std::int64_t since_ms = 0;    ///< when it began, since 1970-01-01 UTC
    std::uint64_t calls = 0;      ///< received
    std::uint64_t in_flight = 0;  ///< of these, not answered yet
    std::uint64_t peer_calls = 0; ///< calls to the peer, not answered yet
    std::uint64_t streams = 0;    ///< calls with streams that are under way
    std::uint64_t bytes_in = 0, bytes_out = 0;
    bool operator==(const session_fact&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(peer) &
            BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(role) &
            BOOST_SERIALIZATION_NVP(since_ms) & BOOST_SERIALIZATION_NVP(calls) &
            BOOST_SERIALIZATION_NVP(in_flight) & BOOST_SERIALIZATION_NVP(peer_calls) &
            BOOST_SERIALIZATION_NVP(streams) & BOOST_SERIALIZATION_NVP(bytes_in) &
            BOOST_SERIALIZATION_NVP(bytes_out);
    }
};

/// What the sessions said of themselves. A thread of the daemon that hangs is not waited for.
struct sessions_reply {
    std::vector<session_fact> sessions; ///< in the order of their ids
    std::uint64_t total = 0;            ///< open now
    std::uint64_t unanswered = 0;       ///< sessions on threads that did not answer
    bool operator==(const sessions_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(sessions) & BOOST_SERIALIZATION_NVP(total) &
            BOOST_SERIALIZATION_NVP(unanswered);
    }
};

/// Most sessions that one system.sessions answers with.
inline constexpr std::uint32_t sessions_page_max = 10000;

/// Asks for the sessions with ids above `after`, at most `limit` of them; answered within a second.
struct sessions {
    using reply = sessions_reply;
    static constexpr std::string_view name = "system.sessions";
    std::uint64_t after = 0;
    std::uint32_t limit = 1000;
    bool operator==(const sessions&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(after) & BOOST_SERIALIZATION_NVP(limit);
    }
};

/// Asks for the daemon's counters as text for Prometheus, exposition format 0.0.4.
struct metrics {
    using reply = std::string;
    static constexpr std::string_view name = "system.metrics";
    bool operator==(const metrics&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// The older versions of the classes in one message of a command.
struct role_history {
    std::string role; ///< "argument", "reply", "items", "upload"
    schema_history types;
    bool operator==(const role_history&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(role) & BOOST_SERIALIZATION_NVP(types);
    }
};

/// What the messages of a command look like. The reply of a command that streams it is nothing.
struct description {
    std::string command;
    schema argument;
    schema reply;
    std::vector<schema> items;  ///< one, or none: what its reply streams
    std::vector<schema> upload; ///< one, or none: what its caller streams
    /// Of messages that have classes with older versions; empty from daemons that tell none.
    std::vector<role_history> histories;
    bool operator==(const description&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(command) & BOOST_SERIALIZATION_NVP(argument) &
            BOOST_SERIALIZATION_NVP(reply) & BOOST_SERIALIZATION_NVP(items) &
            BOOST_SERIALIZATION_NVP(upload);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(histories);
    }
};

/// Asks what the messages of a command look like, which the caller may call.
struct describe {
    using reply = description;
    static constexpr std::string_view name = "system.describe";
    std::string command;
    bool operator==(const describe&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(command);
    }
};

/// Says how much is logged, before and now.
struct log_level_reply {
    std::string before;
    std::string now;
    std::uint64_t for_ms = 0; ///< until it goes back to what is configured; 0: it does not
    std::string then;         ///< what it goes back to
    bool operator==(const log_level_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(before) & BOOST_SERIALIZATION_NVP(now) &
            BOOST_SERIALIZATION_NVP(for_ms) & BOOST_SERIALIZATION_NVP(then);
    }
};

/// Longest time that system.log_level takes: a week.
inline constexpr std::uint64_t log_level_ms_max = 7ull * 24 * 3600 * 1000;

/// Sets what is logged: "critical", "error", "warning", "notice", "info" or "debug"; empty changes
/// nothing. "session=debug" sets one channel of "daemon", "listener", "session", "call" and
/// "store", and "info,session=debug" all of them. With `for_ms` it goes back to the configured
/// level after that time; else at the next reload or start. Another one takes the place of this.
/// errc::bad_argument for what is no level.
///
/// No role's "system.*" covers this command and those below: a role that may look at a daemon may
/// not change it. It names them, or has "*".
struct log_level {
    using reply = log_level_reply;
    static constexpr std::string_view name = "system.log_level";
    std::string level;
    std::uint64_t for_ms = 0; ///< at most log_level_ms_max
    bool operator==(const log_level&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(level) & BOOST_SERIALIZATION_NVP(for_ms);
    }
};

/// What a reload did, by the keys of the configuration.
struct reload_reply {
    std::vector<std::string> applied; ///< changed, and in force now
    std::vector<std::string> restart; ///< differ from what is in force until a restart
    bool operator==(const reload_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(applied) & BOOST_SERIALIZATION_NVP(restart);
    }
};

/// Reads the configuration again, as SIGHUP does. errc::bad_argument where anything in it is wrong,
/// with the text that a start would print: then nothing changes.
struct reload {
    using reply = reload_reply;
    static constexpr std::string_view name = "system.reload";
    bool operator==(const reload&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

/// The stop that begins.
struct drain_reply {
    std::uint64_t timeout_ms = 0; ///< how long calls in flight are waited for
    std::uint64_t sessions = 0;   ///< open now
    bool operator==(const drain_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(timeout_ms) & BOOST_SERIALIZATION_NVP(sessions);
    }
};

/// Longest drain.
inline constexpr std::uint64_t drain_ms_max = 3600ull * 1000;

/// Stops the daemon in order, as SIGTERM does: no new connections and calls, every accepted call is
/// answered, this one too. Whoever restarts daemons that end may start it again.
/// errc::bad_argument for a timeout above drain_ms_max.
struct drain {
    using reply = drain_reply;
    static constexpr std::string_view name = "system.drain";
    std::optional<std::uint64_t> timeout_ms; ///< nothing: server.drain_timeout
    bool operator==(const drain&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(timeout_ms);
    }
};

} // namespace wharf::system

BOOST_CLASS_VERSION(wharf::system::description, 1)
BOOST_CLASS_VERSION(wharf::system::status_reply, 1)
