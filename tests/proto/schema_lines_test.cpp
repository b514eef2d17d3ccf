// What a schema says of each kind of type, against what was written by hand.
#include "schema_types.hpp"

#include <boost/dynamic_bitset.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/optional.hpp>
#include <boost/serialization/strong_typedef.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/unordered_map.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/variant.hpp>

#include <complex>
#include <filesystem>
#include <queue>
#include <valarray>

namespace schema_types {
BOOST_STRONG_TYPEDEF(std::int32_t, ticket)
} // namespace schema_types
BOOST_CLASS_IMPLEMENTATION(schema_types::ticket, boost::serialization::primitive_type)

using namespace schema_types;

namespace {

int lines_checked = 0;

/// The schema is this line, can be used, and is the same after it has travelled.
template <class T>
void check_line(const std::string& expected)
{
    const wharf::schema& found = wharf::schema_of<T>();
    BOOST_TEST(found.to_line() == expected);
    BOOST_TEST(found.is_valid());
    BOOST_TEST_CONTEXT(expected)
    {
        BOOST_TEST(found.opaque_reason() == "");
        BOOST_TEST(found.is_walkable());
        BOOST_TEST(found.fingerprint() != 0u);
    }
    BOOST_TEST(bool(wharf::from_bytes<wharf::schema>(wharf::to_bytes(found)) == found));
    ++lines_checked;
}

using listed =
    boost::multi_index_container<std::uint8_t,
                                 boost::multi_index::indexed_by<boost::multi_index::ordered_unique<
                                     boost::multi_index::identity<std::uint8_t>>>>;

} // namespace

BOOST_AUTO_TEST_SUITE(schema_lines)

BOOST_AUTO_TEST_CASE(numbers_have_their_width_and_sign)
{
    check_line<bool>("bool");
    check_line<std::int8_t>("i8");
    check_line<std::uint8_t>("u8");
    check_line<char>("i8");
    check_line<char8_t>("u8");
    check_line<char32_t>("u32");
    check_line<wchar_t>("i32");
    check_line<std::int16_t>("i16");
    check_line<std::uint32_t>("u32");
    check_line<long>("i64");
    check_line<unsigned long long>("u64");
    check_line<float>("f32");
    check_line<double>("f64");
    check_line<long double>("f128");
    check_line<color>("enum u8 (red=0, green=3)"); // 200 is beyond what is tried
    check_line<flags>("enum u16 (none=0, read=1, write=2, all=32768)");
    check_line<signs>("enum i32 (minus=-2, zero=0, plus=1)");
    check_line<std::byte>("enum u8");
    check_line<std::chrono::milliseconds>("i64");
    check_line<std::chrono::system_clock::time_point>("i64");
    check_line<std::chrono::year_month_day>("(i16, u8, u8)");
}

BOOST_AUTO_TEST_CASE(strings_and_containers_show_their_elements_when_they_are_empty)
{
    check_line<std::string>("string");
    check_line<std::u16string>("string of u16");
    check_line<std::wstring>("string of u32");
    check_line<wharf::utf8>("utf8");
    check_line<std::filesystem::path>("string");
    check_line<std::vector<std::string>>("[string]");
    check_line<std::deque<std::vector<double>>>("[[f64]]");
    check_line<std::forward_list<std::uint8_t>>("[u8]");
    check_line<std::valarray<float>>("[f32]");
    check_line<std::vector<bool>>("bits");
    check_line<std::vector<std::byte>>("bytes");
    check_line<std::bitset<9>>("bits[9]");
    check_line<boost::dynamic_bitset<>>("bits");
    check_line<std::array<std::uint16_t, 3>>("[u16; 3]");
    check_line<std::set<std::string>>("set<string>");
    check_line<std::multiset<std::int32_t>>("multiset<i32>");
    check_line<std::unordered_set<std::uint8_t>>("unordered_set<u8>");
    check_line<std::map<std::string, std::vector<user>>>(
        "map<string, [{id: u64, name: string, addresses: [{street: string, number: u32}], "
        "scores: map<string, f64>, age: i32?, favourite: enum u8 (red=0, green=3), "
        "is_admin: bool}]>");
    check_line<std::unordered_multimap<std::uint8_t, bool>>("unordered_multimap<u8, bool>");
    check_line<boost::unordered_map<std::uint8_t, std::string>>("unordered_map<u8, string>");
    check_line<std::priority_queue<std::int32_t>>("[i32]");
    check_line<listed>("[u8]");
}

BOOST_AUTO_TEST_CASE(vocabulary_types_show_what_they_hold)
{
    check_line<std::pair<std::int32_t, std::string>>("(i32, string)");
    check_line<std::tuple<bool, double, std::vector<bool>>>("(bool, f64, bits)");
    check_line<std::tuple<>>("()");
    check_line<std::optional<std::optional<std::int32_t>>>("i32??");
    check_line<boost::optional<std::string>>("string?");
    check_line<std::variant<std::monostate, std::int32_t, std::string>>("(nothing | i32 | string)");
    check_line<boost::variant<std::int32_t, std::string>>("(i32 | string)");
    check_line<std::complex<double>>("(f64, f64)");
    check_line<boost::uuids::uuid>("bytes[16]");
    check_line<ticket>("i32");
    check_line<void>("nothing");
}

