// A caller and a callee with a conversation each, joined in memory: what tests of streams run on.
#pragma once

#include "handler_support.hpp"

#include <wharf/stream.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace wharf::test {

namespace asio = boost::asio;

/// A host with one conversation, without a mutex.
class memory_host : public detail::stream_host {
public:
    memory_host(asio::io_context& context, side which, const conversation_limits& wire)
        : talk(which, wire, which == side::client ? "client" : "server", clock::now()),
          context_(context)
    {}

    std::unique_lock<std::mutex> lock() override { return {}; }
    bool has_room() const noexcept override { return room; }
    void written() override { ++writes; }
    void give_up(detail::stream_channel& dropped) override
    {
        ++given_up;
        talk.cancel(dropped.id());
    }
    const limits& decode_limits() const noexcept override { return bounds; }
    asio::any_io_executor channel_executor() override { return context_.get_executor(); }

    void make_room()
    {
        room = true;
        for (const auto& [id, channel] : channels)
            channel->on_writable();
    }
    void on_window(std::uint64_t id)
    {
        for (const auto& [each, channel] : channels)
            if (id == 0 || each == id)
                channel->on_writable();
    }
    detail::stream_channel* find(std::uint64_t id)
    {
        const auto found = channels.find(id);
        return found == channels.end() ? nullptr : found->second.get();
    }

    conversation talk;
    limits bounds;
    bool room = true;
    int writes = 0;
    int given_up = 0;
    std::map<std::uint64_t, std::shared_ptr<detail::stream_channel>> channels;

protected:
    asio::io_context& context_;
};

/// Where calls begin.
class memory_caller final : public memory_host,
                            public detail::caller,
                            public std::enable_shared_from_this<memory_caller> {
public:
    using memory_host::memory_host;

    void start(detail::call_record& record, std::uint64_t ticket) override
    {
        record.ticket = ticket;
        waiting.push_back(&record);
        if (!holds_back)
            admit();
    }
    /// Sends the calls that wait.
    void admit()
    {
        for (detail::call_record* record : std::exchange(waiting, {})) {
            if (const error* failed = record->call().failure.get()) {
                detail::outcome how;
                how.code = failed->code();
                how.text = failed->text();
                asio::post(context_, [record, how] { record->finish(how, false); });
                continue;
            }
            const std::uint64_t id = talk.call(talk.declare(record->call().name),
                                               record->call().message.view(), {}, clock::now());
            sent[id] = record;
            if (record->channel()) {
                channels[id] = record->channel();
                record->channel()->attach(talk, id);
            }
        }
    }
    bool withdraw(std::uint64_t ticket, errc code) override
    {
        detail::outcome how;
        how.code = code;
        for (auto it = waiting.begin(); it != waiting.end(); ++it)
            if ((*it)->ticket == ticket) {
                detail::call_record* record = *it;
                waiting.erase(it);
                record->finish(how, false);
                return true;
            }
        for (const auto& [id, record] : sent)
            if (record->ticket == ticket) {
                talk.cancel(id);
                end(id, how);
                return true;
            }
        return false;
    }
    std::shared_ptr<detail::stream_channel> make_channel(bool receives, bool sends) override
    {
        return std::make_shared<detail::stream_channel>(
            shared_from_this(), detail::stream_channel::role::caller, receives, sends);
    }
    const limits& decode_limits() const noexcept override { return bounds; }
    std::chrono::nanoseconds default_timeout() const noexcept override { return 10s; }

    void end(std::uint64_t id, const detail::outcome& how)
    {
        detail::call_record* record = sent.at(id);
        if (const auto found = channels.find(id); found != channels.end()) {
            if (how.ok())
                found->second->on_end();
            else
                found->second->on_failed(how.code, how.text, how.retry_after);
            channels.erase(found);
        }
        sent.erase(id);
        record->finish(how, false);
    }
    void take()
    {
        for (;;) {
            const event e = talk.next();
            if (std::holds_alternative<events::nothing>(e) || talk.has_ended())
                return;
            if (const auto* replied = std::get_if<events::replied>(&e)) {
                detail::outcome how;
                how.message = replied->message;
                end(replied->id, how);
            }
            else if (const auto* failed = std::get_if<events::failed>(&e)) {
                end(failed->id, {failed->code, failed->text, failed->retry_after, {}});
            }
            else if (const auto* item = std::get_if<events::item>(&e)) {
                if (auto* channel = find(item->id))
                    channel->on_item(item->message);
            }
            else if (const auto* opened = std::get_if<events::window_opened>(&e)) {
                on_window(opened->id);
            }
        }
    }
    /// The connection is lost.
    void lose()
    {
        while (!sent.empty())
            end(sent.begin()->first, {errc::outcome_unknown, "the connection was lost", {}, {}});
    }

    bool holds_back = false;
    std::vector<detail::call_record*> waiting;
    std::map<std::uint64_t, detail::call_record*> sent;
};

/// Where handlers answer.
class memory_callee final : public memory_host, public std::enable_shared_from_this<memory_callee> {
public:
    memory_callee(asio::io_context& context, const router& commands,
                  const conversation_limits& wire)
        : memory_host(context, side::server, wire), commands_(commands)
    {
        session_->set().executor = context.get_executor();
    }

