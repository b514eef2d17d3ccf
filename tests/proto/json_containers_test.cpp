// Containers, optionals and variants as JSON; sets and maps from JSON in any order.
#include "json_support.hpp"

#include <bitset>
#include <complex>
#include <limits>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

using namespace json_support;

namespace {

struct nothing_here {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

template <class Key, class T, class Compare = std::less<>>
using map = std::map<Key, T, Compare>;

} // namespace

BOOST_AUTO_TEST_CASE(sequences_are_arrays)
{
    check_json(std::vector<std::uint16_t>{1, 2}, "vector<u16>", "[1, 2]");
    check_json(std::list<std::string>{"a", ""}, "vector<string>", R"(["a", ""])");
    check_json(std::vector<nothing_here>(2), "vector<class {}>", "[{}, {}]");
    check_json(std::vector<std::vector<bool>>{{true, false}, {}}, "vector<bits>",
               "[[true, false], []]");
    check_json(std::array<std::uint8_t, 3>{1, 2, 3}, "array<3, u8>", "[1, 2, 3]");
    check_json(std::vector<std::monostate>(2), "vector<nothing>", "[null, null]");
    check_json(std::complex<double>(1.5, -2), "pair<f64, f64>", "[1.5, -2]");
    check_json(std::tuple<std::uint8_t, std::string, bool>(1, "x", true), "tuple<u8, string, bool>",
               R"([1, "x", true])");
    std::vector<bool> nine(9, true);
    check_json(nine, "bits", "[true, true, true, true, true, true, true, true, true]");
}

BOOST_AUTO_TEST_CASE(bits_of_fixed_number_have_that_number)
{
    wharf::schema_type bits;
    bits.kind = wharf::schema_kind::bits;
    bits.count = 9;
    const wharf::schema type({bits});
    check_json(std::bitset<9>(0b101), type,
               "[true, false, true, false, false, false, false, false, false]");
    BOOST_TEST(refusal([&] { return wharf::from_json(type, "[true]"); }) ==
               "bad_json expected an array of 9, found an array of 1");
    BOOST_TEST(refusal([&] {
                   return wharf::to_json(type, make_bytes({0, 8, 0}));
               }) == "bad_length at byte 2");
}

BOOST_AUTO_TEST_CASE(sets_are_arrays_that_come_in_any_order)
{
    check_json(std::set<std::uint8_t>{3, 1, 2}, "set<u8>", "[1, 2, 3]");
    check_read(std::set<std::uint8_t>{3, 1, 2}, "set<u8>", "[3, 1, 2]");
    check_read(std::set<std::int8_t>{-1, 0, 1}, "set<i8>", "[1, -1, 0]");
    check_read(std::multiset<std::int32_t>{5, -5, 5}, "multiset<i32>", "[5, 5, -5]");
    check_read(std::set<std::string>{"b", "a", "\xc3\xa9"}, "set<string>",
               "[\"\xc3\xa9\", \"b\", \"a\"]");
    check_read(std::set<std::string>{"a", "ab", ""}, "set<string>", R"(["ab", "a", ""])");
    check_read(std::set<double>{-1.5, 2, -0.0}, "set<f64>", "[2, -0.0, -1.5]");
    check_read(std::set<std::pair<std::int8_t, std::string>>{{-1, "z"}, {0, "a"}, {0, "b"}},
               "set<pair<i8, string>>", R"([[0, "b"], [0, "a"], [-1, "z"]])");
    check_read(std::set<std::vector<std::uint16_t>>{{}, {256}, {1, 2}, {1}}, "set<vector<u16>>",
               "[[256], [1, 2], [], [1]]");
    check_read(std::set<std::optional<bool>>{{}, true, false}, "set<optional<bool>>",
               "[true, null, false]");
    using choice = std::variant<std::uint16_t, std::string>;
    check_read(std::set<choice>{choice(std::uint16_t{256}), choice("a"), choice("")},
               "set<variant<u16, string>>", R"([{"#1": "a"}, {"#0": 256}, {"#1": ""}])");
    check_read(std::set<std::vector<bool>>{{true}, {false, true}, {}}, "set<bits>",
               "[[true], [], [false, true]]");
    check_read(std::set<std::set<std::uint8_t>>{{2, 1}, {}, {3}}, "set<set<u8>>",
               "[[3], [2, 1], []]");
    check_read(std::set<std::uint8_t, std::greater<>>{1, 3}, "falling_set<u8>", "[1, 3]");
    check_json(std::unordered_set<std::uint8_t>{7}, "unordered_set<u8>", "[7]");
}

BOOST_AUTO_TEST_CASE(a_NaN_may_be_in_a_key_where_it_does_not_decide)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    check_json(std::set<double>{nan}, "set<f64>", R"(["NaN"])");
    check_json(std::set<std::pair<std::uint8_t, double>>{{1, nan}, {2, nan}}, "set<pair<u8, f64>>",
               R"([[1, "NaN"], [2, "NaN"]])");
}

BOOST_AUTO_TEST_CASE(an_order_of_the_programs_own_is_kept_as_it_is_given)
{
    struct by_last_digit {
        bool operator()(int a, int b) const { return a % 10 < b % 10; }
    };
    check_json(std::set<int, by_last_digit>{20, 3, 11}, "own_set<i32>", "[20, 11, 3]");
    BOOST_TEST(refusal([] {
                   return wharf::to_json(schema_notation::make("own_set<u8>"),
                                         make_bytes({0, 3, 1, 2, 1}));
               }) == "not_canonical at byte 5: a key is there twice");
}

BOOST_AUTO_TEST_CASE(maps_of_text_are_objects_and_others_pairs)
{
    check_json(map<std::string, std::uint8_t>{{"b", 2}, {"a", 1}}, "map<string, u8>",
               R"({"a": 1, "b": 2})");
    check_read(map<std::string, std::uint8_t>{{"b", 2}, {"a", 1}}, "map<string, u8>",
               R"({"b": 2, "a": 1})");
    check_json(map<std::u16string, bool>{{u"\u263a", true}}, "map<text<u16>, bool>",
               "{\"\xe2\x98\xba\": true}");
    check_json(map<std::int32_t, std::string>{{-1, "a"}, {1, "b"}}, "map<i32, string>",
               R"([[-1, "a"], [1, "b"]])");
    check_read(map<std::int32_t, std::string>{{-1, "a"}, {1, "b"}}, "map<i32, string>",
               R"([[1, "b"], [-1, "a"]])");
    check_json(std::multimap<std::string, int>{{"a", 2}, {"a", 1}}, "multimap<string, i32>",
               R"([["a", 2], ["a", 1]])");
    check_read(std::multimap<std::string, int>{{"a", 2}, {"a", 1}, {"", 0}},
               "multimap<string, i32>", R"([["a", 2], ["", 0], ["a", 1]])");
    check_json(std::unordered_map<std::string, bool>{{"k", true}}, "unordered_map<string, bool>",
               R"({"k": true})");
    struct never {
        bool operator()(const nothing_here&, const nothing_here&) const { return false; }
    };
    check_json(std::map<nothing_here, nothing_here, never>{{{}, {}}}, "own_map<class {}, class {}>",
               "[[{}, {}]]");
}

BOOST_AUTO_TEST_CASE(an_optional_of_what_may_be_null_has_a_key)
{
    using maybe = std::optional<std::uint8_t>;
    check_json(maybe(), "optional<u8>", "null");
    check_json(maybe(5), "optional<u8>", "5");
    check_json(std::optional<maybe>(), "optional<optional<u8>>", "null");
    check_json(std::optional<maybe>(maybe()), "optional<optional<u8>>", R"({"value": null})");
    check_json(std::optional<maybe>(5), "optional<optional<u8>>", R"({"value": 5})");
    check_json(std::optional<std::monostate>(std::monostate()), "optional<nothing>",
               R"({"value": null})");
    check_json(std::optional<std::shared_ptr<int>>(nullptr), "optional<shared<i32>>",
               R"({"value": null})");
}

BOOST_AUTO_TEST_CASE(a_variant_is_an_object_of_its_alternative)
{
    using choice = std::variant<std::monostate, std::uint8_t, std::string>;
    const std::string type = "variant<nothing, u8, string>";
    check_json(choice(), type, R"({"#0": null})");
    check_json(choice(std::uint8_t{5}), type, R"({"#1": 5})");
    check_json(choice("v"), type, R"({"#2": "v"})");
}

BOOST_AUTO_TEST_CASE(alternatives_with_an_export_key_go_by_it)
{
    auto types = schema_notation::make("variant<class {r: u8}, class {s: u8}, u8>").types();
    types[types[0].parts[0]].name = "circle";
    const wharf::schema type(types);
    const bytes image = make_bytes({0, 0, 9});
    BOOST_TEST(wharf::to_json(type, image) == R"({"circle": {"r": 9}})");
    BOOST_TEST(to_hex(wharf::from_json(type, R"({"circle": {"r": 9}})")) == to_hex(image));
    BOOST_TEST(to_hex(wharf::from_json(type, R"({"#0": {"r": 9}})")) == to_hex(image));
    BOOST_TEST(refusal([&] { return wharf::from_json(type, R"({"circel": {}})"); }) ==
               "bad_json unknown alternative \"circel\"; did you mean \"circle\"?");
}
