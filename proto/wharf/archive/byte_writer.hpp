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
        ensure(sizeof image);
        std::memcpy(at_, &image, sizeof image);
        at_ += sizeof image;
    }

    [[gnu::always_inline]] inline void put_varint(std::uint64_t value)
    {
        ensure(varint_bytes_max);
        put_varint_unchecked(value);
    }

    template <class Traits, class Allocator>
    [[gnu::always_inline]] inline void
    put_string(const std::basic_string<char, Traits, Allocator>& text)
    {
        const std::size_t n = text.size();
        ensure(n + varint_bytes_max);
        put_varint_unchecked(n);
        if constexpr (copies_blocks) {
            // libstdc++ has at least 16 readable bytes behind data(); the buffer has slack.
            if (n <= 16) {
                std::memcpy(at_, text.data(), 16);
                at_ += n;
                return;
            }
            if (n <= 32) {
                std::memcpy(at_, text.data(), 16);
                std::memcpy(at_ + n - 16, text.data() + n - 16, 16);
                at_ += n;
                return;
            }
        }
        std::memcpy(at_, text.data(), n);
        at_ += n;
    }

    [[gnu::always_inline]] inline void put_varint_unchecked(std::uint64_t value)
    {
        if (value < 0x80) [[likely]]
            *at_++ = static_cast<std::byte>(value);
        else
            at_ = put_long_varint(at_, value);
    }

    std::byte* at_ = nullptr; ///< null: no message is begun
    std::byte* limit_ = nullptr;
    byte_buffer* out_;
};

} // namespace wharf::detail
