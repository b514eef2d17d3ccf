// Scripts of two ends that know streams: what comes before what they are about.
#pragma once

#include "conversation_script.hpp"

#include <utility>

namespace wharf::test {

inline wire::bytes handshake_with_windows(std::uint32_t stream = 1u << 20,
                                          std::uint64_t session = 8u << 20)
{
    return wire::opening() + wire::hello_with_windows(stream, session);
}

/// The handshake of a peer with these windows, and its declaration of "a.b", then the frames given.
inline script streaming(std::vector<step> frames, events_seen events, wire::bytes output = {},
                        conversation_limits limits = {}, std::uint32_t stream = 1u << 20,
                        std::uint64_t session = 8u << 20)
{
    script s;
    s.limits = limits;
    s.steps = {
        {wire::opening()}, {wire::hello_with_windows(stream, session)}, {wire::declare(0, "a.b")}};
    s.steps.insert(s.steps.end(), frames.begin(), frames.end());
    s.events = {"opened(peer, 65536, 16777216, " + std::to_string(stream) + ", " +
                    std::to_string(session) + ")",
                "declared(0, a.b)"};
    s.events.insert(s.events.end(), events.begin(), events.end());
    s.output = std::move(output);
    return s;
}

/// A call of ours.
inline step calling(std::string name, wire::bytes message)
{
    return {"", false, [name, message](conversation& talk) {
                talk.call(talk.declare(name), wire::view(message), {}, start_time);
            }};
}

/// The last of these frames ends the conversation.
inline void refused(std::vector<step> frames, events_seen events, const std::string& why,
                    wire::bytes output = {}, std::uint64_t last_call = 0,
                    const std::string& code = "bad_frame", unsigned number = 53,
                    conversation_limits limits = {})
{
    events.push_back("ended(" + code + ", \"" + why + "\")");
    streaming(std::move(frames), std::move(events),
              std::move(output) + wire::goaway(last_call, number, why), limits)
        .check();
}

} // namespace wharf::test