BOOST_AUTO_TEST_CASE(classes_show_their_members_by_name)
{
    check_line<point>("{x: i32, y: i32}");
    check_line<archive_types::member>("{a: i32, b: string}");
    check_line<archive_types::free_function>("{#0: i32}");
    check_line<archive_types::in_boost>("{#0: i32}");
    check_line<archive_types::split>("{more: i32}");
    check_line<archive_types::split_outside>("{#0: i32}");
    check_line<archive_types::secret>("{#0: i32}");
    check_line<archive_types::empty>("{}");
    check_line<archive_types::derived>("{base member: {a: i32, b: string}, c: f64}");
    check_line<archive_types::arrays>("{#0: [i32; 3], #1: [i8; 4], raw: bytes[5], #3: run<u8, 2>}");
    check_line<point3>("{base base: {x: i32, y: i32}, other: {x: i32, y: i32}, z: i32}");
    check_line<twice_named>("{item: i32, item#1: i32}");
    check_line<raw_bytes>("{#0: bytes[4]}");
    check_line<line>("{from: [f64; 2], to: [f32; 3]}");
    check_line<pixel>("{rgb: run<u8, 3>, kind: enum u8 (red=0, green=3)}");
    check_line<std::vector<pixel>>("[{rgb: run<u8, 3>, kind: enum u8 (red=0, green=3)}]");
    check_line<hidden>("{a: i32, b: string}");
    check_line<evolved>("{a: i32, c: f64} v2");
    check_line<holds_evolved>("{all: [{a: i32, c: f64} v2]}");
    check_line<wharf::schema_field>("{name: string, type: u32, is_base: bool}");
}

BOOST_AUTO_TEST_CASE(what_contains_itself_refers_back)
{
    check_line<folder>("#1={name: string, folders: [#1]}");
    check_line<archive_types::tree>("#1={#0: i32, #1: [#1]}");
    check_line<leaf_or_pair>("#1={left: (i64 | unique #1), right: (i64 | unique #1)}");
    check_line<std::shared_ptr<archive_golden::chain_link>>("#1=shared {#0: u8, #1: #1}");
    check_line<archive_golden::rings>("{#0: [#1=raw {#0: i32, #1: #1}]}");
}

BOOST_AUTO_TEST_CASE(pointers_show_who_owns_and_which_classes_may_be_behind_them)
{
    using namespace archive_golden;
    check_line<std::shared_ptr<std::int32_t>>("shared i32");
    check_line<std::unique_ptr<record>>("unique {#0: i32, #1: string}");
    check_line<boost::shared_ptr<record>>("boost_shared {#0: i32, #1: string}");
    check_line<raw_owner>("{#0: unique {#0: i32, #1: string}}");
    check_line<node>("#1={#0: i32, #1: weak shared #1}");
    check_line<std::shared_ptr<shape>>(
        "shared (its own: {#0: i32} | \"circle\": {base #0: {#0: i32}, #1: f64} | "
        "\"square\": {base #0: {#0: i32}, #1: u8})");
    check_line<std::unique_ptr<solid>>("unique (\"ball\": {base #0: {#0: i32}, #1: u16})");
    check_line<late_holder>("{#0: register {base #0: {#0: i32}, #1: u8}, #1: "
                            "[shared (its own: {#0: i32} | \"circle\": {base #0: {#0: i32}, "
                            "#1: f64} | \"square\": {base #0: {#0: i32}, #1: u8} | registered: "
                            "{base #0: {#0: i32}, #1: u8})]}");
    check_line<counter>("tracked {#0: u8}");
    check_line<twice>("{#0: tracked {#0: u8}, #1: tracked {#0: u8}, #2: tracked {#0: u8}}");
    check_line<std::vector<town>>("[construct(#0: string) {#0: i32}]");
    check_line<std::shared_ptr<vtown>>("shared construct(#0: {#0: string} v2) {#0: u8} v1");
}

// Row 69: what travels is typed, and its schema says how.
BOOST_AUTO_TEST_CASE(more_than_forty_types_are_described)
{
    BOOST_TEST(lines_checked >= 90);
}

BOOST_AUTO_TEST_CASE(the_text_of_a_class_has_a_line_for_each_member)
{
    BOOST_TEST(wharf::schema_of<user>().to_text() == "{\n"
                                                     "    id: u64\n"
                                                     "    name: string\n"
                                                     "    addresses: [{\n"
                                                     "        street: string\n"
                                                     "        number: u32\n"
                                                     "    }]\n"
                                                     "    scores: map<string, f64>\n"
                                                     "    age: i32?\n"
                                                     "    favourite: enum u8 (red=0, green=3)\n"
                                                     "    is_admin: bool\n"
                                                     "}");
}

BOOST_AUTO_TEST_CASE(the_same_schema_is_made_once)
{
    BOOST_TEST(&wharf::schema_of<user>() == &wharf::schema_of<user>());
}

BOOST_AUTO_TEST_SUITE_END()
