// session: receive, drain, answer, send.
#include "session.hpp"

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include "log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view software = "wharfd";

/// Above this much unsent no event is taken and nothing is received.
constexpr std::size_t high_water_bytes = 256u << 10;
/// How long a peer may take to close its side, and to read the last replies, once we closed ours.
constexpr auto linger_time = 1000ms;
/// Receives of a draining session before it says that it accepts no more.
constexpr int last_reads_max = 64;

std::string describe(const principal& who)
{
    return who.name + " as " + who.role;
}

} // namespace

/// The slot of a call whose handler awaits: it waits for room before it writes.
class session::late_slot : public detail::conversation_slot {
public:
    late_slot(session& s, std::uint64_t id)
        : conversation_slot(s.conversation_, id, s.host_.options.decode), session_(s)
    {}

    ~late_slot()
    {
        session_.memory_held_ -= held_;
        session_.host_.calls_memory.fetch_sub(held_, std::memory_order_relaxed);
    }

    bool has_room() const noexcept override { return session_.may_write(); }
    awaitable<void> async_room() override
    {
        while (!session_.may_write() && !session_.broken_)
            co_await session_.wait_for_change();
    }
    void hold(std::size_t bytes) override
    {
        held_ += bytes;
        session_.memory_held_ += bytes;
        const std::size_t all =
            session_.host_.calls_memory.fetch_add(bytes, std::memory_order_relaxed) + bytes;
        if (all > session_.host_.options.calls_memory_bytes_max)
            throw error(errc::overloaded, "the calls in flight hold too much memory", 100ms);
    }

private:
    session& session_;
    std::size_t held_ = 0;
};

/// One awaitable handler under way. The body, which refers to the rest, goes first.
struct session::late_call {
    late_call(std::shared_ptr<session> s, call c, std::string_view name)
        : owner(std::move(s)), current(c), slot(*owner, c.id()), command(name)
    {}
    std::shared_ptr<session> owner;
    call current;
    late_slot slot;
    std::string command;
    awaitable<void> body;
};

session::session(transport stream, std::uint64_t id, std::optional<principal> who,
                 session_end refusal, const session_host& host)
    : host_(host),
      facts_{id,
             who.value_or(principal{}),
             remote_address(stream),
             stream.get_executor(),
             &host.commands,
             &host.rules},
      stream_(std::move(stream)),
      conversation_(side::server, host.options.conversation, std::string(software),
                    std::chrono::steady_clock::now()),
      timer_(facts_.executor),
      change_(facts_.executor, time_point::max()),
      now_(std::chrono::steady_clock::now()),
      last_call_(now_),
      high_water_(std::min(high_water_bytes, host.options.send_queue_bytes_max)),
      last_reads_left_(last_reads_max),
      refused_(!who)
{
    if (refused_)
        end_ = std::move(refusal);
}

session::~session() = default;

void session::start()
{
    asio::co_spawn(
        facts_.executor, [self = shared_from_this()] { return self->run(); },
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            if (thrown)
                log::write(log::level::error, "session failed: " + detail::to_failure(thrown).cause,
                           {{"WHARF_SESSION", std::to_string(self->facts_.id)}});
            self->host_.ended(*self);
        });
}

asio::awaitable<void> session::run()
{
    if (!refused_ && log::enabled(log::level::debug))
        log::write(
            log::level::debug, "session begins: " + describe(facts_.caller),
            {{"WHARF_SESSION", std::to_string(facts_.id)}, {"WHARF_PEER", facts_.peer.address}});
    try {
        error_code ignored;
        stream_.non_blocking(true, ignored);
        if (!refused_)
            co_await serve();
    }
    catch (const std::exception& e) {
        end(errc::internal, e.what());
    }
    co_await finish();
    log_end();
}

// ---- Reading ----------------------------------------------------------------------------------

