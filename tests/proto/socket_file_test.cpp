// The file over a socket: its bytes, its errors, its limits, and that neither direction waits for
// the other.
#include "socket_support.hpp"

#include <wharf/socket.hpp>

#include <array>
#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

// Inside, so that socket is not the system's function.
namespace wharf {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view opening = "\x89wharfA\x01";

// Two ends; `raw` writes and reads what the file's peer would.
struct ends {
    ends()
    {
        int fds[2];
        BOOST_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        raw.attach(fds[0]);
        mine.attach(fds[1]);
    }
    void write(std::string_view bytes) { raw.send(bytes_of(bytes)); }
    std::string read_all()
    {
        std::string out;
        std::array<std::byte, 4096> room;
        while (std::size_t n = raw.receive(room))
            out += text_of(std::span(room).first(n));
        return out;
    }
    socket raw, mine;
};

struct tcp_ends {
    tcp_ends()
    {
        socket server = socket::listen_on(parse_endpoint("127.0.0.1:0"));
        one = socket::connect_to(parse_endpoint(server.local().address));
        server.accept(two);
    }
    socket one, two;
};

std::string framed(std::string_view message)
{
    std::string out;
    for (int shift = 0; shift < 32; shift += 8)
        out += static_cast<char>(message.size() >> shift);
    return out.append(message);
}

std::string pattern(std::size_t bytes, char seed)
{
    std::string out(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i)
        out[i] = static_cast<char>(seed + i * 31 + (i >> 8));
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(socket_files)

BOOST_AUTO_TEST_CASE(the_opening_is_sent_once_with_the_first_message)
{
    ends e;
    {
        socket_file file(e.mine);
        pollfd entry{e.raw.native_handle(), POLLIN, 0};
        BOOST_TEST(::poll(&entry, 1, 0) == 0); // constructing sends nothing
        file.send_message(bytes_of("one"));
        file.send_message(bytes_of(""));
        file.send_message(bytes_of("three"));
    }
    e.mine.close();
    BOOST_TEST(e.read_all() == std::string(opening) + framed("one") + framed("") + framed("three"));
}

// Row 30: a file is of use without an archive.
BOOST_AUTO_TEST_CASE(messages_travel_whole_and_in_order_row_30)
{
    ends e;
    socket_file one(e.raw), two(e.mine);
    for (std::string text : {std::string("a"), std::string(), pattern(300000, 'x')}) {
        auto sending = std::async(std::launch::async, [&] { one.send_message(bytes_of(text)); });
        BOOST_TEST(text_of(two.receive_message()) == text);
        sending.get();
        two.send_message(bytes_of("ok"));
        BOOST_TEST(text_of(one.receive_message()) == "ok");
    }
}

// Row 39: what one read brought is all there to be taken, without waiting again.
BOOST_AUTO_TEST_CASE(several_messages_of_one_write_are_all_buffered)
{
    ends e;
    socket_file file(e.mine);
    BOOST_TEST(!file.has_message());
    std::string all(opening);
    for (int i = 0; i < 1000; ++i)
        all += framed("message " + std::to_string(i));
    all += framed("half of one").substr(0, 9);
    e.write(all);
    file.expires_after(0ms); // nothing below may wait
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST(text_of(file.receive_message()) == "message " + std::to_string(i));
        BOOST_TEST(file.has_message() == (i < 999));
    }
    BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::deadline_exceeded);
    e.write(framed("half of one").substr(9));
    BOOST_TEST(text_of(file.receive_message()) == "half of one");
}

