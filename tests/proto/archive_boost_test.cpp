// Every header of boost/serialization that has a type: the type comes back, in these bytes, and
// hostile bytes in it are refused. Pointers have a test of their own.
#include "archive_support.hpp"

#include <boost/config.hpp>
#include <boost/serialization/array.hpp>
#include <boost/serialization/base_object.hpp>
#include <boost/serialization/binary_object.hpp>
#include <boost/serialization/bitset.hpp>
#include <boost/serialization/boost_array.hpp>
#include <boost/serialization/boost_unordered_map.hpp>
#include <boost/serialization/boost_unordered_set.hpp>
#include <boost/serialization/complex.hpp>
#include <boost/serialization/deque.hpp>
#include <boost/serialization/forward_list.hpp>
#include <boost/serialization/hash_map.hpp>
#include <boost/serialization/hash_set.hpp>
#include <boost/serialization/list.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/optional.hpp>
#include <boost/serialization/priority_queue.hpp>
#include <boost/serialization/queue.hpp>
#include <boost/serialization/scoped_ptr.hpp>
#include <boost/serialization/set.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/slist.hpp>
#include <boost/serialization/stack.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/strong_typedef.hpp>
#include <boost/serialization/unique_ptr.hpp>
#include <boost/serialization/unordered_map.hpp>
#include <boost/serialization/unordered_set.hpp>
#include <boost/serialization/utility.hpp>
#include <boost/serialization/valarray.hpp>
#include <boost/serialization/variant.hpp>
#include <boost/serialization/vector.hpp>
#include <boost/serialization/weak_ptr.hpp>

using namespace archive_support;
using wharf::errc;

BOOST_STRONG_TYPEDEF(int, ident)
BOOST_CLASS_IMPLEMENTATION(ident, boost::serialization::primitive_type)
BOOST_STRONG_TYPEDEF(std::string, label)
BOOST_CLASS_IMPLEMENTATION(label, boost::serialization::primitive_type)

namespace {

/// It comes back, its bytes are these, and half of them are refused.
template <class T>
void travels(const T& value, const char* expected)
{
    const bytes image = wharf::to_bytes(value);
    BOOST_TEST(to_hex(image) == expected, typeid(T).name());
    BOOST_TEST((round_trip(value) == value), typeid(T).name());
    for (std::size_t n = 1; n < image.size(); ++n)
        BOOST_TEST(refusal_of<T>(std::span(image).first(n)) != errc{}, typeid(T).name());
}

/// A container that counts in the way of Boost's own headers.
struct counted {
    std::vector<int> values;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        const boost::serialization::collection_size_type count(values.size());
        ar << BOOST_SERIALIZATION_NVP(count);
        for (const int value : values)
            ar << boost::serialization::make_nvp("item", value);
    }
    template <class Archive>
    void load(Archive& ar, unsigned)
    {
        boost::serialization::collection_size_type count;
        ar >> BOOST_SERIALIZATION_NVP(count);
        const auto size = count;
        values.resize(size);
        for (int& value : values)
            ar >> boost::serialization::make_nvp("item", value);
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
    bool operator==(const counted&) const = default;
};

struct raw_parts {
    std::uint8_t data[3] = {1, 2, 3};
    std::vector<int> values{4, 5};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_binary_object(data, sizeof data);
        ar& boost::serialization::make_array(values.data(), values.size());
    }
    bool operator==(const raw_parts&) const = default;
};

using choice = boost::variant<int, std::string, bool>;
using tree = boost::make_recursive_variant<int, std::vector<boost::recursive_variant_>>::type;

} // namespace

BOOST_AUTO_TEST_SUITE(archive_boost)

