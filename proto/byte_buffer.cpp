// byte_buffer: the memory under archives and frames.
#include <wharf/byte_buffer.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace wharf {

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
        std::free(begin_);
        begin_ = std::exchange(other.begin_, nullptr);
        end_ = std::exchange(other.end_, nullptr);
        limit_ = std::exchange(other.limit_, nullptr);
    }
    return *this;
}

byte_buffer::~byte_buffer()
{
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
        std::free(begin_);
        begin_ = end_ = limit_ = nullptr;
    }
}

void byte_buffer::grow(std::size_t n)
{
    const std::size_t used = size();
    if (n > std::numeric_limits<std::ptrdiff_t>::max() - used - slack)
        throw std::bad_alloc();
    const std::size_t wanted = std::max({used + n, capacity() * 2, std::size_t{512}});
    auto* memory = static_cast<std::byte*>(std::realloc(begin_, wanted + slack));
    if (memory == nullptr)
        throw std::bad_alloc();
    begin_ = memory;
    end_ = memory + used;
    limit_ = memory + wanted;
}

} // namespace wharf
