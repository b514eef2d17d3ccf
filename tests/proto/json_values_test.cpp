// Numbers, strings, bytes and enums as JSON, against C++ values of the archive.
#include "json_support.hpp"

#include <wharf/utf8.hpp>

#include <cmath>
#include <limits>

using namespace json_support;

namespace {

enum class shade : std::uint8_t { light, dark = 7 };
enum class offset : std::int64_t { low = -3, high = 4 };
enum small { red, green, blue };

template <class T>
constexpr T least = std::numeric_limits<T>::lowest();
template <class T>
constexpr T greatest = std::numeric_limits<T>::max();

template <class Bits, class Number>
Number from_bits(Bits bits)
{
    return std::bit_cast<Number>(bits);
}

} // namespace

BOOST_AUTO_TEST_CASE(integers_are_numbers_and_beyond_2_to_the_53_strings)
{
    check_json(true, "bool", "true");
    check_json(false, "bool", "false");
    check_json(least<std::int8_t>, "i8", "-128");
    check_json(greatest<std::uint8_t>, "u8", "255");
    check_json(least<std::int16_t>, "i16", "-32768");
    check_json(greatest<std::uint32_t>, "u32", "4294967295");
    check_json(std::int64_t{1} << 53, "i64", "9007199254740992");
    check_json((std::int64_t{1} << 53) + 1, "i64", R"("9007199254740993")");
    check_json(-(std::int64_t{1} << 53) - 1, "i64", R"("-9007199254740993")");
    check_json(least<std::int64_t>, "i64", R"("-9223372036854775808")");
    check_json(greatest<std::uint64_t>, "u64", R"("18446744073709551615")");
    check_json(static_cast<wharf::detail::int128>(-7), "i128", R"("-7")");
    check_json(~wharf::detail::uint128{0}, "u128", R"("340282366920938463463374607431768211455")");
    check_json(wharf::detail::int128{1} << 127, "i128",
               R"("-170141183460469231731687303715884105728")");
}

BOOST_AUTO_TEST_CASE(integers_are_read_in_every_notation_that_is_exact)
{
    check_read(std::uint64_t{7}, "u64", R"("7")");
    check_read(greatest<std::uint64_t>, "u64", "18446744073709551615");
    check_read(std::int32_t{1500}, "i32", "1.5e3");
    check_read(std::int32_t{1}, "i32", "1.000");
    check_read(std::int32_t{12}, "i32", "1200e-2");
    check_read(std::int32_t{0}, "i32", "-0");
    check_read(std::uint8_t{0}, "u8", "0e999999");
    check_read(std::int8_t{-128}, "i8", R"("-128")");
}

BOOST_AUTO_TEST_CASE(reals_keep_every_bit)
{
    check_json(1.5, "f64", "1.5");
    check_json(0.1, "f64", "0.1");
    check_json(0.1f, "f32", "0.1");
    check_json(-0.0, "f64", "-0");
    check_json(1e300, "f64", "1e+300");
    check_json(greatest<double>, "f64", "1.7976931348623157e+308");
    check_json(std::numeric_limits<double>::denorm_min(), "f64", "5e-324");
    check_json(std::numeric_limits<float>::denorm_min(), "f32", "1e-45");
    check_json(0.1 + 0.2, "f64", "0.30000000000000004");
    check_json(std::numeric_limits<double>::infinity(), "f64", R"("Infinity")");
    check_json(-std::numeric_limits<float>::infinity(), "f32", R"("-Infinity")");
    check_json(from_bits<std::uint64_t, double>(0x7ff8000000000000), "f64", R"("NaN")");
    check_json(from_bits<std::uint64_t, double>(0x7ff0000000000001), "f64",
               R"~("NaN(0x7ff0000000000001)")~");
    check_json(from_bits<std::uint32_t, float>(0xffc00000), "f32", R"~("NaN(0xffc00000)")~");
    check_json(1.5L, "f128", R"("1.5")");
    check_json(std::numeric_limits<long double>::infinity(), "f128", R"("Infinity")");
    for (const long double each : {greatest<long double>, least<long double>, 0.1L, 1.0L / 3,
                                   std::numeric_limits<long double>::denorm_min()}) {
        const auto type = schema_notation::make("f128");
        const bytes image = wharf::to_bytes(each);
        BOOST_TEST(to_hex(wharf::from_json(type, wharf::to_json(type, image))) == to_hex(image));
    }
    check_read(3.0, "f64", "3");
    check_read(1e21, "f64", "1000000000000000000000");
}

BOOST_AUTO_TEST_CASE(random_doubles_come_back)
{
    const auto type = schema_notation::make("vector<f64>");
    std::vector<double> values;
    std::uint64_t bits = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 20000; ++i) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        values.push_back(std::bit_cast<double>(bits));
    }
    const bytes image = wharf::to_bytes(values);
    BOOST_TEST((wharf::from_json(type, wharf::to_json(type, image)) == image));
}

