// Handlers that a router must refuse to compile.
#include <wharf/service.hpp>

#include <string>

struct add {
    using reply = int;
    static constexpr std::string_view name = "test.add";
    int a = 0, b = 0;
};
struct tick {
    std::string text;
};
struct watch {
    using reply = wharf::stream_of<tick>;
    static constexpr std::string_view name = "test.watch";
};
struct join {
    using reply = std::string;
    using upload = wharf::stream_of<tick>;
    static constexpr std::string_view name = "test.join";
};
struct both {
    using reply = wharf::stream_of<tick>;
    using upload = wharf::stream_of<int>;
    static constexpr std::string_view name = "test.both";
};
struct fixed {
    explicit fixed(int);
    using reply = void;
    static constexpr std::string_view name = "test.fixed";
};

using wharf::awaitable;

void compiles(wharf::router& router)
{
    router.on<add>([](const add& c) { return c.a; });
    router.on<watch>([](watch, wharf::sink<tick>&) -> awaitable<void> { co_return; });
    router.on<join>([](join, wharf::source<tick>&) -> awaitable<std::string> { co_return ""; });
}

#ifdef REFUSED
// Refused: wharf: a handler has one of these forms
void no_form(wharf::router& router)
{
    router.on<add>([](int) { return 1; });
}

// Refused: wharf: a handler returns the command's reply type, or an awaitable
void another_reply(wharf::router& router)
{
    router.on<add>([](const add&) { return std::string(); });
}

// Refused: wharf: this command streams: its handler takes
void missing_sink(wharf::router& router)
{
    router.on<watch>([](watch) -> awaitable<void> { co_return; });
}

// Refused: wharf: this command streams: its handler takes
void missing_source(wharf::router& router)
{
    router.on<join>([](join, wharf::call&) -> awaitable<std::string> { co_return ""; });
}

// Refused: wharf: the sink or source of this handler is not of the command's items
void sink_of_another_item(wharf::router& router)
{
    router.on<watch>([](watch, wharf::sink<int>&) -> awaitable<void> { co_return; });
}

// Refused: wharf: the sink or source of this handler is not of the command's items
void sink_before_source(wharf::router& router)
{
    router.on<both>(
        [](both, wharf::sink<tick>&, wharf::source<int>&) -> awaitable<void> { co_return; });
}

// Refused: wharf: a handler with streams runs as a coroutine
void inline_stream(wharf::router& router)
{
    router.on<watch>([](const watch&, wharf::sink<tick>&) {});
}

// Refused: wharf: a handler that blocks returns the reply itself
void blocking_awaitable(wharf::router& router)
{
    router.on<add>(wharf::blocking, [](add c) -> awaitable<int> { co_return c.a; });
}

// Refused: wharf: a handler that blocks has no streams
void blocking_stream(wharf::router& router)
{
    router.on<watch>(wharf::blocking, [](const watch&, wharf::sink<tick>&) {});
}

// Refused: wharf: a command is decoded into a default-constructed object
void no_default(wharf::router& router)
{
    router.on<fixed>([](const fixed&) {});
}
#endif
