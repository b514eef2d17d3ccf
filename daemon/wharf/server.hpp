// Listeners, sessions and a router on threads of their own: a daemon without the process duties.
#pragma once

#include <wharf/options.hpp>
#include <wharf/service.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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

/// Serves commands on every listener of its options. Filled by serve(), then started once, then
/// stopped once. adopt(), status(), endpoints(), ping_workers() and command_names() are safe from
/// any thread between start() and destruction; the others belong to the owner.
class server {
public:
    /// Keeps the options; opens, checks and starts nothing.
    explicit server(server_options options);
    /// Stops.
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

    /// Where it really listens, in the order of the options; port 0 resolved.
    std::vector<endpoint> endpoints() const;

    /// Takes over a connected stream socket, such as one end of a socketpair, as if the listener of
    /// this name had accepted it. The descriptor is closed in any case.
    /// Throws error(errc::not_connected) before start() and errc::going_away after stop().
    void adopt(int connected_fd, std::string_view listener_name);

    /// Stops: closes the listeners, tells every peer, answers what was accepted until
    /// drain_timeout, closes the rest, joins the threads. Blocks; not from a handler.
    void stop();

    server_status status() const;
    /// As they were given. Valid as long as the server.
    const server_options& options() const noexcept;
    /// The names of all commands, sorted.
    std::vector<std::string> command_names() const;

    /// Asks every worker for a sign of life; `answered` is called once, by the last that gives it,
    /// on its thread. Never, where one is stuck or the server stops before.
    void ping_workers(std::function<void()> answered);

private:
    router& commands() noexcept;
    void keep(std::shared_ptr<void> service);

    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace wharf
