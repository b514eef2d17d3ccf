// Fingerprints tell apart what differs in its bytes, and nothing else.
#include "../../proto/siphash.hpp"
#include "schema_types.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>
#include <set>

using namespace schema_types;

namespace {

// One struct and what became of it.
namespace original {
struct order {
    std::uint32_t id = 0;
    std::string name;
    std::vector<point> at;
};
} // namespace original
namespace moved { // another namespace, another name
struct purchase {
    std::uint32_t id = 0;
    std::string name;
    std::deque<point> at; // the same bytes
};
} // namespace moved
namespace field_added {
struct order {
    std::uint32_t id = 0;
    std::string name;
    std::vector<point> at;
    bool more = false;
};
} // namespace field_added
namespace field_removed {
struct order {
    std::uint32_t id = 0;
    std::string name;
};
} // namespace field_removed
namespace retyped {
struct order {
    std::int32_t id = 0;
    std::string name;
    std::vector<point> at;
};
} // namespace retyped
namespace widened {
struct order {
    std::uint64_t id = 0;
    std::string name;
    std::vector<point> at;
};
} // namespace widened
namespace reordered {
struct order {
    std::string name;
    std::uint32_t id = 0;
    std::vector<point> at;
};
} // namespace reordered
namespace renamed {
struct order {
    std::uint32_t number = 0;
    std::string name;
    std::vector<point> at;
};
} // namespace renamed
namespace made_optional {
struct order {
    std::uint32_t id = 0;
    std::optional<std::string> name;
    std::vector<point> at;
};
} // namespace made_optional
namespace nested_changed {
struct order {
    std::uint32_t id = 0;
    std::string name;
    std::vector<point3> at;
};
} // namespace nested_changed
namespace versioned {
struct order {
    std::uint32_t id = 0;
    std::string name;
    std::vector<point> at;
};
} // namespace versioned

enum class few : std::uint8_t { a };
enum class many : std::uint8_t { a, b, c };
enum class wider : std::uint16_t { a };

struct two_points {
    point a, b;
};
struct point_again {
    std::int32_t x = 0, y = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(x) & BOOST_SERIALIZATION_NVP(y);
    }
};

template <class T>
std::uint64_t print_of()
{
    const std::uint64_t found = wharf::schema_of<T>().fingerprint();
    BOOST_TEST(found != 0u);
    return found;
}

} // namespace

BOOST_CLASS_VERSION(versioned::order, 1)

BOOST_AUTO_TEST_SUITE(schema_fingerprint)

BOOST_AUTO_TEST_CASE(changes_of_the_bytes_change_the_fingerprint)
{
    const std::set<std::uint64_t> all{
        print_of<original::order>(),       print_of<field_added::order>(),
        print_of<field_removed::order>(),  print_of<retyped::order>(),
        print_of<widened::order>(),        print_of<reordered::order>(),
        print_of<renamed::order>(),        print_of<made_optional::order>(),
        print_of<nested_changed::order>(), print_of<versioned::order>(),
    };
    BOOST_TEST(all.size() == 10u);
}

// Row 52: whether a member is behind a pointer is part of the fingerprint.
BOOST_AUTO_TEST_CASE(other_kinds_have_other_fingerprints)
{
    const std::set<std::uint64_t> all{
        print_of<point>(),
        print_of<std::unique_ptr<point>>(),
        print_of<std::shared_ptr<point>>(),
        print_of<std::optional<point>>(),
        print_of<std::vector<point>>(),
        print_of<std::array<point, 1>>(),
        print_of<std::array<point, 2>>(),
        print_of<std::set<std::int32_t>>(),
        print_of<std::multiset<std::int32_t>>(),
        print_of<std::unordered_set<std::int32_t>>(),
        print_of<std::set<std::int32_t, std::greater<>>>(),
        print_of<std::variant<std::int32_t, bool>>(),
        print_of<std::variant<bool, std::int32_t>>(),
        print_of<std::variant<bool, std::int32_t, std::string>>(),
        print_of<std::vector<std::byte>>(),
        print_of<std::vector<bool>>(),
        print_of<std::bitset<8>>(),
        print_of<wider>(),
        print_of<few>(),
        print_of<std::string>(),
        print_of<wharf::utf8>(),
        print_of<float>(),
        print_of<std::int32_t>(),
        print_of<std::uint32_t>(),
    };
    BOOST_TEST(all.size() == 24u);
}

