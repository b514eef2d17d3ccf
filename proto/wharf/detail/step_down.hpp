// What is stored for a peer that knows older versions of a command's classes.
#pragma once

#include <wharf/byte_buffer.hpp>
#include <wharf/detail/command_types.hpp>
#include <wharf/limits.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace wharf::detail {

class item_translation;

/// The classes in a command's messages and their versions, as they are told: 12 bytes each, in
/// ascending order. The types are walked by the first call in a process. Valid for ever. Any
/// thread. Throws nothing but std::bad_alloc.
std::span<const std::byte> classes_of(const command_types& of);

/// A message in the form that the peer reads.
struct older_message {
    byte_buffer bytes;
    /// Is any object in it stored at an older version than before? Then the peer would have
    /// refused the message that this was made from, whatever else it is.
    bool is_older = false;
};

/// How messages of one command are stored for one peer. Immutable: any thread.
class step_down {
public:
    /// Null where nothing is to be stored otherwise: no class of ours is newer than the peer's.
    static std::unique_ptr<const step_down> make(const command_types& ours,
                                                 std::span<const std::byte> theirs);
    ~step_down();

    /// Loads a message of ours and stores it again. Throws what either throws, and
    /// errc::unregistered_class where it holds an object of a class that the peer lacks.
    older_message store_argument(std::span<const std::byte> message) const;
    older_message store_reply(std::span<const std::byte> message) const;
    /// The same for streams, as they leave.
    std::shared_ptr<const item_translation> items() const;
    std::shared_ptr<const item_translation> uploads() const;

    /// Why what answers a call cannot be stored for the peer, naming the class and both versions;
    /// empty where it can.
    const std::string& obstacle_of_answers() const noexcept;
    /// The same of the argument and the upload.
    const std::string& obstacle_of_calls() const noexcept;

private:
    struct state;
    explicit step_down(std::unique_ptr<state> made) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace wharf::detail
