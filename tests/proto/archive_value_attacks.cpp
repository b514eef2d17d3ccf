// Attacks on values: numbers, bools, enums, varints, order, versions, and types that throw.
#include "archive_attacks.hpp"

namespace archive_attacks {

std::vector<attack> value_attacks()
{
    using wharf::errc;
    using namespace archive_types;
    using std::string;
    using choice = std::variant<std::monostate, int>;
    std::vector<attack> all;
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, errc expected,
                                  bytes message) {
        all.push_back(make_attack<T>(name, expected, std::move(message)));
    };
#define ATTACK(Type, name, code, ...) add(std::type_identity<Type>{}, name, errc::code, __VA_ARGS__)
    using map_of_int = std::map<int, int>;
    using tuple_of_int = std::tuple<int, int>;
    using array_of_int = std::array<std::uint8_t, 3>;
    ATTACK(string, "a string of 2^40 bytes", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}));
    ATTACK(string, "a string of 2^30 bytes", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x04, 'x'}));
    ATTACK(string, "a string of 2^64 - 1 bytes", bad_length,
           make_bytes({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
    ATTACK(std::u32string, "a wide string whose count times four wraps", bad_length,
           make_bytes({0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0, 0, 0, 0}));
    ATTACK(std::vector<record>, "ten million records in four bytes", bad_length,
           make_bytes({0, 0x80, 0xad, 0xe2, 0x04}));
    ATTACK(std::vector<empty>, "sixty million empty elements in four bytes", bad_length,
           make_bytes({0, 0x80, 0x8e, 0xce, 0x1c}));
    ATTACK(std::vector<double>, "a vector of 2^61 doubles", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}));
    ATTACK(std::vector<bool>, "2^63 bits", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}));
    ATTACK(std::vector<bool>, "2^64 - 1 bits", bad_length,
           make_bytes({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0xff}));
    ATTACK(map_of_int, "a map of 2^32 entries", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x10}));
    ATTACK(believer, "a container of a stock header of 2^40 elements", bad_length,
           make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20}));
    ATTACK(int, "an int of three bytes", truncated, make_bytes({0, 1, 2, 3}));
    ATTACK(int, "no byte at all", truncated, {});
    ATTACK(empty, "no byte at all for a class without members", truncated, {});
    ATTACK(empty, "a class without members and without its pad", truncated, make_bytes({0}));
    ATTACK(empty, "a pad that is not 0", not_canonical, make_bytes({0, 1}));
    ATTACK(string, "a varint that ends in the middle", truncated, make_bytes({0, 0x80}));
    ATTACK(string, "an overlong varint", not_canonical, make_bytes({0, 0x81, 0x00, 'x'}));
    ATTACK(string, "a varint of eleven bytes", bad_varint, repeat({0}, {0x80}, 11));
    ATTACK(string, "a varint of 65 bits", bad_varint,
           make_bytes({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}));
    ATTACK(bool, "a bool of 2", bad_bool, make_bytes({0, 2}));
    ATTACK(bool, "a bool of 110", bad_bool, make_bytes({0, 110}));
    ATTACK(std::list<bool>, "a bool of 2 in a list", bad_bool, make_bytes({0, 2, 1, 2}));
    ATTACK(std::optional<int>, "an optional of 2", bad_bool, make_bytes({0, 2, 1, 0, 0, 0}));
    ATTACK(truth, "an enum of bool of 2", bad_bool, make_bytes({0, 2}));
    ATTACK(plain, "an enumerator above the range", bad_enum, make_bytes({0, 4, 0, 0, 0}));
    ATTACK(with_negative, "an enumerator above a signed range", bad_enum,
           make_bytes({0, 8, 0, 0, 0}));
    ATTACK(with_negative, "an enumerator below a signed range", bad_enum,
           make_bytes({0, 0xf7, 0xff, 0xff, 0xff}));
    ATTACK(choice, "a variant of index 2 of 2", bad_value, make_bytes({0, 2}));
    ATTACK(long double, "a long double with bits that x87 has not", bad_value,
           make_bytes({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x3f}));
    ATTACK(array_of_int, "an array of another length", bad_length, make_bytes({0, 2, 1, 1}));
    ATTACK(map_of_int, "keys that descend", not_canonical,
           make_bytes({0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
    ATTACK(map_of_int, "a key twice", not_canonical,
           make_bytes({0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
    using map_of_string = std::map<string, std::uint8_t>;
    ATTACK(map_of_string, "string keys that descend", not_canonical,
           make_bytes({0, 2, 1, 'b', 0, 1, 'a', 0}));
    using multimap_of_byte = std::multimap<std::uint8_t, std::uint8_t>;
    ATTACK(multimap_of_byte, "keys of a multimap that descend", not_canonical,
           make_bytes({0, 2, 2, 0, 1, 0}));
    ATTACK(std::set<std::uint8_t>, "a set that descends", not_canonical, make_bytes({0, 2, 2, 1}));
    ATTACK(std::set<std::uint8_t>, "a set with a key twice", not_canonical,
           make_bytes({0, 2, 1, 1}));
    ATTACK(std::multiset<std::uint8_t>, "a multiset that descends", not_canonical,
           make_bytes({0, 2, 2, 1}));
    ATTACK(std::unordered_set<std::uint8_t>, "an unordered set with a key twice", not_canonical,
           make_bytes({0, 2, 1, 1}));
    using hash_of_byte = std::unordered_map<std::uint8_t, std::uint8_t>;
    ATTACK(hash_of_byte, "an unordered map with a key twice", not_canonical,
           make_bytes({0, 2, 1, 0, 1, 0}));
    ATTACK(std::vector<bool>, "a pad bit that is set", not_canonical, make_bytes({0, 1, 3}));
    ATTACK(tree, "a tree eight hundred levels deep", depth_limit,
           repeat({0}, {0, 0, 0, 0, 1}, 800));
    ATTACK(chain, "a chain of nodes that the type itself allocates", depth_limit,
           repeat({0}, {1}, 4000));
    ATTACK(std::vector<std::deque<int>>, "empty deques, which are not small", memory_limit,
           repeat({0, 0xa0, 0x1f}, {0}, 4000));
    ATTACK(std::vector<large>, "small images of large objects", memory_limit,
           repeat({0, 0xa0, 0x1f}, {0}, 4000));
    ATTACK(thrower<0>, "a type that throws a std::exception", refused_by_type,
           make_bytes({0, 0, 0, 0, 0}));
    ATTACK(thrower<1>, "a type that throws an int", refused_by_type, make_bytes({0, 0, 0, 0, 0}));
    ATTACK(thrower<2>, "a type that runs out of memory", memory_limit, make_bytes({0, 0, 0, 0, 0}));
    ATTACK(thrower<3>, "a type that refuses with a code of its own", conflict,
           make_bytes({0, 0, 0, 0, 0}));
    ATTACK(thrower<4>, "a type that throws out_of_range", refused_by_type,
           make_bytes({0, 0, 0, 0, 0}));
    ATTACK(int, "a prelude of 2", bad_prelude, make_bytes({2, 0, 0, 0, 0}));
    ATTACK(int, "a prelude of 128", bad_prelude, make_bytes({128, 0, 0, 0, 0}));
    ATTACK(int, "a byte behind the last value", trailing_data, make_bytes({0, 1, 0, 0, 0, 0}));
    ATTACK(versioned, "a class version that is newer", newer_version,
           make_bytes({1, 1, 3, 5, 0, 0, 0, 6, 0, 0, 0}));
    ATTACK(versioned, "a class version of 2^32 - 1", bad_value,
           make_bytes({1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 5, 0, 0, 0, 6, 0, 0, 0}));
    ATTACK(versioned, "a table of zeros", not_canonical, make_bytes({1, 1, 0, 5, 0, 0, 0}));
    ATTACK(versioned, "an empty table", not_canonical, make_bytes({1, 0, 5, 0, 0, 0}));
    ATTACK(versioned, "a table that is too long", not_canonical,
           make_bytes({1, 2, 2, 0, 5, 0, 0, 0, 6, 0, 0, 0}));
    ATTACK(std::vector<versioned>, "a table of 2^32 versions", bad_length,
           make_bytes({1, 0x80, 0x80, 0x80, 0x80, 0x10, 1}));
    ATTACK(tuple_of_int, "a table without a class", not_canonical,
           make_bytes({1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
#undef ATTACK
    return all;
}

} // namespace archive_attacks
