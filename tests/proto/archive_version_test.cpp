// Class versions travel in a table, only where one is not 0.
#include "archive_attacks.hpp"

using namespace archive_attacks;
using namespace archive_support;
using archive_types::member;
using wharf::errc;

namespace {

struct outer {
    member first;
    versioned second;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& first& second;
    }
};

/// What serialize() was passed, in the order of the calls.
std::vector<unsigned> passed;

struct noting_part {
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        passed.push_back(version);
        ar& value;
    }
    std::uint8_t value = 1;
};
struct noting_base {
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        passed.push_back(version);
        ar& value;
    }
    std::uint8_t value = 2;
};
struct noting : noting_base {
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        passed.push_back(version);
        ar& boost::serialization::base_object<noting_base>(*this) & part& parts;
    }
    noting_part part;
    std::vector<noting_part> parts{2};
};

/// More classes than have a bit in a register.
template <int N>
struct numbered {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value;
    }
    std::uint8_t value = N;
};

template <int... N>
void store_numbered(wharf::store_archive& ar, std::integer_sequence<int, N...>)
{
    ((ar << numbered<N>{}), ...);
}
template <int... N>
void load_numbered(wharf::load_archive& ar, std::integer_sequence<int, N...>)
{
    const auto one = [&](auto value) {
        const auto expected = value.value;
        value.value = 255;
        ar >> value;
        BOOST_TEST(value.value == expected);
    };
    (one(numbered<N>{}), ...);
}

} // namespace

BOOST_CLASS_VERSION(noting_part, 3)
BOOST_CLASS_VERSION(noting, 7)
BOOST_CLASS_VERSION(numbered<3>, 1)
BOOST_CLASS_VERSION(numbered<90>, 5)

BOOST_AUTO_TEST_SUITE(archive_version)

BOOST_AUTO_TEST_CASE(versions_of_zero_take_no_bytes)
{
    BOOST_TEST(to_hex(wharf::to_bytes(member{1, "m"})) == "00 01 00 00 00 01 6d");
}

BOOST_AUTO_TEST_CASE(the_table_lists_each_class_once_in_order_of_its_first_visit)
{
    outer o;
    BOOST_TEST(
        to_hex(wharf::to_bytes(std::vector<outer>{o, o})) ==
        "01 03 00 00 02 02 00 00 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 00 "
        "07 00 00 00");
    BOOST_TEST(refusal_of<std::vector<outer>>(wharf::to_bytes(std::vector<outer>{o, o})) == errc{});
}

BOOST_AUTO_TEST_CASE(an_older_version_is_passed_to_serialize)
{
    const auto back = wharf::from_bytes<versioned>(make_bytes({1, 1, 1, 5, 0, 0, 0}));
    BOOST_TEST((back == versioned{5, 7}));
    const auto oldest = wharf::from_bytes<versioned>(make_bytes({0, 5, 0, 0, 0}));
    BOOST_TEST((oldest == versioned{5, 7}));
}

// Row 61: a version is always passed, never a number that stands for "not known", before the first
// member is read; nested classes, bases and elements each have their own.
BOOST_AUTO_TEST_CASE(each_class_is_passed_a_version_of_its_own)
{
    const std::vector<unsigned> newest{7, 0, 3, 3, 3};
    passed.clear();
    const auto bytes = wharf::to_bytes(noting());
    BOOST_TEST(passed == newest, boost::test_tools::per_element());
    passed.clear();
    (void)wharf::from_bytes<noting>(bytes);
    BOOST_TEST(passed == newest, boost::test_tools::per_element());

    // From a message without a table all are at version 0, and from an older one at its own.
    const std::vector<unsigned> oldest(5, 0), mixed{7, 0, 1, 1, 1};
    passed.clear();
    (void)wharf::from_bytes<noting>(make_bytes({0, 2, 1, 2, 1, 1}));
    BOOST_TEST(passed == oldest, boost::test_tools::per_element());
    passed.clear();
    (void)wharf::from_bytes<noting>(make_bytes({1, 3, 7, 0, 1, 2, 1, 2, 1, 1}));
    BOOST_TEST(passed == mixed, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_table_belongs_to_one_message)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << versioned{1, 2};
    store.flush();
    const std::size_t first = out.size();
    store << member{1, "m"};
    store.flush();
    BOOST_TEST(to_hex(out.view().first(first)) == "01 01 02 01 00 00 00 02 00 00 00");
    BOOST_TEST(to_hex(out.view().subspan(first)) == "00 01 00 00 00 01 6d");
}

BOOST_AUTO_TEST_CASE(classes_beyond_the_near_slots_have_versions_too)
{
    constexpr auto numbers = std::make_integer_sequence<int, 100>{};
    wharf::byte_buffer out;
    {
        wharf::store_archive store(out);
        store_numbered(store, numbers);
        store_numbered(store, numbers);
        store.flush();
    }
    BOOST_TEST(std::to_integer<int>(out.data()[0]) == 1);
    BOOST_TEST(std::to_integer<int>(out.data()[1]) == 100);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(std::to_integer<int>(out.data()[2 + i]) == (i == 3 ? 1 : i == 90 ? 5 : 0));
    wharf::load_archive load(out.view());
    load_numbered(load, numbers);
    load_numbered(load, numbers);
    load.finish();
}

BOOST_AUTO_TEST_CASE(a_failed_store_takes_its_versions_back)
{
    wharf::byte_buffer out;
    wharf::limits limit;
    limit.depth_max = 2;
    wharf::store_archive store(out, limit);
    store << member{1, "m"};
    const std::pair<versioned, archive_types::tree> bad{{}, archive_types::make_branch(9)};
    BOOST_CHECK_THROW(store << bad, wharf::error);
    store.flush();
    BOOST_TEST(to_hex(out.view()) == "00 01 00 00 00 01 6d");
}

BOOST_AUTO_TEST_CASE(a_missing_version_is_refused)
{
    // Two classes are met, the table has one.
    using both = std::pair<versioned, member>;
    BOOST_TEST(refusal_of<both>({1, 1, 1, 5, 0, 0, 0, 6, 0, 0, 0, 0}) == errc::not_canonical);
    BOOST_TEST(refusal_of<both>({1, 2, 1, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0}) == errc{});
}

BOOST_AUTO_TEST_SUITE_END()
