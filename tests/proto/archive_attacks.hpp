// Messages that were built to hurt: what each is loaded as, and the refusal that it must get.
#pragma once

#include "archive_support.hpp"
#include "archive_types.hpp"

#include <boost/serialization/collection_size_type.hpp>

#include <stdexcept>

namespace archive_attacks {

using archive_support::bytes;
using archive_support::make_bytes;

struct record {
    std::uint64_t id = 0;
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> values;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& name& tags& values;
    }
};

/// A list that allocates its own nodes: one byte of input for each.
struct chain {
    std::unique_ptr<chain> next;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        bool more = next != nullptr;
        ar& more;
        if (more) {
            next = std::make_unique<chain>();
            ar&* next;
        }
    }
};

/// A container as Boost's headers read one: it believes the count.
struct believer {
    std::vector<char> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type count(all.size());
        ar& count;
        all.resize(count);
        for (char& c : all)
            ar& c;
    }
};

struct large {
    bool b = false;
    char other[4096] = {};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& b;
    }
};

template <int Kind>
struct thrower {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        int value = 0;
        ar& value;
        if constexpr (Archive::is_loading::value) {
            if constexpr (Kind == 0)
                throw std::runtime_error("no such colour");
            if constexpr (Kind == 1)
                throw 5;
            if constexpr (Kind == 2)
                throw std::bad_alloc();
            if constexpr (Kind == 3)
                throw wharf::error(wharf::errc::conflict, "at byte 1: the type's own code");
            if constexpr (Kind == 4)
                std::vector<int>().at(1);
        }
    }
};

struct versioned {
    int a = 0, b = 7;
    bool operator==(const versioned&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& a;
        if (version >= 2)
            ar& b;
    }
};

struct attack {
    const char* name;
    wharf::errc expected;
    bytes message;
    void (*load)(std::span<const std::byte>, const wharf::limits&);
    wharf::limits limit{};
};

template <class T>
void load_as(std::span<const std::byte> message, const wharf::limits& limit = {})
{
    T value{};
    wharf::load_archive archive(message, limit);
    archive >> value;
    archive.finish();
}

template <class T>
attack make_attack(const char* name, wharf::errc expected, bytes message,
                   const wharf::limits& limit = {})
{
    return {name, expected, std::move(message), load_as<T>, limit};
}

inline bytes repeat(const bytes& head, const bytes& piece, int n)
{
    bytes all = head;
    for (; n > 0; --n)
        all.insert(all.end(), piece.begin(), piece.end());
    return all;
}
inline bytes repeat(std::initializer_list<int> head, std::initializer_list<int> piece, int n)
{
    return repeat(make_bytes(head), make_bytes(piece), n);
}

/// A message in pieces: numbers are bytes, texts are themselves, bytes too.
template <class... Pieces>
bytes message_of(const Pieces&... pieces)
{
    bytes all{std::byte{0}};
    const auto add = [&](const auto& piece) {
        if constexpr (std::is_integral_v<std::decay_t<decltype(piece)>>)
            all.push_back(static_cast<std::byte>(piece));
        else
            for (const auto each : piece)
                all.push_back(static_cast<std::byte>(each));
    };
    (add(pieces), ...);
    return all;
}
/// The export key of a class that the message did not name yet.
inline bytes key_of(std::string_view key)
{
    bytes all = make_bytes({0, static_cast<int>(key.size())});
    for (const char each : key)
        all.push_back(static_cast<std::byte>(each));
    return all;
}

// The lists. No message is longer than 4 KiB.
std::vector<attack> value_attacks();
std::vector<attack> count_attacks();
std::vector<attack> pointer_attacks();
std::vector<attack> class_attacks();

inline std::vector<attack> all_attacks()
{
    std::vector<attack> all;
    for (const auto list : {value_attacks, count_attacks, pointer_attacks, class_attacks})
        for (attack& each : list())
            all.push_back(std::move(each));
    return all;
}

} // namespace archive_attacks

BOOST_CLASS_VERSION(archive_attacks::versioned, 2)
