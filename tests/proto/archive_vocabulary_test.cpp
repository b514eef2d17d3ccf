// Types that the archive knows without any header of Boost: numbers to the bit, text, dates, bits,
// memory images.
#include "archive_support.hpp"

#include <wharf/memory_image.hpp>
#include <wharf/utf8.hpp>

#include <bit>
#include <bitset>
#include <cmath>
#include <complex>
#include <filesystem>
#include <limits>
#include <memory_resource>
#include <queue>
#include <stack>

using namespace archive_support;
using wharf::errc;

namespace {

template <class T>
void travels(const T& value, const char* expected)
{
    const bytes image = wharf::to_bytes(value);
    BOOST_TEST(to_hex(image) == expected, typeid(T).name());
    BOOST_TEST((round_trip(value) == value), typeid(T).name());
    for (std::size_t n = 1; n < image.size(); ++n)
        BOOST_TEST(refusal_of<T>(std::span(image).first(n)) != errc{}, typeid(T).name());
}

enum class colour : std::uint8_t { red, green };

struct point {
    std::int32_t x = 0;
    std::int32_t y = 0;
    bool operator==(const point&) const = default;
};
struct sample {
    double at = 0;
    point where;
    std::array<std::uint16_t, 2> parts{};
    colour kind[4]{};
    bool operator==(const sample&) const = default;
};
class closed {
public:
    explicit closed(std::uint32_t value = 0) : value_(value) {}
    bool operator==(const closed&) const = default;

private:
    std::uint32_t value_;
};

} // namespace

template <>
inline constexpr bool wharf::is_memory_image<point> = true;
template <>
inline constexpr bool wharf::is_memory_image<sample> = true;
template <>
inline constexpr bool wharf::is_memory_image<closed> = true;

BOOST_AUTO_TEST_SUITE(archive_vocabulary)

