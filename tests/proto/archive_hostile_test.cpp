// No bytes hurt the process that loads them: each attack is refused with its own code.
#include "archive_attacks.hpp"

#include <boost/test/data/test_case.hpp>

using namespace archive_attacks;
using namespace archive_support;
using wharf::errc;

BOOST_AUTO_TEST_SUITE(archive_hostile)

BOOST_AUTO_TEST_CASE(every_attack_is_refused_with_its_own_code)
{
    for (const attack& a : all_attacks()) {
        BOOST_TEST_CONTEXT(a.name)
        {
            BOOST_TEST(a.message.size() <= 4096u);
            errc code{};
            try {
                a.load(a.message, a.limit);
            }
            catch (const wharf::error& e) {
                code = e.code();
                BOOST_TEST(e.text().starts_with("at byte "));
            }
            BOOST_TEST(code == a.expected);
        }
    }
}

// Row 40: what ends inside a message is truncated, never a short value.
BOOST_AUTO_TEST_CASE(row_40_every_prefix_of_a_message_is_refused)
{
    std::vector<record> all(3);
    for (record& r : all) {
        r.name = "name";
        r.tags = {"a", "b"};
        r.values = {{"x", 1}, {"y", 2}};
    }
    bytes image = wharf::to_bytes(all);
    BOOST_TEST(refusal_of<std::vector<record>>(image) == errc{});
    while (!image.empty()) {
        image.pop_back();
        const errc code = refusal_of<std::vector<record>>(image);
        BOOST_TEST((code == errc::truncated || code == errc::bad_length));
    }
}

BOOST_AUTO_TEST_CASE(every_bit_flipped_is_refused_or_another_value)
{
    std::map<std::string, std::vector<bool>> value{{"a", {true}}, {"b", {false, true}}};
    const bytes image = wharf::to_bytes(value);
    for (std::size_t bit = 0; bit < image.size() * 8; ++bit) {
        bytes changed = image;
        changed[bit / 8] ^= std::byte{1} << (bit % 8);
        try {
            const auto other = wharf::from_bytes<decltype(value)>(changed);
            BOOST_TEST(to_hex(wharf::to_bytes(other)) == to_hex(changed));
        }
        catch (const wharf::error&) {
        }
    }
}

BOOST_AUTO_TEST_CASE(honest_types_fit_the_memory_limit)
{
    std::vector<std::optional<std::string>> optionals(20000);
    BOOST_TEST((round_trip(optionals) == optionals));
    std::list<bool> bits(20000, true);
    BOOST_TEST((round_trip(bits) == bits));
    std::multiset<std::uint8_t> same;
    for (int i = 0; i < 20000; ++i)
        same.insert(3);
    BOOST_TEST((round_trip(same) == same));
}

BOOST_AUTO_TEST_CASE(the_memory_limit_counts_nodes)
{
    const bytes image = wharf::to_bytes(std::list<bool>(1000));
    wharf::limits limit;
    limit.memory_base_bytes = 0;
    limit.memory_factor = 8;
    BOOST_TEST(refusal_of<std::list<bool>>(image, limit) == errc::memory_limit);
    limit.memory_factor = 40;
    BOOST_TEST(refusal_of<std::list<bool>>(image, limit) == errc{});
    limit.memory_bytes_max = 1000;
    BOOST_TEST(refusal_of<std::list<bool>>(image, limit) == errc::memory_limit);
}

BOOST_AUTO_TEST_CASE(the_depth_limit_is_the_same_in_both_directions)
{
    using namespace archive_types;
    const auto deepest = static_cast<int>(wharf::limits{}.depth_max);
    const bytes deep = wharf::to_bytes(make_branch(deepest));
    BOOST_TEST(refusal_of<tree>(deep) == errc{});
    BOOST_CHECK_EXCEPTION(wharf::to_bytes(make_branch(deepest + 1)), wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::depth_limit; });
    wharf::limits limit;
    --limit.depth_max;
    BOOST_TEST(refusal_of<tree>(deep, limit) == errc::depth_limit);
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_is_refused_unread)
{
    wharf::limits limit;
    limit.message_bytes_max = 4;
    BOOST_TEST(refusal_of<int>({0, 1, 0, 0, 0}, limit) == errc::message_limit);
    limit.message_bytes_max = 5;
    BOOST_TEST(refusal_of<int>({0, 1, 0, 0, 0}, limit) == errc{});
}

BOOST_AUTO_TEST_CASE(an_error_says_where_and_why)
{
    const auto text_of = [](auto load) {
        try {
            load();
        }
        catch (const wharf::error& e) {
            return e.text();
        }
        return std::string();
    };
    BOOST_TEST(text_of([] { load_as<int>(make_bytes({0, 1, 2})); }) == "at byte 1");
    BOOST_TEST(text_of([] { load_as<std::vector<bool>>(make_bytes({0, 1, 3})); }) == "at byte 2");
    BOOST_TEST(text_of([] {
                   load_as<thrower<0>>(make_bytes({0, 0, 0, 0, 0}));
               }) == "at byte 5: no such colour");
    BOOST_TEST(text_of([] {
                   load_as<versioned>(make_bytes({1, 1, 3, 5, 0, 0, 0, 6, 0, 0, 0}));
               }) ==
               "at byte 3: class archive_attacks::versioned has version 3, this program knows 2");
}

BOOST_AUTO_TEST_CASE(a_failed_message_gives_no_more_values)
{
    const bytes image = make_bytes({0, 2, 1, 0, 0, 0});
    wharf::load_archive load(image);
    bool truth = false;
    int number = 0;
    BOOST_CHECK_THROW(load >> truth, wharf::error);
    BOOST_CHECK_EXCEPTION(load >> number, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::truncated; });
    BOOST_CHECK_THROW(load.finish(), wharf::error);
}

BOOST_AUTO_TEST_SUITE_END()
