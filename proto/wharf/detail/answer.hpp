// What a session asks of the router: one call answered, whatever its handler does.
#pragma once

#include <wharf/conversation.hpp>
#include <wharf/detail/step_down.hpp>
#include <wharf/service.hpp>

#include <exception>

namespace wharf::detail {

/// An error to send instead of a reply, and what only the log may say.
struct call_failure {
    errc code = errc::internal;
    std::string text;
    std::chrono::milliseconds retry_after{};
    std::string cause; ///< what() of an exception that is not an error; empty otherwise
    bool operator==(const call_failure&) const = default;
};

/// What to answer for what a handler threw. Never throws but std::bad_alloc.
call_failure to_failure(const std::exception_ptr& thrown);

/// The slot of a call in a conversation: opens its reply there, at most once. Whoever serves
/// streams overrides channel().
class conversation_slot : public reply_slot {
public:
    conversation_slot(conversation& to, std::uint64_t id, const limits& bounds) noexcept
        : to_(to), bounds_(bounds), id_(id)
    {}
    /// The reply leaves in the versions that the peer knows. Null: in the newest.
    void store_for(const step_down* peer) noexcept { older_ = peer; }

    const limits& bounds() const noexcept override { return bounds_; }
    byte_buffer& open() override;
    message_owner* owner_of(message_view message) noexcept override;

    /// Completes the reply; where the peer cannot take it, answers errc::message_limit and returns
    /// false. Throws what step_down::store_reply() throws.
    bool complete();
    /// Drops what was written of the reply and answers with the failure.
    void fail(const call_failure& why);

private:
    conversation& to_;
    void store_older();

    const limits& bounds_;
    const step_down* older_ = nullptr;
    std::uint64_t id_;
    bool open_ = false;
    conversation::reply_mark mark_;
};

/// Runs an inline handler and writes its answer. Returns false where the answer is an error, and
/// tells what it was.
bool answer_call(const command_entry& entry, message_view arguments, call& current,
                 conversation_slot& to, call_failure& failure);

} // namespace wharf::detail
