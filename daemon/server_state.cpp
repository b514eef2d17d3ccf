// What a server tells about itself: counts, limits, metrics, sessions.
#include "metrics_text.hpp"
#include "server_impl.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace wharf {
namespace asio = boost::asio;

const server_options& server::options() const noexcept
{
    return impl_->options;
}

std::vector<std::string> server::command_names() const
{
    return impl_->commands.names();
}

const detail::command_entry* server::find_command(std::string_view name) const noexcept
{
    return impl_->commands.find(name);
}

std::vector<std::string> server::find_version_problems() const
{
    return impl_->commands.find_version_problems();
}

std::vector<endpoint> server::endpoints() const
{
    std::vector<endpoint> all;
    for (const auto& l : impl_->listeners)
        all.push_back(l->where());
    return all;
}

std::vector<command_figures> server::impl::figures() const
{
    std::vector<command_figures> all;
    for_each_group([&](const session_group& g) { g.metrics().add_to(all); });
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
    impl_->for_each_group([&](const session_group& g) {
        s.calls += g.counters().calls.load(std::memory_order_relaxed);
        s.errors += g.counters().errors.load(std::memory_order_relaxed);
    });
    s.draining = impl_->now.load() >= impl::phase::stopping;
    return s;
}

std::vector<server_limit> server::limits() const
{
    const auto now = impl_->in_force();
    const server_options& o = now ? now->options : impl_->options;
    const conversation_limits& c = o.conversation;
    const auto ms = [](auto d) {
        return static_cast<std::uint64_t>(std::chrono::milliseconds(d).count());
    };
    const std::optional<std::uint64_t> none;
    return {
        {"sessions_max", o.sessions_max, impl_->sessions.load(std::memory_order_relaxed)},
        {"calls_memory_bytes_max", o.calls_memory_bytes_max,
         impl_->calls_memory.load(std::memory_order_relaxed)},
        {"blocking_threads", o.blocking_threads, impl_->pool.running()},
        {"blocking_queue_max", o.blocking_queue_max, impl_->pool.waiting()},
        {"session_memory_bytes_max", o.session_memory_bytes_max, none},
        {"send_queue_bytes_max", o.send_queue_bytes_max, none},
        {"calls_in_flight_max", c.calls_in_flight_max, none},
        {"peer_calls_max", o.peer_calls_max, none},
        {"commands_max", c.commands_max, none},
        {"frame_bytes_max", c.frame_bytes_max, none},
        {"message_bytes_max", c.message_bytes_max, none},
        {"reassembly_bytes_max", c.reassembly_bytes_max, none},
        {"stream_window_bytes", c.stream_window_bytes, none},
        {"session_window_bytes", c.session_window_bytes, none},
        {"handshake_bytes_max", c.handshake_bytes_max, none},
        {"handshake_timeout_ms", ms(c.handshake_timeout), none},
        {"frame_timeout_ms", ms(c.frame_timeout), none},
        {"send_timeout_ms", ms(o.send_timeout), none},
        {"idle_timeout_ms", ms(o.idle_timeout), none},
        {"drain_timeout_ms", ms(o.drain_timeout), none},
        {"depth_max", o.decode.depth_max, none},
        {"objects_max", o.decode.objects_max, none},
        {"chain_max", o.decode.chain_max, none},
        {"memory_base_bytes", o.decode.memory_base_bytes, none},
        {"memory_factor", o.decode.memory_factor, none},
        {"memory_bytes_max", o.decode.memory_bytes_max, none},
    };
}

// ---- Metrics ----------------------------------------------------------------------------------

namespace {

using kind = metrics_text::kind;

void append_connections(metrics_text& to, const server_status& now)
{
    to.single("wharf_sessions", kind::gauge, "Sessions that are open.", now.sessions);
    to.single("wharf_sessions_total", kind::counter, "Sessions since the start.",
              now.sessions_total);
    to.single("wharf_refused_total", kind::counter,
              "Peers that no allow line let in, or one too many.", now.refused);
    to.family("wharf_accepted_total", kind::counter, "Connections, refused ones included.");
    for (const auto& l : now.listeners)
        to.sample({{"listener", l.name}}, l.accepted);
    to.family("wharf_descriptors_exhausted_total", kind::counter,
              "Times that the system had no descriptor for a connection.");
    for (const auto& l : now.listeners)
        to.sample({{"listener", l.name}}, l.exhausted);
    to.single("wharf_draining", kind::gauge, "1 while the server stops.", now.draining ? 1 : 0);
}

void append_limits(metrics_text& to, const std::vector<server_limit>& limits)
{
    to.family("wharf_limit", kind::gauge,
              "A limit that is in force, in the unit that its name ends with.");
    for (const server_limit& l : limits)
        to.sample({{"limit", l.name}}, l.value);
    to.family("wharf_limit_level", kind::gauge, "How much of a limit is taken.");
    for (const server_limit& l : limits)
        if (l.level)
            to.sample({{"limit", l.name}}, *l.level);
}

} // namespace

