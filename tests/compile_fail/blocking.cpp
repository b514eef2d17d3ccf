// What a blocking client must refuse to compile: verbs that the command has not.
#include <wharf/blocking_client.hpp>

#include <string>

struct add {
    using reply = int;
    static constexpr std::string_view name = "test.add";
    int a = 0, b = 0;
};
struct watch {
    using reply = wharf::stream_of<std::string>;
    static constexpr std::string_view name = "test.watch";
};
struct join {
    using reply = std::string;
    using upload = wharf::stream_of<std::string>;
    static constexpr std::string_view name = "test.join";
};

std::string compiles(wharf::blocking_client& client)
{
    auto up = client.stream(join{});
    up.send(std::to_string(client.call(add{1, 2})));
    for (const std::string& item : client.stream(watch{}))
        up.send(item, std::chrono::seconds(1));
    return up.finish();
}

#ifdef REFUSED
// Refused: wharf: this command streams: call it by stream\(\)
void called(wharf::blocking_client& client)
{
    client.call(watch{});
}

// Refused: wharf: this command does not stream: call it by call\(\)
void streamed(wharf::blocking_client& client)
{
    client.stream(add{1, 2});
}

// Refused: no matching function for call to 'wharf::blocking_stream<watch>::send
void sends_to_a_reply(wharf::blocking_stream<watch>& items)
{
    items.send(std::string());
}

// Refused: no matching function for call to 'wharf::blocking_stream<join>::send
void another_item(wharf::blocking_stream<join>& up)
{
    up.send(1);
}

// Refused: no matching function for call to 'wharf::blocking_stream<join>::next
void receives_a_plain_reply(wharf::blocking_stream<join>& up)
{
    up.next();
}

// Refused: no matching function for call to 'wharf::blocking_stream<watch>::finish
void finishes_a_reply_stream(wharf::blocking_stream<watch>& items)
{
    items.finish();
}
#endif
