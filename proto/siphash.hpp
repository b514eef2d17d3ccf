// SipHash-2-4: Aumasson and Bernstein, "SipHash: a fast short-input PRF", Indocrypt 2012.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wharf::detail {

struct siphash_key {
    std::uint64_t low;
    std::uint64_t high;
};

/// The same on every machine. Any thread.
std::uint64_t siphash(siphash_key key, std::span<const std::byte> message) noexcept;

} // namespace wharf::detail
