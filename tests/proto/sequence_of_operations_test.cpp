// The seeds' sequence of operations, line for line, both sides, and what they say about archives in
// pairs: either side may begin, acknowledgements travel the other way, buffers are drained.
#include "socket_support.hpp"

#include <wharf/archive.hpp>
#include <wharf/socket.hpp>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

// Inside, so that socket is not the system's function.
namespace wharf {
namespace {

// One side's two archives, built in either order.
struct archive_pair {
    archive_pair(message_file& file, bool load_first)
    {
        if (load_first)
            in = std::make_unique<load_archive>(file);
        out = std::make_unique<store_archive>(file);
        if (!load_first)
            in = std::make_unique<load_archive>(file);
    }
    std::unique_ptr<load_archive> in;
    std::unique_ptr<store_archive> out;
};

struct connected_pair {
    connected_pair()
    {
        socket server = socket::listen_on(parse_endpoint("127.0.0.1:0"));
        one = socket::connect_to(parse_endpoint(server.local().address));
        server.accept(two);
    }
    socket one, two;
};

// The server's column of the table.
std::string serve(std::promise<int>& port, bool load_first)
{
    socket server;    // construct a socket
    server.create(0); // create it: a server names its port, and 0 takes a free one
    server.listen();  // start listening
    port.set_value(server.port());
    socket peer;                             // construct a new, empty socket
    server.accept(peer);                     // accept connection
    socket_file file(peer);                  // construct file object
    archive_pair archives(file, load_first); // construct an archive: load, store or both
    std::uint32_t value = 0;
    *archives.in >> value; // use the archives to pass data
    *archives.out << "value " + std::to_string(value);
    archives.out->flush();
    std::string acknowledged;
    *archives.in >> acknowledged;
    return acknowledged; // archives, file and socket close when they go out of scope
}

// The client's column.
std::string call(int port, bool load_first)
{
    socket client;                           // construct a socket
    client.create();                         // create it, on any port
    client.connect("127.0.0.1", port);       // seek a connection
    socket_file file(client);                // construct file object
    archive_pair archives(file, load_first); // construct an archive: load, store or both
    *archives.out << std::uint32_t{7040};    // use the archives to pass data
    archives.out->flush();
    std::string reply;
    *archives.in >> reply;
    *archives.out << "got " + reply;
    archives.out->flush();
    return reply;
}

// The seeds' PacketSerialize: a header and a run of bytes each, every packet acknowledged.
int store_packets(message_file& file, int packets)
{
    store_archive out(file);
    load_archive acknowledgements(file);
    int acknowledged = 0;
    for (int i = 0; i < packets; ++i) {
        std::uint8_t value = static_cast<std::uint8_t>(i * 37);
        std::uint16_t copies = static_cast<std::uint16_t>(i * 101 % 1000);
        out << value << copies;
        for (int n = 0; n < copies; ++n)
            out << value;
        out.flush();
        std::string text;
        acknowledgements >> text;
        acknowledged += text == "received packet " + std::to_string(i);
    }
    return acknowledged;
}

int load_packets(message_file& file, int packets)
{
    load_archive in(file);
    store_archive acknowledgements(file);
    int right = 0;
    for (int i = 0; i < packets; ++i) {
        std::uint8_t value = 0, copy = 0;
        std::uint16_t copies = 0;
        in >> value >> copies;
        bool same = value == static_cast<std::uint8_t>(i * 37) && copies == i * 101 % 1000;
        for (int n = 0; n < copies; ++n) {
            in >> copy;
            same = same && copy == value;
        }
        in.finish();
        right += same;
        acknowledgements << "received packet " + std::to_string(i);
        acknowledgements.flush();
    }
    return right;
}

// What a file sends for the messages 0, 1, 2 ... of one value each.
std::vector<std::byte> wire_of_values(std::uint32_t n)
{
    connected_pair pair;
    auto reading = std::async(std::launch::async, [&] {
        std::vector<std::byte> all(1 << 20);
        std::size_t bytes = 0;
        while (std::size_t more = pair.two.receive(std::span(all).subspan(bytes)))
            bytes += more;
        all.resize(bytes);
        return all;
    });
    socket_file file(pair.one);
    store_archive out(file);
    for (std::uint32_t i = 0; i < n; ++i) {
        out << i;
        out.flush();
    }
    pair.one.shutdown();
    return reading.get();
}

template <class F, class... Args>
auto in_background(F f, Args&&... args)
{
    return std::async(std::launch::async, f, std::forward<Args>(args)...);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sequence_of_operations)

// Row 30: socket, file, archives. Both sides build their archives in both orders: no constructor
// waits for the other side. Row 91: each side has the other's words, which is the acknowledgement.
BOOST_AUTO_TEST_CASE(the_table_of_the_seeds_in_every_order_of_building_the_archives)
{
    for (bool server_loads_first : {true, false})
        for (bool client_loads_first : {true, false}) {
            std::promise<int> port;
            auto listening = port.get_future();
            auto server = in_background(serve, std::ref(port), server_loads_first);
            BOOST_TEST(call(listening.get(), client_loads_first) == "value 7040");
            BOOST_TEST(server.get() == "got value 7040");
        }
}

// Row 32: a second archive for acknowledgements; then the roles are swapped on the same connection.
// Row 91: the sender knows of every packet that it was received.
BOOST_AUTO_TEST_CASE(a_thousand_packets_each_way_are_acknowledged)
{
    connected_pair pair;
    socket_file one(pair.one), two(pair.two);
    auto receiver = in_background(load_packets, std::ref<message_file>(two), 1000);
    BOOST_TEST(store_packets(one, 1000) == 1000);
    BOOST_TEST(receiver.get() == 1000);

    receiver = in_background(load_packets, std::ref<message_file>(one), 1000);
    BOOST_TEST(store_packets(two, 1000) == 1000);
    BOOST_TEST(receiver.get() == 1000);
}

// Row 39: IsBufferEmpty: whoever was told once that there is something reads until it is false.
BOOST_AUTO_TEST_CASE(the_buffer_is_drained_by_the_is_buffer_empty_loop)
{
    connected_pair pair;
    socket_file two(pair.two);
    std::vector<std::byte> wire = wire_of_values(1000);
    BOOST_REQUIRE(wire.size() < (64u << 10)); // one read takes it all
    pair.one.send(wire);
    load_archive in(two);
    BOOST_TEST(in.is_buffer_empty());
    std::uint32_t value = 0, expected = 0;
    in >> value; // the one notification
    BOOST_TEST(value == expected++);
    two.expires_after(std::chrono::milliseconds(0)); // from here on nothing may wait
    while (!in.is_buffer_empty()) {
        in >> value;
        BOOST_TEST(value == expected++);
    }
    BOOST_TEST(expected == 1000u);
    BOOST_TEST(code_of([&] { in >> value; }) == errc::deadline_exceeded);
}

// Row 14: leaving the scope in order sends what was stored; the peer then sees the end.
BOOST_AUTO_TEST_CASE(leaving_the_scope_stores_then_closes)
{
    connected_pair pair;
    {
        socket sender = std::move(pair.one);
        socket_file file(sender);
        store_archive out(file);
        out << std::string("last words");
    }
    socket_file file(pair.two);
    load_archive in(file);
    std::string text;
    in >> text;
    BOOST_TEST(text == "last words");
    BOOST_TEST(code_of([&] { in >> text; }) == errc::connection_closed);
}

// Row 14: leaving it by an exception sends no half of a message, and terminates nothing.
BOOST_AUTO_TEST_CASE(leaving_the_scope_by_an_exception_sends_no_partial_message)
{
    connected_pair pair;
    try {
        socket sender = std::move(pair.one);
        socket_file file(sender);
        store_archive out(file);
        out << std::string("whole");
        out.flush();
        out << std::string("half");
        throw std::runtime_error("while storing");
    }
    catch (const std::runtime_error&) {
    }
    socket_file file(pair.two);
    load_archive in(file);
    std::string text;
    in >> text;
    BOOST_TEST(text == "whole");
    BOOST_TEST(code_of([&] { in >> text; }) == errc::connection_closed);
}

// Row 14: the peer may be gone by then: the destructors neither throw nor raise a signal.
BOOST_AUTO_TEST_CASE(leaving_the_scope_of_a_broken_connection_is_quiet)
{
    connected_pair pair;
    pair.two.close();
    socket_file file(pair.one);
    store_archive first(file), second(file);
    first << std::string(1 << 20, 'x');
    second << std::string(1 << 20, 'x');
}

BOOST_AUTO_TEST_CASE(archives_on_an_unconnected_socket_answer_not_connected)
{
    socket empty;
    socket_file file(empty);
    load_archive in(file);
    store_archive out(file);
    int value = 1;
    BOOST_TEST(code_of([&] { in >> value; }) == errc::not_connected);
    out << value;
    BOOST_TEST(code_of([&] { out.flush(); }) == errc::not_connected);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace wharf
