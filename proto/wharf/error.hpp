// Every way in which an operation of Wharf fails, as an error code and as an exception.
#pragma once

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace wharf {

using boost::system::error_code;

/// Why an operation failed. The numbers travel on the wire and are never reused or renumbered.
/// Each value has one sentence, `to_sentence(code)`; proto/README.md lists them all.
enum class errc : std::uint16_t {
    // The archive: what a load of bytes, or a store of a value, refuses.
    truncated = 1,        ///< the bytes end inside a value
    bad_length = 2,       ///< a length or count exceeds the bytes that are left
    bad_varint = 3,       ///< a variable-length number has more than 64 bits
    not_canonical = 4,    ///< the same value has a shorter or another required form
    bad_bool = 5,         ///< a bool is neither 0 nor 1
    bad_enum = 6,         ///< no enumerator can have this value
    bad_value = 7,        ///< a value or variant index is outside its range
    newer_version = 8,    ///< a class version is newer than this program knows
    trailing_data = 9,    ///< bytes are left after the last value of a message
    memory_limit = 10,    ///< decoding would take more memory than its limit
    depth_limit = 11,     ///< values are nested deeper than the limit
    object_limit = 12,    ///< a message has more objects behind pointers than the limit
    message_limit = 13,   ///< a message is larger than the limit
    refused_by_type = 14, ///< the type's own serialize() threw
    bad_prelude = 15,     ///< a message begins with an unknown prelude byte
    bad_reference = 16,   ///< a reference names an object that the message does not have
    bad_class = 17,       ///< an object's class is unknown here, or is not what its pointer needs
    bad_ownership = 18,   ///< an object would have two owners that do not share it
    ownership_cycle = 19, ///< objects would own each other for ever
    chain_limit = 20, ///< more objects own one another in a chain than destruction may recurse into
    unregistered_class = 21, ///< a derived class has neither an export key nor a registration
    pointer_conflict = 22,   ///< an object is stored both through a pointer and in another way
    bad_utf8 = 23,           ///< text that must be UTF-8 is not
    collision_limit = 24,    ///< too many keys of a hash container fall into one bucket
    bad_json = 25,           ///< the text is not JSON, or does not fit the type

    // The conversation: what ends a session.
    bad_protocol = 50, ///< the peer's first bytes are not this protocol
    unsupported_protocol =
        51,           ///< the peer speaks a version of the protocol that this program does not
    frame_limit = 52, ///< a frame is larger than the limit
    bad_frame = 53,   ///< a frame breaks the protocol
    handshake_timeout = 54, ///< the handshake did not finish in time
    session_limit = 55,     ///< a per-session limit is exhausted
    slow_reader = 56,       ///< the peer reads too slowly for what it asks
    window_exceeded = 57,   ///< the peer sent more of a stream than it was allowed

    // The connection.
    not_connected = 70,      ///< the socket is not connected
    connection_closed = 71,  ///< the peer closed the connection in order
    connection_reset = 72,   ///< the connection broke
    connection_refused = 73, ///< nobody listens at the endpoint
    host_not_found = 74,     ///< the host name does not resolve
    unreachable = 75,        ///< there is no route to the endpoint
    bad_endpoint = 76,       ///< the text is not an endpoint that can be used here
    address_in_use = 77,     ///< the endpoint is in use
    access_denied = 78,      ///< the system denies access to the endpoint
    io_error = 79,           ///< the system failed to read or write
    outcome_unknown =
        80,          ///< the connection was lost after the call was sent: it may have been done
    going_away = 81, ///< the peer is stopping and did not accept the call

    // The call.
    unknown_command = 100,   ///< the daemon serves no command of this name
    permission_denied = 101, ///< the caller may not do this
    overloaded = 102,        ///< a limit is reached: try again later
    internal = 103,          ///< the handler failed: the daemon's log says why
    deadline_exceeded = 104, ///< the deadline passed
    cancelled = 105,         ///< the caller gave up
    bad_argument = 106,      ///< an argument is outside of what the command takes
    not_found = 107,         ///< there is no such object
    conflict = 108,          ///< the object is at another revision
    unsupported_json = 109,  ///< the command cannot be called in JSON
    compacted = 110,         ///< the changes asked for are not kept any more

    // The store.
    store_full = 130,    ///< the disk is full
    store_busy = 131,    ///< another process holds the database
    store_corrupt = 132, ///< the database is damaged
    store_failed = 133,  ///< the database failed to read or write
};

/// This function and those below are safe in any thread, and what they return lives for ever.
/// The sentence for a code, without a full stop; "unknown error N" never occurs for an enumerator.
std::string_view to_sentence(errc code) noexcept;

/// The enumerator's own name ("bad_length"); empty for a number that is no enumerator.
std::string_view to_name(errc code) noexcept;

/// Turns a number from the wire into an enumerator; an unknown number becomes errc::internal.
errc errc_from_wire(std::uint16_t number) noexcept;

/// The one category object of errc. Its name is "wharf".
const boost::system::error_category& wharf_category() noexcept;

/// Found by argument-dependent look-up: errc converts to error_code.
error_code make_error_code(errc code) noexcept;

/// What Wharf throws, and what a handler throws to answer its caller with a code and a text.
/// The text of an error that came from a peer is the peer's: print it escaped, never trust it.
/// Virtual inheritance lets the archive's errors be Boost archive_exceptions too.
/// A value: distinct objects are safe in different threads.
class error : public virtual std::exception {
public:
    explicit error(errc code);
    /// `text` says what the sentence of the code does not: which key, which endpoint, what to do.
    error(errc code, std::string text, std::chrono::milliseconds retry_after = {});

    errc code() const noexcept { return code_; }
    /// "sentence: text", or the sentence alone.
    const char* what() const noexcept override { return what_.c_str(); }
    /// What was given to the constructor; may be empty.
    const std::string& text() const noexcept { return text_; }
    /// With errc::overloaded: how long to wait before trying again; zero says nothing.
    std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

private:
    errc code_;
    std::chrono::milliseconds retry_after_{};
    std::string text_;
    std::string what_;
};

} // namespace wharf

template <>
struct boost::system::is_error_code_enum<wharf::errc> : std::true_type {};
