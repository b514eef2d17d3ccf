// The layout of what the archive takes over from Boost is for ever: tests/golden/archive/boost.txt.
#include "archive_golden.hpp"
#include "archive_golden_types.hpp"

#include <wharf/memory_image.hpp>

#include <boost/chrono/duration.hpp>
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/dynamic_bitset.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/optional.hpp>
#include <boost/serialization/strong_typedef.hpp>
#include <boost/unordered_map.hpp>
#include <boost/unordered_set.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/variant.hpp>

#include <complex>
#include <queue>
#include <stack>

using namespace archive_golden;

namespace archive_golden {

BOOST_STRONG_TYPEDEF(std::int32_t, ticket)

/// Where the machine's order of bytes is another, the class has a serialize() of the same layout.
struct image {
    std::int32_t a = 0;
    std::uint16_t b = 0, c = 0;
    bool operator==(const image&) const = default;
    GOLDEN_MEMBERS(a, b, c)
};

} // namespace archive_golden

template <>
inline constexpr bool wharf::is_memory_image<image> = std::endian::native == std::endian::little;
BOOST_CLASS_IMPLEMENTATION(archive_golden::image, boost::serialization::object_serializable)
BOOST_CLASS_IMPLEMENTATION(archive_golden::ticket, boost::serialization::primitive_type)

namespace {

using listed = boost::multi_index_container<
    std::uint8_t, boost::multi_index::indexed_by<boost::multi_index::ordered_unique<
                                                     boost::multi_index::identity<std::uint8_t>>,
                                                 boost::multi_index::sequenced<>>>;

template <class Adaptor>
Adaptor push(Adaptor to, std::initializer_list<std::uint8_t> all)
{
    for (const std::uint8_t each : all)
        to.push(each);
    return to;
}

void check_time(rows& golden)
{
    using namespace std::chrono;
    golden.check("year_month_day", year_month_day(year(2026), month(11), day(21)));
    golden.check("weekday", Saturday);
    golden.check("time_duration",
                 static_cast<boost::posix_time::time_duration>(boost::posix_time::microseconds(5)));
    golden.check("boost::chrono duration", boost::chrono::milliseconds(5));
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_golden_boost)

BOOST_AUTO_TEST_CASE(types_of_boost_have_their_golden_bytes)
{
    rows golden("boost.txt");
    golden.check("complex", std::complex<double>(1.5, -2));
    golden.check("vector of complex", std::vector<std::complex<float>>{{1.5f, -2}});
    golden.check("bitset", std::bitset<9>("110001101"));
    golden.check("dynamic_bitset", boost::dynamic_bitset<>(std::string("110001101")));
    golden.check("stack", push(std::stack<std::uint8_t>(), {1, 2}));
    golden.check("queue", push(std::queue<std::uint8_t>(), {1, 2}));
    golden.check("priority_queue", push(std::priority_queue<std::uint8_t>(), {3, 1, 2}),
                 [](auto back) {
                     const bool has_three = back.top() == 3 && back.size() == 3;
                     back.pop();
                     return has_three && back.top() == 2;
                 });
    check_time(golden);
    golden.check("boost::optional", boost::optional<std::uint8_t>(std::uint8_t{5}));
    golden.check("boost::variant", boost::variant<std::uint8_t, std::string>("v"));
    golden.check("boost::unordered_set", boost::unordered_set<std::uint8_t>{7});
    golden.check("boost::unordered_map", boost::unordered_map<std::uint8_t, std::string>{{7, "x"}});
    golden.check("boost::uuid",
                 boost::uuids::uuid{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}});
    listed all;
    for (const std::uint8_t each : {2, 3, 1})
        all.get<1>().push_back(each);
    golden.check("multi_index", all);
    golden.check("strong typedef", ticket(5));
    golden.check("memory image", image{5, 7, 9});
    golden.check("vector of memory images", std::vector<image>{{5, 7, 9}, {1, 2, 3}});
}

BOOST_AUTO_TEST_SUITE_END()
