// session: receive, take what is complete, answer, send.
#include "session_calls.hpp"

#include "log_events.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
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
/// Receives of a draining session before it says that it accepts no more.
constexpr int last_reads_max = 64;
/// What an operator asks, see system.hpp.
constexpr std::string_view system_prefix = "system.";

} // namespace

/// Held by the session's coroutine. However that ends, its loop's destruction included, the session
/// is closed for its user and lets go of itself.
class session::lifetime {
public:
    explicit lifetime(std::shared_ptr<session> of) noexcept : session_(std::move(of)) {}
    lifetime(lifetime&&) noexcept = default;
    lifetime& operator=(lifetime&&) = delete;
    ~lifetime()
    {
        if (!session_)
            return;
        session_->run_close_hooks();
        session_->self_.reset();
    }
    const std::shared_ptr<session>& get() const noexcept { return session_; }

private:
    std::shared_ptr<session> session_;
};

session::session(transport stream, std::uint64_t id, std::optional<principal> who,
                 session_end refusal, bool takes_json, const session_host& host)
    : host_(host),
      facts_{id,
             who.value_or(principal{}),
             remote_address(stream),
             local_address(stream),
             stream.get_executor(),
             &host.commands,
             takes_json},
      stream_(std::move(stream)),
      conversation_(side::server, host.options.conversation, std::string(software),
                    std::chrono::steady_clock::now()),
      timer_(facts_.executor),
      change_(facts_.executor, time_point::max()),
      now_(std::chrono::steady_clock::now()),
      received_at_(now_),
      last_call_(now_),
      since_(std::chrono::system_clock::now()),
      high_water_(std::min(high_water_bytes, host.options.send_queue_bytes_max)),
      last_reads_left_(last_reads_max),
      refused_(!who)
{
    if (refused_)
        end_ = std::move(refusal);
}

session::session(session_seed&& seed, const asio::any_io_executor& executor,
                 const session_host& host)
    : host_(host),
      facts_(std::move(seed.facts)),
      stream_(executor),
      conversation_(std::move(seed.talk)),
      timer_(executor),
      change_(executor, time_point::max()),
      declared_(std::move(seed.declared)),
      versions_(std::move(seed.versions)),
      now_(std::chrono::steady_clock::now()),
      received_at_(now_),
      last_call_(now_),
      since_(seed.since),
      calls_(seed.calls),
      bytes_in_(seed.bytes_in),
      bytes_out_(seed.bytes_out),
      high_water_(std::min(high_water_bytes, host.options.send_queue_bytes_max)),
      last_reads_left_(last_reads_max)
{
    facts_.executor = executor;
    stream_.assign(asio::generic::stream_protocol(seed.family, 0), seed.socket.release());
}

session::~session()
{
    host_.calls_memory.fetch_sub(queue_charged_, std::memory_order_relaxed);
}

void session::start()
{
    self_ = shared_from_this();
    asio::co_spawn(
        facts_.executor,
        [life = lifetime(shared_from_this())]() mutable { return run(std::move(life)); },
        [self = shared_from_this()](const std::exception_ptr& thrown) {
            if (thrown)
                log::write(log::level::error, log::session_failed,
                           "session failed: " + detail::to_failure(thrown).cause,
                           {{"WHARF_SESSION", std::to_string(self->facts_.id)}});
            if (!self->left_)
                self->host_.ended(*self);
        });
}

asio::awaitable<void> session::run(lifetime life)
{
    session& s = *life.get();
    if (!s.refused_ && !s.conversation_.is_open() &&
        log::enabled(log::level::debug, log::channel::session))
        log::write(log::level::debug, log::session_begins,
                   "session begins: " + s.facts_.caller.name + " as " + s.facts_.caller.role,
                   {{"WHARF_SESSION", std::to_string(s.facts_.id)},
                    {"WHARF_PEER", s.facts_.peer.address}});
    try {
        error_code ignored;
        s.stream_.non_blocking(true, ignored);
        if (!s.refused_)
            co_await s.serve();
    }
    catch (const std::exception& e) {
        s.end(errc::internal, e.what());
    }
    if (s.left_)
        co_return;
    s.in_turn_ = false;
    co_await s.finish();
    s.log_end();
    co_await s.wait_for_handlers();
    if (s.opened_ && !s.open_hooks_run_) // it never left the lobby
        s.run_open_hooks();
    s.run_close_hooks();
}

