// server: opens listeners, gives each connection to a worker, stops in order.
#include <wharf/server.hpp>

#include "listener.hpp"
#include "log.hpp"
#include "worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include <pthread.h>
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
} // namespace

struct server::impl {
    enum class phase { filling, running, stopping, stopped };

    explicit impl(server_options o) : options(std::move(o)) {}

    void open_listeners();
    void start_threads();
    void take(std::string_view listener_name, const tcp_options& tcp,
              asio::generic::stream_protocol protocol, int fd) noexcept;
    worker& least_loaded();
    void on_ended(bool was_refused);
    void close_listeners();
    bool wait_for_sessions(std::chrono::milliseconds limit);

    server_options options;
    router commands;
    std::vector<std::shared_ptr<void>> services;
    std::optional<admission> rules;

    std::atomic<phase> now{phase::filling};
    std::atomic<std::uint64_t> last_id{0}, sessions_total{0}, refused{0};
    std::atomic<std::uint32_t> sessions{0}, refusals{0};
    std::atomic<std::uint32_t> next_worker{0};
    std::atomic<std::size_t> calls_memory{0};
    std::mutex mutex; ///< for `all_ended` alone
    std::condition_variable all_ended;

    std::vector<std::unique_ptr<worker>> workers;
    asio::io_context accept_context{1};
    asio::executor_work_guard<asio::io_context::executor_type> accept_work{
        accept_context.get_executor()};
    std::vector<std::unique_ptr<listener>> listeners;
    std::thread accept_thread;
};

server::server(server_options options) : impl_(std::make_unique<impl>(std::move(options))) {}

server::~server()
{
    stop();
}

router& server::commands() noexcept
{
    return impl_->commands;
}

void server::keep(std::shared_ptr<void> service)
{
    impl_->services.push_back(std::move(service));
}

const server_options& server::options() const noexcept
{
    return impl_->options;
}

std::vector<std::string> server::command_names() const
{
    return impl_->commands.names();
}

// ---- Start ------------------------------------------------------------------------------------

void server::start()
{
    if (impl_->now.load() != impl::phase::filling)
        throw error(errc::bad_argument, "a server is started once");
    impl_->rules.emplace(impl_->options, system_accounts());
    try {
        impl_->open_listeners();
    }
    catch (...) {
        impl_->listeners.clear();
        throw;
    }
    impl_->start_threads();
    impl_->now = impl::phase::running;
    for (const auto& l : impl_->listeners)
        asio::post(impl_->accept_context, [l = l.get()] { l->start(); });
}

void server::impl::open_listeners()
{
    // All are checked before the first is opened, so that a mistake opens nothing.
    for (const listener_options& o : options.listeners)
        if (std::holds_alternative<tcp_endpoint>(o.where) &&
            !rules->can_admit(listener_name(o), false))
            throw error(errc::bad_argument, missing_allow_text(o));
    for (const listener_options& o : options.listeners) {
        auto l =
            std::make_unique<listener>(accept_context, o, [this](const listener& from, int fd) {
                take(from.name(), from.options().tcp, from.protocol(), fd);
            });
        l->open();
        if (!l->is_unix() && !rules->can_admit(l->name(), false))
            throw error(errc::bad_argument, missing_allow_text(o));
        log::write(log::level::notice, "listening on " + to_string(l->where()));
        listeners.push_back(std::move(l));
    }
}

void server::impl::start_threads()
{
    unsigned threads = options.threads;
    if (threads == 0)
        threads = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < threads; ++i)
        workers.push_back(std::make_unique<worker>(options, calls_memory, commands, *rules,
                                                   [this](bool refused_) { on_ended(refused_); }));
    for (unsigned i = 0; i < threads; ++i)
        workers[i]->start(i);
    accept_thread = std::thread([this] {
        pthread_setname_np(pthread_self(), "wharf-accept");
        accept_context.run();
    });
}

// ---- Connections ------------------------------------------------------------------------------

worker& server::impl::least_loaded()
{
    // Ties go round, so that a burst does not land on one thread.
    const std::size_t first = next_worker.fetch_add(1, std::memory_order_relaxed) % workers.size();
    worker* best = workers[first].get();
    for (std::size_t i = 1; i < workers.size(); ++i) {
        worker* other = workers[(first + i) % workers.size()].get();
        if (other->load() < best->load())
            best = other;
    }
    return *best;
}

