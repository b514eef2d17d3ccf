// Streams that must not compile: items as aggregate temporaries in a co_await expression, which g++
// 12 destroys twice, and verbs that the command has not.
#include <wharf/service.hpp>

#include <boost/asio/as_tuple.hpp>

#include <string>

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

using wharf::awaitable;
constexpr auto no_throw = boost::asio::as_tuple(boost::asio::use_awaitable);

awaitable<void> compiles(wharf::session_handle session, wharf::sink<tick>& out,
                         wharf::sink<int>& numbers)
{
    const tick named{"a"};
    co_await out.async_send(named);
    co_await numbers.async_send(1);
    out.async_send(tick{"b"}, [](wharf::error_code) {}); // outside of any co_await
    auto up = session.stream(join{});
    co_await up.async_send(named);
    up.end_upload();
    co_await up.async_result();
}

#ifdef REFUSED
// Refused: wharf: g\+\+ 12 destroys an aggregate temporary.*co_await out.async_send
awaitable<void> sent_temporary(wharf::sink<tick>& out)
{
    co_await out.async_send(tick{"a"});
}

// Refused: wharf: g\+\+ 12 destroys an aggregate temporary.*co_await up.async_send
awaitable<void> uploaded_temporary(wharf::stream<join>& up)
{
    co_await up.async_send(tick{"a"}, no_throw);
}

// Refused: wharf: this command streams: call it by stream\(\)
awaitable<void> called(wharf::session_handle session)
{
    const watch what;
    co_await session.async_call(what);
}

// Refused: no matching function for call to 'wharf::stream<watch>::async_send
void sends_to_a_reply(wharf::stream<watch>& ticks, const tick& item)
{
    ticks.async_send(item);
}

// Refused: no matching function for call to 'wharf::stream<join>::async_next
void receives_a_plain_reply(wharf::stream<join>& up)
{
    up.async_next();
}

// Refused: no matching function for call to 'wharf::sink<tick>::async_send
void another_item(wharf::sink<tick>& out)
{
    out.async_send(1);
}
#endif