asio::awaitable<void> session::serve()
{
    if (host_.options.idle_timeout > 0ms)
        arm(now_ + host_.options.idle_timeout);
    while (!end_) {
        const turn taken = take_events();
        flush();
        if (end_)
            break;
        if (taken == turn::more) {
            if (!has_room())
                co_await wait_for_change();
            continue;
        }
        if (drain_asked_ && !going_away_) {
            begin_going_away();
            continue;
        }
        if (going_away_ && conversation_.calls_in_flight() == 0 && conversation_.unsent().empty()) {
            end(errc::going_away, "the server is stopping");
            break;
        }
        if (const auto deadline = conversation_.next_deadline())
            arm(*deadline);
        const auto room = conversation_.prepare();
        const auto [failed, n] =
            co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), no_throw);
        now_ = std::chrono::steady_clock::now();
        if (failed == asio::error::eof)
            co_await answer_the_rest();
        else if (failed && failed != asio::error::operation_aborted)
            end(to_errc(failed), {});
        else
            conversation_.commit(n);
    }
}

/// The peer closed its sending side: it still gets the replies that are under way.
asio::awaitable<void> session::answer_the_rest()
{
    const event last = conversation_.end_of_input();
    const events::ended& over = std::get<events::ended>(last);
    if (over.code == errc::connection_closed)
        while (!end_ && (conversation_.calls_in_flight() != 0 || !conversation_.unsent().empty()))
            co_await wait_for_change();
    end(over.code, over.text);
}

session::turn session::take_events()
{
    for (;;) {
        if (!has_room())
            return turn::more;
        const event e = conversation_.next();
        if (const auto* called = std::get_if<events::called>(&e)) {
            on_called(*called);
        }
        else if (std::holds_alternative<events::nothing>(e)) {
            return turn::drained;
        }
        else if (const auto* name = std::get_if<events::declared>(&e)) {
            on_declared(*name);
        }
        else if (const auto* over = std::get_if<events::ended>(&e)) {
            end(over->code, over->text);
            return turn::drained;
        }
        if (end_)
            return turn::drained;
    }
}

void session::on_declared(const events::declared& e)
{
    declared_command what;
    what.name = e.name;
    what.entry = host_.commands.find(e.name);
    // Who may not call a command does not learn whether it exists.
    if (!host_.rules.may_call(facts_.caller.role, e.name))
        what.refusal = errc::permission_denied;
    else if (what.entry == nullptr)
        what.refusal = errc::unknown_command;
    if (declared_.size() <= e.number)
        declared_.resize(e.number + 1u);
    declared_[e.number] = std::move(what);
}

void session::on_called(const events::called& e)
{
    last_call_ = now_;
    session_counters::add(host_.counters.calls);
    static const declared_command undeclared{nullptr, errc::unknown_command, {}};
    const declared_command& what = e.number < declared_.size() ? declared_[e.number] : undeclared;
    if (what.entry == nullptr || what.refusal != errc{}) {
        session_counters::add(host_.counters.errors);
        conversation_.reply_error(
            e.id, what.refusal == errc{} ? errc::unknown_command : what.refusal, what.name);
        return;
    }
    if (e.timeout && *e.timeout <= 0ms) {
        session_counters::add(host_.counters.errors);
        conversation_.reply_error(e.id, errc::deadline_exceeded);
        return;
    }
    const call current(facts_, e.id, e.timeout ? now_ + *e.timeout : time_point::max());
    if (what.entry->start != nullptr) {
        start_late(what, e, current);
        return;
    }
    call mine = current;
    detail::conversation_slot slot(conversation_, e.id, host_.options.decode);
    detail::call_failure failure;
    if (!detail::answer_call(*what.entry, e.message, mine, slot, failure))
        note_failure(what.name, e.id, failure);
}

void session::note_failure(const std::string& command, std::uint64_t call_id,
                           const detail::call_failure& why)
{
    session_counters::add(host_.counters.errors);
    if (why.cause.empty())
        return;
    log::write(log::level::error, "handler failed: " + why.cause,
               {{"WHARF_SESSION", std::to_string(facts_.id)},
                {"WHARF_PEER", facts_.peer.address},
                {"WHARF_COMMAND", command},
                {"WHARF_CALL", std::to_string(call_id)}});
}