// Row 38: an end between messages is an end, inside of one it is a loss; row 83 names them apart.
BOOST_AUTO_TEST_CASE(a_cut_at_every_byte_is_truncated_or_closed)
{
    const std::string all = std::string(opening) + framed("first") + framed("second");
    const std::size_t first_end = opening.size() + 4 + 5;
    for (std::size_t cut = 0; cut <= all.size(); ++cut)
        BOOST_TEST_CONTEXT("cut at " << cut)
        {
            ends e;
            e.write(all.substr(0, cut));
            e.raw.close();
            socket_file file(e.mine);
            if (cut >= first_end)
                BOOST_TEST(text_of(file.receive_message()) == "first");
            if (cut == all.size())
                BOOST_TEST(text_of(file.receive_message()) == "second");
            bool between =
                cut == 0 || cut == opening.size() || cut == first_end || cut == all.size();
            errc expected = between ? errc::connection_closed : errc::truncated;
            BOOST_TEST(code_of([&] { file.receive_message(); }) == expected);
            BOOST_TEST(code_of([&] { file.receive_message(); }) == expected); // and stays so
        }
}

// Row 38: a short read is no end: bytes may come one by one.
BOOST_AUTO_TEST_CASE(a_message_that_arrives_byte_by_byte_is_complete_at_its_last_byte)
{
    ends e;
    socket_file file(e.mine);
    file.expires_after(0ms);
    std::string all = std::string(opening) + framed("slow");
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::deadline_exceeded);
        e.write(all.substr(i, 1));
    }
    BOOST_TEST(text_of(file.receive_message()) == "slow");
}

// Row 83.
BOOST_AUTO_TEST_CASE(a_reset_is_neither_closed_nor_truncated)
{
    tcp_ends e;
    linger at_once{1, 0};
    ::setsockopt(e.one.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    e.one.close();
    socket_file file(e.two);
    BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::connection_reset);
    BOOST_TEST(code_of([&] { file.send_message(bytes_of("x")); }) == errc::connection_reset);
}

BOOST_AUTO_TEST_CASE(sending_to_a_peer_that_left_is_a_reset_and_no_signal)
{
    ends e;
    e.raw.close();
    socket_file file(e.mine);
    BOOST_TEST(code_of([&] { file.send_message(bytes_of("x")); }) == errc::connection_reset);
}

// The first byte that differs decides; the file does not wait for the rest.
BOOST_AUTO_TEST_CASE(another_protocol_is_refused_at_its_first_wrong_byte)
{
    for (std::size_t at = 0; at < opening.size(); ++at)
        BOOST_TEST_CONTEXT("byte " << at)
        {
            ends e;
            std::string wrong(opening.substr(0, at + 1));
            wrong.back() ^= 0x40;
            e.write(wrong);
            socket_file file(e.mine);
            errc expected = at == 7 ? errc::unsupported_protocol : errc::bad_protocol;
            BOOST_TEST(code_of([&] { file.receive_message(); }) == expected);
            BOOST_TEST(code_of([&] { file.receive_message(); }) == expected); // and stays so
        }
}

BOOST_AUTO_TEST_CASE(a_conversation_is_refused_with_a_word_on_what_to_use)
{
    ends e;
    e.write("\x89wharfC\x01");
    socket_file file(e.mine);
    error refused = error_of([&] { file.receive_message(); });
    BOOST_TEST(refused.code() == errc::bad_protocol);
    BOOST_TEST(contains(refused.text(), "wharf::client"), refused.text());
}

BOOST_AUTO_TEST_CASE(messages_over_the_limit_are_refused_both_ways)
{
    ends e;
    socket_file_options options;
    options.message_bytes_max = 100;
    socket_file file(e.mine, options);
    std::string just(100, 'j'), over(101, 'o');
    BOOST_TEST(code_of([&] { file.send_message(bytes_of(over)); }) == errc::message_limit);
    file.send_message(bytes_of(just)); // nothing of the other was sent
    e.write(std::string(opening) + framed(just) + framed(over).substr(0, 4));
    BOOST_TEST(text_of(file.receive_message()) == just);
    BOOST_TEST(file.has_message()); // its refusal does not wait
    BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::message_limit);
    e.mine.close();
    BOOST_TEST(e.read_all() == std::string(opening) + framed(just));
}

