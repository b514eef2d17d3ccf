// The exchange of class versions over one connection: what the peer said of our commands, and what
// it is told of its own.
#pragma once

#include <wharf/conversation.hpp>
#include <wharf/detail/call_record.hpp>
#include <wharf/detail/step_down.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace wharf::detail {

/// Of an end that calls, one for each connection. Guarded as its conversation is.
class peer_versions {
public:
    /// The number of the call's command, declared with its classes at its first use. Throws as
    /// conversation::declare().
    std::uint16_t declare(conversation& talk, const encoded_call& what)
    {
        if (const auto known = talk.find_declared(what.name)) [[likely]]
            return *known;
        return declare_first(talk, what);
    }
    /// Says the call to the peer, in its versions, and returns its id. Throws as
    /// conversation::call(), and as step_down::store_argument().
    std::uint64_t send(conversation& talk, std::uint16_t number, const encoded_call& what,
                       std::chrono::steady_clock::time_point now) const;
    /// Before the channel is attached: its upload leaves in the peer's versions, and not before
    /// these are known.
    void prepare(stream_channel& channel, std::uint16_t number, const encoded_call& what) const;

    /// The peer told its classes of one of our commands.
    void on_versions(const events::versions& said);
    /// To be asked then for each call in flight: was it sent in a version that the peer does not
    /// know? Its refusal follows, and it is to be sent again: no handler has run. Where that is not
    /// so, what its streams held back leaves.
    bool is_refused(const events::versions& said, const call_record& sent) const;

private:
    struct told {
        const command_types* types = nullptr;
        std::unique_ptr<const step_down> older;
        bool is_awaited = false; ///< the peer will say something
    };
    std::uint16_t declare_first(conversation& talk, const encoded_call& what);
    const told* find(std::uint16_t number, const encoded_call& what) const noexcept;

    /// By number, up to the last that was told; null before the first. Most sessions tell nothing,
    /// and there are many.
    std::unique_ptr<std::vector<told>> told_;
};

/// What the peer wants to know of a command that it declared and that `ours` serves. Returns how to
/// store what answers it; null: as it is.
std::unique_ptr<const step_down> answer_declaration(conversation& talk, const events::declared& e,
                                                    const command_types* ours);

} // namespace wharf::detail
