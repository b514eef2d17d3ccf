// worker: a thread, its event loop and its sessions.
#include "worker.hpp"

#include "log.hpp"

#include <boost/asio/post.hpp>

#include <chrono>

#include <pthread.h>

namespace wharf {
namespace asio = boost::asio;

namespace {
/// How long a stop waits for what other threads have begun, after all sessions have ended.
constexpr std::chrono::seconds last_work_time{1};
} // namespace

worker::worker(const server_options& options, std::atomic<std::size_t>& calls_memory,
               const router& commands, const admission& rules,
               std::function<void(bool)> session_ended)
    : session_ended_(std::move(session_ended)),
      host_{options, calls_memory, commands, rules, counters_, [this](session& s) { on_ended(s); }},
      context_(1), // one thread runs it
      work_(context_.get_executor())
{}

worker::~worker()
{
    stop();
}

void worker::start(unsigned number)
{
    std::promise<void> at_end;
    ended_ = at_end.get_future();
    thread_ = std::thread([this, number, at_end = std::move(at_end)]() mutable {
        pthread_setname_np(pthread_self(), ("wharf-worker" + std::to_string(number)).c_str());
        for (;;) {
            try {
                context_.run();
                at_end.set_value();
                return;
            }
            catch (const std::exception& e) {
                // One handler's failure must not end the sessions beside it.
                log::write(log::level::error, std::string("worker: ") + e.what());
            }
        }
    });
}

void worker::stop()
{
    if (!thread_.joinable())
        return;
    // A thread that completed a call, the store's for one, may still be inside its post to this
    // loop, which counts as work: the loop ends by itself when nothing is under way any more.
    work_.reset();
    if (ended_.wait_for(last_work_time) != std::future_status::ready)
        context_.stop(); // a handler that never ends
    thread_.join();
}

std::shared_ptr<session> worker::make_session(transport stream, std::uint64_t id,
                                              std::optional<principal> who, session_end refusal)
{
    return std::make_shared<session>(std::move(stream), id, std::move(who), std::move(refusal),
                                     host_);
}

void worker::add(std::shared_ptr<session> s)
{
    load_.fetch_add(1, std::memory_order_relaxed);
    asio::post(context_, [this, s = std::move(s)] {
        sessions_.emplace(s->id(), s.get());
        s->start();
        if (draining_)
            s->drain();
    });
}

void worker::on_ended(session& s)
{
    if (sessions_.erase(s.id()) == 0)
        return;
    load_.fetch_sub(1, std::memory_order_relaxed);
    session_ended_(s.is_refused());
}

void worker::drain()
{
    asio::post(context_, [this] {
        draining_ = true;
        for (const auto& [id, s] : sessions_)
            s->drain();
    });
}

void worker::close_all()
{
    asio::post(context_, [this] {
        for (const auto& [id, s] : sessions_)
            s->close_now(errc::going_away);
    });
}

} // namespace wharf
