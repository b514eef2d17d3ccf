// Any bytes as types of Boost: those that the archive knows, and those whose own serialize() reads
// them.
#include "archive_fuzz.hpp"

#include <wharf/memory_image.hpp>
#include <wharf/utf8.hpp>

#include <boost/array.hpp>
#include <boost/date_time/posix_time/posix_time.hpp>
#include <boost/date_time/posix_time/time_serialize.hpp>
#include <boost/dynamic_bitset.hpp>
#include <boost/dynamic_bitset/serialization.hpp>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/random_access_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/optional.hpp>
#include <boost/serialization/bitset.hpp>
#include <boost/serialization/boost_array.hpp>
#include <boost/serialization/boost_unordered_map.hpp>
#include <boost/serialization/boost_unordered_set.hpp>
#include <boost/serialization/complex.hpp>
#include <boost/serialization/optional.hpp>
#include <boost/serialization/priority_queue.hpp>
#include <boost/serialization/queue.hpp>
#include <boost/serialization/stack.hpp>
#include <boost/serialization/variant.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_serialize.hpp>
#include <boost/variant.hpp>

namespace boost_types {

using tree =
    boost::make_recursive_variant<int, std::string, std::vector<boost::recursive_variant_>>::type;

struct adaptors {
    std::stack<std::string> stack;
    std::queue<std::uint16_t> queue;
    std::priority_queue<int> heap;
    std::bitset<12> bits;
    std::complex<double> number;
    boost::array<std::string, 2> array;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& stack& queue& heap& bits& number& array;
    }
};

struct choices {
    boost::optional<std::string> maybe;
    boost::variant<int, std::string, bool> choice;
    tree branches;
    boost::uuids::uuid id{};
    wharf::utf8 text;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& maybe& choice& branches& id& text;
    }
};

struct hashed {
    boost::unordered_map<std::string, int> map;
    boost::unordered_set<std::uint16_t> set;
    boost::unordered_multimap<std::uint8_t, std::string> many;
    bool operator==(const hashed&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& map& set& many;
    }
};

/// A container as Boost's headers read one: it believes the count.
struct believer {
    std::vector<std::string> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type count(all.size());
        ar& count;
        all.resize(count);
        for (std::string& each : all)
            ar& each;
    }
};

struct point {
    std::int32_t x = 0, y = 0;
};

namespace mi = boost::multi_index;
using indexed = mi::multi_index_container<
    char, mi::indexed_by<mi::ordered_unique<mi::identity<char>>, mi::sequenced<>,
                         mi::hashed_unique<mi::identity<char>>, mi::random_access<>>>;
using sequence = mi::multi_index_container<
    std::string,
    mi::indexed_by<mi::sequenced<>, mi::ordered_non_unique<mi::identity<std::string>>>>;

} // namespace boost_types

template <>
inline constexpr bool wharf::is_memory_image<boost_types::point> = true;

namespace {

using namespace archive_fuzz;
using namespace boost_types;

constexpr trial trials[] = {
    try_as<adaptors, form::exact>,
    try_as<choices, form::exact>,
    try_as<hashed, form::unordered>,
    try_as<std::vector<believer>, form::exact>,
    try_as<std::vector<point>, form::exact>,
    try_as<indexed, form::exact>,
    try_as<sequence, form::exact>,
    try_as<boost::dynamic_bitset<>, form::exact>,
    try_as<std::vector<boost::posix_time::time_duration>, form::exact>,
    try_as<std::vector<boost::gregorian::date>, form::settled>,
    try_as<std::vector<boost::posix_time::ptime>, form::settled>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
