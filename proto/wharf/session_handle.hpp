// A session, or a client's connection, as handlers and hooks hold it: who is there, calls to it.
#pragma once

#include <wharf/detail/calls.hpp>
#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>

namespace wharf {

class router;

/// Who is calling. A value.
struct principal {
    std::string name;   ///< "alice", "uid 1000", "anonymous"
    std::string method; ///< "unix" or "anonymous"
    std::string role;   ///< the role that the allow table gave
    bool operator==(const principal&) const = default;
};

namespace detail {

/// What every call of a session shares. Constant while it has calls, but for `state`.
struct session_facts {
    std::uint64_t id = 0;
    principal caller;
    peer_address peer;
    peer_address local;
    boost::asio::any_io_executor executor;
    const router* commands = nullptr;
    bool takes_json = true; ///< may its peer call in JSON?
};

/// A session, or a client's connection, behind a session_handle.
class session_core : public caller {
public:
    virtual const session_facts& facts() const noexcept = 0;
    /// May its peer call a command of this name? On the session's thread.
    virtual bool may_call(std::string_view command) const = 0;
    /// Ends the session; any thread.
    virtual void close(errc why, std::string text) = 0;
    /// The user's state of this type; null before it is set. On the session's thread.
    virtual std::shared_ptr<void>& state(std::type_index type) = 0;

protected:
    ~session_core() = default;
};

} // namespace detail

/// A session of a server, as its handlers and hooks see it; on a client, its connection. It calls
/// commands that the peer serves: `co_await current.session().async_call(notify{...})`.
///
/// A handle does not keep the session open. Calls of one that is over end with
/// errc::not_connected. Calls in flight when the connection ends: errc::outcome_unknown.
/// Distinct objects: safe, and so are calls in any thread; state() is for the session's thread.
class session_handle : public detail::calls<session_handle> {
public:
    using executor_type = boost::asio::any_io_executor;

    explicit session_handle(const std::shared_ptr<detail::session_core>& core)
        : core_(core), facts_(core->facts())
    {}

    /// Unique for the life of the server.
    std::uint64_t id() const noexcept { return facts_.id; }
    const principal& caller() const noexcept { return facts_.caller; }
    /// The other end of the connection, and this one.
    const peer_address& peer() const noexcept { return facts_.peer; }
    const peer_address& local() const noexcept { return facts_.local; }
    executor_type get_executor() const noexcept { return facts_.executor; }

    bool is_open() const noexcept { return !core_.expired(); }
    /// Ends the session, and says why to the peer; calls in flight get no answer.
    void close(errc why = errc::going_away, std::string text = {}) const
    {
        if (const auto core = core_.lock())
            core->close(why, std::move(text));
    }

    /// The user's own T for this session, made at first use, destroyed with the session. Handlers
    /// and hooks of the session share it without a lock: they run on one thread.
    /// Throws error(errc::not_connected) when the session is over.
    template <class T>
    T& state() const
    {
        const auto core = core_.lock();
        if (!core)
            throw error(errc::not_connected, "the session is over");
        std::shared_ptr<void>& kept = core->state(typeid(T));
        if (!kept)
            kept = std::make_shared<T>();
        return *static_cast<T*>(kept.get());
    }

    /// For async_call and stream.
    std::shared_ptr<detail::caller> through() const
    {
        if (auto core = core_.lock())
            return core;
        return detail::closed_caller();
    }

private:
    std::weak_ptr<detail::session_core> core_;
    detail::session_facts facts_;
};

} // namespace wharf