/// A connection's failure is its own: nothing thrown here reaches the listener.
void server::impl::take(std::string_view listener_name, const tcp_options& tcp,
                        asio::generic::stream_protocol protocol, int fd) noexcept
{
    try {
        worker& home = least_loaded();
        transport stream(home.context());
        error_code failed;
        stream.assign(protocol, fd, failed);
        if (failed) {
            ::close(fd);
            return;
        }
        fd = -1;
        apply(stream, tcp);
        auto who = rules->admit(listener_name, remote_address(stream));
        session_end refusal{errc::permission_denied, "no allow line names this peer"};
        if (who && sessions.load(std::memory_order_relaxed) >= options.sessions_max) {
            who.reset();
            refusal = {errc::overloaded, "sessions_max is reached"};
        }
        const bool admitted = who.has_value();
        if (!admitted) {
            refused.fetch_add(1, std::memory_order_relaxed);
            if (refusals.load(std::memory_order_relaxed) >= refusals_max)
                return;
        }
        auto s =
            home.make_session(std::move(stream), ++last_id, std::move(who), std::move(refusal));
        if (admitted) {
            sessions_total.fetch_add(1, std::memory_order_relaxed);
            sessions.fetch_add(1, std::memory_order_relaxed);
        }
        else {
            refusals.fetch_add(1, std::memory_order_relaxed);
        }
        home.add(std::move(s));
    }
    catch (const std::exception& e) {
        if (fd >= 0)
            ::close(fd);
        log::write(log::level::warning, std::string("a connection was dropped: ") + e.what());
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
    if (sessions.load() == 0 && refusals.load() == 0) {
        // Under the mutex, so that a waiter between its look and its wait is not missed.
        const std::lock_guard lock(mutex);
        all_ended.notify_all();
    }
}

// ---- Stop -------------------------------------------------------------------------------------

void server::impl::close_listeners()
{
    std::promise<void> closed;
    asio::post(accept_context, [&] {
        for (const auto& l : listeners)
            l->close();
        closed.set_value();
    });
    closed.get_future().wait();
}

bool server::impl::wait_for_sessions(std::chrono::milliseconds limit)
{
    std::unique_lock lock(mutex);
    return all_ended.wait_for(lock, limit,
                              [this] { return sessions.load() == 0 && refusals.load() == 0; });
}

void server::stop()
{
    const auto before = impl_->now.exchange(impl::phase::stopping);
    if (before == impl::phase::stopped || before == impl::phase::filling) {
        impl_->now = impl::phase::stopped;
        return;
    }
    impl_->close_listeners();
    for (const auto& w : impl_->workers)
        w->drain();
    if (!impl_->wait_for_sessions(impl_->options.drain_timeout)) {
        log::write(log::level::warning,
                   std::to_string(impl_->sessions.load()) +
                       " sessions had calls in flight at the drain timeout and are closed");
        for (const auto& w : impl_->workers)
            w->close_all();
        impl_->wait_for_sessions(close_timeout);
    }
    impl_->accept_context.stop();
    impl_->accept_thread.join();
    for (const auto& w : impl_->workers)
        w->stop();
    impl_->now = impl::phase::stopped;
}

// ---- Looking ----------------------------------------------------------------------------------

std::vector<endpoint> server::endpoints() const
{
    std::vector<endpoint> all;
    for (const auto& l : impl_->listeners)
        all.push_back(l->where());
    return all;
}

server_status server::status() const
{
    server_status s;
    for (const auto& l : impl_->listeners)
        s.listeners.push_back({l->name(), l->where(), l->accepted(), l->exhausted()});
    s.threads = static_cast<std::uint32_t>(impl_->workers.size());
    s.sessions = impl_->sessions.load(std::memory_order_relaxed);
    s.sessions_total = impl_->sessions_total.load(std::memory_order_relaxed);
    s.refused = impl_->refused.load(std::memory_order_relaxed);
    for (const auto& w : impl_->workers) {
        s.calls += w->counters().calls.load(std::memory_order_relaxed);
        s.errors += w->counters().errors.load(std::memory_order_relaxed);
    }
    s.draining = impl_->now.load() >= impl::phase::stopping;
    return s;
}

void server::ping_workers(std::function<void()> answered)
{
    struct round {
        std::atomic<std::size_t> left;
        std::function<void()> answered;
    };
    // Shared between the workers' queues; the last to answer uses it.
    auto shared = std::make_shared<round>();
    shared->left = impl_->workers.size();
    shared->answered = std::move(answered);
    for (const auto& w : impl_->workers)
        asio::post(w->context(), [shared] {
            if (shared->left.fetch_sub(1) == 1)
                shared->answered();
        });
}

} // namespace wharf
