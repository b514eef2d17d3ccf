// A service whose calls stay under way, in every form that a handler has, and a ledger of sessions.
#pragma once

#include "commands.hpp"

#include <wharf/service.hpp>

#include <cstdint>
#include <map>
#include <mutex>

namespace stress {

/// Occupies a thread of the pool until the test releases it.
struct block {
    using reply = void;
    static constexpr std::string_view name = "storm.block";
    std::uint64_t token = 0;
};

/// Makes the handler call `hold` of its own caller, and wait for that.
struct call_back {
    using reply = void;
    static constexpr std::string_view name = "storm.call_back";
    std::uint64_t token = 0;
};

/// Makes the server close the session of the call.
struct kick {
    using reply = void;
    static constexpr std::string_view name = "storm.kick";
    std::uint64_t token = 0;
};

/// What happened to each session, from any thread; what must not happen is a complaint.
class session_ledger {
public:
    void opened(std::uint64_t id);
    void closed(std::uint64_t id);
    void begun(std::uint64_t id);
    void ended(std::uint64_t id);

    counter opens, closes, under_way, over;
    complaints wrong;

private:
    struct life {
        int opens = 0, closes = 0, running = 0;
    };
    std::mutex mutex_;
    std::map<std::uint64_t, life> lives_;
};

class storm_service {
public:
    void serve(wharf::router& commands);
    /// Lets the handlers that block end, those of now and of later.
    void release() { released_.add(); }
    session_ledger& ledger() { return ledger_; }

private:
    session_ledger ledger_;
    counter released_;
};

} // namespace stress
