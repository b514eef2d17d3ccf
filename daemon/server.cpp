// server: opens listeners, takes connections in, stops in order.
#include "server_impl.hpp"

#include "log_events.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
/// Refused peers that are still being told; more are closed without a word.
constexpr std::uint32_t refusals_max = 256;
/// After drain_timeout: how long sessions may take to notice that they were closed.
constexpr auto close_timeout = 2s;

void log_late_sessions(std::uint32_t count)
{
    log::write(log::level::warning, log::drain_timeout,
               std::to_string(count) +
                   " sessions had calls in flight at the drain timeout and are closed");
}
} // namespace

server::impl::impl(server_options o, std::optional<asio::any_io_executor> on)
    : program(std::move(on)),
      options(std::move(o)),
      pool(options.blocking_threads, options.blocking_queue_max)
{}

server::server(server_options options)
    : impl_(std::make_shared<impl>(std::move(options), std::nullopt))
{}

server::server(server_options options, asio::any_io_executor on)
    : impl_(std::make_shared<impl>(std::move(options), std::move(on)))
{}

server::~server()
{
    if (impl_->has_own_threads())
        stop();
    else
        impl_->abandon_program();
}

router& server::commands() noexcept
{
    return impl_->commands;
}

void server::keep(std::shared_ptr<void> service)
{
    impl_->services.push_back(std::move(service));
}

asio::any_io_executor server::get_executor() const noexcept
{
    if (impl_->program)
        return *impl_->program;
    return impl_->lobby != nullptr ? impl_->lobby->executor() : asio::any_io_executor();
}

// ---- Start ------------------------------------------------------------------------------------

void server::start()
{
    if (impl_->now.load() != impl::phase::filling)
        throw error(errc::bad_argument, "a server is started once");
    impl_->settings.set(std::make_shared<const session_settings>(
        session_settings{impl_->options, admission(impl_->options, system_accounts())}));
    impl_->make_groups();
    try {
        impl_->open_listeners();
    }
    catch (...) {
        impl_->listeners.clear();
        impl_->probe_timer.reset();
        impl_->workers.clear();
        impl_->lobby = nullptr;
        impl_->on_program.reset();
        impl_->lobby_thread.reset();
        throw;
    }
    if (impl_->has_own_threads()) {
        impl_->lobby_thread->start("wharf-accept");
        for (std::size_t i = 0; i < impl_->workers.size(); ++i)
            impl_->workers[i]->start("wharf-worker" + std::to_string(i));
    }
    else {
        impl_->on_program->keep_alive(impl_);
    }
    impl_->now = impl::phase::running;
    for (const auto& l : impl_->listeners)
        asio::post(impl_->lobby->executor(), [l] { l->start(); });
}

void server::impl::make_groups()
{
    around.emplace(session_surroundings{settings, commands, pool, calls_memory,
                                        [this](bool was_refused) { on_ended(was_refused); }});
    if (!has_own_threads()) {
        on_program = std::make_unique<session_group>(*program, *around);
        lobby = on_program.get();
        return;
    }
    lobby_thread =
        std::make_unique<worker>(*around, [this](session_seed&& seed) { place(std::move(seed)); });
    lobby = &lobby_thread->sessions();
    probe_timer.emplace(lobby->executor());
    unsigned threads = options.threads;
    if (threads == 0)
        threads = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i)
        workers.push_back(std::make_unique<worker>(*around));
}

void server::impl::open_listeners()
{
    const auto current = in_force();
    const admission& rules = current->rules;
    // All are checked before the first is opened, so that a mistake opens nothing.
    for (const listener_options& o : options.listeners)
        if (std::holds_alternative<tcp_endpoint>(o.where) &&
            !rules.can_admit(listener_name(o), false))
            throw error(errc::bad_argument, missing_allow_text(o));
    for (const listener_options& o : options.listeners) {
        auto l =
            std::make_shared<listener>(lobby->executor(), o, [this](const listener& from, int fd) {
                const auto latest = in_force();
                const listener_options* found = find_listener(latest->options, from.name());
                take(from.name(), (found != nullptr ? *found : from.options()).tcp, from.protocol(),
                     fd);
            });
        l->open();
        if (!l->is_unix() && !rules.can_admit(l->name(), false))
            throw error(errc::bad_argument, missing_allow_text(o));
        log::write(log::level::notice, log::listening, "listening on " + to_string(l->where()));
        listeners.push_back(std::move(l));
    }
}

