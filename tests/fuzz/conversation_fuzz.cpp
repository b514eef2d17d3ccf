// Any bytes of a peer, in any pieces: the conversation stays within its limits, says the same
// whatever the pieces are, and writes only valid frames.
#include "frame.hpp"
#include "proto/event_print.hpp"
#include "proto/wire.hpp"

#include <wharf/conversation.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace wharf;
using namespace std::chrono_literals;

namespace {

/// What the first byte of the input asks for.
enum setting : unsigned {
    with_handshake = 1,
    with_small_limits = 2,
    with_calls = 4,
    with_goaway = 8
};

void require(bool holds, const char* what)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

conversation_limits chosen_limits(unsigned settings)
{
    conversation_limits limits;
    if ((settings & with_small_limits) != 0) {
        limits.frame_bytes_max = 2048;
        limits.message_bytes_max = 64;
        limits.reassembly_bytes_max = 100;
        limits.calls_in_flight_max = 3;
        limits.commands_max = 3;
        limits.handshake_bytes_max = 256;
    }
    return limits;
}

/// A user that answers some calls, in ways that depend on the event alone.
void react(conversation& talk, const event& happened)
{
    const auto* called = std::get_if<events::called>(&happened);
    if (called == nullptr)
        return;
    const std::uint64_t id = called->id;
    switch (id % 4) {
    case 0: break; // stays in flight
    case 1: talk.reply_error(id, errc::not_found, "fuzz", 5ms); break;
    case 2: talk.abandon_reply(talk.begin_reply(id)); [[fallthrough]];
    default: {
        const auto mark = talk.begin_reply(id);
        talk.output().append(called->message);
        talk.output().append(called->message);
        if (!talk.end_reply(mark))
            talk.reply_error(id, errc::message_limit);
    }
    }
}

void check_output(std::span<const std::byte> output)
{
    require(output.size() >= detail::opening_bytes, "an opening is sent");
    output = output.subspan(detail::opening_bytes);
    while (!output.empty()) {
        require(output.size() >= detail::frame_header_bytes, "whole headers are sent");
        const auto header = detail::load_header(output.data());
        require(detail::find_fault(header) == nullptr, "valid headers are sent");
        output = output.subspan(detail::frame_header_bytes);
        require(output.size() >= header.length, "whole frames are sent");
        output = output.subspan(header.length);
    }
}

struct result {
    std::string events;
    wire::bytes output;
    bool operator==(const result&) const = default;
};

result run(unsigned settings, std::string_view input, std::size_t piece)
{
    const conversation_limits limits = chosen_limits(settings);
    const conversation::time_point now{};
    conversation talk(side::server, limits, "fuzz", now);
    result seen;
    const auto drain = [&] {
        while (!talk.has_ended()) {
            const event happened = talk.next();
            if (std::holds_alternative<events::nothing>(happened))
                break;
            seen.events += to_string(happened) + "\n";
            react(talk, happened);
        }
        require(talk.calls_in_flight() <= limits.calls_in_flight_max, "calls in flight");
        require(talk.buffered_bytes() <= 4 * limits.reassembly_bytes_max +
                                             4 * (std::size_t{limits.frame_bytes_max} + 4096),
                "buffered bytes");
    };
    const auto feed = [&](std::string_view bytes, std::size_t at_once) {
        while (!bytes.empty() && !talk.has_ended()) {
            const auto room = talk.prepare();
            const std::size_t n = std::min({room.size(), bytes.size(), at_once});
            std::memcpy(room.data(), bytes.data(), n);
            talk.commit(n);
            bytes.remove_prefix(n);
            drain();
        }
    };
    if ((settings & with_handshake) != 0)
        feed(wire::opening() + wire::hello() + wire::declare(0, "a") + wire::declare(1, "b"), 4096);
    if ((settings & with_calls) != 0 && talk.is_open()) {
        const auto number = talk.declare("c.d");
        for (int i = 0; i < 3; ++i)
            talk.call(number, wire::view("question"), now + 1s, now);
        talk.forget(2);
    }
    if ((settings & with_goaway) != 0)
        talk.go_away(errc::going_away, "");
    feed(input, piece);
    const event ended = talk.end_of_input();
    require(std::holds_alternative<events::ended>(ended), "the end of input ends it");
    require(std::holds_alternative<events::nothing>(talk.expire(now + 1h)),
            "nothing expires after");
    seen.events += to_string(ended);
    seen.output = wire::copy(talk.unsent());
    check_output(talk.unsent());
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    const unsigned settings = data[0];
    const std::size_t piece = data[1] % 61 + 1;
    const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
    require(run(settings, input, input.size()) == run(settings, input, piece),
            "pieces make no difference");
    return 0;
}
