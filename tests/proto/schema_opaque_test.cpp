// What cannot be described says why, and nothing is guessed.
#include "schema_types.hpp"

#include <boost/date_time/gregorian/greg_serialize.hpp>
#include <boost/date_time/gregorian/gregorian.hpp>
#include <boost/date_time/posix_time/posix_time.hpp>
#include <boost/multi_index/identity.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <boost/test/unit_test.hpp>

using namespace schema_types;

namespace {

using listed = boost::multi_index_container<
    std::uint8_t, boost::multi_index::indexed_by<boost::multi_index::ordered_unique<
                                                     boost::multi_index::identity<std::uint8_t>>,
                                                 boost::multi_index::sequenced<>>>;

template <class T>
void check_opaque(const std::string& reason)
{
    const wharf::schema& found = wharf::schema_of<T>();
    BOOST_TEST(found.opaque_reason() == reason);
    BOOST_TEST(!found.is_walkable());
    BOOST_TEST(found.is_valid());
    BOOST_TEST(found.fingerprint() == 0u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_opaque)

BOOST_AUTO_TEST_CASE(a_serialize_that_throws_is_named_with_its_text)
{
    check_opaque<throwing>("schema_types::throwing: a default object cannot be visited: not today");
    check_opaque<std::vector<throwing>>(
        "[]: schema_types::throwing: a default object cannot be visited: not today");
}

BOOST_AUTO_TEST_CASE(a_serialize_that_branches_on_values_is_found_by_other_values)
{
    // Both branches take the same bytes: only a visit of a loaded object tells.
    check_opaque<branching>(
        "schema_types::branching visits other members where its values are others");
    check_opaque<growing>("schema_types::growing visits other members where its values are others");
    // What a count is for is not known.
    check_opaque<counting>("a made-up message does not load: a length or count exceeds the bytes "
                           "that are left: at byte 2, in _0");
}

BOOST_AUTO_TEST_CASE(the_path_leads_to_the_class_that_is_opaque)
{
    check_opaque<holds_branching>(
        "shapes[]: schema_types::branching visits other members where its values are others");
    check_opaque<std::map<std::string, std::optional<branching>>>(
        "[]: schema_types::branching visits other members where its values are others");
    check_opaque<std::tuple<int, std::pair<bool, branching>>>(
        "schema_types::branching visits other members where its values are others");
    BOOST_TEST(wharf::schema_of<holds_branching>().to_line() ==
               "{name: string, shapes: [opaque (schema_types::branching visits other members where "
               "its values are others)]}");
}

BOOST_AUTO_TEST_CASE(a_load_that_is_not_the_mirror_of_its_save_is_found)
{
    check_opaque<disagreeing>(
        "a made-up message does not load: bytes are left after the last value of a message: at "
        "byte 5");
    check_opaque<forgetting>("what was loaded from a made-up message is stored as other bytes");
}

BOOST_AUTO_TEST_CASE(a_load_that_refuses_values_is_not_guessed_about)
{
    BOOST_TEST(wharf::schema_of<choosy>().opaque_reason().find("1 is taken") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_opaque)
{
    check_opaque<unmade>("schema_types::unmade has no default constructor");
    check_opaque<archive_golden::town>(
        "it has no default constructor, so that no message of it can be loaded");
}

BOOST_AUTO_TEST_CASE(types_whose_bytes_their_values_decide_are_opaque)
{
    check_opaque<boost::posix_time::ptime>("a ptime has a time of day only where its date is one");
    check_opaque<listed>("a multi_index_container with two orders of its own");
}

BOOST_AUTO_TEST_CASE(a_schema_that_is_none_is_refused)
{
    wharf::schema_type list;
    list.kind = wharf::schema_kind::list;
    const wharf::schema no_part(std::vector{list});
    BOOST_TEST(!no_part.is_valid());
    BOOST_CHECK_THROW((void)no_part.to_line(), wharf::error);
    BOOST_CHECK_THROW((void)no_part.fingerprint(), wharf::error);
    BOOST_CHECK_THROW((void)no_part.opaque_reason(), wharf::error);
    list.parts = {7};
    BOOST_TEST(!wharf::schema(std::vector{list}).is_valid());
    list.parts = {0};
    BOOST_TEST(wharf::schema(std::vector{list}).is_valid());
    BOOST_TEST(wharf::schema(std::vector{list}).to_line() == "#1=[#1]");
    BOOST_TEST(wharf::schema(std::vector<wharf::schema_type>()).is_valid());
    BOOST_TEST(wharf::schema::opaque("for a reason").opaque_reason() == "for a reason");
}

BOOST_AUTO_TEST_CASE(a_hostile_schema_takes_neither_the_stack_nor_the_memory)
{
    // Each tuple holds the next one twice: 2^100000 lines.
    std::vector<wharf::schema_type> types(100000);
    for (std::uint32_t i = 0; i < types.size(); ++i) {
        types[i].kind = wharf::schema_kind::tuple;
        if (i + 1 < types.size())
            types[i].parts = {i + 1, i + 1};
    }
    const wharf::schema deep(std::move(types));
    BOOST_TEST(deep.is_valid());
    BOOST_TEST(deep.fingerprint() != 0u);
    BOOST_TEST(deep.to_line().size() < 1u << 20);
    BOOST_TEST(deep.opaque_reason() == "");
}

BOOST_AUTO_TEST_SUITE_END()
