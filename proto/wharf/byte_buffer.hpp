// A growable run of bytes that archives and frames are written into, without zero filling.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace wharf {

/// A contiguous buffer: bytes are appended at the end and taken from the front.
/// At least `slack` bytes behind the capacity may be written (never read as content), and stay
/// where it grows, which lets an archive write what is short before it asks for room.
/// Large memory that a thread gives back is kept for the next large buffer of the same thread, up
/// to kept_bytes_max: the system zeroes each page that it gives, which costs more than to send it.
/// Distinct objects: safe. Shared objects: unsafe. Throws std::bad_alloc where it grows.
class byte_buffer {
public:
    static constexpr std::size_t slack = 64;
    /// What each thread keeps at most, in all; and the least size that is kept.
    static constexpr std::size_t kept_bytes_max = 4u << 20;
    static constexpr std::size_t kept_bytes_min = 128u << 10;

    byte_buffer() noexcept = default;
    explicit byte_buffer(std::size_t capacity);
    byte_buffer(byte_buffer&& other) noexcept;
    byte_buffer& operator=(byte_buffer&& other) noexcept;
    ~byte_buffer();

    std::byte* data() noexcept { return begin_; }
    const std::byte* data() const noexcept { return begin_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
    bool empty() const noexcept { return end_ == begin_; }
    std::size_t capacity() const noexcept { return static_cast<std::size_t>(limit_ - begin_); }
    std::span<const std::byte> view() const noexcept { return {begin_, size()}; }

    /// One past the last byte, and one past the last byte that fits without growing.
    std::byte* end() noexcept { return end_; }
    std::byte* limit() noexcept { return limit_; }
    /// Sets the end to a place between data() and limit(), after writing there directly.
    void set_end(std::byte* end) noexcept { end_ = end; }

    /// Makes room for `n` more bytes behind the end and returns the end.
    std::byte* reserve_more(std::size_t n)
    {
        if (static_cast<std::size_t>(limit_ - end_) < n) [[unlikely]]
            grow(n);
        return end_;
    }
    /// Appends bytes, which may not be part of this buffer.
    void append(const void* bytes, std::size_t n)
    {
        std::byte* to = reserve_more(n);
        if (n != 0)
            std::memcpy(to, bytes, n);
        end_ = to + n;
    }
    void append(std::span<const std::byte> bytes) { append(bytes.data(), bytes.size()); }
    /// Makes the buffer `n` bytes long; new bytes are not initialised.
    void resize(std::size_t n);
    void clear() noexcept { end_ = begin_; }
    /// Drops `n` bytes at the front, moving the rest down.
    void erase_front(std::size_t n) noexcept;
    /// Gives the memory back when it is larger than `keep_max` and empty.
    void shrink(std::size_t keep_max) noexcept;

private:
    void grow(std::size_t n);
    void release() noexcept;

    std::byte* begin_ = nullptr;
    std::byte* end_ = nullptr;
    std::byte* limit_ = nullptr;
};

} // namespace wharf
