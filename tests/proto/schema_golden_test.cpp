// The messages that are made up from a schema load, and are stored again as they were: for all
// types that the golden rows have.
#include "../../proto/schema_filler.hpp"
#include "archive_support.hpp"
#include "schema_types.hpp"

#include <boost/optional.hpp>
#include <boost/unordered_map.hpp>
#include <boost/unordered_set.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/variant.hpp>

#include <complex>
#include <filesystem>
#include <queue>
#include <stack>

using namespace archive_golden;
using namespace archive_types;
using archive_support::to_hex;

namespace {

int messages = 0;

template <class T>
void check_one()
{
    const wharf::schema& known = wharf::schema_of<T>();
    BOOST_TEST_CONTEXT(known.to_line())
    {
        BOOST_TEST_REQUIRE(known.opaque_reason() == "");
        const bool has_tracked = known.to_line().find("tracked") != std::string::npos;
        const unsigned fillings = wharf::detail::fillings_of(known.types());
        for (unsigned filling = 0; filling < fillings; ++filling) {
            const auto message = wharf::detail::fill_message(known.types(), filling);
            T value{};
            wharf::load_archive load(message);
            load >> value;
            load.finish();
            const auto stored = wharf::to_bytes(value);
            if (!has_tracked)
                BOOST_TEST(to_hex(stored) == to_hex(message));
            ++messages;
        }
    }
}
template <class... Types>
void check()
{
    (check_one<Types>(), ...);
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_golden)

BOOST_AUTO_TEST_CASE(made_up_values_load)
{
    check<bool, char, char8_t, char16_t, char32_t, wchar_t, std::int8_t, std::uint64_t, long, float,
          double, long double, fixed, wide, truth, archive_types::plain, with_negative>();
    check<std::string, std::u16string, std::wstring, std::filesystem::path, wharf::utf8,
          std::vector<std::uint16_t>, std::vector<std::string>, std::vector<bool>,
          std::vector<empty>, std::deque<std::uint8_t>, std::list<bool>,
          std::forward_list<std::uint8_t>, std::set<std::string>, std::multiset<std::uint8_t>,
          std::map<std::string, std::uint8_t>, std::multimap<std::uint8_t, std::uint8_t>,
          std::unordered_set<std::uint8_t>, std::unordered_map<std::uint8_t, std::string>,
          std::array<std::uint8_t, 3>, std::array<nothing, 2>, std::set<nothing>,
          std::map<std::uint8_t, nothing>, std::vector<std::vector<std::uint8_t>>>();
    check<std::optional<std::uint8_t>, std::optional<nothing>,
          std::variant<std::monostate, std::uint8_t, std::string>, std::pair<nothing, nothing>,
          std::tuple<std::uint8_t, bool>, std::chrono::duration<double>,
          std::variant<std::uint8_t, nothing>>();
    check<std::complex<double>, std::bitset<9>, std::stack<std::uint8_t>, std::queue<std::uint8_t>,
          std::priority_queue<std::uint8_t>, std::chrono::year_month_day, std::chrono::weekday,
          boost::optional<std::uint8_t>, boost::variant<std::uint8_t, std::string>,
          boost::unordered_map<std::uint8_t, std::string>, boost::uuids::uuid>();
}

BOOST_AUTO_TEST_CASE(made_up_objects_load)
{
    check<member, archive_types::derived, archive_types::split, secret, tree, outer, label,
          plain_label, archive_golden::versioned, std::vector<archive_golden::versioned>, vbase,
          vderived, std::pair<plain_label, inner>, parts<counter, std::uint8_t>>();
    check<std::shared_ptr<std::int32_t>, std::shared_ptr<record>, std::shared_ptr<chain_link>,
          std::vector<std::shared_ptr<shape>>, std::shared_ptr<keyless>, std::shared_ptr<solid>,
          std::shared_ptr<top>, late_holder, square_holder, std::unique_ptr<std::string>,
          std::vector<std::unique_ptr<shape>>,
          parts<boost::shared_ptr<std::uint8_t>, boost::weak_ptr<std::uint8_t>>, scoped_holder,
          raw_owner, untracked_holder, rings, node, std::shared_ptr<vshape>>();
    check<std::shared_ptr<town>, std::vector<town>, std::optional<town>,
          std::variant<std::uint8_t, town>, std::map<std::uint8_t, town>,
          std::vector<std::shared_ptr<person>>, std::shared_ptr<vtown>, std::vector<vtown>>();
    check<counter, twice, std::vector<counter>, tracked_bottom>();
}

BOOST_AUTO_TEST_CASE(schemas_describe_themselves)
{
    check<wharf::schema, wharf::schema_type>();
    BOOST_TEST(messages > 150);
}

BOOST_AUTO_TEST_SUITE_END()