BOOST_AUTO_TEST_CASE(strings_of_every_width_are_unicode)
{
    check_json(std::string("a\"b\\c\n\r\t\x01/"), "string", R"("a\"b\\c\n\r\t\u0001/")");
    check_json(std::string("\0z", 2), "string", R"("\u0000z")");
    check_json(std::string("\xe2\x98\xba"), "string", "\"\xe2\x98\xba\"");
    check_json(wharf::utf8("\xf0\x9f\x98\x80"), "utf8", "\"\xf0\x9f\x98\x80\"");
    check_json(std::u16string(u"a\u263a\U0001f600"), "text<u16>",
               "\"a\xe2\x98\xba\xf0\x9f\x98\x80\"");
    check_json(std::u32string(U"\U0010ffff"), "text<u32>", "\"\xf4\x8f\xbf\xbf\"");
    check_json(std::wstring(L"w\u00e9"), "text<u32>", "\"w\xc3\xa9\"");
    check_json(std::u8string(u8"\u00e9"), "string", "\"\xc3\xa9\"");
    check_read(std::string("\xf0\x9f\x98\x80"), "string", R"("\ud83d\ude00")");
    check_read(std::string(5000, 'x') + "\n", "string", "\"" + std::string(5000, 'x') + "\\n\"");
}

BOOST_AUTO_TEST_CASE(what_a_terminal_would_act_on_is_escaped)
{
    check_json(std::string("\x1b[2J\x7f"), "string", R"("\u001b[2J\u007f")");
    check_json(std::string("\xc2\x9b"
                           "2J\xc2\xa0"),
               "string", "\"\\u009b2J\xc2\xa0\"");
}

// Row 46: JSON names the place of a string that is not Unicode.
BOOST_AUTO_TEST_CASE(row_46_what_is_no_unicode_is_an_error_with_its_path)
{
    const auto of = [](const char* type, const bytes& image) {
        return refusal([&] { return wharf::to_json(schema_notation::make(type), image); });
    };
    const std::map<std::string, std::vector<std::string>> names = {{"a", {"b", "\xff"}}};
    BOOST_TEST(of("class {names: map<string, vector<string>>}", wharf::to_bytes(names)) ==
               "bad_utf8 at byte 8, in names[\"a\"][1]: JSON holds Unicode only");
    BOOST_TEST(of("text<u16>", wharf::to_bytes(std::u16string{0xd800, u'a'})) ==
               "bad_utf8 at byte 2: JSON holds Unicode only");
    BOOST_TEST(of("text<u16>", wharf::to_bytes(std::u16string{0xdc00})).starts_with("bad_utf8"));
    BOOST_TEST(of("text<u32>", wharf::to_bytes(std::u32string{0x110000})).starts_with("bad_utf8"));
    BOOST_TEST(of("text<u32>", wharf::to_bytes(std::u32string{0xd800})).starts_with("bad_utf8"));
    BOOST_TEST(
        of("map<string, u8>", wharf::to_bytes(std::map<std::string, std::uint8_t>{{"\x80", 1}})) ==
        "bad_utf8 at byte 3, in [0]: JSON holds Unicode only");
}

BOOST_AUTO_TEST_CASE(bytes_are_base64)
{
    using blob = std::vector<std::byte>;
    check_json(blob{}, "blob", R"("")");
    check_json(blob{std::byte{0}}, "blob", R"("AA==")");
    check_json(blob{std::byte{0xfb}, std::byte{0xff}}, "blob", R"("+/8=")");
    check_json(blob{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}, "blob",
               R"("AQIDBA==")");
    const auto fixed = schema_notation::make("bytes<2>");
    const bytes image = make_bytes({0, 1, 2});
    BOOST_TEST(wharf::to_json(fixed, image) == R"("AQI=")");
    BOOST_TEST(to_hex(wharf::from_json(fixed, R"("AQI=")")) == to_hex(image));
}

BOOST_AUTO_TEST_CASE(enumerators_go_by_name_where_they_have_one)
{
    const std::string shades = "enum<u8, 0, 0, light, dark=7>";
    check_json(shade::dark, shades, R"("dark")");
    check_json(shade{9}, shades, "9");
    check_read(shade::dark, shades, "7");
    check_read(shade::dark, shades, R"("7")");
    check_json(offset::low, "enum<i64, 0, 0, low=-3, high=4>", R"("low")");
    check_json(blue, "enum<u32, 0, 3, red, green, blue>", R"("blue")");
    check_json(static_cast<small>(3), "enum<u32, 0, 3, red, green, blue>", "3");
    check_json(std::byte{200}, "enum<u8, 0, 0>", "200");
}

BOOST_AUTO_TEST_CASE(a_message_may_be_indented)
{
    const wharf::json_options options{.style = wharf::json_style::indent};
    const auto type = schema_notation::make("class {a: i32, b: vector<u8>, c: vector<u8>}");
    const bytes image = make_bytes({0, 1, 0, 0, 0, 2, 7, 8, 0});
    const std::string text = wharf::to_json(type, image, {}, options);
    BOOST_TEST(text == "{\n  \"a\": 1,\n  \"b\": [\n    7,\n    8\n  ],\n  \"c\": []\n}");
    BOOST_TEST(to_hex(wharf::from_json(type, text)) == to_hex(image));
    BOOST_TEST(wharf::to_json(type, image) == R"({"a": 1, "b": [7, 8], "c": []})");
}
