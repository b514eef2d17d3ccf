// What a service author needs: router, call, principal and the forms that a handler may have.
#pragma once

#include <wharf/call.hpp>
#include <wharf/command.hpp>
#include <wharf/detail/command_schemas.hpp>
#include <wharf/detail/handlers.hpp>
#include <wharf/error.hpp>
#include <wharf/session_handle.hpp>
#include <wharf/stream.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace wharf {

/// Says that a handler blocks: router.on<C>(wharf::blocking, f).
struct blocking_t {
    explicit blocking_t() = default;
};
inline constexpr blocking_t blocking{};

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
    /// and, where C streams, with or without the call&:
    ///   awaitable<void> f(C, call&, sink<item>&)          reply = stream_of<item>
    ///   awaitable<reply> f(C, call&, source<item>&)       upload = stream_of<item>
    ///   awaitable<void> f(C, call&, source<up>&, sink<item>&)
    /// The first two run inline on the session's thread, and every session of that thread waits
    /// for them: they must not block. The others may await; each runs as a coroutine on that
    /// thread, and many of them may be under way at once, in one session too. Sinks and sources
    /// live as long as the coroutine.
    /// A handler is called from several threads at once, with a different call each.
    /// An inline handler may return a const reference to its reply, into its argument too: the
    /// reply is encoded before anything else happens. Its argument is the library's, which may use
    /// it again for the next call: see `command`.
    ///
    /// A handler throws error to answer with its code and text; any other exception answers
    /// errc::internal, and its what() goes to the log only.
    ///
    /// Throws error(errc::bad_argument) where the name is empty, longer than 127 bytes, has
    /// characters that do not print, ends with "+json", or already has a handler.
    template <command C, class F>
    void on(F handler)
    {
        using type = std::decay_t<F>;
        if constexpr (detail::check_form<C, type>()) {
            using result = detail::handler_result<type, C>;
            constexpr bool streams = streams_reply<C> || streams_upload<C>;
            static_assert(result::fits, "wharf: a handler returns the command's reply type, or an "
                                        "awaitable of it; nothing where the reply is void or a "
                                        "stream");
            static_assert(!streams || result::is_awaitable,
                          "wharf: a handler with streams runs as a coroutine: it returns an "
                          "awaitable");
            if constexpr (result::fits && (!streams || result::is_awaitable)) {
                detail::handler_functions run;
                if constexpr (result::is_awaitable)
                    run = detail::functions_of_awaitable<C, type>(
                        typename detail::streams_of<C>::type());
                else
                    run.answer = &detail::answer_inline<C, type>;
                add(C::name, detail::types_of_command<C>, new type(std::move(handler)),
                    &detail::delete_handler<type>, run);
            }
        }
    }

    /// The same for a handler that blocks: reply f(const C&) or reply f(const C&, call&). It runs
    /// on a bounded pool of threads of its own (server_options::blocking_threads), and sessions go
    /// on meanwhile. More calls than may wait are answered errc::overloaded.
    template <command C, class F>
    void on(blocking_t, F handler)
    {
        using type = std::decay_t<F>;
        constexpr bool streams = streams_reply<C> || streams_upload<C>;
        static_assert(!streams, "wharf: a handler that blocks has no streams: let it return an "
                                "awaitable instead");
        if constexpr (!streams && detail::check_form<C, type>()) {
            using result = detail::handler_result<type, C>;
            static_assert(!result::is_awaitable, "wharf: a handler that blocks returns the reply "
                                                 "itself: one that returns an awaitable goes "
                                                 "without wharf::blocking");
            static_assert(result::is_awaitable || result::fits,
                          "wharf: a handler returns the command's reply type; nothing where the "
                          "reply is void");
            if constexpr (!result::is_awaitable && result::fits) {
                detail::handler_functions run;
                run.answer = &detail::answer_inline<C, type>;
                run.is_blocking = true;
                add(C::name, detail::types_of_command<C>, new type(std::move(handler)),
                    &detail::delete_handler<type>, run);
            }
        }
    }

    /// Hooks, in the order in which they were added, on the session's thread. Each session that
    /// was opened is closed exactly once, after the last of its handlers has ended; the state of
    /// the session is still there. What a hook throws is logged; an on_open hook that throws
    /// wharf::error refuses the session with that error.
    void on_open(std::function<void(const session_handle&)> hook);
    void on_close(std::function<void(const session_handle&, const error& why)> hook);

    /// The names of all commands, sorted.
    std::vector<std::string> names() const;

    /// Tries every older version of every class in the messages of all commands, as
    /// check_versions() does, and says in a sentence each what cannot be stored for an older peer:
    /// its calls would be refused. A daemon logs these at its start.
    std::vector<std::string> find_version_problems() const;

    /// For sessions: the entry of a name, or nullptr. Valid as long as the router.
    const detail::command_entry* find(std::string_view name) const noexcept;
    /// What a peer means that declares a name: "calculator.add", or "calculator.add+json" to call
    /// it in JSON.
    struct declaration {
        const detail::command_entry* entry = nullptr; ///< null where there is none
        std::string_view command;                     ///< a part of the name
        bool is_json = false;
    };
    declaration resolve(std::string_view name) const noexcept;
    std::size_t size() const noexcept { return commands_.size(); }
    const std::vector<std::function<void(const session_handle&)>>& open_hooks() const noexcept
    {
        return open_hooks_;
    }
    const std::vector<std::function<void(const session_handle&, const error&)>>&
    close_hooks() const noexcept
    {
        return close_hooks_;
    }

private:
    /// Takes the handler over, also where it throws.
    void add(std::string_view name, const detail::command_types& types, void* handler,
             void (*delete_handler)(void*), const detail::handler_functions& run);

    using entries = std::map<std::string, detail::command_entry, std::less<>>;
    entries commands_;
    entries in_json_; ///< of the same names
    std::vector<std::function<void(const session_handle&)>> open_hooks_;
    std::vector<std::function<void(const session_handle&, const error&)>> close_hooks_;
};

} // namespace wharf
