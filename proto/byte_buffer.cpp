// byte_buffer: the memory under archives and frames.
#include <wharf/byte_buffer.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace wharf {
namespace {

#if defined(__SANITIZE_ADDRESS__)
#define WHARF_SEES_FREED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WHARF_SEES_FREED
#endif
#endif
/// Not where the address sanitizer is to see what is freed.
#ifdef WHARF_SEES_FREED
constexpr bool keeps_blocks = false;
#else
constexpr bool keeps_blocks = true;
#endif

struct block {
    std::byte* memory = nullptr;
    std::size_t bytes = 0; ///< without the slack
};

/// A thread's large blocks. Buffers may outlive their thread's: then nothing is kept any more.
class kept_blocks {
public:
    constexpr kept_blocks() noexcept = default;
    ~kept_blocks()
    {
        is_over = true;
        for (const block& each : all_)
            std::free(each.memory);
    }

    /// The largest that has `bytes_min` to `bytes_max` bytes, or none.
    block take(std::size_t bytes_min, std::size_t bytes_max) noexcept
    {
        block* best = nullptr;
        for (block& each : all_)
            if (each.bytes >= bytes_min && each.bytes <= bytes_max &&
                (best == nullptr || each.bytes > best->bytes))
                best = &each;
        if (best == nullptr)
            return {};
        bytes_ -= best->bytes;
        return std::exchange(*best, {});
    }

    /// Keeps the block; false where there is no room for it.
    bool put(const block& freed) noexcept
    {
        block* place = nullptr;
        for (block& each : all_)
            if (each.memory == nullptr)
                place = &each;
        if (place == nullptr || bytes_ + freed.bytes > byte_buffer::kept_bytes_max)
            return false;
        bytes_ += freed.bytes;
        *place = freed;
        return true;
    }

    static thread_local constinit bool is_over;

private:
    std::array<block, 8> all_{};
    std::size_t bytes_ = 0;
};

thread_local constinit bool kept_blocks::is_over = false;
thread_local constinit kept_blocks blocks_of_thread;

bool keep_block(const block& freed) noexcept
{
    return keeps_blocks && !kept_blocks::is_over && blocks_of_thread.put(freed);
}

block take_block(std::size_t bytes_min, std::size_t bytes_max) noexcept
{
    return keeps_blocks && !kept_blocks::is_over ? blocks_of_thread.take(bytes_min, bytes_max)
                                                 : block();
}

} // namespace

byte_buffer::byte_buffer(std::size_t capacity)
{
    if (capacity != 0)
        grow(capacity);
}

byte_buffer::byte_buffer(byte_buffer&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)),
      end_(std::exchange(other.end_, nullptr)),
      limit_(std::exchange(other.limit_, nullptr))
{}

byte_buffer& byte_buffer::operator=(byte_buffer&& other) noexcept
{
    if (this != &other) {
        release();
        begin_ = std::exchange(other.begin_, nullptr);
        end_ = std::exchange(other.end_, nullptr);
        limit_ = std::exchange(other.limit_, nullptr);
    }
    return *this;
}

byte_buffer::~byte_buffer()
{
    release();
}

void byte_buffer::release() noexcept
{
    if (capacity() < kept_bytes_min || !keep_block({begin_, capacity()})) [[likely]]
        std::free(begin_);
}

void byte_buffer::resize(std::size_t n)
{
    if (n > size())
        reserve_more(n - size());
    end_ = begin_ + n;
}

void byte_buffer::erase_front(std::size_t n) noexcept
{
    const std::size_t rest = size() - n;
    if (rest != 0)
        std::memmove(begin_, begin_ + n, rest);
    end_ = begin_ + rest;
}

void byte_buffer::shrink(std::size_t keep_max) noexcept
{
    if (empty() && capacity() > keep_max) {
        release();
        begin_ = end_ = limit_ = nullptr;
    }
}

void byte_buffer::grow(std::size_t n)
{
    const std::size_t used = size();
    if (n > std::numeric_limits<std::ptrdiff_t>::max() - used - slack)
        throw std::bad_alloc();
    const std::size_t wanted = std::max({used + n, capacity() * 2, std::size_t{512}});
    // Later it is realloc() that moves pages without copying them.
    if (wanted >= kept_bytes_min && capacity() < kept_bytes_min) [[unlikely]] {
        // What grows will grow further; what begins knows how much it needs, and may hold it long.
        const std::size_t most = used != 0 ? std::numeric_limits<std::size_t>::max() : 2 * wanted;
        if (const block kept = take_block(wanted, most); kept.memory != nullptr) {
            if (begin_ != nullptr) // what stands behind the end stays, too, as by realloc()
                std::memcpy(kept.memory, begin_, capacity() + slack);
            release();
            begin_ = kept.memory;
            end_ = begin_ + used;
            limit_ = begin_ + kept.bytes;
            return;
        }
    }
    auto* memory = static_cast<std::byte*>(std::realloc(begin_, wanted + slack));
    if (memory == nullptr)
        throw std::bad_alloc();
    begin_ = memory;
    end_ = memory + used;
    limit_ = memory + wanted;
}

} // namespace wharf