// ---- Connections ------------------------------------------------------------------------------

const listener_options* server::impl::find_listener(const server_options& in, std::string_view name)
{
    const auto& all = in.listeners;
    const auto found = std::find_if(all.begin(), all.end(), [&](const listener_options& each) {
        return wharf::listener_name(each) == name;
    });
    return found == all.end() ? nullptr : &*found;
}

/// What was opened at the start stays as it is, whatever the change says of it.
void server::change(server_options to)
{
    if (impl_->now.load() == impl::phase::filling)
        throw error(errc::not_connected, "the server has not been started");
    const std::lock_guard lock(impl_->change_mutex);
    const server_options& given = impl_->options;
    const std::vector<listener_options> wanted = std::exchange(to.listeners, given.listeners);
    for (listener_options& l : to.listeners) {
        const auto same = std::find_if(wanted.begin(), wanted.end(), [&](const auto& other) {
            return listener_name(other) == listener_name(l);
        });
        if (same == wanted.end())
            continue;
        l.tcp = same->tcp;
        l.json = same->json;
    }
    to.threads = given.threads;
    to.blocking_threads = given.blocking_threads;
    admission rules(to, system_accounts());
    impl_->pool.set_queue_max(to.blocking_queue_max);
    impl_->settings.set(std::make_shared<const session_settings>(
        session_settings{std::move(to), std::move(rules)}));
}

/// A connection's failure is its own: nothing thrown here reaches the listener.
void server::impl::take(std::string_view listener_name, const tcp_options& tcp,
                        asio::generic::stream_protocol protocol, int fd) noexcept
{
    try {
        transport stream(lobby->executor());
        error_code failed;
        stream.assign(protocol, fd, failed);
        if (failed) {
            ::close(fd);
            return;
        }
        fd = -1;
        apply(stream, tcp);
        const auto current = in_force();
        auto who = current->rules.admit(listener_name, remote_address(stream));
        session_end refusal{errc::permission_denied, "no allow line names this peer"};
        if (who && sessions.load(std::memory_order_relaxed) >= current->options.sessions_max) {
            who.reset();
            refusal = {errc::overloaded, "sessions_max is reached"};
        }
        const bool admitted = who.has_value();
        if (!admitted) {
            refused.fetch_add(1, std::memory_order_relaxed);
            if (refusals.load(std::memory_order_relaxed) >= refusals_max)
                return;
        }
        // Counted before it begins, as it may end at once.
        (admitted ? sessions : refusals).fetch_add(1, std::memory_order_relaxed);
        try {
            const listener_options* from = find_listener(current->options, listener_name);
            lobby->add(std::move(stream), ++last_id, std::move(who), std::move(refusal),
                       from == nullptr || from->json);
        }
        catch (...) {
            on_ended(!admitted);
            throw;
        }
        if (admitted)
            sessions_total.fetch_add(1, std::memory_order_relaxed);
        if (has_own_threads())
            asio::post(lobby->executor(), [this] { keep_probing(); });
    }
    catch (const std::exception& e) {
        if (fd >= 0)
            ::close(fd);
        log::write(log::level::warning, log::connection_dropped,
                   std::string("a connection was dropped: ") + e.what());
    }
}

void server::adopt(int connected_fd, std::string_view listener_name)
{
    const auto phase = impl_->now.load();
    if (phase != impl::phase::running) {
        ::close(connected_fd);
        if (phase == impl::phase::filling)
            throw error(errc::not_connected, "the server has not been started");
        throw error(errc::going_away, "the server has been stopped");
    }
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(connected_fd, reinterpret_cast<sockaddr*>(&address), &size);
    impl_->take(listener_name, {}, asio::generic::stream_protocol(address.ss_family, 0),
                connected_fd);
}

