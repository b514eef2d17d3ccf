// Listeners, sessions and a router: a daemon without the process duties, on threads of its own or
// on the program's context.
#pragma once

#include <wharf/options.hpp>
#include <wharf/service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wharf {

/// What a server counts and holds at one moment. The numbers are read one after the other while
/// calls go on: they need not add up exactly.
struct server_status {
    struct listener {
        std::string name;
        endpoint where;              ///< really bound: port 0 resolved
        std::uint64_t accepted = 0;  ///< connections, refused ones included
        std::uint64_t exhausted = 0; ///< times that the system had no descriptor for one
        bool operator==(const listener&) const = default;
    };
    std::vector<listener> listeners;
    std::uint32_t threads = 0;
    std::uint64_t sessions = 0;       ///< open now, without refused peers
    std::uint64_t sessions_total = 0; ///< since start
    std::uint64_t refused = 0;        ///< peers that no allow line let in, or one too many
    std::uint64_t calls = 0;          ///< received since start
    std::uint64_t errors = 0;         ///< of these, answered with an error
    bool draining = false;
    bool operator==(const server_status&) const = default;
};

/// A limit that is in force, and how much of it is taken, where that is one number for the server.
struct server_limit {
    std::string name; ///< ends with its unit: "calls_memory_bytes_max", "drain_timeout_ms"
    std::uint64_t value = 0;
    std::optional<std::uint64_t> level;
    bool operator==(const server_limit&) const = default;
};

/// One session at one moment.
struct session_status {
    std::uint64_t id = 0;
    principal caller;
    peer_address peer;
    std::chrono::system_clock::time_point since;
    std::uint64_t calls = 0;      ///< received
    std::uint32_t in_flight = 0;  ///< of these, not answered yet
    std::uint32_t peer_calls = 0; ///< calls to the peer, not answered yet
    std::uint32_t streams = 0;    ///< calls with streams that are under way, in either direction
    std::uint64_t bytes_in = 0, bytes_out = 0; ///< of its connection
    bool operator==(const session_status&) const = default;
};

/// What the sessions said of themselves. Those of a thread that did not answer in time are missing.
struct sessions_report {
    std::vector<session_status> sessions; ///< in the order of their ids
    std::uint64_t total = 0;              ///< open now
    std::uint64_t unanswered = 0;         ///< sessions on threads that did not answer
    bool operator==(const sessions_report&) const = default;
};

/// Serves commands on every listener of its options. Filled by serve(), then started once, then
/// stopped once.
///
/// On threads of its own: adopt(), change(), status(), limits(), metrics(), sessions(),
/// endpoints(), ping_workers(), command_names() and find_command() are safe from any thread between
/// start() and destruction; the others belong to the owner.
///
/// On the program's executor it has no thread but those of blocking handlers: everything that it
/// does runs on that executor, and all members but status(), limits(), metrics(), endpoints() and
/// command_names() are for its thread, or for a time when it does not run. stop() is not for it:
/// async_stop() is.
class server {
public:
    /// Keeps the options; opens, checks and starts nothing. On threads of its own.
    explicit server(server_options options);
    /// The same on an executor that runs one function at a time: that of an io_context which one
    /// thread runs, or a strand. `threads` of the options means nothing then. The context must
    /// outlive the server.
    server(server_options options, boost::asio::any_io_executor on);
    template <class Context>
    requires requires(Context& context) { boost::asio::any_io_executor(context.get_executor()); }
    server(server_options options, Context& context)
        : server(std::move(options), boost::asio::any_io_executor(context.get_executor()))
    {}
    /// Stops. On the program's executor it cannot wait: it closes everything at once, and what the
    /// sessions still need lives until they have ended, in that executor's context.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// Lets a service register its commands: calls service.serve(router&). An rvalue is moved in
    /// and lives as long as the server; an lvalue must outlive it. Before start().
    /// Throws what serve() throws: error(errc::bad_argument) for a command that is served twice.
    template <class Service>
    void serve(Service&& service)
    {
        if constexpr (std::is_lvalue_reference_v<Service>) {
            service.serve(commands());
        }
        else {
            auto kept = std::make_shared<std::remove_cvref_t<Service>>(std::move(service));
            kept->serve(commands());
            keep(std::move(kept));
        }
    }

