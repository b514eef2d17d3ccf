// A stream buffer over memory that a whole message is written into and read from: as little as
// the libraries that want a stream can have.
#pragma once

#include <cstddef>
#include <streambuf>
#include <string>

namespace bench {

class memory_streambuf : public std::streambuf {
public:
    void clear() { bytes_.clear(); }
    /// What is read next is the first byte again.
    void rewind() { setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size()); }
    const std::string& bytes() const { return bytes_; }

protected:
    std::streamsize xsputn(const char* from, std::streamsize n) override
    {
        bytes_.append(from, static_cast<std::size_t>(n));
        return n;
    }
    int_type overflow(int_type c) override
    {
        bytes_.push_back(traits_type::to_char_type(c));
        return c;
    }

private:
    std::string bytes_;
};

} // namespace bench
