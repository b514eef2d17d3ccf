// The seam between an archive and what carries its messages: a socket file, or a test's memory.
#pragma once

#include <cstddef>
#include <span>

namespace wharf {

/// Whole messages in, whole messages out, in order. One load_archive and one store_archive may
/// share a file; both must be gone before it is. Implementations block, and throw
/// wharf::error. Distinct objects: safe. Shared objects: unsafe.
class message_file {
public:
    /// Sends one complete message.
    virtual void send_message(std::span<const std::byte> message) = 0;
    /// Waits for the next complete message; valid until the next call of receive_message().
    virtual std::span<const std::byte> receive_message() = 0;
    /// Is a complete message buffered, so that receive_message() would not wait?
    virtual bool has_message() const = 0;

protected:
    message_file() = default;
    message_file(const message_file&) = delete;
    message_file& operator=(const message_file&) = delete;
    ~message_file() = default;
};

} // namespace wharf
