// Types of Boost's other libraries: with their own serialize(), or known to the archive.
#include "archive_support.hpp"

#include <boost/archive/basic_archive.hpp> // ptree_serialization.hpp of 1.81 relies on it
#include <boost/bimap.hpp>
#include <boost/chrono/duration.hpp>
#include <boost/date_time/gregorian/greg_serialize.hpp>
#include <boost/date_time/posix_time/posix_time.hpp>
#include <boost/date_time/posix_time/time_serialize.hpp>
#include <boost/dynamic_bitset.hpp>
#include <boost/dynamic_bitset/serialization.hpp>
#include <boost/filesystem/path.hpp>
#include <boost/flyweight.hpp>
#include <boost/flyweight/serialize.hpp>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/random_access_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/ptree_serialization.hpp>
#include <boost/serialization/optional.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_serialize.hpp>

using namespace archive_support;
using wharf::errc;
namespace mi = boost::multi_index;

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

using by_value = mi::ordered_unique<mi::identity<char>>;
using letters = mi::multi_index_container<
    char, mi::indexed_by<by_value, mi::sequenced<>, mi::hashed_unique<mi::identity<char>>,
                         mi::random_access<>>>;
using sequence = mi::multi_index_container<
    std::string,
    mi::indexed_by<mi::sequenced<>, mi::ordered_non_unique<mi::identity<std::string>>>>;
using hashed =
    mi::multi_index_container<char, mi::indexed_by<mi::hashed_unique<mi::identity<char>>>>;

} // namespace

BOOST_AUTO_TEST_SUITE(archive_libraries)

// Row 37: an index whose order is the program's own travels as places in the first index.
BOOST_AUTO_TEST_CASE(row_37_multi_index_containers_keep_every_order)
{
    letters value{'c', 'a', 'b'};
    value.get<3>().relocate(value.get<3>().begin(), std::prev(value.get<3>().end()));
    travels(value, "00 03 61 62 63 02 00 01 01 02 00");
    const letters back = round_trip(value);
    BOOST_TEST((back.get<1>() == value.get<1>()));
    BOOST_TEST((back.get<3>() == value.get<3>()));
    BOOST_TEST(back.get<2>().count('b') == 1u);
    travels(letters{}, "00 00");
    travels(sequence{"b", "a", "b"}, "00 03 01 62 01 61 01 62");
    BOOST_TEST(round_trip(hashed{'a'}).count('a') == 1u);
}

BOOST_AUTO_TEST_CASE(a_hostile_multi_index_container_is_refused)
{
    BOOST_TEST(refusal_of<letters>({0, 2, 'b', 'a', 0, 1, 0, 1}) == errc::not_canonical);
    BOOST_TEST(refusal_of<letters>({0, 2, 'a', 'a', 0, 1, 0, 1}) == errc::not_canonical);
    BOOST_TEST(refusal_of<hashed>({0, 2, 'a', 'a'}) == errc::not_canonical);
    // Places that do not exist, or twice the same.
    BOOST_TEST(refusal_of<letters>({0, 2, 'a', 'b', 0, 2, 0, 1}) == errc::bad_value);
    BOOST_TEST(refusal_of<letters>({0, 2, 'a', 'b', 0, 0, 0, 1}) == errc::bad_value);
    BOOST_TEST(refusal_of<letters>({0, 2, 'a', 'b', 0, 1, 1, 1}) == errc::bad_value);
    BOOST_TEST(refusal_of<letters>({0, 2, 'a', 'b', 1, 0, 1, 0}) == errc{});
    BOOST_TEST(refusal_of<letters>({0, 0x80, 0x80, 0x80, 0x80, 0x04}) == errc::bad_length);
    BOOST_CHECK_EXCEPTION((void)wharf::from_bytes<sequence>(make_bytes({0, 2, 1, 'a', 9, 'b'})),
                          wharf::error,
                          [](const wharf::error& e) { return e.text() == "at byte 5, in [1]"; });
}

BOOST_AUTO_TEST_CASE(a_bimap_comes_back)
{
    using map = boost::bimap<int, std::string>;
    map value;
    value.insert({1, "b"});
    value.insert({2, "a"});
    BOOST_TEST((round_trip(value) == value));
    BOOST_TEST(round_trip(value).right.at("a") == 2);
    BOOST_TEST(refusal_of<map>({0, 0x80, 0x80, 0x80, 0x80, 0x04}) == errc::bad_length);
}

