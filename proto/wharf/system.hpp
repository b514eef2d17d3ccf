// The commands that every wharfd answers about itself: what system.ping, system.status and
// system.list carry.
#pragma once

#include <boost/serialization/nvp.hpp>

#include <cstdint>
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
    bool operator==(const status_reply&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(software) & BOOST_SERIALIZATION_NVP(pid) &
            BOOST_SERIALIZATION_NVP(uptime_ms) & BOOST_SERIALIZATION_NVP(endpoints) &
            BOOST_SERIALIZATION_NVP(counters) & BOOST_SERIALIZATION_NVP(limits) &
            BOOST_SERIALIZATION_NVP(store);
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

} // namespace wharf::system
