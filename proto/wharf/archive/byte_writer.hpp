// The writing end of a message: numbers, varints and runs of bytes at the end of a byte_buffer.
#pragma once

#include <wharf/archive/traits.hpp>
#include <wharf/byte_buffer.hpp>

namespace wharf::detail {

/// Makes room for `n` bytes at `at`, which is behind the end of `out`: the bytes from there to `at`
/// are the message being written, and are kept. A null `at` starts a message with its prelude.
/// Static and by value: if it took an archive, the archive's pointers would live in memory.
[[gnu::cold, gnu::noinline]] std::byte* grow_message(byte_buffer& out, std::byte* at,
                                                     std::size_t n);

/// Position and end are cached here; the buffer's own end moves when the message is complete.
/// What is short goes into the buffer's slack before there is room for it: one comparison behind
/// it costs less than one in front. That needs a message that is begun.
class byte_writer {
protected:
    explicit byte_writer(byte_buffer& out) noexcept : out_(&out) {}

    [[gnu::always_inline]] inline void ensure(std::size_t n)
    {
        if (static_cast<std::size_t>(limit_ - at_) < n) [[unlikely]] {
            at_ = grow_message(*out_, at_, n);
            limit_ = out_->limit();
        }
    }

    [[gnu::always_inline]] inline void put_bytes(const void* from, std::size_t n)
    {
        ensure(n);
        if (n != 0)
            std::memcpy(at_, from, n);
        at_ += n;
    }

    template <class T>
    [[gnu::always_inline]] inline void put_number(T value)
    {
        const auto image = little_endian(static_cast<wire_number_t<T>>(value));
        static_assert(sizeof image <= byte_buffer::slack);
        std::memcpy(at_, &image, sizeof image);
        move_to(at_ + sizeof image);
    }

    [[gnu::always_inline]] inline void put_varint(std::uint64_t value)
    {
        static_assert(varint_bytes_max <= byte_buffer::slack);
        move_to(put_varint_at(at_, value));
    }

    template <class Traits, class Allocator>
    [[gnu::always_inline]] inline void
    put_string(const std::basic_string<char, Traits, Allocator>& text)
    {
        const std::size_t n = text.size();
        if constexpr (copies_blocks) {
            // libstdc++ has at least 16 readable bytes behind data().
            static_assert(1 + 32 <= byte_buffer::slack);
            if (n <= 32) [[likely]] {
                std::byte* to = at_;
                *to++ = static_cast<std::byte>(n);
                std::memcpy(to, text.data(), 16);
                if (n > 16)
                    std::memcpy(to + n - 16, text.data() + n - 16, 16);
                move_to(to + n);
                return;
            }
        }
        ensure(varint_bytes_max + n);
        at_ = put_varint_at(at_, n);
        std::memcpy(at_, text.data(), n);
        at_ += n;
    }

    /// Where growing fails, at_ stays, so that the slack is never exceeded.
    [[gnu::always_inline]] inline void move_to(std::byte* to)
    {
        if (to > limit_) [[unlikely]] {
            to = grow_message(*out_, to, 0);
            limit_ = out_->limit();
        }
        at_ = to;
    }
    [[gnu::always_inline]] static inline std::byte* put_varint_at(std::byte* to,
                                                                  std::uint64_t value)
    {
        if (value >= 0x80) [[unlikely]]
            return put_long_varint(to, value);
        *to = static_cast<std::byte>(value);
        return to + 1;
    }

    // In this order g++ does not pack position and limit into one vector to store them.
    std::byte* at_ = nullptr; ///< null: no message is begun
    byte_buffer* out_;
    std::byte* limit_ = nullptr;
};

} // namespace wharf::detail
