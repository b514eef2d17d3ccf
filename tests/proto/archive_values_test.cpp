// Every type that the archive carries comes back as it was stored.
#include "archive_support.hpp"
#include "archive_types.hpp"

#include <boost/serialization/array.hpp>
#include <boost/serialization/bitset.hpp>
#include <boost/serialization/complex.hpp>
#include <boost/serialization/deque.hpp>
#include <boost/serialization/forward_list.hpp>
#include <boost/serialization/list.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/optional.hpp>
#include <boost/serialization/queue.hpp>
#include <boost/serialization/set.hpp>
#include <boost/serialization/stack.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/unordered_map.hpp>
#include <boost/serialization/unordered_set.hpp>
#include <boost/serialization/utility.hpp>
#include <boost/serialization/valarray.hpp>
#include <boost/serialization/variant.hpp>
#include <boost/serialization/vector.hpp>

#include <cmath>
#include <filesystem>
#include <limits>

using namespace archive_support;
using namespace archive_types;

namespace {

template <class T>
void comes_back(const T& value)
{
    BOOST_TEST((round_trip(value) == value), typeid(T).name());
}

template <class T>
void extremes_come_back()
{
    comes_back(std::numeric_limits<T>::min());
    comes_back(std::numeric_limits<T>::max());
    comes_back(std::numeric_limits<T>::lowest());
    comes_back(T{});
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_values)

BOOST_AUTO_TEST_CASE(numbers_come_back_at_their_extremes)
{
    extremes_come_back<char>();
    extremes_come_back<signed char>();
    extremes_come_back<unsigned char>();
    extremes_come_back<char8_t>();
    extremes_come_back<char16_t>();
    extremes_come_back<char32_t>();
    extremes_come_back<wchar_t>();
    extremes_come_back<short>();
    extremes_come_back<unsigned short>();
    extremes_come_back<int>();
    extremes_come_back<unsigned>();
    extremes_come_back<long>();
    extremes_come_back<unsigned long>();
    extremes_come_back<long long>();
    extremes_come_back<unsigned long long>();
    extremes_come_back<wharf::detail::int128>();
    extremes_come_back<wharf::detail::uint128>();
    extremes_come_back<float>();
    extremes_come_back<double>();
    extremes_come_back<long double>();
    comes_back(true);
    comes_back(false);
}

BOOST_AUTO_TEST_CASE(floating_point_keeps_infinities_signs_and_denormals)
{
    comes_back(-std::numeric_limits<long double>::infinity());
    comes_back(std::numeric_limits<long double>::denorm_min());
    comes_back(1.0L / 3);
    BOOST_TEST(std::signbit(round_trip(-0.0L)));
    BOOST_TEST(std::isnan(round_trip(std::numeric_limits<long double>::quiet_NaN())));
    comes_back(std::numeric_limits<double>::infinity());
    BOOST_TEST(std::signbit(round_trip(-0.0)));
    BOOST_TEST(std::isnan(round_trip(std::numeric_limits<float>::quiet_NaN())));
}

BOOST_AUTO_TEST_CASE(enums_come_back)
{
    comes_back(blue);
    comes_back(low);
    comes_back(fixed::f);
    comes_back(wide::big);
    comes_back(truth::yes);
}

BOOST_AUTO_TEST_CASE(strings_of_every_length_come_back)
{
    // Around the lengths at which the copy in blocks and the varint change form.
    for (const std::size_t n : {0, 1, 14, 15, 16, 17, 31, 32, 33, 127, 128, 16383, 16384, 100000})
        comes_back(std::string(n, 'x') + (n != 0 ? "y" : ""));
    comes_back(std::string("a\0b", 3));
    comes_back(std::wstring(L"w\u263a"));
    comes_back(std::u8string(u8"u"));
    comes_back(std::u16string(u"q"));
    comes_back(std::u32string(U"z"));
}

BOOST_AUTO_TEST_CASE(sequences_come_back)
{
    comes_back(std::vector<int>{1, -2, 3});
    comes_back(std::vector<std::string>{"a", "", std::string(40, 'z')});
    comes_back(std::vector<member>{{1, "a"}, {2, "b"}});
    comes_back(std::vector<std::vector<double>>{{}, {1.5}});
    comes_back(std::deque<int>{1, 2});
    comes_back(std::deque<bool>{true, false});
    comes_back(std::list<std::string>{"a", "b"});
    comes_back(std::list<bool>{true, false, true});
    comes_back(std::forward_list<int>{1, 2, 3});
    comes_back(std::vector<long double>{1.5L, -2});
    const std::valarray<double> values{1, 2, 3};
    const auto back = round_trip(values);
    BOOST_TEST((back.size() == 3 && back[2] == 3));
    BOOST_TEST(round_trip(std::valarray<int>{}).size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_vector_of_bool_of_every_length_comes_back)
{
    for (std::size_t n = 0; n < 20; ++n) {
        std::vector<bool> bits(n);
        for (std::size_t i = 0; i < n; ++i)
            bits[i] = i % 3 == 0;
        comes_back(bits);
    }
}

BOOST_AUTO_TEST_CASE(associative_containers_come_back)
{
    comes_back(std::set<int>{3, -1});
    comes_back(std::set<std::string>{"b", "a"});
    comes_back(std::set<int, std::greater<>>{1, 2, 3});
    comes_back(std::multiset<int>{1, 1, 0});
    comes_back(std::map<int, std::string>{{2, "b"}, {1, "a"}});
    comes_back(std::map<std::string, member>{{"k", {1, "v"}}});
    comes_back(std::map<std::pair<int, int>, std::vector<int>>{{{1, 2}, {3}}});
    comes_back(std::multimap<int, int>{{1, 2}, {1, 1}});
    comes_back(std::unordered_map<std::string, int>{{"a", 1}});
    comes_back(std::unordered_set<int>{7});
    // The order of more elements is the hash table's own.
    const std::unordered_map<int, int> many{{1, 2}, {3, 4}, {5, 6}};
    BOOST_TEST((wharf::from_bytes<std::unordered_map<int, int>>(wharf::to_bytes(many)) == many));
    const std::unordered_multimap<int, int> same{{1, 2}, {1, 3}};
    BOOST_TEST(
        (wharf::from_bytes<std::unordered_multimap<int, int>>(wharf::to_bytes(same)) == same));
    const std::unordered_multiset<int> both{4, 4};
    BOOST_TEST((wharf::from_bytes<std::unordered_multiset<int>>(wharf::to_bytes(both)) == both));
}

BOOST_AUTO_TEST_CASE(vocabulary_types_come_back)
{
    comes_back(std::optional<int>());
    comes_back(std::optional<std::string>("x"));
    comes_back(std::optional<member>(member{1, "m"}));
    using choice = std::variant<std::monostate, int, std::string, member>;
    comes_back(choice());
    comes_back(choice(5));
    comes_back(choice("v"));
    comes_back(choice(member{1, "m"}));
    comes_back(std::pair<int, std::string>{1, "p"});
    comes_back(std::tuple<int, std::string, bool>{1, "t", true});
    comes_back(std::tuple<>{});
    comes_back(std::array<int, 3>{1, 2, 3});
    comes_back(std::array<std::string, 2>{"a", "b"});
    comes_back(std::array<int, 0>{});
    comes_back(std::chrono::milliseconds(-5));
    comes_back(std::chrono::duration<double>(1.5));
    comes_back(std::chrono::system_clock::time_point(std::chrono::nanoseconds(7)));
    comes_back(std::filesystem::path("/a/b"));
}

BOOST_AUTO_TEST_CASE(classes_come_back_however_they_serialize)
{
    comes_back(member{1, "m"});
    comes_back(free_function{2});
    comes_back(in_boost{3});
    comes_back(split{4});
    comes_back(split_outside{5});
    comes_back(secret(6));
    comes_back(arrays{});
    comes_back(empty{});
    comes_back(std::vector<empty>(3));
    comes_back(std::map<int, empty>{{1, {}}});
    comes_back(make_branch(10));
    derived d;
    d.a = 1;
    d.b = "base";
    d.c = 2.5;
    comes_back(d);
}

BOOST_AUTO_TEST_CASE(types_of_stock_headers_come_back)
{
    comes_back(std::bitset<9>(0x155));
    comes_back(std::complex<double>(1, 2));
    comes_back(boost::optional<int>(5));
    comes_back(boost::optional<int>());
    comes_back(boost::variant<int, std::string>(std::string("b")));
    std::stack<int> stack;
    stack.push(1);
    comes_back(stack);
    std::queue<std::string> queue;
    queue.push("q");
    comes_back(queue);
}

BOOST_AUTO_TEST_CASE(several_values_make_one_message)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << 1 << std::string("two");
    store & 3.0;
    BOOST_TEST(out.empty());
    store.flush();
    wharf::load_archive load(out.view());
    int one = 0;
    std::string two;
    double three = 0;
    BOOST_TEST(!load.is_buffer_empty());
    load >> one >> two& three;
    BOOST_TEST(load.is_buffer_empty());
    load.finish();
    BOOST_TEST(one == 1);
    BOOST_TEST(two == "two");
    BOOST_TEST(three == 3.0);
}

// Row 49: a position is known between values.
BOOST_AUTO_TEST_CASE(bytes_consumed_counts_the_prelude_and_each_value)
{
    const bytes image = wharf::to_bytes(std::pair<int, std::string>{1, "ab"});
    wharf::load_archive load(image);
    BOOST_TEST(load.bytes_consumed() == 0u);
    int one = 0;
    load >> one;
    BOOST_TEST(load.bytes_consumed() == 5u);
    std::string two;
    load >> two;
    BOOST_TEST(load.bytes_consumed() == 8u);
}

// Row 36: an archive is strictly sequential.
template <class Archive>
concept seeks = requires(Archive& ar)
{
    ar.seek(0);
}
|| requires(Archive& ar)
{
    ar.tell();
}
|| requires(Archive& ar)
{
    ar.length();
}
|| requires(Archive& ar)
{
    ar.lock();
};
static_assert(!seeks<wharf::load_archive> && !seeks<wharf::store_archive>);

// Row 31: an archive moves one way.
template <class Archive>
concept stores = requires(Archive& ar, int& value)
{
    ar << value;
};
template <class Archive>
concept loads = requires(Archive& ar, int& value)
{
    ar >> value;
};
static_assert(stores<wharf::store_archive> && !stores<wharf::load_archive>);
static_assert(loads<wharf::load_archive> && !loads<wharf::store_archive>);
static_assert(wharf::store_archive::is_saving::value && !wharf::store_archive::is_loading::value);
static_assert(wharf::load_archive::is_loading::value && !wharf::load_archive::is_saving::value);

BOOST_AUTO_TEST_CASE(a_value_that_fails_to_store_leaves_the_message_as_it_was)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << 1;
    wharf::limits shallow;
    shallow.depth_max = 4;
    wharf::store_archive strict(out, shallow);
    store.discard();
    strict << 1;
    BOOST_CHECK_EXCEPTION(strict << make_branch(1000), wharf::error, [](const wharf::error& e) {
        return e.code() == wharf::errc::depth_limit;
    });
    strict << 2;
    strict.flush();
    BOOST_TEST(to_hex(out.view()) == "00 01 00 00 00 02 00 00 00");
}

BOOST_AUTO_TEST_CASE(an_archive_over_a_buffer_appends_and_drops_what_is_not_flushed)
{
    wharf::byte_buffer out;
    {
        wharf::store_archive store(out);
        store << std::uint8_t{1};
        store.flush();
        store.flush();
        store << std::uint8_t{2};
        store.flush();
        store << std::uint8_t{3};
    }
    BOOST_TEST(to_hex(out.view()) == "00 01 00 02");
}

BOOST_AUTO_TEST_CASE(a_loaded_value_replaces_the_old_one)
{
    std::map<std::string, std::vector<int>> value{{"old", {1}}};
    const bytes image = wharf::to_bytes(std::map<std::string, std::vector<int>>{{"new", {2}}});
    wharf::load_archive load(image);
    load >> value;
    BOOST_TEST((value == std::map<std::string, std::vector<int>>{{"new", {2}}}));
}

BOOST_AUTO_TEST_SUITE_END()
