// Little-endian fields and frames, byte by byte.
#include "hostile_bytes.hpp"

namespace stress::bytes {

namespace {

std::string little_endian(std::uint64_t n, int size)
{
    std::string out;
    for (int i = 0; i != size; ++i)
        out += static_cast<char>(n >> (8 * i));
    return out;
}

std::string record(std::uint16_t type, const std::string& value)
{
    return u16(type) + u16(static_cast<std::uint16_t>(value.size())) + value;
}

} // namespace

std::string u16(std::uint16_t n)
{
    return little_endian(n, 2);
}
std::string u32(std::uint32_t n)
{
    return little_endian(n, 4);
}
std::string u64(std::uint64_t n)
{
    return little_endian(n, 8);
}

std::string header(std::uint32_t length, std::uint8_t which, std::uint8_t flags,
                   std::uint16_t number, std::uint64_t id)
{
    return u32(length) + static_cast<char>(which) + static_cast<char>(flags) + u16(number) +
           u64(id);
}

std::string frame(std::uint8_t which, std::string_view payload, std::uint8_t flags,
                  std::uint16_t number, std::uint64_t id)
{
    return header(static_cast<std::uint32_t>(payload.size()), which, flags, number, id) +
           std::string(payload);
}

std::string greeting()
{
    const std::string records = record(1, "crowd") + record(2, u32(64u << 10)) +
                                record(3, u64(16u << 20)) +
                                record(4, u32(1u << 30) + u64(1u << 30));
    return "\x89wharfC\x01" + frame(hello, records);
}

std::string declaration(std::uint16_t number, std::string_view name)
{
    return frame(declare, static_cast<char>(name.size()) + std::string(name), 0, number);
}

} // namespace stress::bytes
