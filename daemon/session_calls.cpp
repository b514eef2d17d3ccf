// session: handlers that outlast the turn in which their call came, awaiting or blocking ones.
#include "session_calls.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace wharf {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// What a caller that found a limit reached may wait before it asks again.
constexpr auto retry_time = 100ms;
/// Deadlines of calls under way are enforced to this precision, so that looking at all of them is
/// cheap however many pass.
constexpr auto deadline_step = 10ms;
/// Places of awaitable calls that a session keeps for the next ones, until it rests.
constexpr std::size_t spare_places_max = 128;

} // namespace

std::shared_ptr<detail::stream_channel> inline_slot::channel(bool, bool)
{
    throw error(errc::internal, "an inline handler has no streams");
}

// ---- A call under way -------------------------------------------------------------------------

session::running_call::running_call(session& s, const declared_command& what,
                                    const events::called& e, time_point deadline)
    : core(s.self_),
      owner(s),
      entry(*what.entry),
      older(what.older.get()),
      current(core, s.facts_, e.id, deadline, &is_cancelled),
      bytes_in(e.message.size()),
      begun(s.received_at_)
{
    owner.running_.insert_or_assign(e.id, this);
}

session::running_call::~running_call()
{
    release();
}

void session::running_call::hold(std::size_t bytes)
{
    held_ += bytes;
    owner.memory_held_ += bytes;
    std::atomic<std::size_t>& all = owner.host_.calls_memory;
    if (all.fetch_add(bytes, std::memory_order_relaxed) + bytes >
        owner.host_.options.calls_memory_bytes_max)
        throw error(errc::overloaded, "the calls in flight hold too much memory", retry_time);
}

void session::running_call::release() noexcept
{
    if (!is_listed_)
        return;
    is_listed_ = false;
    owner.running_.erase(current.id());
    owner.memory_held_ -= held_;
    owner.host_.calls_memory.fetch_sub(held_, std::memory_order_relaxed);
}

session::channel_ptr session::running_call::make_channel(bool receives, bool sends)
{
    channel = std::make_shared<detail::stream_channel>(
        owner.shared_from_this(), detail::stream_channel::role::callee, receives, sends);
    if (older != nullptr && sends) [[unlikely]]
        channel->translate(older->items());
    channel->attach(owner.conversation_, current.id());
    return channel;
}

/// The call is answered, and this is what it was answered with.
void session::close_answer(running_call& done, errc code, detail::call_failure failure,
                           std::size_t bytes_out)
{
    if (done.channel) {
        if (code == errc{})
            done.channel->on_answered();
        else
            done.channel->on_failed(code, failure.text, failure.retry_after);
    }
    if (code != errc{}) {
        // What a handler throws that was told to stop is no news.
        if (done.cancelled_as != errc{})
            failure.cause.clear();
        note_failure(done.entry.name, done.current.id(), failure);
    }
    note_answered(done.entry.index, code, done.begun, done.bytes_in, bytes_out);
    done.release();
}

// ---- Handlers that await ----------------------------------------------------------------------

session::awaitable_call::awaitable_call(session& s, const declared_command& what,
                                        const events::called& e, time_point deadline,
                                        call_place& in)
    : running_call(s, what, e, deadline), place(in), slot(*this)
{}

session::awaitable_call::pointer session::awaitable_call::make(session& s,
                                                               const declared_command& what,
                                                               const events::called& e,
                                                               time_point deadline)
{
    std::unique_ptr<call_place> place;
    if (s.spare_places_.empty()) {
        place = std::make_unique<call_place>();
    }
    else {
        place = std::move(s.spare_places_.back());
        s.spare_places_.pop_back();
    }
    pointer made(::new (place->room) awaitable_call(s, what, e, deadline, *place));
    static_cast<void>(place.release()); // it is the call's now
    return made;
}

void session::awaitable_call::deleter::operator()(awaitable_call* c) const noexcept
{
    std::unique_ptr<call_place> place(&c->place);
    const auto alive = c->core;
    session& s = c->owner;
    c->~awaitable_call();
    if (s.spare_places_.size() == spare_places_max)
        return;
    try {
        s.spare_places_.push_back(std::move(place));
    }
    catch (const std::bad_alloc&) { // then it goes
    }
}

void session::awaitable_call::stop()
{
    place.signal.emit(asio::cancellation_type::terminal);
}

session::awaitable_call::slot_type::slot_type(awaitable_call& of)
    : conversation_slot(of.owner.conversation_, of.current.id(), of.owner.host_.options.decode),
      of_(of)
{
    store_for(of.older);
}

