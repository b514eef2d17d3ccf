// SipHash-2-4, as the paper has it.
#include "siphash.hpp"

#include <bit>

namespace wharf::detail {
namespace {

struct siphash_state {
    std::uint64_t v0, v1, v2, v3;

    void round(int times) noexcept
    {
        while (times-- > 0) {
            v0 += v1;
            v2 += v3;
            v1 = std::rotl(v1, 13) ^ v0;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 = std::rotl(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = std::rotl(v1, 17) ^ v2;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 = std::rotl(v2, 32);
        }
    }
    void take(std::uint64_t word) noexcept
    {
        v3 ^= word;
        round(2);
        v0 ^= word;
    }
};

/// Up to eight bytes, the first of which is the least significant.
std::uint64_t read_word(std::span<const std::byte> bytes) noexcept
{
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        word |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    return word;
}

} // namespace

std::uint64_t siphash(siphash_key key, std::span<const std::byte> message) noexcept
{
    siphash_state state{key.low ^ 0x736f6d6570736575, key.high ^ 0x646f72616e646f6d,
                        key.low ^ 0x6c7967656e657261, key.high ^ 0x7465646279746573};
    const std::uint64_t size = message.size();
    for (; message.size() >= 8; message = message.subspan(8))
        state.take(read_word(message.first(8)));
    state.take(read_word(message) | size << 56);
    state.v2 ^= 0xff;
    state.round(4);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

} // namespace wharf::detail