void server::impl::on_ended(bool was_refused)
{
    (was_refused ? refusals : sessions).fetch_sub(1);
    if (!all_have_ended())
        return;
    if (!has_own_threads()) {
        if (now.load() == phase::stopping)
            finish_stop_on_program();
        return;
    }
    // Under the mutex, so that a waiter between its look and its wait is not missed.
    const std::lock_guard lock(mutex);
    all_ended.notify_all();
}

// ---- Stop -------------------------------------------------------------------------------------

void server::before_stop(std::function<void()> hook)
{
    impl_->stop_hooks.push_back(std::move(hook));
}

void server::impl::run_stop_hooks()
{
    for (const auto& hook : std::exchange(stop_hooks, {}))
        hook();
}

void server::stop()
{
    const auto now = impl_->in_force();
    stop((now ? now->options : impl_->options).drain_timeout);
}

void server::stop(std::chrono::milliseconds drain_timeout)
{
    if (!impl_->has_own_threads())
        throw error(errc::bad_argument,
                    "stop() would wait for the thread that it blocks: use async_stop()");
    const auto before = impl_->now.exchange(impl::phase::stopping);
    if (before == impl::phase::running || before == impl::phase::stopping) {
        impl_->run_stop_hooks();
        impl_->stop_threads(drain_timeout);
    }
    impl_->now = impl::phase::stopped;
}

void server::impl::close_listeners()
{
    for (const auto& l : listeners)
        l->close();
}

void server::impl::close_listeners_from_outside()
{
    std::promise<void> closed;
    asio::post(lobby->executor(), [&] {
        close_listeners();
        // Whoever waits for a worker in time gets any: it is told there that we stop.
        placing_anywhere = true;
        place_waiting();
        closed.set_value();
    });
    closed.get_future().wait();
}

bool server::impl::wait_for_sessions(std::chrono::milliseconds limit)
{
    std::unique_lock lock(mutex);
    return all_ended.wait_for(lock, limit, [this] { return all_have_ended(); });
}

void server::impl::stop_threads(std::chrono::milliseconds drain_timeout)
{
    close_listeners_from_outside();
    lobby->drain();
    for (const auto& w : workers)
        w->sessions().drain();
    if (!wait_for_sessions(drain_timeout)) {
        log_late_sessions(sessions.load());
        lobby->close_all();
        for (const auto& w : workers)
            w->sessions().close_all();
        wait_for_sessions(close_timeout);
    }
    // What blocking handlers answer goes to the workers' loops.
    pool.stop();
    asio::post(lobby->executor(), [this] { stop_probing(); });
    lobby_thread->stop();
    for (const auto& w : workers)
        w->stop();
}

void server::begin_stop()
{
    if (impl_->has_own_threads())
        throw error(errc::bad_argument, "a server on threads of its own is stopped by stop()");
    impl_->begin_stop_on_program();
}

void server::on_stopped(std::function<void()> then)
{
    if (impl_->now.load() == impl::phase::stopped)
        then();
    else
        impl_->on_stopped.push_back(std::move(then));
}

void server::impl::begin_stop_on_program()
{
    phase running = phase::running;
    if (!now.compare_exchange_strong(running, phase::stopping)) {
        if (running == phase::filling)
            now = phase::stopped;
        return;
    }
    run_stop_hooks();
    close_listeners();
    lobby->drain();
    if (all_have_ended()) {
        finish_stop_on_program();
        return;
    }
    drain_timer.emplace(*program, in_force()->options.drain_timeout);
    drain_timer->async_wait([weak = weak_from_this()](const error_code& failed) {
        const auto self = weak.lock();
        if (failed || !self)
            return;
        log_late_sessions(self->sessions.load());
        self->lobby->close_all_here();
    });
}

void server::impl::finish_stop_on_program()
{
    now = phase::stopped;
    drain_timer.reset();
    for (const auto& then : std::exchange(on_stopped, {}))
        then();
}

/// The owner does not wait. The sessions keep this alive until they have ended.
void server::impl::abandon_program()
{
    const phase before = now.exchange(phase::stopped);
    if (before == phase::running || before == phase::stopping) {
        close_listeners();
        drain_timer.reset();
        lobby->close_all_here();
    }
    for (const auto& then : std::exchange(on_stopped, {}))
        then();
    pool.stop();
}

} // namespace wharf
