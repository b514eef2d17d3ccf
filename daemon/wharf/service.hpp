// What a service author needs: router, call, principal and the forms that a handler may have.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/byte_buffer.hpp>
#include <wharf/command.hpp>
#include <wharf/endpoint.hpp>
#include <wharf/error.hpp>
#include <wharf/limits.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wharf {

/// What a handler returns that awaits.
template <class T>
using awaitable = boost::asio::awaitable<T>;

/// Who is calling. A value.
struct principal {
    std::string name;   ///< "alice", "uid 1000", "anonymous"
    std::string method; ///< "unix" or "anonymous"
    std::string role;   ///< the role that the allow table gave
    bool operator==(const principal&) const = default;
};

namespace detail {
struct session_facts;
class reply_slot;
} // namespace detail

/// One command in flight, as its handler sees it. References that it returns live as long as the
/// call: until an inline handler returns, or until an awaitable handler's coroutine ends.
/// It belongs to its session's thread: use it from the coroutine that got it, or inline.
class call {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// For the session, and for tests of handlers.
    call(const detail::session_facts& session, std::uint64_t id, time_point deadline) noexcept
        : session_(&session), id_(id), deadline_(deadline)
    {}

    /// Who calls, as the allow table said when the session began.
    const principal& caller() const noexcept;
    /// The other end of the connection.
    const peer_address& peer() const noexcept;
    /// Unique for the life of the server.
    std::uint64_t session_id() const noexcept;
    /// The call's number within its session.
    std::uint64_t id() const noexcept { return id_; }
    /// When the caller stops waiting; time_point::max() when it said nothing. An answer that comes
    /// later is dropped by the caller.
    time_point deadline() const noexcept { return deadline_; }
    /// The executor of the session's worker: where an awaitable handler resumes.
    boost::asio::any_io_executor get_executor() const noexcept;
    /// The names of the commands that the caller may call, sorted.
    std::vector<std::string> commands() const;

private:
    const detail::session_facts* session_;
    std::uint64_t id_;
    time_point deadline_;
};

namespace detail {

/// Where the answer to one call is written.
class reply_slot {
public:
    virtual const limits& bounds() const noexcept = 0;
    /// Starts the reply and returns the buffer that its message is appended to.
    virtual byte_buffer& open() = 0;
    /// Has the session so little unsent that a reply may be written now? Always for inline
    /// handlers.
    virtual bool has_room() const noexcept { return true; }
    /// Waits until it has. Inline handlers do not wait.
    virtual awaitable<void> async_room();
    /// The call holds this much more memory, given back when it is answered. Throws
    /// error(errc::overloaded) where all calls together hold too much. Inline handlers hold none.
    virtual void hold(std::size_t bytes);

protected:
    reply_slot() = default;
    reply_slot(const reply_slot&) = delete;
    reply_slot& operator=(const reply_slot&) = delete;
    ~reply_slot() = default;
};

using message_view = std::span<const std::byte>;

/// One command's handler behind its types. One of the two functions is set.
struct command_entry {
    std::string name;
    std::shared_ptr<void> handler; ///< shared between this entry and coroutines that run it
    /// Decodes, invokes and writes the reply. Throws what any of the three throws.
    void (*answer)(void* handler, message_view arguments, call&, reply_slot&) = nullptr;
    /// Decodes (and throws what that throws), then returns the coroutine that does the rest.
    awaitable<void> (*start)(void* handler, message_view arguments, call&, reply_slot&) = nullptr;
};

template <class T>
struct awaited {
    using type = T;
    static constexpr bool is_awaitable = false;
};
template <class T>
struct awaited<awaitable<T>> {
    using type = T;
    static constexpr bool is_awaitable = true;
};

template <class F, class C>
constexpr bool takes_call = std::is_invocable_v<F&, C, call&>;
template <class F, class C>
constexpr bool takes_command = std::is_invocable_v<F&, C>;

template <class F, class C>
struct handler_result : std::invoke_result<F&, C> {};
template <class F, class C>
requires takes_call<F, C>
struct handler_result<F, C> : std::invoke_result<F&, C, call&> {};

template <class F, class C>
decltype(auto) invoke_handler(F& f, C&& command, call& current)
{
    if constexpr (takes_call<F, C>)
        return std::invoke(f, std::move(command), current);
    else
        return std::invoke(f, std::move(command));
}

/// Returns the memory that the command holds.
template <class C>
std::size_t decode_command(C& command, message_view arguments, const limits& bounds)
{
    load_archive in(arguments, bounds);
    in >> command;
    in.finish();
    return sizeof command + memory_budget(bounds, arguments.size()) - in.memory_left();
}

template <class Reply>
void encode_reply(const Reply& reply, byte_buffer& to, const limits& bounds)
{
    store_archive out(to, bounds);
    out << reply;
    out.flush();
}

/// The reply of a session that has no room waits as bytes, which are counted.
awaitable<void> write_when_room(byte_buffer message, reply_slot& to);

/// A reply that is void has an empty message.
void encode_nothing(reply_slot& to);

template <class C, class F>
void answer_inline(void* handler, message_view arguments, call& current, reply_slot& to)
{
    F& f = *static_cast<F*>(handler);
    C command;
    decode_command(command, arguments, to.bounds());
    if constexpr (std::is_void_v<reply_t<C>>) {
        invoke_handler(f, std::move(command), current);
        encode_nothing(to);
    }
    else {
        const reply_t<C>& reply = invoke_handler(f, std::move(command), current);
        encode_reply(reply, to.open(), to.bounds());
    }
}

template <class C, class F>
awaitable<void> run_awaitable(F& f, C command, call& current, reply_slot& to)
{
    // The coroutine is named before it is awaited: g++ 12 destroys temporaries of a co_await twice.
    auto pending = invoke_handler(f, std::move(command), current);
    if constexpr (std::is_void_v<reply_t<C>>) {
        co_await std::move(pending);
        encode_nothing(to);
    }
    else {
        byte_buffer waiting;
        {
            const reply_t<C> reply = co_await std::move(pending);
            if (to.has_room()) {
                encode_reply(reply, to.open(), to.bounds());
                co_return;
            }
            encode_reply(reply, waiting, to.bounds());
        }
        co_await write_when_room(std::move(waiting), to);
    }
}

template <class C, class F>
awaitable<void> start_awaitable(void* handler, message_view arguments, call& current,
                                reply_slot& to)
{
    C command;
    to.hold(decode_command(command, arguments, to.bounds()));
    return run_awaitable<C, F>(*static_cast<F*>(handler), std::move(command), current, to);
}

} // namespace detail