asio::awaitable<void> session::awaitable_call::slot_type::async_room()
{
    session& s = of_.owner;
    while (!s.may_write() && !s.broken_)
        co_await s.wait_for_change();
}

session::channel_ptr session::awaitable_call::slot_type::channel(bool receives, bool sends)
{
    return of_.make_channel(receives, sends);
}

void session::start_awaitable(const declared_command& what, const events::called& e,
                              time_point deadline)
{
    auto starting = awaitable_call::make(*this, what, e, deadline);
    awaitable_call& c = *starting;
    asio::awaitable<void> body;
    try {
        body = c.entry.start(c.entry.handler.get(), e.message, c.current, c.slot);
    }
    catch (...) {
        finish_awaitable(c, std::current_exception());
        return;
    }
    if (deadline != time_point::max())
        look_at_calls(deadline);
    // The completion owns the call: the signal must outlive all that is bound to its slot.
    asio::co_spawn(
        facts_.executor, run_awaitable(c, std::move(body)),
        asio::bind_cancellation_slot(c.place.signal.slot(),
                                     [owned = std::move(starting)](const std::exception_ptr&) {}));
}

/// Answers in the same breath as the handler ends: its reply is open, and nothing else may be
/// written meanwhile.
asio::awaitable<void> session::run_awaitable(awaitable_call& c, asio::awaitable<void> body)
{
    std::exception_ptr thrown;
    try {
        co_await std::move(body);
    }
    catch (...) {
        thrown = std::current_exception();
    }
    session& s = c.owner;
    s.finish_awaitable(c, thrown);
    s.flush_soon();
}

void session::finish_awaitable(awaitable_call& done, const std::exception_ptr& thrown)
{
    const std::size_t before = conversation_.unsent_bytes();
    detail::call_failure failure;
    errc code{};
    std::exception_ptr why = thrown;
    try {
        if (!why && !done.slot.complete())
            code = failure.code = errc::message_limit;
    }
    catch (...) { // it cannot be stored for this peer
        why = std::current_exception();
    }
    if (why) {
        failure = detail::to_failure(why);
        if (done.cancelled_as != errc{}) {
            failure.code = done.cancelled_as;
            failure.text.clear();
        }
        code = failure.code;
        done.slot.fail(failure);
    }
    const std::size_t after = conversation_.unsent_bytes();
    close_answer(done, code, std::move(failure), after > before ? after - before : 0);
}

// ---- Handlers that block ----------------------------------------------------------------------

/// A reply in memory, which the session writes later.
class session::blocking_call::slot_type final : public detail::reply_slot {
public:
    slot_type(blocking_call& of, const limits& bounds) noexcept : of_(of), bounds_(bounds) {}
    const limits& bounds() const noexcept override { return bounds_; }
    byte_buffer& open() override { return of_.reply; }
    detail::message_owner* owner_of(std::span<const std::byte>) noexcept override
    {
        return &of_.message;
    }
    channel_ptr channel(bool, bool) override
    {
        throw error(errc::internal, "a blocking handler has no streams");
    }

private:
    blocking_call& of_;
    const limits& bounds_;
};

session::blocking_call::blocking_call(session& s, const declared_command& what,
                                      const events::called& e, time_point deadline)
    : running_call(s, what, e, deadline), message(detail::take_message(s.conversation_, e.message))
{}

void session::blocking_call::run() noexcept
{
    try {
        if (is_cancelled.load(std::memory_order_relaxed)) {
            failure.code = errc::cancelled;
        }
        else if (current.deadline() <= std::chrono::steady_clock::now()) {
            failure.code = errc::deadline_exceeded;
        }
        else {
            slot_type slot(*this, owner.host_.options.decode);
            entry.answer(entry.handler.get(), message.view(), current, slot);
            ok = true;
        }
    }
    catch (...) {
        failure = detail::to_failure(std::current_exception());
    }
    message = detail::message_owner();
    session& s = owner;
    asio::post(s.facts_.executor, [done = shared_from_this()] {
        done->owner.finish_blocking(done);
        done->owner.flush_soon();
    });
}

void session::start_blocking(const declared_command& what, const events::called& e,
                             time_point deadline)
{
    const auto c = std::make_shared<blocking_call>(*this, what, e, deadline);
    try {
        c->hold(sizeof *c + c->message.view().size());
        if (!host_.pool.try_run([c] { c->run(); }))
            throw error(errc::overloaded, "too many calls wait for a handler that blocks",
                        retry_time);
    }
    catch (const error&) {
        c->failure = detail::to_failure(std::current_exception());
        finish_blocking(c);
        return;
    }
    if (deadline != time_point::max())
        look_at_calls(deadline);
}