// ---- The loop ---------------------------------------------------------------------------------

asio::awaitable<void> session::serve()
{
    if (host_.options.idle_timeout > 0ms)
        arm(now_ + host_.options.idle_timeout);
    if (conversation_.is_open()) // it came from the lobby
        on_opened();
    while (!end_) {
        const turn taken = answer_received();
        if (end_)
            break;
        if (taken == turn::to_leave) {
            if (running_.empty() && peer_calls_.empty()) {
                leave_lobby();
                co_return;
            }
            co_await wait_for_change();
            continue;
        }
        if (taken == turn::no_room) {
            if (!may_take())
                co_await wait_for_change_or_hangup();
            continue;
        }
        if (drain_asked_ && !going_away_) {
            begin_going_away();
            continue;
        }
        if (going_away_ && conversation_.calls_in_flight() == 0 &&
            conversation_.unsent_bytes() == 0) {
            end(errc::going_away, "the server is stopping");
            break;
        }
        if (wants_rest()) {
            was_new_ = was_new_ || (opened_ && calls_ == 0);
            rests_ = true;
            conversation_.rest();
            std::vector<answers>().swap(answered_);
            spare_places_.clear();
            spare_places_.shrink_to_fit();
            // A wait for nothing, such as for the end of the handshake, takes memory too.
            if (!conversation_.next_deadline() && !calls_due_ && !lobby_until_ && !blocked_since_ &&
                host_.options.idle_timeout == 0ms) {
                armed_for_.reset();
                timer_.cancel();
            }
            co_await stream_.async_wait(transport::wait_read, no_throw);
            rests_ = false;
            now_ = std::chrono::steady_clock::now();
            continue;
        }
        receive();
        while (reads_)
            co_await change_.async_wait(no_throw);
        const error_code failed = std::exchange(read_failed_, {});
        if (failed == asio::error::eof)
            co_await answer_the_rest();
        else if (failed && failed != asio::error::operation_aborted)
            end(to_errc(failed), {});
    }
}

/// Answers what is complete, and sends.
session::turn session::answer_received()
{
    in_turn_ = true;
    const turn taken = take_events();
    in_turn_ = false;
    flush();
    if (!end_ && taken == turn::drained)
        if (const auto deadline = conversation_.next_deadline())
            arm(*deadline);
    return taken;
}

/// Was it asked to give memory back? A new session does by itself: it may never call.
bool session::wants_rest() const noexcept
{
    return rests_ || (opened_ && calls_ == 0 && !was_new_);
}

/// Receives, and goes on as long as there is nothing to do but to answer: what is common costs no
/// switch of coroutines. The session's own is told when that ends, or the receive failed.
void session::receive()
{
    const auto room = conversation_.prepare();
    // The session's coroutine, and so the session, waits for the end of this.
    stream_.async_read_some(asio::buffer(room.data(), room.size()),
                            [this](const error_code& failed, std::size_t n) {
                                reads_ = false;
                                if (!answer_at_once(failed, n))
                                    change_.cancel();
                            });
    reads_ = true;
}

/// False: the session's coroutine decides what is next.
bool session::answer_at_once(const error_code& failed, std::size_t n)
try {
    now_ = received_at_ = std::chrono::steady_clock::now();
    read_failed_ = failed;
    if (failed)
        return false;
    bytes_in_ += n;
    conversation_.commit(n);
    if (end_) // while this receive was complete already
        return false;
    if (answer_received() != turn::drained || end_ || drain_asked_ || going_away_ || wants_rest())
        return false;
    receive();
    return true;
}
catch (const std::exception& e) {
    in_turn_ = false;
    end(errc::internal, e.what());
    return false;
}

session::turn session::take_events()
{
    for (;;) {
        if (leaving_) [[unlikely]]
            return turn::to_leave;
        if (!may_take())
            return turn::no_room;
        const event e = conversation_.next();
        if (const auto* called = std::get_if<events::called>(&e)) [[likely]]
            on_called(*called);
        else if (std::holds_alternative<events::nothing>(e))
            return turn::drained;
        else
            take(e);
        if (end_) [[unlikely]]
            return turn::drained;
    }
}

