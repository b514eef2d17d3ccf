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
#include <map>
#include <utility>

using namespace wharf;
using namespace std::chrono_literals;

namespace {

/// What the first byte of the input asks for.
enum setting : unsigned {
    with_handshake = 1,
    with_small_limits = 2,
    with_calls = 4,
    with_goaway = 8,
    with_streams = 16,
    with_small_windows = 32,
    with_versions = 64
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
        limits.classes_max = 2;
        limits.handshake_bytes_max = 256;
    }
    if ((settings & with_small_windows) != 0) {
        limits.stream_window_bytes = 100;
        limits.session_window_bytes = 150;
    }
    return limits;
}

/// A user that answers some calls and streams in some, in ways that depend on the events alone.
class user {
public:
    user(conversation& talk, const conversation_limits& limits) : talk_(talk), limits_(limits) {}

    void react(const event& happened)
    {
        if (const auto* called = std::get_if<events::called>(&happened))
            answer(*called);
        else if (const auto* item = std::get_if<events::item>(&happened))
            hold(*item);
        else if (const auto* gone = std::get_if<events::cancelled>(&happened))
            talk_.reply_error(gone->id, errc::internal);
        else if (const auto* ended = std::get_if<events::upload_ended>(&happened))
            talk_.end_reply(talk_.begin_reply(ended->id));
        else if (const auto* window = std::get_if<events::window_opened>(&happened))
            require(window->id == 0 || talk_.can_send(window->id, window->which),
                    "an open window can be sent through");
        else if (const auto* name = std::get_if<events::declared>(&happened))
            compare(*name);
        else if (const auto* known = std::get_if<events::versions>(&happened))
            check_classes(known->classes);
        else if (std::holds_alternative<events::ponged>(happened))
            talk_.cancel(1);
    }

private:
    void compare(const events::declared& name)
    {
        if (!name.classes)
            return;
        check_classes(*name.classes);
        const wire::bytes same = wire::copy(*name.classes);
        talk_.tell_versions(name.number, wire::view(same));
    }
    void check_classes(std::span<const std::byte> classes)
    {
        require(detail::is_class_list(classes), "a list of classes in order");
        require(classes.size() / detail::class_entry_bytes <= limits_.classes_max,
                "a list within its limit");
    }
    void answer(const events::called& called)
    {
        const std::uint64_t id = called.id;
        require(called.message.size() <= limits_.message_bytes_max, "a message within its limit");
        switch (id % 6) {
        case 0: break; // stays in flight
        case 1: talk_.reply_error(id, errc::not_found, "fuzz", 5ms); break;
        case 2: talk_.abandon_reply(talk_.begin_reply(id)); [[fallthrough]];
        case 3: {
            const auto mark = talk_.begin_reply(id);
            talk_.output().append(called.message);
            talk_.output().append(called.message);
            if (!talk_.end_reply(mark))
                talk_.reply_error(id, errc::message_limit);
            break;
        }
        default: // an item, and the rest is for its upload to say
            if (talk_.can_send(id, flow::reply) &&
                called.message.size() <= talk_.peer().message_bytes_max)
                talk_.send_item(id, flow::reply, called.message);
        }
    }

    /// Some items are done with at once, the others are held: their windows bound them.
    void hold(const events::item& item)
    {
        const std::size_t cost = detail::frame_header_bytes + item.message.size();
        require(item.message.size() <= limits_.message_bytes_max, "an item within its limit");
        if (item.message.size() % 3 == 0) {
            talk_.consumed(item.id, item.which, item.message.size());
            return;
        }
        std::size_t& held = held_[{item.id, item.which}];
        require(held < limits_.stream_window_bytes, "a stream within its window");
        require(held_by_all_ < limits_.session_window_bytes + limits_.message_bytes_max + 64,
                "a session within its window");
        held += cost;
        held_by_all_ += cost;
    }

    conversation& talk_;
    const conversation_limits& limits_;
    std::map<std::pair<std::uint64_t, flow>, std::size_t> held_;
    std::size_t held_by_all_ = 0;
};

/// All that is unsent, by gathered writes.
wire::bytes take_output(conversation& talk)
{
    wire::bytes all;
    while (talk.unsent_bytes() != 0) {
        std::span<const std::byte> parts[3];
        std::size_t bytes = 0;
        for (std::size_t i = 0, n = talk.unsent_parts(parts); i < n; ++i) {
            all += wire::copy(parts[i]);
            bytes += parts[i].size();
        }
        require(bytes != 0, "what is unsent is shown");
        talk.sent(bytes);
    }
    return all;
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
    user someone(talk, limits);
    const auto drain = [&] {
        while (!talk.has_ended()) {
            const event happened = talk.next();
            if (std::holds_alternative<events::nothing>(happened))
                break;
            seen.events += to_string(happened) + "\n";
            someone.react(happened);
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
        feed(wire::opening() +
                 ((settings & with_versions) != 0  ? wire::hello_with_versions(3)
                  : (settings & with_streams) != 0 ? wire::hello_with_windows(200, 300, 65536, 4096)
                                                   : wire::hello()) +
                 wire::declare(0, "a") + wire::declare(1, "b"),
             4096);
    if ((settings & with_calls) != 0 && talk.is_open()) {
        const wire::bytes classes = wire::listed(1, 1) + wire::listed(2, 0);
        const auto number = talk.declare("c.d", wire::view(classes));
        for (int i = 0; i < 3; ++i)
            talk.call(number, wire::view("question"), now + 1s, now);
        talk.cancel(2);
        if (talk.can_send(3, flow::upload)) {
            talk.send_item(3, flow::upload, wire::view("item"));
            talk.end_upload(3);
        }
    }
    if ((settings & with_goaway) != 0)
        talk.go_away(errc::going_away, "");
    feed(input, piece);
    const event ended = talk.end_of_input();
    require(std::holds_alternative<events::ended>(ended), "the end of input ends it");
    require(std::holds_alternative<events::nothing>(talk.expire(now + 1h)),
            "nothing expires after");
    seen.events += to_string(ended);
    seen.output = take_output(talk);
    check_output(wire::view(seen.output));
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
