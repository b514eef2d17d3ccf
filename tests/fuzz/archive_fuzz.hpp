// What the archive's fuzz targets share: any bytes as one type of a family, and what must hold
// then.
#pragma once

#include <wharf/archive.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

namespace archive_fuzz {

/// What is promised of accepted bytes.
enum class form {
    exact,     ///< they store to the same bytes
    settled,   ///< they may be of an older class version: what is stored now stores to itself
    weak,      ///< objects that only weak pointers name are gone: then what is stored is shorter
    unordered, ///< they may be in another order: what is stored now loads as an equal value
};

/// Small, so that inputs meet them and a run takes little memory. Stores have no limit but depth.
inline wharf::limits small_limits()
{
    wharf::limits limit;
    limit.message_bytes_max = 64u << 10;
    limit.depth_max = 20;
    limit.objects_max = 200;
    limit.chain_max = 40;
    limit.memory_bytes_max = 1u << 20;
    return limit;
}

inline void require(bool holds, const char* what)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

/// Did the last input load?
inline bool was_accepted = false;

/// Any other exception than wharf::error ends the process.
template <class T>
bool load_into(T& value, std::span<const std::byte> message)
{
    try {
        wharf::load_archive archive(message, small_limits());
        archive >> value;
        archive.finish();
        return true;
    }
    catch (const wharf::error& e) {
        require(e.text().starts_with("at byte "), "an error says where");
        return false;
    }
}

/// The message with one byte changed, of all that it can be; the input decides which and how.
inline std::vector<std::byte> altered(std::vector<std::byte> message)
{
    std::size_t sum = message.size();
    for (const std::byte each : message)
        sum = sum * 31 + static_cast<std::size_t>(each);
    message[sum % message.size()] ^= static_cast<std::byte>(1 + sum / 7919 % 255);
    return message;
}

/// What the value stores to; empty where it is one of the few that load and cannot be stored: an
/// owner was read below an object that is gone, and is now met first inside of what it owns.
template <form Form, class T>
std::vector<std::byte> stored_again(const T& value)
{
    if constexpr (Form != form::weak)
        return wharf::to_bytes(value);
    try {
        return wharf::to_bytes(value);
    }
    catch (const wharf::error& e) {
        require(e.code() == wharf::errc::ownership_cycle, "what was loaded stores");
        return {};
    }
}

template <class T, form Form>
void try_as(std::span<const std::byte> message)
{
    // Behind an allocation of its own, so that nothing that is read past its end goes unseen.
    const std::vector<std::byte> tight(message.begin(), message.end());
    message = tight;
    auto value = T();
    was_accepted = load_into(value, message);
    if (!was_accepted)
        return;
    const auto again = stored_again<Form>(value);
    if (again.empty())
        return;
    if constexpr (Form == form::exact)
        require(std::ranges::equal(again, message), "accepted bytes store to the same bytes");
    if constexpr (Form == form::weak)
        require(again.size() < message.size() || std::ranges::equal(again, message),
                "bytes that lost no object store to the same bytes");
    // What an object held before, another value or half of one, is not seen in what it holds now.
    auto used = T();
    load_into(used, altered(again));
    load_into(used, std::span(again).first(again.size() * 2 / 3));
    require(load_into(used, again), "what is stored loads");
    if constexpr (Form == form::unordered)
        require(used == value, "what is stored loads as an equal value");
    else
        require(wharf::to_bytes(used) == again, "a second store gives the same bytes");
}

using trial = void (*)(std::span<const std::byte>);

/// The first byte says which type; the others are the message.
template <std::size_t N>
int try_one(const trial (&trials)[N], const std::uint8_t* data, std::size_t size)
{
    was_accepted = false;
    if (size != 0)
        trials[data[0] % N](std::as_bytes(std::span(data, size)).subspan(1));
    return 0;
}

} // namespace archive_fuzz

/// For the replay of a corpus: did the last input load?
extern "C" [[gnu::used]] inline int fuzz_input_was_accepted()
{
    return archive_fuzz::was_accepted ? 1 : 0;
}
