// Calls that the daemon makes to its client: from their arrival to their answer.
#include "served_call.hpp"

// g++ 12 pairs Asio's operator delete of a coroutine frame with a wrong operator new once it
// inlines one of them.
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace wharf::detail {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {
/// Errors that answered calls at once and that the daemon does not read: then it is no longer
/// listened to. Everything else that waits for it is bounded by credit, room or calls in flight.
constexpr std::uint32_t refusals_unsent_max = 8192;
constexpr auto retry_after_overload = 100ms;
/// Deadlines of what is served are enforced to this precision, once one has passed.
constexpr auto served_deadline_step = 10ms;
} // namespace

// ---- Arriving ---------------------------------------------------------------------------------

void client_core::on_declared(link& from, const events::declared& what)
{
    if (from.declared.size() <= what.number)
        from.declared.resize(what.number + 1u);
    const auto [entry, name, is_json] = commands_.resolve(what.name);
    from.declared[what.number] = entry;
    if (entry == nullptr || is_json)
        return;
    auto older = answer_declaration(from.talk, what, entry->types);
    if (older == nullptr)
        return;
    if (from.older_answers.size() <= what.number)
        from.older_answers.resize(what.number + 1u);
    from.older_answers[what.number] = std::move(older);
}

void client_core::on_called(const link_ptr& from, const events::called& what)
{
    const command_entry* entry =
        what.number < from->declared.size() ? from->declared[what.number] : nullptr;
    if (entry == nullptr) {
        refuse(*from, what.id, errc::unknown_command,
               commands_.size() == 0 ? "this client serves no commands"
                                     : "this client does not serve it");
        return;
    }
    const step_down* older =
        what.number < from->older_answers.size() ? from->older_answers[what.number].get() : nullptr;
    if (older != nullptr && !older->obstacle_of_answers().empty()) {
        refuse(*from, what.id, errc::newer_version, older->obstacle_of_answers());
        return;
    }
    if (what.timeout && *what.timeout <= 0ms) {
        refuse(*from, what.id, errc::deadline_exceeded, {});
        return;
    }
    if (served_bytes_ + what.message.size() > options_.decode.memory_bytes_max) {
        refuse(*from, what.id, errc::overloaded, "the calls to this client hold too much memory",
               retry_after_overload);
        return;
    }
    backoff_.reset();
    const auto deadline = what.timeout ? clock::now() + *what.timeout : time_point::max();
    auto one = std::make_shared<served_call>(shared_from_this(), from, *entry, what, deadline);
    one->older = older;
    one->held_bytes = what.message.size();
    served_bytes_ += one->held_bytes;
    from->served.emplace(what.id, one);
    if (deadline != time_point::max())
        note_deadline(deadline);
    asio::post(handlers_, [self = shared_from_this(), one] { self->run_served(one); });
}

void client_core::refuse(link& from, std::uint64_t id, errc code, std::string_view text,
                         std::chrono::milliseconds retry_after)
{
    if (from.talk.unsent().empty())
        from.refusals_unsent = 0;
    if (++from.refusals_unsent > refusals_unsent_max)
        lose(from.shared_from_this(), errc::slow_reader, "the daemon calls and does not read");
    else
        from.talk.reply_error(id, code, text, retry_after);
}

void client_core::on_upload(link& from, const events::item& what)
{
    const auto it = from.served.find(what.id);
    if (it != from.served.end() && it->second->streams)
        it->second->streams->on_item(what.message);
    else if (it != from.served.end() && it->second->entry.is_stream)
        it->second->early_items.emplace_back().append(what.message);
    else
        from.talk.consumed(what.id, what.which, what.message.size());
}

void client_core::on_upload_ended(link& from, const events::upload_ended& what)
{
    const auto it = from.served.find(what.id);
    if (it == from.served.end())
        return;
    it->second->upload_ended = true;
    if (it->second->streams)
        it->second->streams->on_end();
}

// ---- Running, on the strand of the handlers -----------------------------------------------------

void client_core::run_served(const served_ptr& one)
{
    bool is_over = false;
    {
        const guard held(mutex_);
        is_over = closed_ || one->on->gone;
    }
    if (is_over)
        one->is_cancelled = true;
    if (one->may_not_begin()) {
        served_ended(one);
    }
    else if (one->entry.is_blocking) {
        run_blocking(one);
    }
    else if (one->entry.start != nullptr) {
        run_late(one);
    }
    else {
        run_inline(one);
        served_ended(one);
    }
}

void client_core::run_inline(const served_ptr& one)
{
    try {
        one->entry.answer(one->entry.handler.get(), one->message.view(), one->current, *one);
    }
    catch (...) {
        one->failure = std::make_unique<call_failure>(to_failure(std::current_exception()));
    }
}

void client_core::run_blocking(const served_ptr& one)
{
    guard held(mutex_);
    if (closed_) { // its pool is gone, or about to
        held.unlock();
        served_ended(one);
        return;
    }
    if (!blocking_)
        blocking_ = std::make_unique<asio::thread_pool>(std::max(1u, options_.blocking_threads));
    asio::post(*blocking_, [self = shared_from_this(), one] {
        if (!one->may_not_begin())
            self->run_inline(one);
        self->served_ended(one);
    });
}

void client_core::run_late(const served_ptr& one)
{
    try {
        one->body =
            one->entry.start(one->entry.handler.get(), one->message.view(), one->current, *one);
    }
    catch (...) {
        one->failure = std::make_unique<call_failure>(to_failure(std::current_exception()));
        served_ended(one);
        return;
    }
    one->message = message_owner();
    // The completion owns the call: until then Asio uses what it has put into the call's slot.
    asio::co_spawn(handlers_, await_late(shared_from_this(), one),
                   asio::bind_cancellation_slot(one->stop.slot(), [one](std::exception_ptr) {}));
}

asio::awaitable<void> client_core::await_late(std::shared_ptr<client_core> self, served_ptr one)
{
    try {
        co_await std::move(one->body);
    }
    catch (...) {
        one->failure = std::make_unique<call_failure>(to_failure(std::current_exception()));
    }
    self->served_ended(one);
}

void client_core::end()
{
    is_quiet_ = true;
    close();
    std::unique_ptr<asio::thread_pool> pool;
    {
        const guard held(mutex_);
        pool = std::move(blocking_);
    }
    // Calls that wait for a thread have their turn, and see that they are cancelled: none is
    // dropped.
    if (pool)
        pool->join();
}

// ---- Answering, in any thread -------------------------------------------------------------------

void client_core::served_ended(const served_ptr& one)
{
    guard held(mutex_);
    const link_ptr on = one->on;
    on->served.erase(one->current.id());
    if (on->gone) {
        --on->handlers_left;
        forget_served(*one);
        close_hooks_when_due(on);
    }
    else {
        served_bytes_ += one->reply.size();
        one->held_bytes += one->reply.size();
        on->unanswered.push_back(one);
        answer_waiting(*on);
        schedule_flush();
    }
    settle();
    release(held);
}

/// Replies wait for room, in order: a daemon that does not read makes this client hold no more than
/// its calls may.
void client_core::answer_waiting(link& on)
{
    while (!on.unanswered.empty() && has_room()) {
        const served_ptr one = std::move(on.unanswered.front());
        on.unanswered.pop_front();
        answer_served(on, *one);
    }
}

void client_core::answer_served(link& on, served_call& one)
{
    const std::uint64_t id = one.current.id();
    if (one.older != nullptr && !one.failure && one.reply.size() != 0) {
        try {
            one.reply = one.older->store_reply(one.reply.view()).bytes;
        }
        catch (...) { // it cannot be stored for this peer
            one.failure = std::make_unique<call_failure>(to_failure(std::current_exception()));
        }
    }
    if (one.failure && one.cancelled_as != errc{}) {
        on.talk.reply_error(id, one.cancelled_as); // what a handler throws that was told to stop
    }
    else if (one.failure) {
        on.talk.reply_error(id, one.failure->code, one.failure->text, one.failure->retry_after);
    }
    else {
        const auto mark = on.talk.begin_reply(id);
        on.talk.output().append(one.reply.view());
        if (!on.talk.end_reply(mark))
            on.talk.reply_error(id, errc::message_limit,
                                "the reply is larger than the daemon accepts");
    }
    for (const byte_buffer& item : one.early_items) // its handler asked for none
        on.talk.consumed(id, flow::upload, item.size());
    one.early_items.clear();
    forget_served(one);
}

/// It is answered, or nobody waits for its answer any more.
void client_core::forget_served(served_call& one) noexcept
{
    served_bytes_ -= one.held_bytes;
    one.held_bytes = 0;
    if (one.streams)
        one.streams->on_answered();
}

/// The handler is told; its answer is what acknowledges that it has stopped.
void client_core::cancel_served(const served_ptr& one, errc code, std::string_view text)
{
    if (one->cancelled_as != errc{})
        return;
    one->cancelled_as = code;
    one->is_cancelled = true;
    if (one->streams)
        one->streams->on_failed(code, text);
    asio::post(handlers_, [one] { one->stop.emit(asio::cancellation_type::terminal); });
}

/// The daemon may not say that it gave a call up: its deadline holds here too.
void client_core::expire_served(link& on, time_point now)
{
    for (const auto& [id, one] : on.served)
        if (one->current.deadline() <= now)
            cancel_served(one, errc::deadline_exceeded, {});
}

/// Of the deadlines of what is served, the first; not sooner than looking at all of them is cheap.
std::optional<client_core::time_point> client_core::next_served_deadline(const link& on,
                                                                         time_point now)
{
    time_point first = time_point::max();
    for (const auto& [id, one] : on.served)
        if (one->cancelled_as == errc{})
            first = std::min(first, one->current.deadline());
    if (first == time_point::max())
        return std::nullopt;
    return std::max(first, now + served_deadline_step);
}

// ---- What a handler asks for --------------------------------------------------------------------

std::shared_ptr<stream_channel> client_core::channel_of(served_call& of, bool receives, bool sends)
{
    const guard held(mutex_);
    if (of.streams)
        return of.streams;
    auto made = std::make_shared<stream_channel>(shared_from_this(), stream_channel::role::callee,
                                                 receives, sends);
    if (of.on->gone || of.is_cancelled) {
        made->on_failed(errc::cancelled, "the caller is gone");
        return made;
    }
    of.streams = made;
    if (of.older != nullptr && sends)
        made->translate(of.older->items());
    made->attach(of.on->talk, of.current.id());
    for (const byte_buffer& item : of.early_items)
        made->on_item(item.view());
    of.early_items.clear();
    if (of.upload_ended)
        made->on_end();
    watch(*of.on);
    return made;
}

void client_core::hold(served_call& more, std::size_t bytes)
{
    const guard held(mutex_);
    served_bytes_ += bytes;
    more.held_bytes += bytes;
    if (served_bytes_ > options_.decode.memory_bytes_max)
        throw error(errc::overloaded, "the calls to this client hold too much memory",
                    retry_after_overload);
}

} // namespace wharf::detail
