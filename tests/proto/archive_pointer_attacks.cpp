// Attacks on objects behind pointers that have no virtual functions: references, owners, cycles,
// chains, depth, tracked values.
#include "archive_attacks.hpp"
#include "archive_hostile_types.hpp"

namespace archive_attacks {
namespace {

using namespace hostile;
using wharf::errc;

template <class First, class Second>
using both = std::pair<First, Second>;
template <class T>
using shared = std::shared_ptr<T>;
template <class T>
using unique = std::unique_ptr<T>;

const bytes a_number = make_bytes({1, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41});

/// A vector of nodes, each the owner of the one before.
bytes chain_of(int n)
{
    bytes all = message_of(0x80 | (n & 0x7f), n >> 7);
    for (int i = 0; i < n; ++i) {
        all.insert(all.end(), {std::byte{1}, std::byte{0}});
        const int tag = i == 0 ? 0 : i + 1;
        if (tag >= 0x80) {
            all.push_back(static_cast<std::byte>(0x80 | (tag & 0x7f)));
            all.push_back(static_cast<std::byte>(tag >> 7));
        }
        else
            all.push_back(static_cast<std::byte>(tag));
        all.push_back(std::byte{0});
    }
    return all;
}

void add_references(std::vector<attack>& all)
{
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, errc code,
                                  bytes message) {
        all.push_back(make_attack<T>(name, code, std::move(message)));
    };
    add(std::type_identity<both<shared<number>, shared<text>>>{},
        "a string where a number was: its pointer would be the peer's", errc::bad_class,
        message_of(a_number, 2));
    add(std::type_identity<both<shared<text>, shared<number>>>{}, "a number where a string was",
        errc::bad_class, message_of(1, 1, 'x', 2));
    add(std::type_identity<both<shared<int>, shared<float>>>{}, "a float where an int was",
        errc::bad_class, message_of(1, 1, 2, 3, 4, 2));
    add(std::type_identity<both<shared<number>, std::weak_ptr<text>>>{},
        "a weak pointer to another class", errc::bad_class, message_of(a_number, 2));
    add(std::type_identity<both<boost::shared_ptr<number>, boost::shared_ptr<text>>>{},
        "another class behind boost pointers", errc::bad_class, message_of(a_number, 2));
    add(std::type_identity<shared<number>>{}, "a reference without any object", errc::bad_reference,
        message_of(2));
    add(std::type_identity<both<shared<number>, shared<number>>>{},
        "an object number too high by one", errc::bad_reference, message_of(a_number, 3));
    add(std::type_identity<shared<number>>{}, "object number 2^64 - 3", errc::bad_reference,
        message_of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
    add(std::type_identity<both<unique<number>, unique<number>>>{}, "two owners of one object",
        errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<unique<number>, shared<number>>>{},
        "a shared pointer to an object that has its owner", errc::bad_ownership,
        message_of(a_number, 2));
    add(std::type_identity<both<unique<number>, std::weak_ptr<number>>>{},
        "a weak pointer to an object that has its owner", errc::bad_ownership,
        message_of(a_number, 2));
    add(std::type_identity<both<shared<number>, unique<number>>>{},
        "a sole owner of a shared object", errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<shared<number>, boost::shared_ptr<number>>>{},
        "a boost owner of a std object", errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<boost::shared_ptr<number>, shared<number>>>{},
        "a std owner of a boost object", errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<boost::shared_ptr<number>, std::weak_ptr<number>>>{},
        "a std weak pointer to a boost object", errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<boost::scoped_ptr<number>, shared<number>>>{},
        "an owner of what a scoped pointer has", errc::bad_ownership, message_of(a_number, 2));
    add(std::type_identity<both<number, shared<number>>>{}, "a pointer to a member of its parent",
        errc::bad_reference, message_of(1, 0, 0, 0, 0, 0, 0, 0, 2));
    add(std::type_identity<both<unique<untracked>, unique<untracked>>>{},
        "a reference to an object of track_never", errc::bad_ownership, message_of(1, 5, 2));
}

void add_cycles(std::vector<attack>& all)
{
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, errc code, bytes message,
                                  const wharf::limits& limit = {}) {
        all.push_back(make_attack<T>(name, code, std::move(message), limit));
    };
    add(std::type_identity<shared<node>>{}, "an object that owns itself", errc::ownership_cycle,
        message_of(1, 7, 2, 0));
    add(std::type_identity<shared<node>>{}, "two objects that own each other",
        errc::ownership_cycle, message_of(1, 7, 1, 8, 2, 0, 0));
    add(std::type_identity<std::weak_ptr<node>>{}, "an object of a weak pointer that owns itself",
        errc::ownership_cycle, message_of(1, 7, 2, 0));
    add(std::type_identity<shared<built>>{}, "an object built from a pointer to itself",
        errc::ownership_cycle, message_of(1, 0, 2));
    add(std::type_identity<both<shared<node>, shared<built>>>{},
        "an object built from another class", errc::bad_class, message_of(1, 7, 0, 0, 1, 2, 0));
    wharf::limits limit;
    limit.chain_max = 500;
    add(std::type_identity<std::vector<shared<node>>>{}, "a chain of owners made by references",
        errc::chain_limit, chain_of(800), limit);
    limit = {};
    limit.objects_max = 1000;
    add(std::type_identity<std::vector<unique<std::uint8_t>>>{}, "an object too many",
        errc::object_limit, repeat(message_of(0xe9, 7), make_bytes({1, 0}), 1001), limit);
    add(std::type_identity<std::vector<shared<large>>>{}, "small images of large objects",
        errc::memory_limit, repeat(message_of(0xe8, 7), make_bytes({1, 0}), 1000));
    add(std::type_identity<unique<deep>>{}, "unique pointers without end", errc::depth_limit,
        repeat({0}, {1}, 4000));
    add(std::type_identity<deep>{}, "vectors of the class itself without end", errc::depth_limit,
        repeat({0}, {0, 1}, 2000));
    add(std::type_identity<deep>{}, "maps of the class itself without end", errc::depth_limit,
        repeat({0}, {0, 0, 1, 9}, 1000));
    add(std::type_identity<deep>{}, "lists of optional pointers without end", errc::depth_limit,
        repeat({0}, {0, 0, 0, 1, 1, 1}, 600));
    add(std::type_identity<deep>{}, "variants of pointers without end", errc::depth_limit,
        repeat({0}, {0, 0, 0, 0, 1, 1}, 600));
    add(std::type_identity<deep>{}, "variants of vectors without end", errc::depth_limit,
        repeat({0}, {0, 0, 0, 0, 2, 1}, 600));
    add(std::type_identity<shared<node>>{}, "shared pointers without end", errc::depth_limit,
        repeat({0}, {1, 0}, 2000));
    add(std::type_identity<owned*>{}, "raw pointers without end", errc::depth_limit,
        repeat({0}, {1, 0}, 2000));
    add(std::type_identity<std::set<shared<number>>>{}, "the same object twice in a set",
        errc::not_canonical, message_of(2, a_number, 2));
    add(std::type_identity<std::set<shared<number>>>{}, "null twice in a set", errc::not_canonical,
        message_of(2, 0, 0));
    add(std::type_identity<std::unordered_set<shared<number>>>{},
        "the same object twice in an unordered set", errc::not_canonical,
        message_of(2, a_number, 2));
    add(std::type_identity<both<shared<number>, std::map<shared<text>, int>>>{},
        "a key of another class", errc::bad_class, message_of(a_number, 1, 2, 0, 0, 0, 0));
}

void add_raw_and_tracked(std::vector<attack>& all)
{
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, errc code,
                                  bytes message) {
        all.push_back(make_attack<T>(name, code, std::move(message)));
    };
    add(std::type_identity<two_owned>{}, "two raw owners of one object", errc::bad_ownership,
        message_of(1, 7, 0, 2));
    add(std::type_identity<owned*>{}, "a raw owner of itself", errc::bad_ownership,
        message_of(1, 7, 2));
    add(std::type_identity<both<unique<vertex>, vertex*>>{}, "a raw alias of what has its owner",
        errc::bad_ownership, message_of(1, 7, 0, 0, 2));
    add(std::type_identity<both<vertex*, unique<vertex>>>{}, "an owner of what raw pointers share",
        errc::bad_ownership, message_of(1, 7, 0, 0, 2));
    add(std::type_identity<both<vertex*, shared<vertex>>>{},
        "a shared owner of what raw pointers share", errc::bad_ownership,
        message_of(1, 7, 0, 0, 2));
    add(std::type_identity<graph>{}, "a graph that ends in its middle", errc::truncated,
        message_of(2, 1, 7, 2, 1, 8));
    // One, then the same number again: at its own place, at another, and as another class.
    add(std::type_identity<visits>{}, "a tracked value at another place", errc::bad_reference,
        message_of(1, 1, 7, 2));
    add(std::type_identity<visits>{}, "a tracked value as another class", errc::bad_reference,
        message_of(2, 1, 7, 2));
    add(std::type_identity<visits>{}, "a tracked value of a number not given", errc::bad_reference,
        message_of(1, 1, 7, 3));
    add(std::type_identity<visits>{}, "a tracked value without one", errc::bad_reference,
        message_of(1, 1, 7, 0));
    add(std::type_identity<both<tracked, shared<tracked>>>{}, "a pointer to a tracked value",
        errc::bad_ownership, message_of(1, 7, 2));
    add(std::type_identity<both<shared<tracked>, tracked>>{}, "a value that is behind a pointer",
        errc::bad_reference, message_of(1, 7, 2));
}

} // namespace

std::vector<attack> pointer_attacks()
{
    std::vector<attack> all;
    add_references(all);
    add_cycles(all);
    add_raw_and_tracked(all);
    return all;
}

} // namespace archive_attacks