BOOST_AUTO_TEST_CASE(what_does_not_change_the_bytes_does_not_change_the_fingerprint)
{
    BOOST_TEST(print_of<original::order>() == print_of<moved::purchase>());
    BOOST_TEST(print_of<few>() == print_of<many>());
    BOOST_TEST(print_of<long>() == print_of<long long>());
    BOOST_TEST(print_of<std::vector<long>>() == print_of<std::list<std::int64_t>>());
    BOOST_TEST(print_of<point>() == print_of<point_again>());
    BOOST_TEST((print_of<std::map<std::string, bool>>() ==
                print_of<std::map<std::string, bool, std::less<>>>()));
    // What is only known behind a pointer to its base may come with any program.
    wharf::schema shapes = wharf::schema_of<std::shared_ptr<archive_golden::shape>>();
    auto types = shapes.types();
    types[0].derived.resize(1);
    BOOST_TEST(wharf::schema(types).fingerprint() == shapes.fingerprint());
}

BOOST_AUTO_TEST_CASE(a_schema_with_its_types_in_another_order_has_the_same_fingerprint)
{
    const wharf::schema& known = wharf::schema_of<user>();
    auto types = known.types();
    // The last two change places.
    const auto last = static_cast<std::uint32_t>(types.size() - 1);
    std::swap(types[last], types[last - 1]);
    const auto rename = [&](std::uint32_t& place) {
        place = place == last ? last - 1 : place == last - 1 ? last : place;
    };
    for (wharf::schema_type& type : types) {
        for (std::uint32_t& part : type.parts)
            rename(part);
        for (wharf::schema_field& field : type.fields)
            rename(field.type);
    }
    BOOST_TEST(!(wharf::schema(types) == known));
    BOOST_TEST(wharf::schema(types).fingerprint() == known.fingerprint());
    BOOST_TEST(wharf::schema(types).to_line() == known.to_line());
}

// Stored beside objects: it is for ever.
BOOST_AUTO_TEST_CASE(fingerprints_are_for_ever)
{
    BOOST_TEST(print_of<std::uint32_t>() == 0xaa9f6f2d63cac5c3u);
    BOOST_TEST(print_of<user>() == 0x660ef930ad04ca06u);
    BOOST_TEST(print_of<evolved>() == 0xd55a83ddb18acea5u);
    BOOST_TEST(print_of<folder>() == 0xbfadabe04ce2a644u);
    BOOST_TEST(print_of<std::shared_ptr<archive_golden::shape>>() == 0xd211636c96d69632u);
}

// The vectors of the authors' reference implementation (vectors.h): key and message 00 01 02 ...
BOOST_AUTO_TEST_CASE(siphash_is_that_of_its_paper)
{
    constexpr wharf::detail::siphash_key key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    std::vector<std::byte> message(16);
    for (std::size_t i = 0; i < message.size(); ++i)
        message[i] = static_cast<std::byte>(i);
    const auto hash_of = [&](std::size_t n) {
        return wharf::detail::siphash(key, std::span(message).first(n));
    };
    BOOST_TEST(hash_of(0) == 0x726fdb47dd0e0e31u);
    BOOST_TEST(hash_of(1) == 0x74f839c593dc67fdu);
    BOOST_TEST(hash_of(8) == 0x93f5f5799a932462u);
    BOOST_TEST(hash_of(15) == 0xa129ca6149be45e5u);
}

BOOST_AUTO_TEST_SUITE_END()