// Row 37: what has a header in boost/serialization travels when that header is included, and in the
// same bytes where the archive knows the type itself.
BOOST_AUTO_TEST_CASE(row_37_types_of_stock_headers_come_back)
{
    travels(std::array<int, 2>{{1, 2}}, "00 02 01 00 00 00 02 00 00 00");
    travels(boost::array<int, 2>{{1, 2}}, "00 02 01 00 00 00 02 00 00 00");
    travels(std::bitset<9>(0x155), "00 09 55 01");
    travels(std::complex<float>(1, 2), "00 00 00 80 3f 00 00 00 40");
    travels(std::deque<bool>{true, false}, "00 02 01 00");
    travels(std::forward_list<char>{'a', 'b'}, "00 02 61 62");
    travels(std::list<std::string>{"a"}, "00 01 01 61");
    travels(std::map<char, bool>{{'a', true}}, "00 01 61 01");
    travels(std::multimap<char, bool>{{'a', true}, {'a', false}}, "00 02 61 01 61 00");
    travels(std::set<char>{'b', 'a'}, "00 02 61 62");
    travels(std::multiset<char>{'b', 'b'}, "00 02 62 62");
    travels(std::string("ab"), "00 02 61 62");
    travels(std::wstring(L"a"), "00 01 61 00 00 00");
    travels(std::unordered_map<char, char>{{'a', 'b'}}, "00 01 61 62");
    travels(std::unordered_set<char>{'a'}, "00 01 61");
    travels(std::pair<char, bool>{'a', true}, "00 61 01");
    travels(std::vector<short>{1, 2}, "00 02 01 00 02 00");
    travels(std::vector<bool>{true, false, true}, "00 03 05");
    BOOST_TEST((round_trip(std::valarray<char>{'a', 'b'}) == std::valarray<char>{'a', 'b'}).min());
    travels(boost::optional<bool>(), "00 00");
    travels(boost::optional<bool>(true), "00 01 01");
    travels(boost::optional<std::vector<char>>(std::vector<char>{'a'}), "00 01 01 61");
    travels(choice(std::string("x")), "00 01 01 78");
    travels(choice(true), "00 02 01");
    travels(boost::unordered_map<char, char>{{'a', 'b'}}, "00 01 61 62");
    travels(boost::unordered_multimap<char, char>{{'a', 'b'}, {'a', 'b'}}, "00 02 61 62 61 62");
    travels(boost::unordered_set<char>{'a'}, "00 01 61");
    travels(boost::unordered_multiset<char>{'a', 'a'}, "00 02 61 61");
}

BOOST_AUTO_TEST_CASE(row_37_container_adaptors_come_back)
{
    travels(std::stack<char>(std::deque<char>{'a', 'b'}), "00 02 61 62");
    travels(std::queue<char>(std::deque<char>{'a', 'b'}), "00 02 61 62");
    // The heap as it is.
    std::priority_queue<char> heap;
    for (const char c : {'a', 'c', 'b'})
        heap.push(c);
    BOOST_TEST(to_hex(wharf::to_bytes(heap)) == "00 03 63 61 62");
    BOOST_TEST(round_trip(heap).top() == 'c');
}

// Its hash_map and hash_set are gone: Boost finds none, and its headers for them are empty.
BOOST_AUTO_TEST_CASE(the_list_of_sgi_comes_back)
{
    using list = BOOST_STD_EXTENSION_NAMESPACE::slist<int>;
    list value;
    value.push_front(3);
    travels(value, "00 01 03 00 00 00");
    BOOST_TEST(refusal_of<list>({0, 0x80, 0x80, 0x80, 0x80, 0x04}) == errc::bad_length);
}

BOOST_AUTO_TEST_CASE(what_serialize_functions_are_written_with_works)
{
    travels(counted{{7}}, "00 01 07 00 00 00");
    travels(raw_parts{}, "00 01 02 03 04 00 00 00 05 00 00 00");
    travels(ident(5), "00 05 00 00 00");
    travels(label("ab"), "00 02 61 62");
    travels(std::vector<ident>{ident(1), ident(2)}, "00 02 01 00 00 00 02 00 00 00");
    travels(std::map<label, ident>{{label("a"), ident(1)}}, "00 01 01 61 01 00 00 00");
}

BOOST_AUTO_TEST_CASE(a_recursive_variant_comes_back)
{
    const tree value(std::vector<tree>{tree(1), tree(std::vector<tree>{})});
    travels(value, "00 01 02 00 01 00 00 00 01 00");
}

