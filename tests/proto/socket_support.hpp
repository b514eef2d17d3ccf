// What the tests of endpoints, transports and sockets share: directories, descriptors, errors.
#pragma once

#include <wharf/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wharf {

inline std::ostream& operator<<(std::ostream& out, errc code)
{
    return out << to_name(code);
}

/// A directory of its own that goes with everything in it.
class scratch_directory {
public:
    scratch_directory()
    {
        std::string name = "/tmp/wharf-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    scratch_directory(const scratch_directory&) = delete;
    ~scratch_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
    std::string path_;
};

/// Descriptors that this process has open.
inline std::size_t open_descriptors()
{
    std::size_t n = 0;
    for ([[maybe_unused]] auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++n;
    return n;
}

/// The error that `f` throws; a test that expects one fails where there is none.
template <class F>
error error_of(F f)
{
    try {
        f();
    }
    catch (const error& e) {
        return e;
    }
    throw std::runtime_error("no wharf::error was thrown");
}

template <class F>
errc code_of(F f)
{
    return error_of(f).code();
}

inline std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string text_of(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace wharf
