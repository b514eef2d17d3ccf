// The sentences of errc, its category object and the exception.
#include <wharf/error.hpp>

#include <utility>

namespace wharf {
namespace {

struct entry {
    errc code;
    std::string_view name;
    std::string_view sentence;
};

constexpr entry entries[] = {
    {errc::truncated, "truncated", "the bytes end inside a value"},
    {errc::bad_length, "bad_length", "a length or count exceeds the bytes that are left"},
    {errc::bad_varint, "bad_varint", "a variable-length number has more than 64 bits"},
    {errc::not_canonical, "not_canonical", "the same value has a shorter or another required form"},
    {errc::bad_bool, "bad_bool", "a bool is neither 0 nor 1"},
    {errc::bad_enum, "bad_enum", "no enumerator can have this value"},
    {errc::bad_value, "bad_value", "a value or variant index is outside its range"},
    {errc::newer_version, "newer_version", "a class version is newer than this program knows"},
    {errc::trailing_data, "trailing_data", "bytes are left after the last value of a message"},
    {errc::memory_limit, "memory_limit", "decoding would take more memory than its limit"},
    {errc::depth_limit, "depth_limit", "values are nested deeper than the limit"},
    {errc::object_limit, "object_limit",
     "a message has more objects behind pointers than the limit"},
    {errc::message_limit, "message_limit", "a message is larger than the limit"},
    {errc::refused_by_type, "refused_by_type", "the type's own serialize() threw"},
    {errc::bad_prelude, "bad_prelude", "a message begins with an unknown prelude byte"},
    {errc::bad_reference, "bad_reference",
     "a reference names an object that the message does not have"},
    {errc::bad_class, "bad_class",
     "an object's class is unknown here, or is not what its pointer needs"},
    {errc::bad_ownership, "bad_ownership", "an object would have two owners that do not share it"},
    {errc::ownership_cycle, "ownership_cycle", "objects would own each other for ever"},
    {errc::chain_limit, "chain_limit",
     "more objects own one another in a chain than destruction may recurse into"},
    {errc::unregistered_class, "unregistered_class",
     "a derived class has neither an export key nor a registration"},
    {errc::pointer_conflict, "pointer_conflict",
     "an object is stored both through a pointer and in another way"},
    {errc::bad_utf8, "bad_utf8", "text that must be UTF-8 is not"},
    {errc::collision_limit, "collision_limit",
     "too many keys of a hash container fall into one bucket"},
    {errc::bad_json, "bad_json", "the text is not JSON, or does not fit the type"},
    {errc::bad_protocol, "bad_protocol", "the peer's first bytes are not this protocol"},
    {errc::unsupported_protocol, "unsupported_protocol",
     "the peer speaks a version of the protocol that this program does not"},
    {errc::frame_limit, "frame_limit", "a frame is larger than the limit"},
    {errc::bad_frame, "bad_frame", "a frame breaks the protocol"},
    {errc::handshake_timeout, "handshake_timeout", "the handshake did not finish in time"},
    {errc::session_limit, "session_limit", "a per-session limit is exhausted"},
    {errc::slow_reader, "slow_reader", "the peer reads too slowly for what it asks"},
    {errc::window_exceeded, "window_exceeded",
     "the peer sent more of a stream than it was allowed"},
    {errc::not_connected, "not_connected", "the socket is not connected"},
    {errc::connection_closed, "connection_closed", "the peer closed the connection in order"},
    {errc::connection_reset, "connection_reset", "the connection broke"},
    {errc::connection_refused, "connection_refused", "nobody listens at the endpoint"},
    {errc::host_not_found, "host_not_found", "the host name does not resolve"},
    {errc::unreachable, "unreachable", "there is no route to the endpoint"},
    {errc::bad_endpoint, "bad_endpoint", "the text is not an endpoint that can be used here"},
    {errc::address_in_use, "address_in_use", "the endpoint is in use"},
    {errc::access_denied, "access_denied", "the system denies access to the endpoint"},
    {errc::io_error, "io_error", "the system failed to read or write"},
    {errc::outcome_unknown, "outcome_unknown",
     "the connection was lost after the call was sent: it may have been done"},
    {errc::going_away, "going_away", "the peer is stopping and did not accept the call"},
    {errc::unknown_command, "unknown_command", "the daemon serves no command of this name"},
    {errc::permission_denied, "permission_denied", "the caller may not do this"},
    {errc::overloaded, "overloaded", "a limit is reached: try again later"},
    {errc::internal, "internal", "the handler failed: the daemon's log says why"},
    {errc::deadline_exceeded, "deadline_exceeded", "the deadline passed"},
    {errc::cancelled, "cancelled", "the caller gave up"},
    {errc::bad_argument, "bad_argument", "an argument is outside of what the command takes"},
    {errc::not_found, "not_found", "there is no such object"},
    {errc::conflict, "conflict", "the object is at another revision"},
    {errc::unsupported_json, "unsupported_json", "the command cannot be called in JSON"},
    {errc::compacted, "compacted", "the changes asked for are not kept any more"},
    {errc::store_full, "store_full", "the disk is full"},
    {errc::store_busy, "store_busy", "another process holds the database"},
    {errc::store_corrupt, "store_corrupt", "the database is damaged"},
    {errc::store_failed, "store_failed", "the database failed to read or write"},
};

const entry* find(errc code) noexcept
{
    for (const entry& e : entries)
        if (e.code == code)
            return &e;
    return nullptr;
}

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "wharf"; }
    std::string message(int value) const override
    {
        if (value == 0)
            return "success";
        const entry* e = find(static_cast<errc>(value));
        return e != nullptr ? std::string(e->sentence) : "unknown error " + std::to_string(value);
    }
};

} // namespace

std::string_view to_sentence(errc code) noexcept
{
    const entry* e = find(code);
    return e != nullptr ? e->sentence : "unknown error";
}

std::string_view to_name(errc code) noexcept
{
    const entry* e = find(code);
    return e != nullptr ? e->name : std::string_view();
}

errc errc_from_wire(std::uint16_t number) noexcept
{
    const entry* e = find(static_cast<errc>(number));
    return e != nullptr ? e->code : errc::internal;
}

const boost::system::error_category& wharf_category() noexcept
{
    static const category object;
    return object;
}

error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), wharf_category()};
}

error::error(errc code) : error(code, std::string()) {}

error::error(errc code, std::string text, std::chrono::milliseconds retry_after)
    : code_(code), retry_after_(retry_after), text_(std::move(text)), what_(to_sentence(code))
{
    if (!text_.empty())
        what_.append(": ").append(text_);
}

} // namespace wharf