BOOST_AUTO_TEST_CASE(no_stock_header_allocates_for_a_claimed_count)
{
    // 2^30 elements in five bytes.
    const std::initializer_list<int> claim{0, 0x80, 0x80, 0x80, 0x80, 0x04};
    BOOST_TEST(refusal_of<counted>(claim) == errc::bad_length);
    BOOST_TEST((refusal_of<boost::unordered_map<int, int>>(claim)) == errc::bad_length);
    BOOST_TEST(refusal_of<boost::unordered_set<std::string>>(claim) == errc::bad_length);
    BOOST_TEST(refusal_of<std::stack<int>>(claim) == errc::bad_length);
    BOOST_TEST(refusal_of<std::priority_queue<std::string>>(claim) == errc::bad_length);
    BOOST_TEST(refusal_of<label>(claim) == errc::bad_length);
    BOOST_TEST(refusal_of<tree>({0, 1, 0x80, 0x80, 0x80, 0x80, 0x04}) == errc::bad_length);
    // A count that the bytes could hold is charged at 64 bytes each.
    bytes many = make_bytes({0, 0xa0, 0x8d, 0x06}); // 100000
    many.resize(many.size() + 100000);
    wharf::limits tight;
    tight.memory_bytes_max = 1u << 20;
    BOOST_TEST(refusal_of<counted>(many, tight) == errc::memory_limit);
}

BOOST_AUTO_TEST_CASE(boost_variant_takes_only_its_own_alternatives)
{
    BOOST_TEST(refusal_of<choice>({0, 3, 0}) == errc::bad_value);
    // What a negative `which` is in 64 bits, and in 32.
    BOOST_TEST(refusal_of<choice>({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0,
                                   0}) == errc::bad_value);
    BOOST_TEST(refusal_of<choice>({0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0}) == errc::bad_value);
    BOOST_TEST(refusal_of<choice>({0, 2, 2}) == errc::bad_bool);
    // Only the first of two alternatives of one type is ever stored.
    BOOST_TEST((refusal_of<boost::variant<char, bool, char>>({0, 2, 1})) == errc::not_canonical);
    BOOST_TEST((refusal_of<boost::variant<char, bool, char>>({0, 0, 1})) == errc{});
}

BOOST_AUTO_TEST_CASE(a_recursive_variant_has_a_depth_limit_in_both_directions)
{
    bytes deep = make_bytes({0});
    tree value(0);
    for (int i = 0; i < 1000; ++i) {
        deep.push_back(std::byte{1});
        deep.push_back(std::byte{1});
        value = tree(std::vector<tree>{std::move(value)});
    }
    BOOST_TEST(refusal_of<tree>(deep) == errc::depth_limit);
    BOOST_CHECK_EXCEPTION((void)wharf::to_bytes(value), wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::depth_limit; });
}

BOOST_AUTO_TEST_CASE(forms_that_are_not_canonical_are_refused)
{
    BOOST_TEST(refusal_of<boost::optional<int>>({0, 2, 0, 0, 0, 0}) == errc::bad_bool);
    BOOST_TEST(refusal_of<std::bitset<9>>({0, 8, 0x55}) == errc::bad_length);
    BOOST_TEST(refusal_of<std::bitset<9>>({0, 9, 0x55, 3}) == errc::not_canonical);
    BOOST_TEST(refusal_of<std::bitset<9>>({0, 9, 0x55}) == errc::truncated);
    BOOST_TEST(refusal_of<std::priority_queue<char>>({0, 2, 'a', 'b'}) == errc::not_canonical);
    BOOST_TEST((refusal_of<boost::unordered_map<char, char>>({0, 2, 1, 1, 1, 2})) ==
               errc::not_canonical);
    BOOST_TEST(refusal_of<boost::unordered_set<char>>({0, 2, 1, 1}) == errc::not_canonical);
    BOOST_TEST((refusal_of<boost::array<char, 2>>({0, 1, 1})) == errc::bad_length);
}

BOOST_AUTO_TEST_SUITE_END()
