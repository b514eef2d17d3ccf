// The commands of the load and fault tests: each reply can be judged by its call.
#pragma once

#include "support.hpp"

#include <wharf/aggregate.hpp>
#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace stress {

/// What a handler that has seen the token answers; the padding comes back.
struct answer {
    std::uint64_t value = 0;
    std::string padding;
};

/// Answered inline.
struct ask {
    using reply = answer;
    static constexpr std::string_view name = "load.ask";
    std::uint64_t token = 0;
    std::string padding;
};

/// Answered by a handler that awaits for a while.
struct ask_later {
    using reply = answer;
    static constexpr std::string_view name = "load.ask_later";
    std::uint64_t token = 0;
    std::string padding;
};

/// Answered by a thread that may block.
struct ask_blocking {
    using reply = answer;
    static constexpr std::string_view name = "load.ask_blocking";
    std::uint64_t token = 0;
    std::string padding;
};

/// Answers with as many bytes as it is asked for.
struct fill {
    using reply = std::string;
    static constexpr std::string_view name = "load.fill";
    std::uint64_t bytes = 0;
};

/// What a server holds, as it says itself.
struct levels {
    std::uint64_t sessions = 0;
    std::uint64_t sessions_total = 0;
    std::uint64_t calls = 0;
    std::uint64_t socket_memory = 0;
};
struct ask_levels {
    using reply = levels;
    static constexpr std::string_view name = "load.levels";
    bool exact = false;
};

/// Never answered: until the caller gives up, or is gone. cancels tells when that was.
struct hold {
    using reply = void;
    static constexpr std::string_view name = "load.hold";
    std::uint64_t token = 0;
};

/// How many calls of hold were given up, and when the last of them was, on CLOCK_MONOTONIC.
struct cancels {
    std::uint64_t count = 0;
    std::int64_t last_ns = 0;
};
struct ask_cancels {
    using reply = cancels;
    static constexpr std::string_view name = "load.cancels";
    bool exact = false;
};

/// One item of a stream: its number, and bytes that are told by that.
struct chunk {
    std::uint64_t offset = 0;
    std::string bytes;
};
void fill_chunk(chunk& c, std::uint64_t offset, std::size_t bytes);
bool is_right(const chunk& c, std::uint64_t offset);

/// A stream of `items` chunks of `bytes` bytes.
struct download {
    using reply = wharf::stream_of<chunk>;
    static constexpr std::string_view name = "load.download";
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
};

/// Takes chunks until they end.
struct received {
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
    std::uint64_t wrong = 0; ///< items that were not what should have come
};
struct upload_all {
    using reply = received;
    using upload = wharf::stream_of<chunk>;
    static constexpr std::string_view name = "load.upload";
    std::uint64_t token = 0;
};

/// A command as the message of a call that is built by hand.
template <class C>
std::string message_of(const C& command)
{
    wharf::byte_buffer encoded;
    wharf::store_archive out(encoded);
    out << command;
    out.flush();
    return {reinterpret_cast<const char*>(encoded.data()), encoded.size()};
}

template <class Question>
answer answer_to(const Question& question)
{
    return {mix(question.token), question.padding};
}

} // namespace stress