std::string server::metrics() const
{
    metrics_text text;
    append_connections(text, status());
    text.family("wharf_thread_sessions", kind::gauge,
                "Sessions on each thread; new ones begin in the lobby.");
    if (impl_->lobby != nullptr)
        text.sample({{"thread", "lobby"}}, impl_->lobby->load());
    for (std::size_t i = 0; i < impl_->workers.size(); ++i)
        text.sample({{"thread", std::to_string(i)}}, impl_->workers[i]->sessions().load());
    text.family("wharf_thread_delay_seconds", kind::gauge,
                "How late each worker thread was when it was last asked, or is.");
    for (std::size_t i = 0; i < impl_->workers.size(); ++i)
        text.sample({}, {{"thread", std::to_string(i)}}, to_seconds(impl_->workers[i]->delay()));
    append_limits(text, limits());
    append_calls(text, command_names(), impl_->figures());
    return text.take();
}

// ---- Sessions ---------------------------------------------------------------------------------

namespace {

/// The answers of the groups, as they come in, on the thread of whoever asked.
struct roll_call {
    roll_call(const asio::any_io_executor& executor, std::chrono::milliseconds patience)
        : over(executor, patience)
    {}
    asio::steady_timer over; ///< or all have answered
    std::vector<session_info> sessions;
    std::vector<const session_group*> silent;
};

} // namespace

awaitable<sessions_report> server::sessions(std::size_t sessions_max, std::uint64_t after,
                                            std::chrono::milliseconds patience) const
{
    const impl& me = *impl_;
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    auto roll = std::make_shared<roll_call>(here, patience);
    me.for_each_group([&](const session_group& g) { roll->silent.push_back(&g); });
    for (const session_group* g : std::vector(roll->silent)) {
        // On the program's executor the server may be gone by then, and the group with it.
        asio::post(g->executor(), [=, weak = std::weak_ptr<impl>(impl_)] {
            const auto owner = weak.lock();
            if (!owner)
                return;
            auto some = g->list(sessions_max, after);
            asio::post(here, [roll, g, some = std::move(some)]() mutable {
                std::erase(roll->silent, g);
                std::move(some.begin(), some.end(), std::back_inserter(roll->sessions));
                if (roll->silent.empty())
                    roll->over.cancel();
            });
        });
    }
    error_code ignored;
    auto waiting = asio::redirect_error(asio::use_awaitable, ignored);
    while (!roll->silent.empty() && std::chrono::steady_clock::now() < roll->over.expiry())
        co_await roll->over.async_wait(waiting);
    sessions_report report;
    report.total = me.sessions.load(std::memory_order_relaxed);
    for (const session_group* g : roll->silent)
        report.unanswered += g->load();
    // Each group gave its first ones: of all of them, the first ones are these.
    std::sort(roll->sessions.begin(), roll->sessions.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    roll->sessions.resize(std::min(roll->sessions.size(), sessions_max));
    for (session_info& i : roll->sessions)
        report.sessions.push_back({i.id, std::move(i.caller), std::move(i.peer), i.since, i.calls,
                                   i.in_flight, i.peer_calls, i.streams, i.bytes_in, i.bytes_out});
    co_return report;
}

void server::ping_workers(std::function<void()> answered)
{
    struct round {
        std::atomic<std::size_t> left{0};
        std::function<void()> answered;
    };
    // Shared between the threads' queues; the last to answer uses it.
    auto shared = std::make_shared<round>();
    impl_->for_each_group([&](const session_group&) { ++shared->left; });
    shared->answered = std::move(answered);
    impl_->for_each_group([&](const session_group& g) {
        asio::post(g.executor(), [shared] {
            if (shared->left.fetch_sub(1) == 1)
                shared->answered();
        });
    });
}

} // namespace wharf