// Row 43: the width of a number on the wire is that of no machine, and all of its bits arrive.
BOOST_AUTO_TEST_CASE(row_43_numbers_have_one_width_everywhere)
{
    travels(true, "00 01");
    travels('a', "00 61");
    travels(static_cast<signed char>(-1), "00 ff");
    travels(static_cast<unsigned char>(255), "00 ff");
    travels(u8'a', "00 61");
    travels(u'\u263a', "00 3a 26");
    travels(U'\u263a', "00 3a 26 00 00");
    travels(L'\u263a', "00 3a 26 00 00");
    travels(static_cast<short>(-2), "00 fe ff");
    travels(static_cast<unsigned short>(2), "00 02 00");
    travels(-2, "00 fe ff ff ff");
    travels(2u, "00 02 00 00 00");
    travels(-2L, "00 fe ff ff ff ff ff ff ff");
    travels(2uL, "00 02 00 00 00 00 00 00 00");
    travels(-2LL, "00 fe ff ff ff ff ff ff ff");
    travels(2uLL, "00 02 00 00 00 00 00 00 00");
    travels(std::byte{7}, "00 07");
    travels(colour::green, "00 01");
#ifdef __SIZEOF_INT128__
    travels(wharf::detail::int128{-2}, "00 fe ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff");
#endif
    travels(1.0f, "00 00 00 80 3f");
    travels(1.0, "00 00 00 00 00 00 00 f0 3f");
    travels(1.0L, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ff 3f");
}

BOOST_AUTO_TEST_CASE(row_43_floating_point_is_exact_to_the_bit)
{
    travels(-0.0f, "00 00 00 00 80");
    travels(-0.0, "00 00 00 00 00 00 00 00 80");
    travels(-0.0L, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80");
    BOOST_TEST(std::signbit(round_trip(-0.0f)));
    BOOST_TEST(std::signbit(round_trip(-0.0)));
    BOOST_TEST(std::signbit(round_trip(-0.0L)));
    // The payload of a NaN; the archive never asks whether a number is one.
    for (const std::uint64_t image :
         {0x7ff8000000000001u, 0xfff8deadbeef1234u, 0x7ff0000000000001u})
        BOOST_TEST(std::bit_cast<std::uint64_t>(round_trip(std::bit_cast<double>(image))) == image);
    for (const std::uint32_t image : {0x7fc00001u, 0xffc54321u})
        BOOST_TEST(std::bit_cast<std::uint32_t>(round_trip(std::bit_cast<float>(image))) == image);
    const auto nans = round_trip(std::vector<double>{std::bit_cast<double>(0xfff8000000000005u)});
    BOOST_TEST(std::bit_cast<std::uint64_t>(nans.at(0)) == 0xfff8000000000005u);
    BOOST_TEST(std::isnan(round_trip(std::numeric_limits<long double>::quiet_NaN())));
}

// Row 46: a string is bytes; text of wider characters has a width of its own, the machine's
// wchar_t notwithstanding.
BOOST_AUTO_TEST_CASE(row_46_strings_keep_what_is_not_utf8)
{
    travels(std::string("\xff\xc0\x80"), "00 03 ff c0 80");
    travels(std::u8string(u8"\u263a"), "00 03 e2 98 ba");
    travels(std::u16string(u"\u263a"), "00 01 3a 26");
    travels(std::u32string(U"\U0001f600"), "00 01 00 f6 01 00");
    travels(std::wstring(L"\u263a"), "00 01 3a 26 00 00");
    travels(std::pmr::string("ab"), "00 02 61 62");
}

BOOST_AUTO_TEST_CASE(row_46_utf8_refuses_what_is_not)
{
    travels(wharf::utf8("a\u263a"), "00 04 61 e2 98 ba");
    travels(wharf::utf8(), "00 00");
    travels(std::map<wharf::utf8, wharf::utf8>{{"k", "v"}}, "00 01 01 6b 01 76");
    const auto refusal = [](std::string_view text) -> std::string {
        try {
            (void)wharf::from_bytes<wharf::utf8>(wharf::to_bytes(std::string(text)));
        }
        catch (const wharf::error& e) {
            BOOST_TEST(e.code() == errc::bad_utf8);
            return e.text();
        }
        return "";
    };
    // The message begins with its prelude and the size, so the text does at byte 2.
    BOOST_TEST(refusal("ab\xff").starts_with("at byte 4"));
    BOOST_TEST(refusal("\x80").starts_with("at byte 2"));
    BOOST_TEST(refusal("a\xc0\x80").starts_with("at byte 3"));        // overlong
    BOOST_TEST(refusal("a\xc1\xbf").starts_with("at byte 3"));        // overlong
    BOOST_TEST(refusal("a\xe0\x9f\xbf").starts_with("at byte 3"));    // overlong
    BOOST_TEST(refusal("\xf0\x8f\xbf\xbf").starts_with("at byte 2")); // overlong
    BOOST_TEST(refusal("\xed\xa0\x80").starts_with("at byte 2"));     // a surrogate
    BOOST_TEST(refusal("\xed\xbf\xbf").starts_with("at byte 2"));     // a surrogate
    BOOST_TEST(refusal("\xf4\x90\x80\x80").starts_with("at byte 2")); // above U+10FFFF
    BOOST_TEST(refusal("\xf5\x80\x80\x80").starts_with("at byte 2"));
    BOOST_TEST(refusal("ab\xe2\x98").starts_with("at byte 4")); // ends inside a character
    BOOST_TEST(refusal("\xe2\x28\xa1").starts_with("at byte 2"));
    BOOST_TEST(refusal("\xf0\x9f\x98").starts_with("at byte 2"));
    // The limits of each length.
    for (const char* good :
         {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        BOOST_TEST(refusal(good) == "");
    BOOST_TEST(refusal(std::string_view("a\0b", 3)) == "");
}

BOOST_AUTO_TEST_CASE(a_utf8_is_always_valid)
{
    BOOST_CHECK_EXCEPTION(wharf::utf8("a\xff"), wharf::error, [](const wharf::error& e) {
        return e.code() == errc::bad_utf8 && e.text() == "at byte 1 of the text";
    });
    wharf::utf8 text("b");
    BOOST_TEST((text > wharf::utf8("a")));
    const std::string& plain = text;
    BOOST_TEST(plain == "b");
    BOOST_TEST(std::hash<wharf::utf8>()(text) == std::hash<std::string>()("b"));
    BOOST_TEST(text.take() == "b");
    BOOST_TEST(text.empty());
}

BOOST_AUTO_TEST_CASE(durations_time_points_and_dates_come_back)
{
    using namespace std::chrono;
    travels(milliseconds(-5), "00 fb ff ff ff ff ff ff ff");
    travels(duration<float>(1), "00 00 00 80 3f");
    travels(duration<std::int16_t, std::ratio<60>>(7), "00 07 00");
    travels(sys_seconds(seconds(1)), "00 01 00 00 00 00 00 00 00");
    travels(year(2026), "00 ea 07");
    travels(year(-1), "00 ff ff");
    travels(month(11), "00 0b");
    travels(day(21), "00 15");
    travels(Sunday, "00 00");
    travels(Saturday, "00 06");
    travels(year(2026) / 11 / 21, "00 ea 07 0b 15");
    travels(year(2026) / 11, "00 ea 07 0b");
    travels(November / 21, "00 0b 15");
    BOOST_TEST(refusal_of<weekday>({0, 7}) == errc::not_canonical);
    // A date that no calendar has is a value of the type, as `!ok()` tells.
    BOOST_TEST(!wharf::from_bytes<year_month_day>(make_bytes({0, 0, 0, 13, 32})).ok());
}

BOOST_AUTO_TEST_CASE(bits_complex_numbers_and_adaptors_need_no_header_of_boost)
{
    travels(std::bitset<9>(0x155), "00 09 55 01");
    travels(std::bitset<64>(1), "00 40 01 00 00 00 00 00 00 00");
    travels(std::complex<double>(1, -0.0), "00 00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 80");
    travels(std::vector<std::complex<float>>{{1, 2}}, "00 01 00 00 80 3f 00 00 00 40");
    travels(std::stack<char, std::vector<char>>(std::vector<char>{'a'}), "00 01 61");
    travels(std::queue<char>(std::deque<char>{'a'}), "00 01 61");
    std::priority_queue<char, std::vector<char>, std::greater<>> least;
    least.push('b');
    least.push('a');
    BOOST_TEST(to_hex(wharf::to_bytes(least)) == "00 02 61 62");
    BOOST_TEST(round_trip(least).top() == 'a');
    BOOST_TEST((refusal_of<decltype(least)>({0, 2, 'b', 'a'})) == errc::not_canonical);
    travels(std::filesystem::path("/a"), "00 02 2f 61");
}

BOOST_AUTO_TEST_CASE(containers_of_other_allocators_come_back)
{
    travels(std::pmr::vector<short>{1, 2}, "00 02 01 00 02 00");
    travels(std::pmr::vector<std::pmr::string>{"a", ""}, "00 02 01 61 00");
    travels(std::pmr::deque<char>{'a'}, "00 01 61");
    travels(std::pmr::list<char>{'a'}, "00 01 61");
    travels(std::pmr::set<char>{'a'}, "00 01 61");
    travels(std::pmr::map<char, std::pmr::string>{{'a', "b"}}, "00 01 61 01 62");
    travels(std::pmr::unordered_map<char, char>{{'a', 'b'}}, "00 01 61 62");
}

BOOST_AUTO_TEST_CASE(values_nest)
{
    using nested = std::tuple<std::pair<char, std::tuple<bool>>, std::optional<std::tuple<>>>;
    travels(nested{{'a', {true}}, std::tuple<>{}}, "00 61 01 01");
    using layers = std::vector<std::variant<std::monostate, std::vector<std::optional<char>>>>;
    travels(layers{{}, std::vector<std::optional<char>>{'a', {}}}, "00 02 00 01 02 01 61 00");
    int first = 0;
    char second = 0;
    const bytes image = make_bytes({0, 5, 0, 0, 0, 'z'});
    wharf::load_archive load(image);
    load >> std::tie(first, second);
    BOOST_TEST((first == 5 && second == 'z'));
}

// Elsewhere they do not compile.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
BOOST_AUTO_TEST_CASE(memory_images_travel_as_blocks)
{
    travels(point{1, -1}, "00 01 00 00 00 ff ff ff ff");
    travels(std::vector<point>{{1, 2}}, "00 01 01 00 00 00 02 00 00 00");
    travels(std::array<point, 1>{{{1, 2}}}, "00 01 01 00 00 00 02 00 00 00");
    travels(closed(5), "00 05 00 00 00");
    travels(std::vector<closed>{closed(5)}, "00 01 05 00 00 00");
    const sample value{1, {2, 3}, {4, 5}, {colour::green}};
    travels(value, "00 00 00 00 00 00 00 f0 3f 02 00 00 00 03 00 00 00 04 00 05 00 01 00 00 00");
    BOOST_TEST(refusal_of<std::vector<point>>({0, 2, 1, 0, 0, 0, 2, 0, 0, 0}) == errc::bad_length);
    static_assert(wharf::detail::is_block<sample>);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