void session::take(const event& what)
{
    if (const auto* item = std::get_if<events::item>(&what))
        on_item(*item);
    else if (const auto* window = std::get_if<events::window_opened>(&what))
        on_window(*window);
    else if (const auto* uploaded = std::get_if<events::upload_ended>(&what)) {
        if (detail::stream_channel* c = channel_of_peers(uploaded->id))
            c->on_end();
    }
    else if (const auto* cancelled = std::get_if<events::cancelled>(&what)) {
        if (const auto found = running_.find(cancelled->id); found != running_.end())
            cancel(*found->second, errc::cancelled);
    }
    else if (const auto* replied = std::get_if<events::replied>(&what))
        finish_peer_call(replied->id,
                         {{}, {}, {}, replied->message, conversation_.owner_of(replied->message)});
    else if (const auto* failed = std::get_if<events::failed>(&what)) {
        if (failed->code != errc::newer_version || !call_peer_again(failed->id))
            finish_peer_call(failed->id, {failed->code, failed->text, failed->retry_after, {}});
    }
    else if (const auto* expired = std::get_if<events::expired>(&what))
        finish_peer_call(expired->id,
                         {errc::deadline_exceeded, "the peer did not answer in time", {}, {}});
    else if (const auto* known = std::get_if<events::versions>(&what))
        on_versions(*known);
    else if (const auto* name = std::get_if<events::declared>(&what))
        on_declared(*name);
    else if (std::holds_alternative<events::opened>(what))
        on_opened();
    else if (const auto* away = std::get_if<events::going_away>(&what))
        fail_peer_calls(errc::going_away, away->text, away->last_call);
    else if (const auto* over = std::get_if<events::ended>(&what))
        end(over->code, over->text);
}

void session::on_declared(const events::declared& e)
{
    declared_command what;
    const auto [entry, name, is_json] = host_.commands.resolve(e.name);
    what.name = name;
    what.entry = entry;
    what.is_system = name.starts_with(system_prefix);
    // Who may not call a command does not learn whether it exists.
    if (!may_call(what.name))
        what.refusal = errc::permission_denied;
    else if (is_json && !facts_.takes_json)
        what.refusal = errc::unsupported_json;
    else if (what.entry != nullptr)
        what.refusal = errc{};
    if (what.refusal == errc{}) {
        what.older = detail::answer_declaration(conversation_, e, is_json ? nullptr : entry->types);
        if (what.older && !what.older->obstacle_of_answers().empty())
            what.refusal = errc::newer_version;
    }
    if (is_lobby() && what.refusal == errc{} && !what.is_system)
        leaving_ = true;
    if (declared_.size() <= e.number)
        declared_.resize(e.number + 1u);
    declared_[e.number] = std::move(what);
}

bool session::may_call(std::string_view command) const
{
    return host_.rules.may_call(facts_.caller.role, command);
}

void session::on_called(const events::called& e)
{
    last_call_ = received_at_;
    ++calls_;
    session_counters::add(host_.counters.calls);
    if (e.number >= declared_.size()) [[unlikely]] {
        refuse(e, {}, errc::unknown_command);
        return;
    }
    const declared_command& what = declared_[e.number];
    if (what.refusal != errc{}) [[unlikely]] {
        refuse(e, what, what.refusal,
               what.refusal == errc::newer_version ? what.older->obstacle_of_answers() : what.name);
        return;
    }
    if (host_.calls_memory.load(std::memory_order_relaxed) > host_.options.calls_memory_bytes_max &&
        !what.is_system) [[unlikely]] {
        refuse(e, what, errc::overloaded, "the calls and send queues of all sessions hold too much",
               100ms);
        return;
    }
    time_point deadline = time_point::max();
    if (e.timeout) {
        if (*e.timeout <= 0ms) [[unlikely]] {
            refuse(e, what, errc::deadline_exceeded);
            return;
        }
        deadline = received_at_ + *e.timeout;
    }
    const detail::command_entry& entry = *what.entry;
    if (entry.start == nullptr && !entry.is_blocking) {
        answer_inline(what, e, deadline);
        return;
    }
    end_inline_run();
    host_.metrics.began(entry.index);
    if (entry.start != nullptr)
        start_awaitable(what, e, deadline);
    else
        start_blocking(what, e, deadline);
}

