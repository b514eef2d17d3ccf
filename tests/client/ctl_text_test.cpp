// What wharfctl does to bytes before a terminal sees them.
#include "../../client/ctl_text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wharf::ctl;
using namespace std::string_literals;

namespace {

std::span<const std::byte> bytes(const std::string& text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace

BOOST_AUTO_TEST_CASE(text_stays_as_it_is)
{
    BOOST_TEST(escape("plain, Grüße, 東京 🚢") == "plain, Grüße, 東京 🚢");
}

BOOST_AUTO_TEST_CASE(what_steers_a_terminal_is_escaped)
{
    BOOST_TEST(escape("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
    BOOST_TEST(escape("a\nb\tc\rd\0e"s) == "a\\x0ab\\x09c\\x0dd\\x00e");
    BOOST_TEST(escape("\x7f") == "\\x7f");
    BOOST_TEST(escape("\xc2\x9b"
                      "31m") == "\\xc2\\x9b31m"); // an 8-bit control sequence
    BOOST_TEST(escape("\xe2\x80\xae"
                      "txt") == "\\xe2\\x80\\xaetxt"); // turns the text around
    BOOST_TEST(escape("back\\slash") == "back\\\\slash");
}

BOOST_AUTO_TEST_CASE(what_is_not_utf_8_is_escaped_byte_by_byte)
{
    BOOST_TEST(escape("\xff\xfe") == "\\xff\\xfe");
    BOOST_TEST(escape("\xc3") == "\\xc3");
    BOOST_TEST(escape("\xe2\x82") == "\\xe2\\x82");
    BOOST_TEST(escape("\xc0\x8a") == "\\xc0\\x8a");          // an overlong newline
    BOOST_TEST(escape("\xe0\x80\x9b") == "\\xe0\\x80\\x9b"); // an overlong escape
    BOOST_TEST(escape("\xed\xa0\x80") == "\\xed\\xa0\\x80"); // a surrogate
    BOOST_TEST(escape("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

BOOST_AUTO_TEST_CASE(plain_text_has_newlines_and_nothing_that_steers)
{
    BOOST_TEST(is_plain_text(bytes("a\n\tb Grüße\n")));
    BOOST_TEST(is_plain_text({}));
    BOOST_TEST(!is_plain_text(bytes("a\x1b[2J")));
    BOOST_TEST(!is_plain_text(bytes("\xff")));
    BOOST_TEST(!is_plain_text(bytes("a\rb")));
}

BOOST_AUTO_TEST_CASE(a_hex_dump_has_offsets_bytes_and_text)
{
    BOOST_TEST(hex_dump(bytes("0123456789abcdef\x01\xffz")) ==
               "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
               "00000010  01 ff 7a                                          |..z|\n");
    BOOST_TEST(hex_dump({}) == "");
}

BOOST_AUTO_TEST_CASE(a_table_is_aligned_for_people_and_tabbed_for_programs)
{
    const std::vector<std::vector<std::string>> rows{
        {"KEY", "SIZE"}, {"a", "1000"}, {"Grüße", "5"}};
    BOOST_TEST(table(rows, true, {1}) == "KEY    SIZE\na      1000\nGrüße     5\n");
    BOOST_TEST(table(rows, false, {1}) == "a\t1000\nGrüße\t5\n");
}

BOOST_AUTO_TEST_CASE(a_time_is_utc_and_anything_else_the_number)
{
    BOOST_TEST(utc_time(0) == "1970-01-01T00:00:00Z");
    BOOST_TEST(utc_time(1763740800999) == "2025-11-21T16:00:00Z");
    BOOST_TEST(utc_time(253402300799999) == "9999-12-31T23:59:59Z");
    BOOST_TEST(utc_time(253402300800000) == "253402300800000");
    BOOST_TEST(utc_time(-1) == "-1");
    BOOST_TEST(utc_time(INT64_MIN) == "-9223372036854775808");
}
