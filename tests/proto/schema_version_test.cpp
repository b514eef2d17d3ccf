// Schemas of older versions, and stores that step down to them.
#include "archive_support.hpp"
#include "schema_types.hpp"

using namespace schema_types;
using archive_support::to_hex;

namespace {

template <class T>
wharf::byte_buffer store_at(const T& value, const wharf::older_versions& versions)
{
    wharf::byte_buffer out;
    wharf::store_archive archive(out);
    archive.store_at(versions);
    archive << value;
    archive.flush();
    return out;
}

std::string hex_of(const wharf::byte_buffer& bytes)
{
    return to_hex({bytes.data(), bytes.size()});
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_version)

// Row 60: the version is the writer's choice, down to the oldest.
BOOST_AUTO_TEST_CASE(each_version_of_a_class_has_a_schema)
{
    BOOST_TEST(wharf::schema_of_version<evolved>(0).to_line() == "{a: i32, b: string}");
    BOOST_TEST(wharf::schema_of_version<evolved>(1).to_line() == "{a: i32, b: string, c: f64} v1");
    BOOST_TEST(bool(wharf::schema_of_version<evolved>(2) == wharf::schema_of<evolved>()));
    BOOST_TEST(wharf::schema_of_version<evolved>(3).opaque_reason() == "its newest version is 2");
    BOOST_TEST(wharf::schema_of_version<std::string>(0).opaque_reason() ==
               "it is no class with a version");
}

BOOST_AUTO_TEST_CASE(a_class_that_keeps_to_its_versions_has_no_problem)
{
    BOOST_TEST(wharf::check_versions<evolved>().empty());
    BOOST_TEST(wharf::check_versions<holds_evolved>().empty());
    BOOST_TEST(wharf::check_versions<std::vector<archive_golden::vtown>>().empty());
    BOOST_TEST(wharf::check_versions<std::shared_ptr<archive_golden::vshape>>().empty());
    BOOST_TEST(wharf::check_versions<archive_golden::vderived>().empty());
    BOOST_TEST(wharf::check_versions<wharf::schema>().empty());
}

BOOST_AUTO_TEST_CASE(a_save_that_ignores_the_version_is_found)
{
    const auto problems = wharf::check_versions<holds_deaf>();
    BOOST_TEST_REQUIRE(problems.size() == 1u);
    BOOST_TEST(problems[0].type == "schema_types::deaf");
    BOOST_TEST(problems[0].version == 0u);
    BOOST_TEST(problems[0].why == "a made-up message does not load: bytes are left after the last "
                                  "value of a message: at byte 8");
    BOOST_TEST(wharf::schema_of<holds_deaf>().is_walkable());
}

BOOST_AUTO_TEST_CASE(a_store_writes_the_version_that_it_is_told)
{
    evolved value;
    value.a = 5;
    value.b = "b";
    value.c = 1;
    wharf::older_versions versions;
    versions.set<evolved>(0);
    BOOST_TEST(hex_of(store_at(value, versions)) == "00 05 00 00 00 01 62");
    versions = {};
    versions.set<evolved>(1);
    BOOST_TEST(hex_of(store_at(value, versions)) ==
               "01 01 01 05 00 00 00 01 62 00 00 00 00 00 00 f0 3f");
    versions = {};
    versions.set<evolved>(7); // newer than what is known here changes nothing
    BOOST_TEST(hex_of(store_at(value, versions)) == to_hex(wharf::to_bytes(value)));
}

BOOST_AUTO_TEST_CASE(the_table_has_an_older_class_once)
{
    wharf::older_versions versions;
    versions.set<evolved>(1);
    const std::vector<evolved> three(3);
    const wharf::byte_buffer bytes = store_at(std::pair(archive_golden::outer(), three), versions);
    const auto back = wharf::from_bytes<std::pair<archive_golden::outer, std::vector<evolved>>>(
        {bytes.data(), bytes.size()});
    BOOST_TEST(back.second.size() == 3u);
    // Of three classes: outer, inner at 3, evolved at 1.
    BOOST_TEST(hex_of(bytes).starts_with("01 03 00 03 01 "));
}

BOOST_AUTO_TEST_CASE(construct_data_step_down_too)
{
    using archive_golden::label;
    using archive_golden::vtown;
    wharf::older_versions versions;
    versions.set<vtown>(0);
    versions.set<label>(0);
    BOOST_TEST(hex_of(store_at(std::vector{vtown(label{"Ur"}, 5)}, versions)) ==
               "00 01 02 55 72 05");
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_and_goes_on_keeps_its_versions)
{
    wharf::older_versions versions;
    versions.set<evolved>(1);
    wharf::byte_buffer out;
    wharf::store_archive archive(out);
    archive.store_at(versions);
    archive << evolved();
    BOOST_CHECK_THROW(archive << std::vector<throwing>(1), std::exception);
    archive << evolved();
    archive.flush();
    wharf::load_archive load({out.data(), out.size()});
    evolved a, b;
    load >> a >> b;
    load.finish();
    BOOST_TEST(to_hex({out.data(), 3}) == "01 01 01");
}

BOOST_AUTO_TEST_SUITE_END()
