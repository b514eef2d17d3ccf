// Enums of every kind: the bytes of each, and which values are refused.
#include "archive_support.hpp"

#include <cstdint>
#include <limits>

using namespace archive_support;

namespace {

enum class scoped { a, b = 1000 };
enum class scoped_byte : std::uint8_t { a, b = 200 };
enum class scoped_long : std::int64_t { low = std::numeric_limits<std::int64_t>::min() };
enum fixed : std::int16_t { minus_two = -2 };
enum class truth : bool { no, yes };

enum dense { red, green, blue };
enum sparse { one = 1, hundred = 100 };
enum negative { low = -3, high = 4 };
enum byte_wide { two_hundred = 200 };
enum status { ok = 200, not_found = 404 };
enum int_wide { greatest = 0x7fffffff };
enum unsigned_wide { all_bits = 0xffffffff };
enum long_wide { five_billion = 5'000'000'000 };
enum long_negative { minus_five_billion = -5'000'000'000 };
enum empty {};

class door {
public:
    door() = default;
    static door make_open()
    {
        door d;
        d.state_ = open;
        return d;
    }
    bool is_open() const { return state_ == open; }

private:
    enum state { closed, open = 5 };
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(state_);
    }
    state state_ = closed;
};

template <class Enum>
std::string image_of(Enum value)
{
    BOOST_TEST((round_trip(value) == value));
    return to_hex(wharf::to_bytes(value));
}

/// Loads this number as an Enum.
template <class Enum>
wharf::errc load_number(std::underlying_type_t<Enum> number)
{
    return refusal_of<Enum>(wharf::to_bytes(number));
}

constexpr auto accepted = wharf::errc{};
constexpr auto refused = wharf::errc::bad_enum;

} // namespace

BOOST_AUTO_TEST_SUITE(enums)

BOOST_AUTO_TEST_CASE(an_enum_travels_as_its_underlying_type)
{
    BOOST_TEST(image_of(scoped::b) == "00 e8 03 00 00");
    BOOST_TEST(image_of(scoped_byte::b) == "00 c8");
    BOOST_TEST(image_of(scoped_long::low) == "00 00 00 00 00 00 00 00 80");
    BOOST_TEST(image_of(minus_two) == "00 fe ff");
    BOOST_TEST(image_of(truth::yes) == "00 01");
    BOOST_TEST(image_of(blue) == "00 02 00 00 00");
    BOOST_TEST(image_of(low) == "00 fd ff ff ff");
    BOOST_TEST(image_of(two_hundred) == "00 c8 00 00 00");
    BOOST_TEST(image_of(not_found) == "00 94 01 00 00");
    BOOST_TEST(image_of(greatest) == "00 ff ff ff 7f");
    BOOST_TEST(image_of(all_bits) == "00 ff ff ff ff");
    BOOST_TEST(image_of(five_billion) == "00 00 f2 05 2a 01 00 00 00");
    BOOST_TEST(image_of(minus_five_billion) == "00 00 0e fa d5 fe ff ff ff");
    BOOST_TEST(image_of(empty{}) == "00 00 00 00 00");
}

BOOST_AUTO_TEST_CASE(a_fixed_underlying_type_allows_all_its_values)
{
    BOOST_TEST(load_number<scoped>(-1) == accepted);
    BOOST_TEST(load_number<scoped_byte>(77) == accepted);
    BOOST_TEST(load_number<fixed>(32767) == accepted);
    BOOST_TEST(refusal_of<truth>({0, 2}) == wharf::errc::bad_bool);
}

BOOST_AUTO_TEST_CASE(without_one_the_bits_of_the_enumerators_bound_the_values)
{
    BOOST_TEST(load_number<dense>(3) == accepted);
    BOOST_TEST(load_number<dense>(4) == refused);
    BOOST_TEST(load_number<dense>(255) == refused);
    BOOST_TEST(load_number<sparse>(0) == accepted);
    BOOST_TEST(load_number<sparse>(127) == accepted);
    BOOST_TEST(load_number<sparse>(128) == refused);
    BOOST_TEST(load_number<negative>(-8) == accepted);
    BOOST_TEST(load_number<negative>(7) == accepted);
    BOOST_TEST(load_number<negative>(-9) == refused);
    BOOST_TEST(load_number<negative>(8) == refused);
    BOOST_TEST(load_number<byte_wide>(255) == accepted);
    BOOST_TEST(load_number<empty>(0) == accepted);
    BOOST_TEST(load_number<empty>(1) == refused);
#ifndef __clang__
    BOOST_TEST(load_number<dense>(0x80000000) == refused);
    BOOST_TEST(load_number<byte_wide>(256) == refused);
    BOOST_TEST(load_number<negative>(std::numeric_limits<int>::min()) == refused);
#endif
}

BOOST_AUTO_TEST_CASE(wide_enumerators_bound_the_values_by_the_next_integer_type)
{
    BOOST_TEST(load_number<status>(403) == accepted);
    BOOST_TEST(load_number<int_wide>(1) == accepted);
    BOOST_TEST(load_number<unsigned_wide>(0x80000000) == accepted);
    BOOST_TEST(load_number<long_wide>(5'000'000'001) == accepted);
    BOOST_TEST(load_number<long_negative>(-1) == accepted);
#ifndef __clang__
    BOOST_TEST(load_number<status>(511) == accepted);
    BOOST_TEST(load_number<status>(32768) == refused);
    BOOST_TEST(load_number<int_wide>(0x80000000) == refused);
    BOOST_TEST(load_number<long_wide>(std::uint64_t{1} << 63) == refused);
#endif
}

BOOST_AUTO_TEST_CASE(an_enum_that_is_private_to_a_class_has_its_range_too)
{
    BOOST_TEST(wharf::from_bytes<door>(wharf::to_bytes(door::make_open())).is_open());
    BOOST_TEST(refusal_of<door>({0, 7, 0, 0, 0}) == accepted);
    BOOST_TEST(refusal_of<door>({0, 8, 0, 0, 0}) == refused);
}

BOOST_AUTO_TEST_CASE(enums_are_checked_in_containers)
{
    BOOST_TEST((round_trip(std::vector<dense>{red, blue}) == std::vector<dense>{red, blue}));
    BOOST_TEST(refusal_of<std::vector<dense>>({0, 2, 2, 0, 0, 0, 4, 0, 0, 0}) == refused);
    const std::map<scoped_byte, sparse> map{{scoped_byte::a, one}, {scoped_byte::b, hundred}};
    BOOST_TEST((round_trip(map) == map));
    BOOST_TEST((refusal_of<std::map<scoped_byte, sparse>>({0, 1, 0, 128, 0, 0, 0}) == refused));
    BOOST_TEST((refusal_of<std::map<dense, int>>({0, 1, 4, 0, 0, 0, 0, 0, 0, 0}) == refused));
    BOOST_TEST((refusal_of<std::array<dense, 1>>({0, 1, 4, 0, 0, 0}) == refused));
    BOOST_TEST((refusal_of<std::optional<dense>>({0, 1, 4, 0, 0, 0}) == refused));
}

BOOST_AUTO_TEST_SUITE_END()
