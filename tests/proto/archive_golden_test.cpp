// The layout of a message is for ever: stored values have exactly the bytes of
// tests/golden/archive.
#include "archive_golden.hpp"
#include "archive_golden_types.hpp"
#include "archive_types.hpp"

#include <bit>

using namespace archive_golden;
using namespace archive_types;

namespace {

struct outer_pair {
    member first;
    versioned second;
    bool operator==(const outer_pair&) const = default;
    GOLDEN_MEMBERS(first, second)
};

struct nothings {
    nothing a;
    std::uint8_t b = 0;
    nothing c;
    bool operator==(const nothings&) const = default;
    GOLDEN_MEMBERS(a, b, c)
};

struct sizes {
    std::vector<std::uint8_t> all;
    bool operator==(const sizes&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type size(all.size());
        boost::serialization::item_version_type version(0);
        ar& size& version;
        all.resize(size);
        for (std::uint8_t& each : all)
            ar& each;
    }
};

// Without serialize().
struct plain_struct {
    std::int32_t number = 0;
    std::string text;
    bool operator==(const plain_struct&) const = default;
};
struct plain_inner {
    std::uint8_t x = 0;
    bool operator==(const plain_inner&) const = default;
};
struct plain_outer {
    plain_inner a;
    std::vector<std::uint8_t> b;
    bool operator==(const plain_outer&) const = default;
};

/// The same bits; == says otherwise for a NaN and for -0.
template <class Integer, class Number>
auto same_bits(Number value)
{
    return [=](const Number& back) {
        return std::bit_cast<Integer>(back) == std::bit_cast<Integer>(value);
    };
}

template <class First, class Second>
void check_two(rows& golden, const std::string& name, const First& first, const Second& second)
{
    const row both = golden.take(name);
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << first << second;
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.size()}) == both.hex);
    First a{};
    Second b{};
    wharf::load_archive load({out.data(), out.size()});
    load >> a >> b;
    load.finish();
    BOOST_TEST((a == first && b == second));
}

} // namespace

// Row 44: the bytes are little-endian on every machine, and nobody swaps. Row 43: so are the
// widths. These run on this machine here, and on s390x and i386 by `tests/run big-endian`.
BOOST_AUTO_TEST_SUITE(archive_golden)

BOOST_AUTO_TEST_CASE(numbers_have_their_golden_bytes)
{
    rows golden("numbers.txt");
    golden.check("false", false);
    golden.check("true", true);
    golden.check("int8 -1", std::int8_t{-1});
    golden.check("uint8 200", std::uint8_t{200});
    golden.check("char x", 'x');
    golden.check("char8", u8'x');
    golden.check("int16 -2", std::int16_t{-2});
    golden.check("uint16 0x1234", std::uint16_t{0x1234});
    golden.check("char16", u'\u263a');
    golden.check("int32 -3", std::int32_t{-3});
    golden.check("uint32 0x12345678", std::uint32_t{0x12345678});
    golden.check("char32", U'\U0001f600');
    golden.check("wchar", L'\u263a');
    golden.check("int64 -4", std::int64_t{-4});
    golden.check("uint64", std::uint64_t{0x0102030405060708});
    golden.check("long -5", -5L);
    golden.check("unsigned long", 0x0102030405060708UL);
    golden.check("long long", -6LL);
#ifdef __SIZEOF_INT128__
    golden.check("int128 -7", wharf::detail::int128{-7});
    golden.check("uint128", wharf::detail::uint128{8} << 64);
#else
    golden.take("int128 -7");
    golden.take("uint128");
#endif
    golden.check("float 1.5", 1.5f);
    golden.check("double -2.5", -2.5);
    golden.check("long double 1", 1.0L);
    golden.check("long double -0", -0.0L);
    golden.check("long double 2^-16445", 0x1p-16445L);
    golden.check("long double 1+2^-63", 1.0L + 0x1p-63L);
    golden.check("enum of uint8", fixed::f);
    golden.check("enum of uint64", wide::big);
    golden.check("enum of bool", truth::yes);
    golden.check("enum without a type", blue);
    golden.check("enum with negatives", low);
    // On i386 these two are int, which travels as such.
    golden.check("size_t", static_cast<unsigned long>(std::size_t{7}));
    golden.check("ptrdiff_t -1", static_cast<long>(std::ptrdiff_t{-1}));
    golden.check("least int64", std::numeric_limits<std::int64_t>::min());
    golden.check("greatest uint64", std::numeric_limits<std::uint64_t>::max());
    golden.check("signed char -2", static_cast<signed char>(-2));
    golden.check("float -0", -0.0f, same_bits<std::uint32_t>(-0.0f));
    golden.check("float NaN with a payload", std::bit_cast<float>(0x7fc00001u),
                 same_bits<std::uint32_t>(std::bit_cast<float>(0x7fc00001u)));
    golden.check("double -0", -0.0, same_bits<std::uint64_t>(-0.0));
    const auto nan = std::bit_cast<double>(std::uint64_t{0x7ff8000000000123});
    golden.check("double NaN with a payload", nan, same_bits<std::uint64_t>(nan));
    golden.check("double infinity", std::numeric_limits<double>::infinity());
    golden.check("least double", std::numeric_limits<double>::denorm_min());
    golden.check("long double -1.5", -1.5L);
    if constexpr (sizeof(long) == 8)
        golden.check("long 2^40", static_cast<long>(std::int64_t{1} << 40));
    else
        BOOST_TEST(archive_support::refusal_of<long>(golden.take("long 2^40").image()) ==
                   wharf::errc::bad_value);
    if constexpr (std::numeric_limits<long double>::digits == 113)
        golden.check("long double 1+2^-112", 1.0L + std::numeric_limits<long double>::epsilon());
    else
        BOOST_TEST(archive_support::refusal_of<long double>(
                       golden.take("long double 1+2^-112").image()) == wharf::errc::bad_value);
    golden.check("long double infinity", std::numeric_limits<long double>::infinity());
}

