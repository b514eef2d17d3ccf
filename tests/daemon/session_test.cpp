// One session: what its peer may do to it, and that nobody else notices.
#include "session_support.hpp"

using namespace wharf;
using namespace wharf::test;

namespace {

/// What a peer that says these bytes first is told before its session ends.
errc end_after(const endpoint& where, std::string_view bytes)
{
    peer p(where);
    send_all(p.fd(), bytes);
    p.wait_for_end();
    return p.goaway().value_or(errc{});
}

/// The same bytes behind a good handshake.
errc end_after_handshake(const endpoint& where, std::string_view bytes)
{
    peer p(where);
    p.open();
    send_all(p.fd(), bytes);
    p.wait_for_end();
    return p.goaway().value_or(errc{});
}

/// Where a peer connects from, as the server should see it.
std::string own_address(const peer& p)
{
    sockaddr_in mine{};
    socklen_t size = sizeof mine;
    BOOST_REQUIRE(::getsockname(p.fd(), reinterpret_cast<sockaddr*>(&mine), &size) == 0);
    return "127.0.0.1:" + std::to_string(ntohs(mine.sin_port));
}

std::string opening_of_client()
{
    conversation words(side::client, {}, "test", clock::now());
    const auto bytes = words.unsent();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

// ---- Many calls -------------------------------------------------------------------------------

// Row 39: everything complete is drained before the session waits for more.
BOOST_AUTO_TEST_CASE(row_39_a_thousand_requests_in_one_write_get_a_thousand_replies)
{
    scene at;
    peer p(at.where());
    for (int i = 0; i < 1000; ++i)
        p.send(add{i, 1}, false);
    p.flush();
    for (int i = 0; i < 1000; ++i)
        BOOST_REQUIRE(p.expect().as<std::int64_t>() == i + 1);
    at.check_healthy();
}

// Row 33: each call has archives of its own.
BOOST_AUTO_TEST_CASE(row_33_sixty_four_interleaved_calls_answer_byte_for_byte)
{
    gated_scene at;
    peer p(at.s.endpoints().at(0));
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 64; ++i)
        ids.push_back(p.send(fill{static_cast<std::uint64_t>(i * 100)}));
    BOOST_REQUIRE(eventually([&] { return at.door->waiting() == 64; }));
    at.door->open();
    for (int i = 0; i < 64; ++i) {
        const answer a = p.expect();
        const auto place = std::find(ids.begin(), ids.end(), a.id) - ids.begin();
        BOOST_REQUIRE(a.as<std::string>() ==
                      std::string(static_cast<std::size_t>(place) * 100, 'x'));
    }
}

// Row 16: half a close is not a close.
BOOST_AUTO_TEST_CASE(row_16_a_half_close_after_a_hundred_calls_gets_a_hundred_replies_then_the_end)
{
    gated_scene at;
    peer p(at.s.endpoints().at(0));
    for (int i = 0; i < 100; ++i)
        p.send(add{i, i}, false);
    p.flush();
    p.half_close();
    BOOST_REQUIRE(eventually([&] { return at.door->waiting() == 100; }));
    at.door->open();
    for (int i = 0; i < 100; ++i)
        BOOST_REQUIRE(p.receive().has_value());
    BOOST_TEST(p.wait_for_end());
}

BOOST_AUTO_TEST_CASE(row_16_inline_replies_too)
{
    scene at;
    peer p(at.where());
    for (int i = 0; i < 100; ++i)
        p.send(add{i, i}, false);
    p.flush();
    p.half_close();
    for (int i = 0; i < 100; ++i)
        BOOST_REQUIRE(p.expect().as<std::int64_t>() == 2 * i);
    BOOST_TEST(p.wait_for_end());
}

// Row 15: bytes that nobody read must not turn the close into a reset that eats the last reply.
BOOST_AUTO_TEST_CASE(row_15_a_close_over_unread_bytes_does_not_eat_the_last_reply)
{
    scene at;
    const std::string junk(300 * 1024, '\xff');
    for (int i = 0; i < 200; ++i) {
        peer p(at.where());
        p.send(fill{60000}, false); // one frame: an error of the protocol cuts longer ones short
        p.flush();
        // The garbage ends the session; more of it arrives than the server will ever read.
        ::send(p.fd(), junk.data(), junk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        BOOST_REQUIRE(p.expect().as<std::string>().size() == 60000);
        BOOST_REQUIRE(p.wait_for_end());
        BOOST_REQUIRE(p.goaway().has_value());
    }
    at.check_healthy();
}

// ---- Errors to the call -----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_unknown_command_is_named_and_the_session_goes_on)
{
    scene at;
    peer p(at.where());
    const answer a = p.ask_raw("calculator.sub", {});
    BOOST_CHECK(a.failed == errc::unknown_command);
    BOOST_TEST(a.text == "calculator.sub");
    BOOST_TEST(p.ask(add{1, 2}).as<std::int64_t>() == 3);
    BOOST_TEST(at.s.status().errors == 1u);
}

BOOST_AUTO_TEST_CASE(wrong_argument_bytes_are_an_error_and_the_session_goes_on)
{
    scene at;
    peer p(at.where());
    const byte_buffer good = encode(add{1, 2});
    BOOST_TEST(p.ask_raw(add::name, {}).failed.has_value());
    BOOST_CHECK(p.ask_raw(add::name, good.view().first(good.size() - 1)).failed == errc::truncated);
    byte_buffer more = encode(add{1, 2});
    more.append("x", 1);
    BOOST_CHECK(p.ask_raw(add::name, more.view()).failed == errc::trailing_data);
    const std::string garbage(100, '\xff');
    BOOST_TEST(p.ask_raw(add::name, std::as_bytes(std::span(garbage))).failed.has_value());
    BOOST_TEST(p.ask(add{1, 2}).as<std::int64_t>() == 3);
}

BOOST_AUTO_TEST_CASE(a_newer_class_version_is_an_error_and_the_session_goes_on)
{
    gated_scene at;
    peer p(at.s.endpoints().at(0));
    const byte_buffer good = encode(versioned{7});
    std::vector<std::byte> newer(good.view().begin(), good.view().end());
    BOOST_REQUIRE(newer.at(2) == std::byte{2}); // the one version of the message's table
    newer[2] = std::byte{3};
    const answer a = p.ask_raw(versioned::name, newer);
    BOOST_CHECK(a.failed == errc::newer_version);
    BOOST_TEST(a.text.find("has version 3, this program knows 2") != std::string::npos, a.text);
    BOOST_TEST(p.ask(versioned{7}).as<std::int32_t>() == 7);
}

// Row 35: the caller gets one error, and the stream stays in step.
BOOST_AUTO_TEST_CASE(row_35_a_reply_that_fails_half_way_costs_its_call_only)
{
    gated_scene at;
    peer p(at.s.endpoints().at(0));
    for (int i = 0; i < 3; ++i) {
        const auto first = p.send(give_half{}, false);
        const auto second = p.send(versioned{i}, false);
        p.flush();
        const answer failed = p.expect(), done = p.expect();
        BOOST_TEST(failed.id == first);
        BOOST_CHECK(failed.failed == errc::conflict);
        BOOST_TEST(failed.text == "half way");
        BOOST_TEST(done.id == second);
        BOOST_TEST(done.as<std::int32_t>() == i);
    }
}

BOOST_AUTO_TEST_CASE(an_awaitable_handler_that_throws_answers_as_an_inline_one_does)
{
    gated_scene at;
    at.door->open();
    peer p(at.s.endpoints().at(0));
    const answer known = p.ask(poke{1});
    BOOST_CHECK(known.failed == errc::conflict);
    BOOST_TEST(known.text.size() == 1000u);
    const captured_log log;
    const answer unknown = p.ask(poke{2});
    BOOST_CHECK(unknown.failed == errc::internal);
    BOOST_TEST(log.says("handler failed: secret"));
    BOOST_TEST(log.says("command=test.poke"));
    BOOST_TEST(unknown.text.empty());
    BOOST_CHECK(p.ask_raw(poke::name, {}).failed.has_value());
    BOOST_CHECK(!p.ask(poke{0}).failed.has_value());
}

BOOST_AUTO_TEST_CASE(a_role_that_may_not_call_is_refused_before_anything_is_decoded)
{
    server_options o = open_options();
    o.roles[0].commands = {"test.*"};
    server s(o);
    s.serve(basic_service{});
    s.start();
    peer p(s.endpoints().at(0));
    // Bytes that no decoder accepts: were they decoded, the answer would be another.
    const answer a = p.ask_raw(add::name, {});
    BOOST_CHECK(a.failed == errc::permission_denied);
    BOOST_TEST(p.ask(echo{"x"}).as<std::string>() == "x");
    BOOST_CHECK(p.ask_raw("no.such", {}).failed == errc::permission_denied);
}

BOOST_AUTO_TEST_CASE(too_many_calls_in_flight_are_answered_overloaded)
{
    server_options o = open_options();
    o.conversation.calls_in_flight_max = 10;
    gated_scene at(o);
    peer p(at.s.endpoints().at(0));
    for (int i = 0; i < 11; ++i)
        p.send(add{1, 1});
    const answer a = p.expect();
    BOOST_CHECK(a.failed == errc::overloaded);
    at.door->open();
    for (int i = 0; i < 10; ++i)
        BOOST_REQUIRE(p.expect().as<std::int64_t>() == 2);
}

// ---- Bad peers --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_not_our_protocol_ends_that_session_alone)
{
    scene at;
    const captured_log log;
    BOOST_CHECK(end_after(at.where(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == errc::bad_protocol);
    BOOST_CHECK(end_after(at.where(), std::string(100000, '\0')) == errc::bad_protocol);
    BOOST_TEST(log.says("byte 0 is 0x47")); // G
    BOOST_TEST(log.says("errc=bad_protocol"));
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

BOOST_AUTO_TEST_CASE(another_version_ends_that_session_alone)
{
    scene at;
    std::string bytes = opening_of_client();
    bytes[7] = 99;
    BOOST_CHECK(end_after(at.where(), bytes) == errc::unsupported_protocol);
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

BOOST_AUTO_TEST_CASE(a_frame_over_the_limit_ends_that_session_alone)
{
    scene at;
    const captured_log log;
    std::string header(16, '\0');
    header[3] = 0x7f;
    BOOST_CHECK(end_after_handshake(at.where(), header) == errc::frame_limit);
    BOOST_TEST(log.says("errc=frame_limit"));
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

BOOST_AUTO_TEST_CASE(garbage_in_any_frame_ends_that_session_alone)
{
    scene at;
    std::uint32_t seed = 1;
    for (int round = 0; round < 50; ++round) {
        std::string bytes(2000, '\0');
        for (char& c : bytes)
            c = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
        bytes[2] = bytes[3] = 0; // a length that the limit allows
        peer p(at.where());
        p.open();
        send_all(p.fd(), bytes);
        p.half_close();
        p.wait_for_end();
        BOOST_REQUIRE(p.goaway().has_value());
    }
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

BOOST_AUTO_TEST_CASE(a_connection_closed_inside_a_frame_is_truncated)
{
    scene at;
    const captured_log log;
    peer p(at.where());
    p.open();
    send_all(p.fd(), std::string_view("\x10\0\0\0", 4));
    p.half_close();
    p.wait_for_end();
    BOOST_CHECK(p.goaway() == errc::truncated);
    BOOST_TEST(log.says("errc=truncated"));
    at.check_healthy();
}

// Row 41: a peer that never finishes its handshake is closed at the deadline.
BOOST_AUTO_TEST_CASE(row_41_a_handshake_that_stalls_is_closed_at_its_deadline)
{
    server_options o = open_options();
    o.conversation.handshake_timeout = 50ms;
    scene at(o);
    peer silent(at.where());
    peer half(at.where());
    send_all(half.fd(), std::string_view(opening_of_client()).substr(0, 11));
    silent.wait_for_end();
    half.wait_for_end();
    BOOST_CHECK(silent.goaway() == errc::handshake_timeout);
    BOOST_CHECK(half.goaway() == errc::handshake_timeout);
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

// Row 41: the same once the session is open, for a frame and for a message of several frames.
BOOST_AUTO_TEST_CASE(row_41_half_a_frame_and_then_silence_ends_that_session_alone)
{
    const captured_log log;
    server_options o = open_options();
    o.conversation.frame_timeout = 50ms;
    scene at(o);
    peer frame(at.where());
    frame.open();
    send_all(frame.fd(), std::string_view("\x10\0\0\0\1", 5));
    peer message(at.where());
    message.send(echo{std::string(200000, 'm')}, false);
    const std::string bytes = take_unsent(message.words());
    BOOST_REQUIRE(bytes.size() > 200000);
    send_all(message.fd(), std::string_view(bytes).substr(0, 70000));
    BOOST_TEST(frame.wait_for_end());
    BOOST_TEST(message.wait_for_end());
    BOOST_CHECK(frame.goaway() == errc::deadline_exceeded);
    BOOST_CHECK(message.goaway() == errc::deadline_exceeded);
    BOOST_TEST(log.says("a frame was not complete in time"));
    at.check_healthy();
    BOOST_TEST(at.is_alone());
}

BOOST_AUTO_TEST_CASE(an_idle_session_is_closed_where_a_timeout_says_so)
{
    server_options o = open_options();
    o.idle_timeout = 400ms; // far above what a call needs to arrive
    gated_scene at(o);
    peer idle(at.s.endpoints().at(0));
    peer busy(at.s.endpoints().at(0));
    busy.send(add{1, 2});
    idle.open();
    BOOST_TEST(idle.wait_for_end());
    BOOST_CHECK(idle.goaway() == errc::going_away);
    // A call in flight is not idleness, however long it takes: twice the timeout by now.
    peer later(at.s.endpoints().at(0));
    later.open();
    BOOST_TEST(later.wait_for_end());
    at.door->open();
    BOOST_TEST(busy.expect().as<std::int64_t>() == 3);
}

BOOST_AUTO_TEST_CASE(a_ping_is_answered)
{
    scene at;
    at.healthy->words().ping(7);
    at.healthy->flush();
    for (;;) {
        BOOST_REQUIRE(wait_ready(at.healthy->fd(), POLLIN, clock::now() + patience));
        const auto room = at.healthy->words().prepare();
        const auto n = ::recv(at.healthy->fd(), room.data(), room.size(), 0);
        BOOST_REQUIRE(n > 0);
        at.healthy->words().commit(static_cast<std::size_t>(n));
        const event e = at.healthy->words().next();
        if (const auto* pong = std::get_if<events::ponged>(&e)) {
            BOOST_TEST(pong->token == 7u);
            break;
        }
    }
}

// ---- Who calls --------------------------------------------------------------------------------

// Row 18: both ends see the same addresses.
BOOST_AUTO_TEST_CASE(row_18_a_handler_sees_its_peers_address)
{
    gated_scene at;
    peer p(at.s.endpoints().at(0));
    BOOST_TEST(p.ask(echo{}).as<std::string>() == own_address(p));
}

BOOST_AUTO_TEST_CASE(a_refused_peer_is_told_and_nothing_of_its_calls_is_decoded)
{
    const captured_log log;
    server_options o = open_options();
    o.allow = {{"*", "anonymous", "192.0.2.1", "all"}};
    server s(o);
    s.serve(basic_service{});
    s.start();
    peer p(s.endpoints().at(0));
    const std::string mine = own_address(p);
    // Everything that a client would say, at once, without waiting for the handshake.
    send_all(p.fd(), opening_of_client() + std::string(10000, '\x05'));
    BOOST_TEST(p.wait_for_end());
    BOOST_CHECK(p.goaway() == errc::permission_denied);
    BOOST_TEST(s.status().refused == 1u);
    BOOST_TEST(s.status().calls == 0u);
    BOOST_TEST(s.status().sessions_total == 0u);
    BOOST_TEST(log.says("peer refused"));
    BOOST_TEST(log.says("peer=" + mine));
}

BOOST_AUTO_TEST_CASE(a_refused_peer_of_a_unix_socket_is_logged_with_its_uid)
{
    const captured_log log;
    server_options o;
    o.roles.push_back({"all", {"*"}});
    o.allow.push_back({"*", "unix", "uid:4000000000", "all"});
    o.threads = 1;
    server s(o);
    s.start();
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    s.adopt(ends[0], "pair");
    peer p{owned_fd(ends[1])};
    BOOST_TEST(p.wait_for_end());
    BOOST_CHECK(p.goaway() == errc::permission_denied);
    BOOST_TEST(log.says("uid " + std::to_string(::getuid())));
}

// Row 83: an end in order, a reset and an end inside a frame are three different things.
BOOST_AUTO_TEST_CASE(row_83_a_reset_ends_that_session_alone)
{
    const captured_log log;
    scene at;
    {
        peer p(at.where());
        p.open();
        const linger hard{1, 0};
        ::setsockopt(p.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    BOOST_TEST(log.says("errc=connection_reset"));
    BOOST_TEST(at.is_alone());
    at.check_healthy();
}

// Row 12: the end of a session closes its descriptor, and the peer sees the end.
BOOST_AUTO_TEST_CASE(row_12_a_session_that_ends_leaves_no_descriptor)
{
    const auto descriptors = [] {
        std::size_t n = 0;
        for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator("/proc/self/fd"))
            ++n;
        return n;
    };
    scene at;
    const std::size_t before = descriptors();
    for (int i = 0; i < 50; ++i) {
        peer p(at.where());
        BOOST_REQUIRE(p.ask(add{i, 0}).as<std::int64_t>() == i);
        p.half_close();
        BOOST_REQUIRE(p.wait_for_end());
    }
    BOOST_TEST(at.is_alone());
    BOOST_TEST(eventually([&] { return descriptors() <= before; }));
}
