// Helpers of the archive tests: bytes as text, and messages in memory.
#pragma once

#include <wharf/archive.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>
#include <initializer_list>
#include <ostream>
#include <string>

namespace wharf {

inline std::ostream& operator<<(std::ostream& out, errc code)
{
    return out << to_name(code);
}

} // namespace wharf

namespace archive_support {

using bytes = std::vector<std::byte>;

inline bytes make_bytes(std::initializer_list<int> values)
{
    bytes all;
    for (const int value : values)
        all.push_back(static_cast<std::byte>(value));
    return all;
}

inline std::string to_hex(std::span<const std::byte> message)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::byte b : message) {
        if (!text.empty())
            text += ' ';
        text += digits[static_cast<unsigned>(b) >> 4];
        text += digits[static_cast<unsigned>(b) & 15];
    }
    return text;
}

/// What loading these bytes as a T fails with; errc{} where it does not.
template <class T>
wharf::errc refusal_of(std::span<const std::byte> message, const wharf::limits& limit = {})
{
    try {
        (void)wharf::from_bytes<T>(message, limit);
        return wharf::errc{};
    }
    catch (const wharf::error& e) {
        BOOST_TEST(e.text().starts_with("at byte "));
        return e.code();
    }
}
template <class T>
wharf::errc refusal_of(std::initializer_list<int> message, const wharf::limits& limit = {})
{
    return refusal_of<T>(make_bytes(message), limit);
}

/// Stores and loads; the second image must be the first.
template <class T>
T round_trip(const T& value)
{
    const bytes image = wharf::to_bytes(value);
    T back = wharf::from_bytes<T>(image);
    BOOST_TEST(to_hex(wharf::to_bytes(back)) == to_hex(image));
    return back;
}

/// A message file without a socket: what is sent can be received.
class memory_file final : public wharf::message_file {
public:
    void send_message(std::span<const std::byte> message) override
    {
        if (fails)
            throw wharf::error(wharf::errc::connection_reset);
        messages.emplace_back(message.begin(), message.end());
    }
    std::span<const std::byte> receive_message() override
    {
        if (messages.empty())
            throw wharf::error(wharf::errc::connection_closed);
        ++received;
        current = std::move(messages.front());
        messages.pop_front();
        return current;
    }
    bool has_message() const override { return !messages.empty(); }

    std::deque<bytes> messages;
    bytes current;
    int received = 0;
    bool fails = false;
};

} // namespace archive_support