// ---- Handlers that await ----------------------------------------------------------------------

void session::start_late(const declared_command& what, const events::called& e, call current)
{
    auto late = std::make_unique<late_call>(shared_from_this(), current, what.name);
    try {
        late->body =
            what.entry->start(what.entry->handler.get(), e.message, late->current, late->slot);
    }
    catch (...) {
        const auto failure = detail::to_failure(std::current_exception());
        late->slot.fail(failure);
        note_failure(what.name, e.id, failure);
        return;
    }
    asio::co_spawn(facts_.executor, run_late(std::move(late)), asio::detached);
}

asio::awaitable<void> session::run_late(std::unique_ptr<late_call> late)
{
    std::exception_ptr thrown;
    try {
        co_await std::move(late->body);
        if (!late->slot.complete())
            session_counters::add(host_.counters.errors);
    }
    catch (...) {
        thrown = std::current_exception();
    }
    if (thrown) {
        const auto failure = detail::to_failure(thrown);
        late->slot.fail(failure);
        note_failure(late->command, late->current.id(), failure);
    }
    flush_soon();
}

// ---- Writing ----------------------------------------------------------------------------------

bool session::may_write() const noexcept
{
    return conversation_.unsent().size() < high_water_;
}

/// For another event of the peer: what it may make us write, and hold.
bool session::has_room() const noexcept
{
    return may_write() && memory_held_ < host_.options.session_memory_bytes_max;
}

void session::flush()
{
    if (write_waits_ || broken_)
        return;
    while (!conversation_.unsent().empty()) {
        const auto bytes = conversation_.unsent();
        error_code failed;
        const std::size_t n = stream_.write_some(asio::buffer(bytes.data(), bytes.size()), failed);
        if (failed == asio::error::would_block || failed == asio::error::try_again) {
            wait_writable();
            break;
        }
        if (failed) {
            broken_ = true;
            end(to_errc(failed), {});
            return;
        }
        conversation_.sent(n);
        blocked_since_.reset();
    }
    // Replies wait for room before they are written, so only what may not wait, such as errors,
    // piles up here: a peer that asks and does not read.
    if (conversation_.unsent().size() >
        host_.options.send_queue_bytes_max + host_.options.conversation.message_bytes_max) {
        broken_ = true;
        end(errc::slow_reader, "the send queue is full");
    }
}

void session::flush_soon()
{
    if (flush_posted_)
        return;
    flush_posted_ = true;
    asio::post(facts_.executor, [self = shared_from_this()] {
        self->flush_posted_ = false;
        self->flush();
        self->tell_change();
    });
}

void session::wait_writable()
{
    write_waits_ = true;
    if (!blocked_since_)
        blocked_since_ = std::chrono::steady_clock::now();
    arm(*blocked_since_ + host_.options.send_timeout);
    stream_.async_wait(transport::wait_write, [self = shared_from_this()](const error_code&) {
        // An abort is a wake-up of the reader: writing is simply tried again.
        self->write_waits_ = false;
        self->flush();
        self->tell_change();
    });
}

// ---- Time and the end -------------------------------------------------------------------------

void session::arm(time_point when)
{
    if (armed_for_ && *armed_for_ <= when)
        return;
    armed_for_ = when;
    timer_.expires_at(when);
    timer_.async_wait([self = shared_from_this()](const error_code& failed) {
        if (!failed)
            self->on_timer();
    });
}

