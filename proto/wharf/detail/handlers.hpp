// The forms that a handler may have, and what each becomes behind its types.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/byte_buffer.hpp>
#include <wharf/call.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/message_owner.hpp>
#include <wharf/detail/reused_command.hpp>
#include <wharf/limits.hpp>
#include <wharf/stream.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace wharf {

/// What a handler returns that awaits.
template <class T>
using awaitable = boost::asio::awaitable<T>;

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
    /// The channel of the call's streams, of which it has at least one; asked for at most once.
    virtual std::shared_ptr<stream_channel> channel(bool receives, bool sends);
    /// The call holds this much more memory, given back when it is answered. Throws
    /// error(errc::overloaded) where all calls together hold too much. Inline handlers hold none.
    virtual void hold(std::size_t bytes);
    /// Of the memory of the call's message, where its attachments may share that; asked for while
    /// it is decoded.
    virtual message_owner* owner_of(std::span<const std::byte> message) noexcept;

protected:
    reply_slot() = default;
    reply_slot(const reply_slot&) = delete;
    reply_slot& operator=(const reply_slot&) = delete;
    ~reply_slot() = default;
};

using message_view = std::span<const std::byte>;

struct command_types;

/// How a handler is run, behind its types. `answer` or `start` is set.
struct handler_functions {
    /// Decodes, invokes and writes the reply. Throws what any of the three throws.
    void (*answer)(void* handler, message_view arguments, call&, reply_slot&) = nullptr;
    /// Decodes (and throws what that throws), then returns the coroutine that does the rest.
    awaitable<void> (*start)(void* handler, message_view arguments, call&, reply_slot&) = nullptr;
    bool is_blocking = false; ///< `answer` runs on a pool of threads
    bool is_stream = false;   ///< has streams: its reply takes no part of a window of calls
};