BOOST_AUTO_TEST_CASE(an_unconnected_socket_answers_not_connected)
{
    socket empty;
    socket_file file(empty);
    BOOST_TEST(code_of([&] { file.send_message({}); }) == errc::not_connected);
    BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::not_connected);
    BOOST_TEST(!file.has_message());
}

BOOST_AUTO_TEST_CASE(receiving_goes_on_after_a_deadline)
{
    ends e;
    socket_file file(e.mine);
    file.expires_after(20ms);
    e.write(std::string(opening) + framed("late").substr(0, 6));
    BOOST_TEST(code_of([&] { file.receive_message(); }) == errc::deadline_exceeded);
    e.write(framed("late").substr(6));
    BOOST_TEST(text_of(file.receive_message()) == "late");
}

BOOST_AUTO_TEST_CASE(a_message_sent_in_part_ends_sending)
{
    ends e;
    socket_file file(e.mine);
    file.expires_after(50ms);
    std::string much(16 << 20, 'x');
    BOOST_TEST(code_of([&] { file.send_message(bytes_of(much)); }) == errc::deadline_exceeded);
    BOOST_TEST(code_of([&] { file.send_message(bytes_of("x")); }) == errc::connection_reset);
    e.write(std::string(opening) + framed("but not receiving"));
    BOOST_TEST(text_of(file.receive_message()) == "but not receiving");
}

// Row 38: 64 MiB each way at the same time, before either end receives.
BOOST_AUTO_TEST_CASE(both_ends_send_64_mib_at_once_without_deadlock)
{
    tcp_ends e;
    socket_file one(e.one), two(e.two);
    const std::string a = pattern(16 << 20, 'a'), b = pattern(16 << 20, 'b');
    auto exchange = [](socket_file& file, const std::string& mine, const std::string& theirs) {
        for (int i = 0; i < 4; ++i)
            file.send_message(bytes_of(mine));
        int right = 0;
        for (int i = 0; i < 4; ++i)
            right += text_of(file.receive_message()) == theirs;
        return right;
    };
    auto other = std::async(std::launch::async, exchange, std::ref(two), b, a);
    BOOST_TEST(exchange(one, a, b) == 4);
    BOOST_TEST(other.get() == 4);
}

// Past the bound sending receives no more: memory stays bounded, and the deadline ends it.
BOOST_AUTO_TEST_CASE(what_is_buffered_while_sending_is_bounded)
{
    tcp_ends e;
    socket_file_options options;
    options.timeout = 300ms;
    options.message_bytes_max = 64 << 10;
    options.buffered_bytes_max = 1 << 20;
    socket_file one(e.one, options), two(e.two, options);
    const std::string message(64 << 10, 'x');
    auto flood = [&](socket_file& file) {
        return code_of([&] {
            for (;;)
                file.send_message(bytes_of(message));
        });
    };
    auto other = std::async(std::launch::async, flood, std::ref(two));
    BOOST_TEST(flood(one) == errc::deadline_exceeded);
    BOOST_TEST(other.get() == errc::deadline_exceeded);
    e.two.close();
    std::size_t buffered = 0;
    while (one.has_message())
        buffered += one.receive_message().size();
    BOOST_TEST(buffered > (512u << 10));
    BOOST_TEST(buffered <= (1u << 20));
}

// An archive may be loading a message while its pair sends.
BOOST_AUTO_TEST_CASE(a_received_message_stays_while_sending_receives_more)
{
    tcp_ends e;
    socket_file one(e.one), two(e.two);
    const std::string kept = pattern(100000, 'k'), big = pattern(8 << 20, 'b');
    auto other = std::async(std::launch::async, [&] {
        two.send_message(bytes_of(kept));
        two.send_message(bytes_of(big));
        return text_of(two.receive_message()) == big;
    });
    std::span<const std::byte> message = one.receive_message();
    one.send_message(bytes_of(big));
    BOOST_TEST((text_of(message) == kept));
    BOOST_TEST((text_of(one.receive_message()) == big));
    BOOST_TEST(other.get());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace wharf