/// Writes the answer, or keeps it until there is room.
void session::finish_blocking(const std::shared_ptr<blocking_call>& done)
{
    if (done->ok && !end_ && !may_write()) {
        try {
            done->hold(done->reply.size());
            waiting_answers_.push_back(done);
            return;
        }
        catch (const error&) {
            done->ok = false;
            done->failure = detail::to_failure(std::current_exception());
        }
    }
    write_answer(*done);
}

void session::write_answer(blocking_call& done)
{
    const std::size_t before = conversation_.unsent_bytes();
    inline_slot slot(conversation_, done.current.id(), host_.options.decode);
    slot.store_for(done.older);
    errc code{};
    try {
        if (done.ok) {
            slot.open().append(done.reply.view());
            if (!slot.complete())
                code = done.failure.code = errc::message_limit;
        }
    }
    catch (const error&) { // it cannot be stored for this peer
        done.ok = false;
        done.failure = detail::to_failure(std::current_exception());
    }
    if (!done.ok) {
        if (done.cancelled_as != errc{})
            done.failure.code = done.cancelled_as;
        code = done.failure.code;
        slot.fail(done.failure);
    }
    const std::size_t after = conversation_.unsent_bytes();
    close_answer(done, code, std::move(done.failure), after > before ? after - before : 0);
}

void session::write_waiting_answers()
{
    std::size_t written = 0;
    for (; written < waiting_answers_.size() && may_write(); ++written)
        write_answer(*waiting_answers_[written]);
    waiting_answers_.erase(waiting_answers_.begin(),
                           waiting_answers_.begin() + static_cast<std::ptrdiff_t>(written));
}

// ---- Cancelling -------------------------------------------------------------------------------

/// Tells the handler. The call is answered when the handler has ended: until then it keeps its
/// place in flight, and so cancelling is no way to have more of them.
void session::cancel(running_call& which, errc why, errc answer)
{
    if (which.cancelled_as != errc{})
        return;
    which.cancelled_as = answer;
    which.is_cancelled.store(true, std::memory_order_relaxed);
    if (which.channel)
        which.channel->on_failed(why, {});
    which.stop();
}

void session::cancel_all(errc why)
{
    // A handler may end within its cancelling, and others with it.
    std::vector<std::uint64_t> ids;
    ids.reserve(running_.size());
    for (const auto& [id, running] : running_)
        ids.push_back(id);
    for (const std::uint64_t id : ids)
        if (const auto found = running_.find(id); found != running_.end())
            // It ran, at least in part: a code that says "not accepted" would have its caller,
            // where it gets there, send it again.
            cancel(*found->second, why, errc::outcome_unknown);
    for (const auto& answer : std::exchange(waiting_answers_, {}))
        answer->release();
}

/// Looks at the deadlines of calls at `when`, or before.
void session::look_at_calls(time_point when)
{
    if (calls_due_ && *calls_due_ <= when)
        return;
    calls_due_ = when;
    arm(when);
}

/// Cancels the calls of the peer whose deadline has passed, for a peer that does not say so itself,
/// and gives up those to the peer.
void session::expire_calls()
{
    calls_due_.reset();
    time_point next = time_point::max();
    std::vector<std::uint64_t> passed, own_passed;
    for (const auto& [id, running] : running_) {
        if (running->cancelled_as != errc{})
            continue;
        if (running->current.deadline() <= now_)
            passed.push_back(id);
        else
            next = std::min(next, running->current.deadline());
    }
    for (const auto& [id, record] : peer_calls_) {
        if (record->call().is_open_ended)
            continue;
        if (record->call().deadline <= now_)
            own_passed.push_back(id);
        else
            next = std::min(next, record->call().deadline);
    }
    for (const std::uint64_t id : passed)
        if (const auto found = running_.find(id); found != running_.end())
            cancel(*found->second, errc::deadline_exceeded);
    for (const std::uint64_t id : own_passed) {
        conversation_.cancel(id);
        finish_peer_call(id, {errc::deadline_exceeded, "the peer did not answer in time", {}, {}});
    }
    if (!own_passed.empty())
        flush_soon();
    if (next != time_point::max())
        look_at_calls(std::max(next, now_ + deadline_step));
}

} // namespace wharf