    void take()
    {
        for (;;) {
            const event e = talk.next();
            if (std::holds_alternative<events::nothing>(e) || talk.has_ended())
                return;
            if (const auto* name = std::get_if<events::declared>(&e)) {
                names_[name->number] = name->name;
            }
            else if (const auto* called = std::get_if<events::called>(&e)) {
                start(*called);
            }
            else if (const auto* item = std::get_if<events::item>(&e)) {
                if (auto* channel = find(item->id))
                    channel->on_item(item->message);
            }
            else if (const auto* ended = std::get_if<events::upload_ended>(&e)) {
                if (auto* channel = find(ended->id))
                    channel->on_end();
            }
            else if (const auto* opened = std::get_if<events::window_opened>(&e)) {
                on_window(opened->id);
            }
            else if (const auto* cancelled = std::get_if<events::cancelled>(&e)) {
                ++cancels;
                if (auto* channel = find(cancelled->id))
                    channel->on_failed(errc::cancelled, "the caller gave up");
            }
        }
    }

    /// The connection is lost: what waits in a channel would keep it for ever.
    void lose()
    {
        for (const auto& [id, channel] : std::exchange(channels, {}))
            channel->on_failed(errc::cancelled, "the connection was lost");
    }

    int cancels = 0;
    int answered = 0;
    std::shared_ptr<no_session> session_ = std::make_shared<no_session>();

private:
    struct slot final : detail::conversation_slot {
        slot(memory_callee& on, std::uint64_t id)
            : conversation_slot(on.talk, id, on.bounds), host(on), call_id(id)
        {}
        std::shared_ptr<detail::stream_channel> channel(bool receives, bool sends) override
        {
            auto made = std::make_shared<detail::stream_channel>(
                host.shared_from_this(), detail::stream_channel::role::callee, receives, sends);
            made->attach(host.talk, call_id);
            host.channels[call_id] = made;
            return made;
        }
        memory_callee& host;
        std::uint64_t call_id;
    };
    struct late {
        late(memory_callee& on, std::uint64_t id)
            : to(on, id),
              core(on.session_),
              current(core, core->facts(), id, call::time_point::max())
        {}
        slot to;
        std::shared_ptr<detail::session_core> core;
        call current;
        awaitable<void> body;
    };

    void start(const events::called& e)
    {
        const detail::command_entry* entry = commands_.find(names_[e.number]);
        BOOST_REQUIRE(entry != nullptr);
        auto mine = std::make_shared<late>(*this, e.id);
        if (entry->answer != nullptr) {
            detail::call_failure why;
            detail::answer_call(*entry, e.message, mine->current, mine->to, why);
            ++answered;
            return;
        }
        try {
            mine->body = entry->start(entry->handler.get(), e.message, mine->current, mine->to);
        }
        catch (...) {
            mine->to.fail(detail::to_failure(std::current_exception()));
            return;
        }
        auto body = std::move(mine->body);
        asio::co_spawn(context_, std::move(body),
                       [this, mine, id = e.id](const std::exception_ptr& thrown) {
                           if (thrown)
                               mine->to.fail(detail::to_failure(thrown));
                           else
                               mine->to.complete();
                           if (const auto found = channels.find(id); found != channels.end()) {
                               found->second->on_answered();
                               channels.erase(found);
                           }
                           ++answered;
                       });
    }

    const router& commands_;
    std::map<std::uint16_t, std::string> names_;
};

/// Both ends and what goes between them. session_handle's verbs, without a session.
class memory_link : public detail::calls<memory_link> {
public:
    explicit memory_link(const router& commands, const conversation_limits& callee_limits = {},
                         const conversation_limits& caller_limits = {})
        : caller_end(std::make_shared<memory_caller>(context, side::client, caller_limits)),
          callee(std::make_shared<memory_callee>(context, commands, callee_limits))
    {
        run();
        BOOST_REQUIRE(caller_end->talk.is_open() && callee->talk.is_open());
    }
    ~memory_link()
    {
        caller_end->lose();
        callee->lose();
    }

    /// Until nothing moves any more.
    void run()
    {
        for (std::size_t moved = 1; moved != 0;) {
            context.restart();
            moved = context.poll();
            moved += pass(caller_end->talk, callee->talk);
            callee->take();
            moved += pass(callee->talk, caller_end->talk);
            caller_end->take();
        }
    }
    static std::size_t pass(conversation& from, conversation& to)
    {
        const auto unsent = from.unsent();
        if (unsent.empty() || to.has_ended())
            return 0;
        const auto room = to.prepare();
        const std::size_t n = std::min(room.size(), unsent.size());
        std::memcpy(room.data(), unsent.data(), n);
        to.commit(n);
        from.sent(n);
        return n;
    }
    /// Runs a coroutine until nothing moves; what it throws is thrown here. False: it still waits.
    template <class Function>
    bool run(Function&& function)
    {
        struct ending {
            std::exception_ptr thrown;
            bool is_there = false;
        };
        const auto end = std::make_shared<ending>(); // which may come in a later run
        asio::co_spawn(context, std::forward<Function>(function), [end](std::exception_ptr thrown) {
            end->thrown = std::move(thrown);
            end->is_there = true;
        });
        run();
        if (end->thrown)
            std::rethrow_exception(end->thrown);
        return end->is_there;
    }

    std::shared_ptr<detail::caller> through() const { return caller_end; }
    asio::any_io_executor get_executor() { return context.get_executor(); }

    asio::io_context context;
    std::shared_ptr<memory_caller> caller_end;
    std::shared_ptr<memory_callee> callee;
};

} // namespace wharf::test