void session::answer_inline(const declared_command& what, const events::called& e,
                            time_point deadline)
{
    const detail::command_entry& entry = *what.entry;
    if (inline_run_.count == 0 || inline_run_.index != entry.index) [[unlikely]]
        begin_inline_run(entry.index);
    host_.metrics.began(entry.index);
    call current(self_, facts_, e.id, deadline);
    inline_slot slot(conversation_, e.id, host_.options.decode);
    slot.store_for(what.older.get());
    bool fits = false;
    try {
        entry.answer(entry.handler.get(), e.message, current, slot);
        fits = slot.complete();
    }
    catch (...) {
        fail_inline(what, e, slot, detail::to_failure(std::current_exception()));
        return;
    }
    if (!fits) [[unlikely]] {
        end_inline_run();
        session_counters::add(host_.counters.errors);
        note_answered(entry.index, errc::message_limit, received_at_, e.message.size(), 0);
        return;
    }
    ++inline_run_.count;
    inline_run_.bytes_in += e.message.size();
}

void session::fail_inline(const declared_command& what, const events::called& e, inline_slot& slot,
                          const detail::call_failure& failure)
{
    slot.fail(failure);
    end_inline_run();
    note_failure(what.name, e.id, failure);
    note_answered(what.entry->index, failure.code, received_at_, e.message.size(), 0);
}

void session::refuse(const events::called& e, const declared_command& what, errc code,
                     std::string_view text, std::chrono::milliseconds retry_after)
{
    session_counters::add(host_.counters.errors);
    const auto index = what.entry != nullptr && what.refusal != errc::permission_denied
                           ? what.entry->index
                           : static_cast<std::uint32_t>(host_.metrics.index_of_others());
    end_inline_run();
    host_.metrics.began(index);
    conversation_.reply_error(e.id, code, text, retry_after);
    note_answered(index, code, received_at_, e.message.size(), 0);
}

void session::note_failure(const std::string& command, std::uint64_t call_id,
                           const detail::call_failure& why)
{
    session_counters::add(host_.counters.errors);
    if (why.cause.empty())
        return;
    log::write(log::level::error, log::handler_failed, "handler failed: " + why.cause,
               {{"WHARF_SESSION", std::to_string(facts_.id)},
                {"WHARF_PEER", facts_.peer.address},
                {"WHARF_COMMAND", command},
                {"WHARF_CALL", std::to_string(call_id)}});
}

// ---- What was answered ------------------------------------------------------------------------

/// Inline answers of one turn and one command are counted as one run: they came together and leave
/// together.
void session::begin_inline_run(std::uint32_t index)
{
    end_inline_run();
    inline_run_ = {index, errc{}, 0, 0, conversation_.unsent_bytes(), received_at_};
}

void session::end_inline_run()
{
    if (inline_run_.count == 0)
        return;
    inline_run_.bytes_out = conversation_.unsent_bytes() - inline_run_.bytes_out;
    answered_.push_back(inline_run_);
    inline_run_.count = 0;
}

void session::note_answered(std::uint32_t index, errc code, time_point begun,
                            std::uint64_t bytes_in, std::uint64_t bytes_out)
{
    answered_.push_back({index, code, 1, bytes_in, bytes_out, begun});
}

void session::report_answers()
{
    if (answered_.empty())
        return;
    const time_point sent = std::chrono::steady_clock::now();
    for (const answers& a : answered_)
        host_.metrics.answered(a.index, a.code, sent - a.begun, a.bytes_in, a.bytes_out, a.count);
    answered_.clear();
}

bool session::rest(time_point quiet_since)
{
    if (!reads_ || rests_ || received_at_ > quiet_since || !running_.empty() ||
        !peer_calls_.empty() || conversation_.unsent_bytes() != 0)
        return false;
    rests_ = true;
    wake();
    return true;
}

session_info session::info() const
{
    session_info i;
    i.id = facts_.id;
    i.peer = facts_.peer;
    i.caller = facts_.caller;
    i.since = since_;
    i.calls = calls_;
    i.bytes_in = bytes_in_;
    i.bytes_out = bytes_out_;
    if (left_)
        return i;
    i.in_flight = conversation_.calls_in_flight();
    i.peer_calls = static_cast<std::uint32_t>(peer_calls_.size());
    for (const auto& [id, running] : running_)
        i.streams += running->channel != nullptr;
    for (const auto& [id, record] : peer_calls_)
        i.streams += record->channel() != nullptr;
    return i;
}

} // namespace wharf