/// Which handler answers which command. Filled before a server starts, constant afterwards.
/// Distinct objects: safe. Shared objects: safe to read, unsafe to fill.
class router {
public:
    router() = default;
    router(const router&) = delete;
    router& operator=(const router&) = delete;

    /// Answers the command C by `handler`, which has one of these forms:
    ///   reply f(const C&)           reply f(const C&, call&)
    ///   awaitable<reply> f(C)       awaitable<reply> f(C, call&)
    /// The first two run inline on the session's thread, and every session of that thread waits
    /// for them: they must not block. The others may await; each runs as a coroutine on that
    /// thread, and many of them may be under way at once, in one session too.
    /// A handler is called from several threads at once, with a different call each.
    ///
    /// A handler throws error to answer with its code and text; any other exception answers
    /// errc::internal, and its what() goes to the log only.
    ///
    /// Throws error(errc::bad_argument) where the name is empty, longer than 127 bytes, has
    /// characters that do not print, or already has a handler.
    template <command C, class F>
    void on(F handler)
    {
        using handler_type = std::decay_t<F>;
        constexpr bool has_form =
            detail::takes_call<handler_type, C> || detail::takes_command<handler_type, C>;
        static_assert(has_form,
                      "A handler has one of these forms: reply f(const C&), reply f(const C&, "
                      "call&), awaitable<reply> f(C), awaitable<reply> f(C, call&). Streams and "
                      "handlers that block are not served yet.");
        static_assert(std::is_default_constructible_v<C>,
                      "A command is decoded into a default-constructed object: give the struct a "
                      "default constructor.");
        if constexpr (has_form && std::is_default_constructible_v<C>) {
            using result = typename detail::handler_result<handler_type, C>::type;
            using awaited = detail::awaited<std::remove_cvref_t<result>>;
            constexpr bool fits = std::is_void_v<reply_t<C>>
                                      ? std::is_void_v<typename awaited::type>
                                      : std::is_convertible_v<typename awaited::type, reply_t<C>>;
            static_assert(fits, "A handler returns the command's reply type, or an awaitable of "
                                "it; nothing where the reply is void.");
            if constexpr (fits) {
                detail::command_entry entry;
                entry.name = std::string_view(C::name);
                entry.handler = std::make_shared<handler_type>(std::move(handler));
                if constexpr (awaited::is_awaitable)
                    entry.start = &detail::start_awaitable<C, handler_type>;
                else
                    entry.answer = &detail::answer_inline<C, handler_type>;
                add(std::move(entry));
            }
        }
    }

    /// The names of all commands, sorted.
    std::vector<std::string> names() const;

    /// For sessions: the entry of a name, or nullptr. Valid as long as the router.
    const detail::command_entry* find(std::string_view name) const noexcept;

private:
    void add(detail::command_entry entry);

    std::map<std::string, detail::command_entry, std::less<>> commands_;
};

} // namespace wharf
