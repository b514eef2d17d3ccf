// The reading end of a message: everything that is taken is checked against what is left.
#pragma once

#include <wharf/archive/guards.hpp>
#include <wharf/archive/traits.hpp>
#include <wharf/limits.hpp>

namespace wharf::detail {

/// The memory that decoding `bytes` may take.
inline std::size_t memory_budget(const limits& limit, std::size_t bytes) noexcept
{
    std::size_t budget = 0;
    if (__builtin_mul_overflow(bytes, limit.memory_factor, &budget) ||
        __builtin_add_overflow(budget, limit.memory_base_bytes, &budget))
        return limit.memory_bytes_max;
    return budget < limit.memory_bytes_max ? budget : limit.memory_bytes_max;
}

/// Bytes in, and the memory that may still be charged.
class byte_reader {
public:
    byte_reader() = default;
    byte_reader(std::span<const std::byte> message, std::size_t budget) noexcept
        : at_(message.data()), end_(at_ + message.size()), begin_(at_), budget_(budget)
    {}

protected:
    [[gnu::always_inline]] inline std::size_t left() const noexcept
    {
        return static_cast<std::size_t>(end_ - at_);
    }
    [[gnu::always_inline]] inline std::size_t offset() const noexcept
    {
        return static_cast<std::size_t>(at_ - begin_);
    }
    std::size_t budget() const noexcept { return budget_; }
    /// Inline, so that the reader's address goes nowhere and its pointers stay in registers.
    [[noreturn, gnu::always_inline]] inline void fail(errc code) const { fail_at(code, offset()); }

    [[gnu::always_inline]] inline void need(std::size_t n) const
    {
        if (left() < n) [[unlikely]]
            fail(errc::truncated);
    }
    /// Charges memory before it is allocated.
    [[gnu::always_inline]] inline void charge(std::size_t bytes)
    {
        if (budget_ < bytes) [[unlikely]]
            fail(errc::memory_limit);
        budget_ -= bytes;
    }

    [[gnu::always_inline]] inline void get_bytes(void* to, std::size_t n)
    {
        need(n);
        if (n != 0)
            std::memcpy(to, at_, n);
        at_ += n;
    }

    template <class T>
    [[gnu::always_inline]] inline void get_number(T& value)
    {
        wire_number_t<T> image;
        need(sizeof image);
        std::memcpy(&image, at_, sizeof image);
        image = little_endian(image);
        value = static_cast<T>(image);
        if constexpr (sizeof(T) < sizeof image)
            if (static_cast<wire_number_t<T>>(value) != image)
                fail(errc::bad_value);
        at_ += sizeof image;
    }

    [[gnu::always_inline]] inline std::uint64_t get_varint()
    {
        need(1);
        const auto first = static_cast<std::uint64_t>(*at_);
        if (first < 0x80) [[likely]] {
            ++at_;
            return first;
        }
        const auto [behind, value] = get_long_varint(at_, end_, offset());
        at_ = behind;
        return value;
    }

    /// A count of elements of which each takes at least `element_bytes_min` bytes, or one.
    [[gnu::always_inline]] inline std::size_t get_count(std::size_t element_bytes_min)
    {
        const std::uint64_t count = get_varint();
        if (checks<guard::count> &&
            count > left() / (element_bytes_min != 0 ? element_bytes_min : 1)) [[unlikely]]
            fail(errc::bad_length);
        return static_cast<std::size_t>(count);
    }

    /// As get_count(), charging `bytes_each` for every element. The product cannot overflow where
    /// the count is within a message in memory and the size is that of a C++ type.
    [[gnu::always_inline]] inline std::size_t get_charged_count(std::size_t element_bytes_min,
                                                                std::size_t bytes_each)
    {
        const std::size_t count = get_count(element_bytes_min);
        if (budget_ / bytes_each < count) [[unlikely]]
            fail(errc::memory_limit);
        budget_ -= count * bytes_each;
        return count;
    }

    [[gnu::always_inline]] inline bool get_bool()
    {
        need(1);
        const auto value = static_cast<unsigned>(*at_);
        if (value > 1) [[unlikely]]
            fail(errc::bad_bool);
        ++at_;
        return value != 0;
    }

    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    const std::byte* begin_ = nullptr;
    std::size_t budget_ = 0;
};

} // namespace wharf::detail
