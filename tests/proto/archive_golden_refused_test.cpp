// What a load refuses, and by which code, is a part of the format:
// tests/golden/archive/refused.txt.
#include "archive_golden.hpp"
#include "archive_golden_types.hpp"

#include <wharf/utf8.hpp>

#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>

using namespace archive_golden;

namespace {

enum colour { red, green, blue };      // 0 to 3
enum with_sign { low = -3, high = 4 }; // -8 to 7

using byte = std::uint8_t;
template <class T>
using shared = std::shared_ptr<T>;
using shapes = std::vector<shared<shape>>;

struct tree {
    std::int32_t value = 0;
    std::vector<tree> children;
    GOLDEN_MEMBERS(value, children)
};

struct sized {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type size(0);
        ar& size;
        for (std::size_t i = 0; i < size; ++i) {
            byte each = 0;
            ar& each;
        }
    }
};

struct two {
    std::int32_t a = 0, b = 0;
    GOLDEN_MEMBERS(a, b)
};

} // namespace

BOOST_AUTO_TEST_SUITE(archive_golden_refused)

void check_messages(rows& golden)
{
    golden.refuse<bool>("prelude 2");
    golden.refuse<bool>("prelude alone");
    golden.refuse<std::int32_t>("part of a number");
    golden.refuse<two>("part of a class");
    golden.refuse<bool>("a byte too many");
    golden.refuse<bool>("two values for one");
    golden.refuse<std::string>("overlong varint");
    golden.refuse<std::string>("varint of 65 bits");
    golden.refuse<std::string>("varint of eleven bytes");
    golden.refuse<std::string>("varint that does not end");
}

void check_values(rows& golden)
{
    golden.refuse<bool>("bool of 2");
    golden.refuse<std::optional<byte>>("optional of 2");
    golden.refuse<colour>("enumerator above its range");
    golden.refuse<with_sign>("enumerator below its range");
    golden.refuse<std::variant<std::monostate, byte, std::string>>("variant of index 3");
    golden.refuse<std::string>("string of 2^40");
    golden.refuse<std::vector<byte>>("vector longer than the message");
    golden.refuse<std::vector<nothing>>("vector of classes without members, too long");
    golden.refuse<std::vector<std::int32_t>>("vector of numbers, too long");
    golden.refuse<std::array<byte, 3>>("array of 2 for 3");
    golden.refuse<sized>("collection_size_type longer than the message");
    golden.refuse<std::vector<bool>>("bits longer than the message");
    golden.refuse<std::vector<bool>>("bits behind the last");
    golden.refuse<std::vector<nothing>>("pad byte of 1");
    golden.refuse<std::set<byte>>("set descending");
    golden.refuse<std::set<byte>>("set with a key twice");
    golden.refuse<std::map<std::string, byte>>("map with a key twice");
    golden.refuse<std::map<std::string, byte>>("map ordered by signed bytes");
    golden.refuse<std::multiset<byte>>("multiset descending");
    golden.refuse<std::unordered_set<byte>>("unordered_set with a key twice");
    golden.refuse<std::unordered_map<byte, byte>>("unordered_map with a key twice");
    golden.refuse<wharf::utf8>("lone byte");
    golden.refuse<wharf::utf8>("cut character");
    golden.refuse<wharf::utf8>("overlong character");
    golden.refuse<wharf::utf8>("surrogate");
    golden.refuse<wharf::utf8>("above U+10FFFF");
}

void check_versions_and_limits(rows& golden)
{
    golden.refuse<versioned>("version above the reader's");
    golden.refuse<versioned>("table of zeros");
    golden.refuse<bool>("table of no version");
    golden.refuse<std::tuple<versioned, inner>>("table too short");
    golden.refuse<versioned>("table too long");
    golden.refuse<versioned>("table longer than the message");
    golden.refuse<tree>("classes too deep");
    golden.refuse<shared<chain_link>>("pointers too deep");
    // Row 62: objects are bounded, and a number of none is refused.
    golden.refuse<std::vector<shared<byte>>>("three objects for two");
    golden.refuse<std::vector<shared<chain_link>>>("chain of three for two");
    golden.refuse<shared<chain_link>>("list of three for two");
}

void check_objects(rows& golden)
{
    golden.refuse<shared<byte>>("reference to no object");
    golden.refuse<std::vector<shared<byte>>>("reference to the next object");
    golden.refuse<shared<byte>>("reference of 64 bits");
    golden.refuse<shared<byte>>("overlong tag");
    // Row 63: a reference to an object of another class is refused.
    golden.refuse<std::tuple<shared<byte>, shared<bool>>>("reference to an object of another type");
    golden.refuse<std::tuple<shared<square>, shared<circle>>>(
        "reference to an object of another class");
    golden.refuse<std::tuple<shared<shape>, shared<square>>>(
        "reference to a base as its derived class");
    golden.refuse<std::vector<std::unique_ptr<byte>>>("unique_ptr twice");
    golden.refuse<std::tuple<std::unique_ptr<byte>, shared<byte>>>(
        "shared_ptr to what a unique_ptr owns");
    golden.refuse<std::tuple<std::unique_ptr<byte>, std::weak_ptr<byte>>>(
        "weak_ptr to what a unique_ptr owns");
    golden.refuse<std::tuple<shared<byte>, std::unique_ptr<byte>>>(
        "unique_ptr to what a shared_ptr owns");
    golden.refuse<std::tuple<shared<byte>, boost::shared_ptr<byte>>>(
        "boost::shared_ptr to what a std::shared_ptr owns");
    golden.refuse<shared<chain_link>>("object that owns itself");
    golden.refuse<shared<chain_link>>("two objects that own each other");
    golden.refuse<std::vector<std::unique_ptr<once>>>("object that is never tracked, twice");
}

void check_classes(rows& golden)
{
    golden.refuse<shared<shape>>("number of no class");
    golden.refuse<shapes>("number of the next class");
    golden.refuse<shared<shape>>("unknown key");
    golden.refuse<shared<shape>>("key of a class that is not derived");
    golden.refuse<shared<circle>>("key of a sibling");
    golden.refuse<std::tuple<shared<square>, shared<circle>>>(
        "number of a class that is not derived");
    golden.refuse<shared<solid>>("abstract class");
    golden.refuse<shared<square>>("no key for a class that has one");
    golden.refuse<shapes>("class named twice");
    golden.refuse<square_holder>("registered class named");
    golden.refuse<shared<shape>>("key longer than the message");
    golden.refuse<shared<shape>>("key of 128 bytes");
}

void check_tracked(rows& golden)
{
    golden.refuse<counter>("tracked value without an object");
    golden.refuse<counter>("tracked value that refers to none");
    golden.refuse<std::tuple<shared<counter>, counter>>(
        "tracked value that refers to a pointer's object");
    golden.refuse<std::tuple<counter, shared<counter>>>("pointer to a tracked value");
    golden.refuse<std::vector<counter>>("tracked value that refers to another");
}

BOOST_AUTO_TEST_CASE(bad_messages_are_refused_by_their_golden_codes)
{
    rows golden("refused.txt");
    check_messages(golden);
    check_values(golden);
    check_versions_and_limits(golden);
    check_objects(golden);
    check_classes(golden);
    check_tracked(golden);
}

BOOST_AUTO_TEST_SUITE_END()