/// One command's handler.
struct command_entry : handler_functions {
    std::string name;
    std::uint32_t index = 0;       ///< of all commands of a router, in the order of their names
    std::shared_ptr<void> handler; ///< shared between this entry and coroutines that run it
    const command_types* types = nullptr; ///< of its messages: what they look like is asked there
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

/// What a handler takes behind the command and the call.
template <class... Streams>
struct stream_list {};
template <class C>
struct streams_of {
    using type = stream_list<>;
};
template <class C>
requires(streams_reply<C> && !streams_upload<C>) struct streams_of<C> {
    using type = stream_list<sink<reply_item_t<C>>>;
};
template <class C>
requires(!streams_reply<C> && streams_upload<C>) struct streams_of<C> {
    using type = stream_list<source<upload_item_t<C>>>;
};
template <class C>
requires(streams_reply<C>&& streams_upload<C>) struct streams_of<C> {
    using type = stream_list<source<upload_item_t<C>>, sink<reply_item_t<C>>>;
};

/// What the handler's result converts to: a reply that streams has no other value.
template <class C>
using value_of_reply = std::conditional_t<streams_reply<C>, void, reply_t<C>>;

template <class F, class C, class Streams = typename streams_of<C>::type>
struct handler_form;
template <class F, class C, class... Streams>
struct handler_form<F, C, stream_list<Streams...>> {
    static constexpr bool takes_call = std::is_invocable_v<F&, C, call&, Streams&...>;
    static constexpr bool is_one = takes_call || std::is_invocable_v<F&, C, Streams&...>;
};

template <class F, class C, class... Streams>
decltype(auto) invoke_handler(F& f, C&& command, call& current, Streams&... streams)
{
    if constexpr (std::is_invocable_v<F&, C, call&, Streams&...>)
        return std::invoke(f, std::forward<C>(command), current, streams...);
    else
        return std::invoke(f, std::forward<C>(command), streams...);
}
template <class F, class C, class Streams = typename streams_of<C>::type>
struct handler_result;
template <class F, class C, class... Streams>
struct handler_result<F, C, stream_list<Streams...>> {
    using type = decltype(invoke_handler(std::declval<F&>(), std::declval<C>(),
                                         std::declval<call&>(), std::declval<Streams&>()...));
    using awaited = detail::awaited<std::remove_cvref_t<type>>;
    static constexpr bool is_awaitable = awaited::is_awaitable;
    static constexpr bool fits =
        std::is_void_v<value_of_reply<C>>
            ? std::is_void_v<typename awaited::type>
            : std::is_same_v<typename awaited::type, value_of_reply<C>> ||
                  std::is_convertible_v<typename awaited::type, value_of_reply<C>>;
};

/// Returns the memory that the command holds, of its message too where attachments share that.
template <class C>
std::size_t decode_command(C& command, message_view arguments, reply_slot& of)
{
    const limits& bounds = of.bounds();
    load_archive in(arguments, bounds);
    message_owner* owner = nullptr;
    if (arguments.size() >= shared_bytes_min) [[unlikely]] {
        owner = of.owner_of(arguments);
        let_share(in, owner);
    }
    in >> command;
    in.finish();
    const std::size_t shared = owner != nullptr ? owner->shared_bytes() : 0;
    return sizeof command + memory_budget(bounds, arguments.size()) - in.memory_left() + shared;
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

/// `command`: a const C&, or an rvalue where the handler may take it over. The reply may be a part
/// of it, and is encoded before it goes.
template <class C, class F, class Command>
void reply_inline(F& f, Command&& command, call& current, reply_slot& to)
{
    if constexpr (std::is_void_v<reply_t<C>>) {
        invoke_handler(f, std::forward<Command>(command), current);
        encode_nothing(to);
    }
    else {
        const reply_t<C>& reply = invoke_handler(f, std::forward<Command>(command), current);
        encode_reply(reply, to.open(), to.bounds());
    }
}

template <class C, class F>
void answer_inline(void* handler, message_view arguments, call& current, reply_slot& to)
{
    F& f = *static_cast<F*>(handler);
    if constexpr (reuses_command<F, C>()) {
        typename kept_command<C>::use kept(kept_command<C>::of_thread());
        if (C* command = kept.object()) {
            kept.holds(decode_command(*command, arguments, to));
            reply_inline<C>(f, std::as_const(*command), current, to);
            return;
        }
    }
    C command;
    decode_command(command, arguments, to);
    reply_inline<C>(f, std::move(command), current, to);
}

/// The streams live in this coroutine's frame, as long as the handler.
template <class C, class F, class... Streams>
awaitable<void> run_awaitable(F& f, C command, call& current, reply_slot& to, Streams... streams)
{
    // The coroutine is named before it is awaited: g++ 12 destroys temporaries of a co_await twice.
    auto pending = invoke_handler(f, std::move(command), current, streams...);
    using reply_type = value_of_reply<C>;
    if constexpr (std::is_void_v<reply_type>) {
        co_await std::move(pending);
        encode_nothing(to);
    }
    else {
        byte_buffer waiting;
        {
            const reply_type reply = co_await std::move(pending);
            if (to.has_room()) {
                encode_reply(reply, to.open(), to.bounds());
                co_return;
            }
            encode_reply(reply, waiting, to.bounds());
        }
        co_await write_when_room(std::move(waiting), to);
    }
}

template <class C, class F, class... Streams>
awaitable<void> start_awaitable(void* handler, message_view arguments, call& current,
                                reply_slot& to)
{
    F& f = *static_cast<F*>(handler);
    C command;
    to.hold(decode_command(command, arguments, to));
    if constexpr (sizeof...(Streams) == 0) {
        return run_awaitable<C, F>(f, std::move(command), current, to);
    }
    else {
        const auto channel = to.channel(streams_upload<C>, streams_reply<C>);
        return run_awaitable<C, F, Streams...>(f, std::move(command), current, to,
                                               Streams(channel)...);
    }
}

/// Stands for any sink or source, where only the number of parameters is asked for.
struct any_stream {
    template <class T>
    operator T&() const noexcept;
};

/// Complains, in a sentence each, of what is no handler of C; true where there is nothing to
/// complain of.
template <class C, class F>
consteval bool check_form()
{
    static_assert(std::is_default_constructible_v<C>,
                  "wharf: a command is decoded into a default-constructed object: give the struct "
                  "a default constructor");
    if constexpr (handler_form<F, C>::is_one)
        return std::is_default_constructible_v<C>;
    else {
        constexpr bool streams = streams_reply<C> || streams_upload<C>;
        constexpr bool lacks_streams =
            streams && (std::is_invocable_v<F&, C> || std::is_invocable_v<F&, C, call&>);
        constexpr bool has_one =
            std::is_invocable_v<F&, C, any_stream> || std::is_invocable_v<F&, C, call&, any_stream>;
        constexpr bool has_two = std::is_invocable_v<F&, C, any_stream, any_stream> ||
                                 std::is_invocable_v<F&, C, call&, any_stream, any_stream>;
        constexpr bool has_others = streams && !lacks_streams && (has_one || has_two);
        static_assert(!lacks_streams,
                      "wharf: this command streams: its handler takes a source<upload's item>&, a "
                      "sink<reply's item>&, or both in this order, as its last parameters");
        static_assert(!has_others,
                      "wharf: the sink or source of this handler is not of the command's items: a "
                      "sink<reply's item>&, a source<upload's item>&, or both in this order");
        static_assert(lacks_streams || has_others,
                      "wharf: a handler has one of these forms: reply f(const C&), reply f(const "
                      "C&, call&), awaitable<reply> f(C), awaitable<reply> f(C, call&); where C "
                      "streams, an awaitable with source<item>& or sink<item>& as its last "
                      "parameters");
        return false;
    }
}

template <class C, class F, class... Streams>
constexpr handler_functions functions_of_awaitable(stream_list<Streams...>)
{
    return {.start = &start_awaitable<C, F, Streams...>, .is_stream = sizeof...(Streams) != 0};
}

template <class F>
void delete_handler(void* handler)
{
    delete static_cast<F*>(handler);
}

} // namespace detail

} // namespace wharf
