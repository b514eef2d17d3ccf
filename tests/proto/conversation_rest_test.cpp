// A conversation that rests gives memory back, and nothing else.
#include "conversation_pair.hpp"

using namespace wharf;
using namespace wharf::test;

namespace {

/// Answers every call by its own message.
void echo(conversation_pair& p)
{
    p.server.on_event = [&](const event& e) {
        if (const auto* called = std::get_if<events::called>(&e)) {
            const wire::bytes copy(reinterpret_cast<const char*>(called->message.data()),
                                   called->message.size());
            reply(p.server, called->id, copy);
        }
    };
}

void rest_both(conversation_pair& p)
{
    p.client.talk.rest();
    p.server.talk.rest();
}

} // namespace

BOOST_AUTO_TEST_CASE(what_the_peers_bytes_held_is_given_back)
{
    conversation_pair p;
    echo(p);
    p.open();
    call(p.client, "test.echo", noise(1000, 1));
    p.run();
    BOOST_TEST(p.server.talk.buffered_bytes() > 0u);
    rest_both(p);
    BOOST_TEST(p.server.talk.buffered_bytes() == 0u);
    BOOST_TEST(p.client.talk.buffered_bytes() == 0u);
}

// Whatever is under way, byte by byte: a rest between any two of them changes nothing.
BOOST_AUTO_TEST_CASE(a_rest_at_any_byte_changes_no_event)
{
    conversation_limits small;
    small.frame_bytes_max = 1024;
    const auto events_of = [&](bool rests) {
        conversation_pair p(small, small);
        echo(p);
        const auto step = [&] {
            if (rests)
                rest_both(p);
        };
        const auto run = [&] {
            do
                step();
            while (conversation_pair::move(p.client, p.server, 1) +
                       conversation_pair::move(p.server, p.client, 1) !=
                   0);
        };
        run();
        BOOST_REQUIRE(p.server.talk.is_open());
        call(p.client, "test.echo", noise(10, 1));
        run();
        for (std::uint64_t seed = 2; seed < 5; ++seed)
            call(p.client, "test.echo", noise(seed * 900, seed), p.now + std::chrono::seconds(5),
                 p.now);
        run();
        p.client.talk.ping(7);
        run();
        auto all = p.client.seen;
        all.insert(all.end(), p.server.seen.begin(), p.server.seen.end());
        return all;
    };
    BOOST_TEST(events_of(true) == events_of(false), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_deadline_passes_on_a_conversation_that_rests)
{
    conversation_pair p;
    p.open();
    call(p.client, "test.echo", {}, p.now + std::chrono::seconds(5), p.now);
    p.run();
    rest_both(p);
    const event over = p.client.talk.expire(p.now + std::chrono::seconds(5));
    BOOST_CHECK(std::holds_alternative<events::expired>(over));
    p.run();
    BOOST_TEST(p.server.seen.back().starts_with("cancelled"), p.server.seen.back());
}
