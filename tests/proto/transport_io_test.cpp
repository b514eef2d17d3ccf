// Receives that wait as long as they were told to, and sends that never do.
#include <wharf/detail/transport_io.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace wharf;
using namespace wharf::detail;
using clock = std::chrono::steady_clock;

/// Two ends of a connection whose receives and sends would wait where nothing else is said.
struct pair_of_ends {
    pair_of_ends()
    {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        one.assign(asio::generic::stream_protocol(AF_UNIX, 0), ends[0]);
        other.assign(asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
    }
    std::size_t send(std::string_view text)
    {
        const std::array parts{std::as_bytes(std::span(text))};
        return send_at_once(other, parts, failed);
    }
    std::string receive(receive_mode mode)
    {
        std::array<std::byte, 64> room;
        const std::size_t n = detail::receive(one, room, mode, failed);
        return std::string(reinterpret_cast<const char*>(room.data()), n);
    }
    asio::io_context io;
    transport one{io}, other{io};
    error_code failed;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(transport_io, pair_of_ends)

BOOST_AUTO_TEST_CASE(a_receive_waits_as_long_as_it_was_told_to)
{
    one.native_non_blocking(true); // as Asio leaves it
    BOOST_REQUIRE(let_receives_wait(one, 30ms));
    auto began = clock::now();
    BOOST_TEST(receive(receive_mode::waits).empty());
    BOOST_TEST((failed == asio::error::would_block || failed == asio::error::try_again));
    BOOST_TEST((clock::now() - began >= 29ms));
    began = clock::now();
    for (int i = 0; i != 100; ++i)
        BOOST_TEST(receive(receive_mode::at_once).empty());
    BOOST_TEST((clock::now() - began < 2s)); // 100 waits would be three seconds
    BOOST_TEST((failed == asio::error::would_block || failed == asio::error::try_again));
}

BOOST_AUTO_TEST_CASE(what_was_sent_is_received_and_then_the_end)
{
    BOOST_REQUIRE(let_receives_wait(one, 1000ms));
    const std::array<std::span<const std::byte>, 2> parts{
        std::as_bytes(std::span(std::string_view("two "))),
        std::as_bytes(std::span(std::string_view("parts")))};
    BOOST_TEST(send_at_once(other, parts, failed) == 9u);
    BOOST_TEST(!failed);
    BOOST_TEST(receive(receive_mode::waits) == "two parts");
    BOOST_TEST(!failed);
    other.close();
    BOOST_TEST(receive(receive_mode::waits).empty());
    BOOST_TEST(failed == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_send_never_waits_on_a_connection_whose_receives_do)
{
    BOOST_REQUIRE(let_receives_wait(other, 1000ms));
    const std::string block(1 << 20, 'x');
    while (send(block) != 0) {}
    BOOST_TEST((failed == asio::error::would_block || failed == asio::error::try_again));
}

BOOST_AUTO_TEST_CASE(a_send_to_an_end_that_is_gone_is_an_error_and_no_signal)
{
    one.close();
    BOOST_TEST(send("x") == 0u);
    BOOST_TEST(failed == asio::error::broken_pipe);
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_a_receive_that_waits)
{
    BOOST_REQUIRE(let_receives_wait(one, 60'000ms));
    one.shutdown(transport::shutdown_both); // by another thread it is the same
    BOOST_TEST(receive(receive_mode::waits).empty());
    BOOST_TEST(failed == asio::error::eof);
}

BOOST_AUTO_TEST_SUITE_END()
