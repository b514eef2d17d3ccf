// Handlers that end only with their session, each noted at its begin and at its end.
#include "storm_service.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stress {

namespace asio = boost::asio;

void session_ledger::opened(std::uint64_t id)
{
    {
        const std::lock_guard lock(mutex_);
        if (++lives_[id].opens != 1)
            wrong.add("a session was opened twice");
    }
    opens.add();
}

void session_ledger::closed(std::uint64_t id)
{
    {
        const std::lock_guard lock(mutex_);
        life& its = lives_[id];
        if (its.opens != 1)
            wrong.add("a session was closed that was never opened");
        if (++its.closes != 1)
            wrong.add("a session was closed twice");
        if (its.running != 0)
            wrong.add("a session was closed while its handlers run");
    }
    closes.add();
}

void session_ledger::begun(std::uint64_t id)
{
    {
        const std::lock_guard lock(mutex_);
        life& its = lives_[id];
        ++its.running;
        if (its.opens != 1 || its.closes != 0)
            wrong.add("a handler began before its session was opened, or after it was closed");
    }
    under_way.add();
}

void session_ledger::ended(std::uint64_t id)
{
    {
        const std::lock_guard lock(mutex_);
        --lives_[id].running;
    }
    over.add();
}

namespace {

/// A handler, from its begin to its end.
class handler_run {
public:
    handler_run(session_ledger& noted, const wharf::call& current)
        : noted_(noted), id_(current.session_id())
    {
        noted_.begun(id_);
    }
    ~handler_run() { noted_.ended(id_); }
    handler_run(const handler_run&) = delete;
    handler_run& operator=(const handler_run&) = delete;

private:
    session_ledger& noted_;
    const std::uint64_t id_;
};

wharf::awaitable<void> wait_for_end(session_ledger& noted, wharf::call& current)
{
    const handler_run run(noted, current);
    asio::steady_timer never(current.get_executor(), clock::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
}

wharf::awaitable<void> send_for_ever(session_ledger& noted, download what, wharf::call& current,
                                     wharf::sink<chunk>& out)
{
    const handler_run run(noted, current);
    chunk next;
    next.bytes.assign(what.bytes, 'd');
    for (;; ++next.offset)
        co_await out.async_send(next);
}

wharf::awaitable<received> receive_all(session_ledger& noted, wharf::call& current,
                                       wharf::source<chunk>& in)
{
    const handler_run run(noted, current);
    received all;
    while (const std::optional<chunk> next = co_await in.async_next()) {
        ++all.items;
        all.bytes += next->bytes.size();
    }
    co_return all;
}

wharf::awaitable<void> ask_back(session_ledger& noted, wharf::call& current)
{
    const handler_run run(noted, current);
    const hold question{};
    co_await current.session().async_call(question);
}

} // namespace

void storm_service::serve(wharf::router& commands)
{
    commands.on_open(
        [this](const wharf::session_handle& session) { ledger_.opened(session.id()); });
    commands.on_close([this](const wharf::session_handle& session, const wharf::error&) {
        ledger_.closed(session.id());
    });
    commands.on<ask>([this](const ask& question, wharf::call& current) {
        const handler_run run(ledger_, current);
        return answer_to(question);
    });
    commands.on<hold>(
        [this](hold, wharf::call& current) { return wait_for_end(ledger_, current); });
    commands.on<call_back>(
        [this](call_back, wharf::call& current) { return ask_back(ledger_, current); });
    commands.on<block>(wharf::blocking, [this](const block&, wharf::call& current) {
        const handler_run run(ledger_, current);
        released_.reaches(1);
    });
    commands.on<download>([this](download what, wharf::call& current, wharf::sink<chunk>& out) {
        return send_for_ever(ledger_, what, current, out);
    });
    commands.on<upload_all>([this](upload_all, wharf::call& current, wharf::source<chunk>& in) {
        return receive_all(ledger_, current, in);
    });
    commands.on<kick>([this](const kick&, wharf::call& current) {
        const handler_run run(ledger_, current);
        current.session().close();
    });
}

} // namespace stress