BOOST_AUTO_TEST_CASE(dates_and_times_come_back)
{
    using namespace boost::gregorian;
    using namespace boost::posix_time;
    const date day(2026, 11, 21);
    travels(std::vector<date>{day}, "00 01 08 32 30 32 36 31 31 32 31");
    travels(std::vector<date>{date(not_a_date_time)},
            "00 01 0f 6e 6f 74 2d 61 2d 64 61 74 65 2d 74 69 6d 65");
    travels(days(5), "00 05 00 00 00 00 00 00 00");
    travels(boost::optional<days>(days(5)), "00 01 05 00 00 00 00 00 00 00");
    BOOST_TEST(
        (round_trip(std::vector<date_period>{{day, days(2)}}).at(0) == date_period(day, days(2))));
    // Ticks of the program's resolution, microseconds by default.
    travels(time_duration(microseconds(-2)), "00 fe ff ff ff ff ff ff ff");
    travels(time_duration(boost::date_time::pos_infin), "00 ff ff ff ff ff ff ff 7f");
    BOOST_TEST(round_trip(time_duration(not_a_date_time)).is_not_a_date_time());
    const ptime moment(day, hours(3));
    BOOST_TEST(round_trip(moment) == moment);
    BOOST_TEST(round_trip(ptime(boost::date_time::neg_infin)).is_neg_infinity());
    BOOST_TEST((round_trip(std::vector<time_period>{{moment, hours(1)}}).at(0) ==
                time_period(moment, hours(1))));
}

BOOST_AUTO_TEST_CASE(a_hostile_date_or_time_is_refused)
{
    using namespace boost::gregorian;
    using namespace boost::posix_time;
    BOOST_TEST(refusal_of<std::vector<date>>({0, 1, 3, 'x', 'y', 'z'}) == errc::refused_by_type);
    BOOST_TEST(refusal_of<std::vector<date>>({0, 1, 8, '2', '0', '2', '6', '1', '3', '0', '1'}) ==
               errc::refused_by_type);
    BOOST_TEST(refusal_of<std::vector<date>>({0, 1, 0}) == errc::refused_by_type);
    // A time of day beyond the day, which Boost would add to the date without looking.
    const auto moment = [](int last) {
        return archive_support::make_bytes(
            {0, 8, '2', '0', '2', '6', '1', '1', '2', '1', 0, 0, 0, 0, 0, 0, 0, last});
    };
    BOOST_TEST(refusal_of<ptime>(moment(0x7f)) == errc::bad_value);
    BOOST_TEST(refusal_of<ptime>(moment(0x80)) == errc::bad_value);
    BOOST_TEST(refusal_of<ptime>(moment(0)) == errc{});
    // Every number of ticks is one, and none overflows.
    for (const int last : {0x7f, 0x80})
        BOOST_TEST(refusal_of<time_duration>({0, 0, 0, 0, 0, 0, 0, 0, last}) == errc{});
}

BOOST_AUTO_TEST_CASE(bits_ids_paths_and_chrono_come_back)
{
    travels(boost::dynamic_bitset<>(9, 0x155), "00 09 55 01");
    travels(boost::dynamic_bitset<unsigned char>(), "00 00");
    travels(boost::uuids::uuid{{1, 2}}, "00 01 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
    const boost::filesystem::path path("/a");
    BOOST_TEST(to_hex(wharf::to_bytes(path)) == "00 02 2f 61");
    BOOST_TEST(round_trip(path).native() == "/a");
    travels(boost::chrono::milliseconds(5), "00 05 00 00 00 00 00 00 00");
    travels(boost::unordered_flat_map<char, char>{{'a', 'b'}}, "00 01 61 62");
    travels(boost::unordered_flat_set<std::string>{"a"}, "00 01 01 61");
    BOOST_TEST(refusal_of<boost::dynamic_bitset<>>({0, 9, 0x55}) == errc::bad_length);
    BOOST_TEST(refusal_of<boost::dynamic_bitset<>>({0, 9, 0x55, 2}) == errc::not_canonical);
    BOOST_TEST(refusal_of<boost::dynamic_bitset<>>({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                    0xff, 0xff, 0x01}) == errc::bad_length);
    BOOST_TEST((refusal_of<boost::unordered_flat_map<char, char>>({0, 2, 1, 1, 1, 1})) ==
               errc::not_canonical);
}

BOOST_AUTO_TEST_CASE(a_property_tree_comes_back)
{
    using boost::property_tree::ptree;
    ptree value;
    value.put("a.b", 5);
    travels(value, "00 01 01 61 01 01 62 00 01 35 00 00");
    BOOST_TEST(refusal_of<ptree>({0, 0x80, 0x80, 0x80, 0x80, 0x04}) == errc::bad_length);
    bytes deep = make_bytes({0});
    for (int i = 0; i < 1000; ++i) {
        deep.push_back(std::byte{1});
        deep.push_back(std::byte{0});
    }
    BOOST_TEST(refusal_of<ptree>(deep) == errc::depth_limit);
}

// Its serialize() asks both archives for a helper.
BOOST_AUTO_TEST_CASE(flyweights_share_within_a_message)
{
    using word = boost::flyweight<std::string>;
    const std::vector<word> value{word("a"), word("b"), word("a")};
    travels(value, "00 03 00 00 00 00 00 00 00 00 01 61 01 00 00 00 00 00 00 00 01 62 "
                   "00 00 00 00 00 00 00 00");
    BOOST_TEST(refusal_of<std::vector<word>>({0, 1, 7, 0, 0, 0, 0, 0, 0, 0}) ==
               errc::refused_by_type);
}

BOOST_AUTO_TEST_SUITE_END()
