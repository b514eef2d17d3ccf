// Frames built by hand, right and wrong ones, without the library's own conversation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stress::bytes {

/// Kinds and flags as in proto/README.md.
enum kind : std::uint8_t {
    hello = 1,
    declare = 2,
    call = 3,
    reply = 4,
    error = 5,
    ping = 6,
    pong = 7,
    goaway = 8,
    item = 9,
    upload = 10,
    window = 11,
    cancel = 12
};
enum flag : std::uint8_t { more = 1, timeout = 2, last = 4, of_upload = 8 };

std::string u16(std::uint16_t n);
std::string u32(std::uint32_t n);
std::string u64(std::uint64_t n);

/// A header that says `length`, whatever follows it.
std::string header(std::uint32_t length, std::uint8_t which, std::uint8_t flags = 0,
                   std::uint16_t number = 0, std::uint64_t id = 0);
std::string frame(std::uint8_t which, std::string_view payload, std::uint8_t flags = 0,
                  std::uint16_t number = 0, std::uint64_t id = 0);
/// Opening and hello of a peer that takes whatever comes.
std::string greeting();
std::string declaration(std::uint16_t number, std::string_view name);

} // namespace stress::bytes