    /// Opens every listener, then starts the threads. Throws error: errc::bad_argument where a rule
    /// of the allow table is wrong or a TCP listener has none, and what open_listener() throws.
    /// Nothing is left open then.
    void start();

    /// Takes these options in place of those in force, for the sessions that begin from now on; the
    /// ones that there are keep theirs. sessions_max, blocking_queue_max and drain_timeout hold at
    /// once. What the start has opened stays: threads, blocking_threads, and of the listeners all
    /// but `tcp` and `json`, which are found by the listener's name.
    /// Throws error: errc::bad_argument where a rule of the allow table is wrong,
    /// errc::not_connected before start(). Nothing has changed then.
    void change(server_options to);

    /// Where it really listens, in the order of the options; port 0 resolved.
    std::vector<endpoint> endpoints() const;

    /// Takes over a connected stream socket, such as one end of a socketpair, as if the listener of
    /// this name had accepted it. The descriptor is closed in any case.
    /// Throws error(errc::not_connected) before start() and errc::going_away after stop().
    void adopt(int connected_fd, std::string_view listener_name);

    /// Called once when a stop begins, on the thread that stops: for what would otherwise be waited
    /// for until drain_timeout, such as streams without an end. It must not throw. Before start().
    void before_stop(std::function<void()> hook);

    /// Stops: closes the listeners, tells every peer, answers what was accepted until
    /// drain_timeout, closes the rest, joins the threads. Blocks; not from a handler.
    /// Throws error(errc::bad_argument) on the program's executor.
    void stop();
    /// The same with another time for the calls in flight than drain_timeout.
    void stop(std::chrono::milliseconds drain_timeout);

    /// The same without waiting, on the program's executor only: throws error(errc::bad_argument)
    /// on threads of its own. Once every session has ended the server keeps nothing there, so that
    /// an io_context's run() may return.
    void begin_stop();
    /// begin_stop(), and completes when every session has ended; the signature is void().
    template <class Token = boost::asio::use_awaitable_t<>>
    auto async_stop(Token&& token = Token())
    {
        begin_stop();
        return boost::asio::async_initiate<Token, void()>(
            [this](auto handler) {
                auto ex = boost::asio::get_associated_executor(handler, get_executor());
                // Shared because a function can be copied; only one of them is called.
                auto waiting = std::make_shared<decltype(handler)>(std::move(handler));
                on_stopped([waiting, work = boost::asio::make_work_guard(ex)] {
                    boost::asio::post(work.get_executor(), std::move(*waiting));
                });
            },
            token);
    }

    server_status status() const;
    /// Every limit that is in force.
    std::vector<server_limit> limits() const;
    /// What calls counted, how much of the limits is taken, and the limits, as text for Prometheus
    /// (exposition format 0.0.4).
    std::string metrics() const;
    /// Asks every session, on its thread, and waits for no thread longer than `patience`. At most
    /// `sessions_max` of them, those with the lowest ids above `after`.
    awaitable<sessions_report>
    sessions(std::size_t sessions_max, std::uint64_t after = 0,
             std::chrono::milliseconds patience = std::chrono::milliseconds(800)) const;
    /// As they were given to the constructor, whatever change() did since. Valid as long as the
    /// server.
    const server_options& options() const noexcept;
    /// The names of all commands, sorted.
    std::vector<std::string> command_names() const;
    /// What serves a command, or null; its `types` are for any thread. Valid as long as the
    /// server.
    const detail::command_entry* find_command(std::string_view name) const noexcept;
    /// What could not be stored for peers with older versions of the classes, a sentence each: as
    /// router::find_version_problems(). The owner.
    std::vector<std::string> find_version_problems() const;

    /// Asks every thread that has sessions for a sign of life; `answered` is called once, by the
    /// last that gives it, on its thread. Never, where one is stuck or the server stops before.
    void ping_workers(std::function<void()> answered);

    /// The program's executor, or that of the thread that accepts.
    boost::asio::any_io_executor get_executor() const noexcept;

private:
    router& commands() noexcept;
    void keep(std::shared_ptr<void> service);
    void on_stopped(std::function<void()> then);

    struct impl;
    /// Shared, on the program's executor, with what is still under way there.
    std::shared_ptr<impl> impl_;
};

} // namespace wharf
