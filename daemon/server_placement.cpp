// How sessions get from the lobby to a worker, and how late each worker is.
#include "placement.hpp"
#include "server_impl.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace wharf {
using namespace std::chrono_literals;

namespace {
/// How often workers are asked for a sign of life, while there is any session.
constexpr auto probe_interval = 100ms;
} // namespace

void server::impl::place(session_seed&& seed)
{
    waiting.push_back(std::move(seed));
    place_waiting();
}

/// No bound of its own: each that waits is one of sessions_max.
void server::impl::place_waiting()
{
    while (!waiting.empty()) {
        std::vector<worker_load> loads;
        for (const auto& w : workers)
            loads.push_back({placing_anywhere ? 0ns : w->delay(), w->sessions().load()});
        const auto chosen = choose_worker(loads, next_worker);
        if (!chosen)
            return;
        next_worker = *chosen + 1;
        session_seed seed = std::move(waiting.front());
        waiting.pop_front();
        workers[*chosen]->sessions().add(std::move(seed));
    }
}

/// An idle daemon does not wake up.
void server::impl::keep_probing()
{
    if (probing || placing_anywhere)
        return;
    probing = true;
    probe();
}

void server::impl::probe()
{
    if (placing_anywhere || sessions == 0) {
        probing = false;
        return;
    }
    for (const auto& w : workers)
        w->probe();
    place_waiting();
    probe_timer->expires_after(probe_interval);
    probe_timer->async_wait([this](const error_code& failed) {
        if (!failed)
            probe();
    });
}

void server::impl::stop_probing()
{
    placing_anywhere = true;
    probe_timer->cancel();
}

} // namespace wharf