BOOST_AUTO_TEST_CASE(vocabulary_types_have_their_golden_bytes)
{
    rows golden("vocabulary.txt");
    using choice = std::variant<std::monostate, std::uint8_t, std::string>;
    golden.check("optional, none", std::optional<std::uint8_t>());
    golden.check("optional, one", std::optional<std::uint8_t>(5));
    golden.check("variant, monostate", choice());
    golden.check("variant, number", choice(std::uint8_t{5}));
    golden.check("variant, string", choice("v"));
    golden.check("monostate", std::monostate());
    golden.check("pair", std::pair<std::uint8_t, std::string>{1, "p"});
    golden.check("tuple", std::tuple<std::uint8_t, bool>{1, true});
    golden.check("duration", std::chrono::milliseconds(5));
    golden.check("duration of double", std::chrono::duration<double>(1.5));
    golden.check("time_point", std::chrono::system_clock::time_point(std::chrono::nanoseconds(7)));
    golden.check("duration of 32 bits", std::chrono::duration<std::int32_t>(5));
    golden.check("optional of a class without members", std::optional(nothing()));
    golden.check("vector of optional", std::vector<std::optional<std::uint8_t>>{{}, 5});
    golden.check("pair of classes without members", std::pair(nothing(), nothing()));
    golden.check("variant of a class without members",
                 std::variant<std::uint8_t, nothing>(nothing()));
}

BOOST_AUTO_TEST_CASE(classes_have_their_golden_bytes)
{
    rows golden("classes.txt");
    golden.check("class", member{1, "m"});
    golden.check("class without members", empty{});
    derived d;
    d.a = 1;
    d.b = "m";
    d.c = 1.5;
    golden.check("class with a base", d);
    golden.check("arrays, binary object, array wrapper", arrays{});
    golden.check("split class", split{4});
    tree t;
    t.value = 1;
    t.children.resize(2);
    golden.check("tree", t);
    golden.check("class at version 2", versioned{1, 2});
    golden.check("two classes, one at version 2", std::vector<outer_pair>{{{1, "m"}, {2, 3}}});
    golden.check("members without members", nothings{{}, 5, {}});
    check_two(golden, "two values of one message", std::int32_t{5}, std::string("hi"));
    check_two(golden, "two values without bytes", nothing(), nothing());
    golden.check("size and item version", sizes{{5, 6}});
    golden.check("aggregate", plain_struct{1, "hi"});
    golden.check("aggregate of aggregates", std::vector<plain_outer>{{{5}, {6}}, {{2}, {7}}});
}

BOOST_AUTO_TEST_SUITE_END()