void session::on_timer()
{
    armed_for_.reset();
    now_ = std::chrono::steady_clock::now();
    if (linger_until_) {
        if (now_ >= *linger_until_) {
            broken_ = true;
            wake();
        }
        else {
            arm(*linger_until_);
        }
        return;
    }
    // Without room it is we who do not receive: a frame that waits is not the peer's fault, and the
    // next receive asks for the deadline again.
    if (has_room())
        expire_deadlines();
    if (blocked_since_) {
        const auto limit = *blocked_since_ + host_.options.send_timeout;
        if (now_ >= limit) {
            broken_ = true;
            end(errc::slow_reader, "the peer took no byte before the send timeout");
        }
        else {
            arm(limit);
        }
    }
    if (host_.options.idle_timeout > 0ms) {
        if (conversation_.calls_in_flight() != 0)
            last_call_ = now_;
        if (now_ - last_call_ >= host_.options.idle_timeout)
            end(errc::going_away, "no call before the idle timeout");
        else
            arm(last_call_ + host_.options.idle_timeout);
    }
}

void session::expire_deadlines()
{
    for (;;) {
        const event e = conversation_.expire(now_);
        if (std::holds_alternative<events::nothing>(e))
            break;
        if (const auto* over = std::get_if<events::ended>(&e)) {
            end(over->code, over->text);
            break;
        }
    }
    if (const auto deadline = conversation_.next_deadline())
        arm(*deadline);
}

void session::end(errc code, std::string text)
{
    if (end_)
        return;
    end_ = session_end{code, std::move(text)};
    wake();
}

/// After writing: a coroutine that waits for room looks again, and a reader that waits for the last
/// reply to leave. Cancelling while something is unsent would only wake the write that waits.
void session::tell_change()
{
    change_.cancel();
    if (going_away_ && conversation_.unsent().empty())
        wake();
}

/// Lets the coroutine look again, whatever it waits for.
void session::wake()
{
    change_.cancel();
    error_code ignored;
    stream_.cancel(ignored);
}

asio::awaitable<void> session::wait_for_change()
{
    co_await change_.async_wait(no_throw);
    now_ = std::chrono::steady_clock::now();
}

void session::drain()
{
    drain_asked_ = true;
    wake();
}

void session::close_now(errc why)
{
    broken_ = true;
    end(why, {});
    wake();
    error_code ignored;
    stream_.close(ignored);
}

void session::begin_going_away()
{
    // What the peer sent before we stop is answered, not refused; but not for ever.
    while (last_reads_left_ > 0) {
        --last_reads_left_;
        const auto room = conversation_.prepare();
        error_code failed;
        const std::size_t n = stream_.read_some(asio::buffer(room.data(), room.size()), failed);
        if (failed)
            break;
        conversation_.commit(n);
        if (take_events() == turn::more || end_)
            return;
    }
    going_away_ = true;
    conversation_.go_away(errc::going_away, "the server is stopping");
}

/// Sends what is left, closes our side, waits for the peer's: a close with unread bytes would reset
/// the connection, and the peer would lose the last replies.
asio::awaitable<void> session::finish()
{
    linger_until_ = std::chrono::steady_clock::now() + linger_time;
    armed_for_.reset();
    arm(*linger_until_);
    const bool is_news = end_->code != errc::connection_closed && !going_away_ && !broken_;
    if (is_news && !conversation_.has_ended())
        conversation_.go_away(end_->code, end_->text);
    blocked_since_.reset();
    flush();
    while (!broken_ && !conversation_.unsent().empty())
        co_await wait_for_change();
    if (!broken_)
        co_await async_close_gracefully(stream_, *linger_until_);
    broken_ = true;
    timer_.cancel();
    error_code ignored;
    stream_.close(ignored);
}

void session::log_end() const
{
    const auto level = refused_                                ? log::level::notice
                       : end_->code == errc::connection_closed ? log::level::debug
                                                               : log::level::info;
    if (!log::enabled(level))
        return;
    std::string text = refused_ ? "peer refused: " : "session ends: ";
    text += to_sentence(end_->code);
    if (!end_->text.empty())
        text += ": " + end_->text;
    std::string who = facts_.peer.address;
    if (facts_.peer.uid)
        who += " uid " + std::to_string(*facts_.peer.uid);
    log::write(level, text,
               {{"WHARF_SESSION", std::to_string(facts_.id)},
                {"WHARF_PEER", who},
                {"WHARF_ERRC", std::string(to_name(end_->code))}});
}

} // namespace wharf
