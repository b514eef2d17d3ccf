// Each judgement of a change, proved by messages that are read by the other type.
#include "archive_support.hpp"
#include "schema_diff_types.hpp"

#include <wharf/json.hpp>
#include <wharf/objects.hpp>
#include <wharf/schema_diff.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <limits>

namespace {

/// A class of many members, as a stranger could declare one.
wharf::schema_history wide_class(std::size_t members, const std::string& prefix)
{
    wharf::schema_type record, number;
    record.kind = wharf::schema_kind::record;
    number.kind = wharf::schema_kind::integer;
    number.size = 4;
    for (std::size_t i = 0; i != members; ++i)
        record.fields.push_back({prefix + std::to_string(i), 1, false});
    return {wharf::schema({record, number}), {}};
}

using namespace schema_diff_types;
using wharf::schema_change_kind;
using wharf::schema_use;
using wharf::schema_verdict;
using kind = schema_change_kind;

/// What became of messages. Worse ones are greater.
enum class outcome { same, lost, refused, misread };

std::ostream& operator<<(std::ostream& to, outcome o)
{
    constexpr const char* names[] = {"same", "lost", "refused", "misread"};
    return to << names[static_cast<int>(o)];
}

template <class T>
constexpr std::uint32_t version_of = boost::serialization::version<T>::value;

/// As an end writes to one that knows these classes at lower versions.
template <class Written, class Read>
wharf::older_versions step_down()
{
    wharf::older_versions versions;
    if constexpr (version_of < Written >> version_of<Read>)
        versions.set<Written>(version_of<Read>);
    return versions;
}

template <class T>
std::vector<std::byte> store_at(const T& value, const wharf::older_versions& versions)
{
    wharf::byte_buffer out;
    wharf::store_archive archive(out);
    archive.store_at(versions);
    archive << value;
    archive.flush();
    return {out.data(), out.data() + out.size()};
}

template <class Written, class Read>
using comparison = std::function<outcome(const Written&, const Read&)>;

template <class Written, class Read>
outcome read_as(const std::vector<Written>& samples, const wharf::older_versions& versions,
                const comparison<Written, Read>& compare)
{
    outcome worst = outcome::same;
    for (const Written& each : samples) {
        try {
            const Read read =
                wharf::from_bytes<Read>(std::span<const std::byte>(store_at(each, versions)));
            worst = std::max(worst, compare(each, read));
        }
        catch (const wharf::error&) {
            worst = std::max(worst, outcome::refused);
        }
    }
    return worst;
}

/// The same from a store, which keeps the schema too.
template <class Written, class Read>
outcome read_stored(const std::vector<Written>& samples, const comparison<Written, Read>& compare)
{
    outcome worst = outcome::same;
    const wharf::schema& type = wharf::schema_of<Written>();
    for (const Written& each : samples) {
        try {
            const wharf::objects::object object{wharf::to_bytes(each), 1, type.fingerprint()};
            worst = std::max(worst, compare(each, wharf::objects::value_as<Read>(object, type)));
        }
        catch (const wharf::error&) {
            worst = std::max(worst, outcome::refused);
        }
    }
    return worst;
}

/// Does JSON that was written for the one still do for the other, and say the same?
template <class Written, class Read>
bool is_json_same(const std::vector<Written>& samples, const comparison<Written, Read>& compare)
{
    for (const Written& each : samples) {
        std::string text;
        try {
            text = wharf::to_json(wharf::schema_of<Written>(), wharf::to_bytes(each));
        }
        catch (const wharf::error&) {
            continue; // what is no JSON nobody wrote
        }
        try {
            const Read defaults{};
            const std::vector<std::byte> message =
                wharf::from_json(wharf::schema_of<Read>(), text, {}, {}, wharf::to_bytes(defaults));
            const Read read = wharf::from_bytes<Read>(std::span<const std::byte>(message));
            if (compare(each, read) == outcome::misread)
                return false;
        }
        catch (const wharf::error&) {
            return false;
        }
    }
    return true;
}

schema_verdict verdict_of_calls(outcome forward, outcome backward, bool is_json)
{
    if (std::max(forward, backward) == outcome::misread ||
        std::min(forward, backward) == outcome::refused)
        return schema_verdict::broken;
    if (std::max(forward, backward) != outcome::same || !is_json)
        return schema_verdict::warn;
    return schema_verdict::ok;
}

schema_verdict verdict_of_store(outcome forward, bool is_json)
{
    if (forward >= outcome::refused)
        return schema_verdict::broken;
    return forward == outcome::lost || !is_json ? schema_verdict::warn : schema_verdict::ok;
}

std::string name_of(schema_verdict verdict)
{
    return std::string(wharf::to_name(verdict));
}

bool tells(const std::vector<wharf::schema_change>& changes, kind wanted)
{
    return std::any_of(changes.begin(), changes.end(),
                       [&](const auto& each) { return each.kind == wanted; });
}

/// Compares what the schemas say with what messages do, both ways and from a store. `is_same` says
/// what became of an earlier value that is a later one now, and the other way round.
template <class Was, class Is>
struct change_case {
    kind expected;
    std::vector<Was> earlier;
    std::vector<Is> later;
    std::function<outcome(const Was&, const Is&)> compare;

    void check(const std::string& name) const
    {
        BOOST_TEST_CONTEXT(name)
        {
            const auto back = [this](const Is& a, const Was& b) { return compare(b, a); };
            const outcome forward = read_as<Was, Is>(earlier, step_down<Was, Is>(), compare);
            const outcome backward = read_as<Is, Was>(later, step_down<Is, Was>(), back);
            const bool is_json = is_json_same<Was, Is>(earlier, compare);
            const auto& before = wharf::schema_history_of<Was>();
            const auto& after = wharf::schema_history_of<Is>();
            for (const schema_use use : {schema_use::to_daemon, schema_use::to_client}) {
                const auto told = wharf::compare_types(before, after, use);
                BOOST_TEST_INFO("messages: " << forward << ", back: " << backward);
                if (!told.empty())
                    BOOST_TEST_INFO(told.front().why);
                BOOST_TEST(name_of(wharf::worst_of(told)) ==
                           name_of(verdict_of_calls(forward, backward, is_json)));
                BOOST_TEST(tells(told, expected));
            }
            const auto told = wharf::compare_types(before, after, schema_use::stored);
            const outcome stored = read_stored<Was, Is>(earlier, compare);
            BOOST_TEST_INFO("stored: " << stored);
            BOOST_TEST(name_of(wharf::worst_of(told)) ==
                       name_of(verdict_of_store(stored, is_json)));
        }
    }
};

outcome same_if(bool is_same)
{
    return is_same ? outcome::same : outcome::misread;
}

template <class A, class B>
void check_values(const std::string& name, kind expected, std::vector<A> earlier,
                  std::vector<B> later, std::function<outcome(const A&, const B&)> compare)
{
    std::vector<holder<A>> was;
    std::vector<holder<B>> is;
    for (auto&& each : earlier)
        was.push_back({A(each)});
    for (auto&& each : later)
        is.push_back({B(each)});
    change_case<holder<A>, holder<B>>{
        expected, std::move(was), std::move(is),
        [compare](const auto& a, const auto& b) { return compare(a.value, b.value); }}
        .check(name);
}

template <class A, class B>
outcome equal_numbers(const A& a, const B& b)
{
    return same_if(std::cmp_equal(a, b));
}

} // namespace

BOOST_AUTO_TEST_SUITE(schema_diff)

BOOST_AUTO_TEST_CASE(members_with_a_new_version_are_judged_as_they_decode)
{
    change_case<was::one, is::added>{
        kind::field_added,
        {{1}},
        {{2, "b"}},
        [](const auto& a, const auto& b) { return same_if(a.id == b.id); }}
        .check("field_added");
    change_case<was::empty_class, is::filled>{
        kind::field_added, {{}}, {{2}}, [](const auto&, const auto&) { return outcome::same; }}
        .check("the first field_added");
    change_case<was::two, is::removed>{
        kind::field_removed,
        {{1, "a"}},
        {{2}},
        [](const auto& a, const auto& b) {
            return a.id != b.id ? outcome::misread : a.note.empty() ? outcome::same : outcome::lost;
        }}
        .check("field_removed");
    const auto widened = [](const auto& a, const auto& b) {
        return a.id == b.id                                      ? outcome::same
               : b.id > std::numeric_limits<std::int32_t>::max() ? outcome::lost
                                                                 : outcome::misread;
    };
    change_case<was::one, is::widened>{kind::field_retyped, {{-1}}, {{5}, {1LL << 40}}, widened}
        .check("field_retyped");
    change_case<was::two, is::named_anew>{
        kind::field_renamed,
        {{1, "a"}},
        {{2, "b"}},
        [](const auto& a, const auto& b) { return same_if(a.id == b.id && a.note == b.note); }}
        .check("field_renamed with a version");
    change_case<was::one, is::raised>{
        kind::version_raised,
        {{1}},
        {{2}},
        [](const auto& a, const auto& b) { return same_if(a.id == b.id); }}
        .check("version_raised");
}

BOOST_AUTO_TEST_CASE(members_without_a_new_version_are_judged_as_they_decode)
{
    const auto by_id = [](const auto& a, const auto& b) { return same_if(a.id == b.id); };
    change_case<was::one, is::two>{kind::field_added_unversioned, {{1}}, {{2, "b"}}, by_id}.check(
        "field_added_unversioned");
    change_case<was::two, is::one>{kind::field_removed_unversioned, {{1, "a"}}, {{2}}, by_id}.check(
        "field_removed_unversioned");
    change_case<was::two, is::renamed>{
        kind::field_renamed,
        {{1, "a"}},
        {{2, "b"}},
        [](const auto& a, const auto& b) { return same_if(a.id == b.id && a.note == b.remark); }}
        .check("field_renamed");
    change_case<was::two, is::turned>{
        kind::fields_reordered,
        {{1, "a"}},
        {{"b", 2}},
        [](const auto& a, const auto& b) { return same_if(a.id == b.id && a.note == b.note); }}
        .check("fields_reordered");
    // The worst: everything loads, and is something else.
    change_case<was::names, is::names>{kind::fields_reordered,
                                       {{"Ada", "Lovelace"}},
                                       {{"Hopper", "Grace"}},
                                       [](const auto& a, const auto& b) {
                                           return same_if(a.first == b.first && a.last == b.last);
                                       }}
        .check("fields_reordered silently");
    change_case<was::one, is::unversioned>{kind::class_changed, {{1}}, {{2}}, by_id}.check(
        "class_changed");
}

// Row 61: a version that serialize() is passed is the writer's, and nested classes have their own.
BOOST_AUTO_TEST_CASE(versions_are_judged_as_they_decode)
{
    const auto by_id = [](const auto& a, const auto& b) { return same_if(a.id == b.id); };
    change_case<is::raised, was::one>{kind::version_lowered,
                                      {{1}},
                                      {{2}},
                                      [](const auto& a, const auto& b) {
                                          return a.id == b.id ? outcome::lost : outcome::misread;
                                      }}
        .check("version_lowered");
    (void)by_id;

    // Written at version 0, for a third program: what the two at version 2 say is the same.
    const auto told =
        wharf::compare_types(wharf::schema_history_of<was::long_lived>(),
                             wharf::schema_history_of<is::long_lived>(), schema_use::to_daemon);
    BOOST_TEST_REQUIRE(told.size() == 1u);
    BOOST_TEST(bool(told[0].kind == kind::older_version_changed));
    BOOST_TEST(bool(told[0].verdict == schema_verdict::broken));
    BOOST_TEST(told[0].why ==
               "at version 0, its members are: a, b; they were: a: each reads the other's messages "
               "as something else, or refuses them; give serialize() back what it did at this "
               "version");
    wharf::older_versions oldest;
    oldest.set<was::long_lived>(0);
    BOOST_CHECK_THROW((void)wharf::from_bytes<is::long_lived>(
                          std::span<const std::byte>(store_at(was::long_lived{1, 2, 3}, oldest))),
                      wharf::error);
}

BOOST_AUTO_TEST_CASE(a_store_that_ignores_its_version_is_named)
{
    const auto told =
        wharf::compare_types(wharf::schema_history_of<was::one>(),
                             wharf::schema_history_of<is::deaf>(), schema_use::to_daemon);
    BOOST_TEST_REQUIRE(told.size() == 1u);
    BOOST_TEST(bool(told[0].kind == kind::step_down_broken));
    BOOST_TEST(bool(told[0].verdict == schema_verdict::broken));
    const comparison<is::deaf, was::one> never = [](const auto&, const auto&) {
        return outcome::same;
    };
    BOOST_TEST((read_as<is::deaf, was::one>({{1, "a"}}, step_down<is::deaf, was::one>(), never)) ==
               outcome::refused);
}

BOOST_AUTO_TEST_CASE(numbers_are_judged_as_they_decode)
{
    check_values<std::int32_t, std::int64_t>("integer_width", kind::integer_width, {-1, 7}, {5},
                                             equal_numbers<std::int32_t, std::int64_t>);
    check_values<std::int32_t, std::uint32_t>("integer_sign", kind::integer_sign, {-1, 7}, {5},
                                              equal_numbers<std::int32_t, std::uint32_t>);
    check_values<float, double>("real_width", kind::real_width, {1.5F}, {2.5},
                                [](float a, double b) { return same_if(double{a} == b); });
    check_values<std::int32_t, std::string>(
        "type_changed", kind::type_changed, {3}, {"3"},
        [](std::int32_t a, const std::string& b) { return same_if(std::to_string(a) == b); });
    check_values<bool, std::uint8_t>(
        "bool as a number", kind::enum_or_integer, {true, false}, {0, 1, 2},
        [](bool a, std::uint8_t b) { return same_if((a ? 1 : 0) == b); });
}

BOOST_AUTO_TEST_CASE(enums_are_judged_as_they_decode)
{
    using was::colour;
    const auto named = [](std::uint8_t known) {
        return [known](auto a, auto b) {
            const auto x = static_cast<std::uint8_t>(a), y = static_cast<std::uint8_t>(b);
            return x != y ? outcome::misread : x >= known ? outcome::lost : outcome::same;
        };
    };
    check_values<colour, is::colour>("enum_grown", kind::enum_grown, {colour::red, colour::green},
                                     {is::colour::red, is::colour::blue}, named(2));
    check_values<colour, is::fewer>("enum_shrunk", kind::enum_shrunk, {colour::red, colour::green},
                                    {is::fewer::red}, named(1));
    check_values<colour, is::other_numbers>(
        "enum_renumbered", kind::enum_renumbered, {colour::red, colour::green},
        {is::other_numbers::red}, [](colour a, is::other_numbers b) {
            return same_if((a == colour::red) == (b == is::other_numbers::red));
        });
    check_values<colour, is::other_names>("enum_renamed", kind::enum_renamed,
                                          {colour::red, colour::green}, {is::other_names::lime},
                                          named(2));
    // Without a fixed underlying type, values that the other cannot hold are refused.
    check_values<was::loose, is::loose>(
        "enum_grown in range", kind::enum_grown, {was::low, was::high}, {is::low, is::highest},
        [](was::loose a, is::loose b) {
            return same_if(static_cast<unsigned>(a) == static_cast<unsigned>(b));
        });
    check_values<is::loose, was::loose>(
        "enum_shrunk in range", kind::enum_shrunk, {is::low, is::highest}, {was::low, was::high},
        [](is::loose a, was::loose b) {
            return same_if(static_cast<unsigned>(a) == static_cast<unsigned>(b));
        });
    check_values<colour, std::uint8_t>(
        "enum_or_integer", kind::enum_or_integer, {colour::red, colour::green}, {0, 1},
        [](colour a, std::uint8_t b) { return same_if(static_cast<std::uint8_t>(a) == b); });
}

BOOST_AUTO_TEST_CASE(texts_are_judged_as_they_decode)
{
    using blob = std::vector<std::byte>;
    const auto equal = [](const auto& a, const auto& b) {
        return same_if(std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto x, auto y) {
            return static_cast<unsigned char>(x) == static_cast<unsigned char>(y);
        }));
    };
    check_values<std::string, blob>("text_or_bytes", kind::text_or_bytes, {"ab"},
                                    {blob{std::byte{1}}}, equal);
    check_values<blob, std::string>("bytes as text", kind::text_or_bytes, {blob{std::byte{65}}},
                                    {"ab"}, equal);
    check_values<std::string, std::vector<std::uint8_t>>("numbers as text", kind::text_or_bytes,
                                                         {"ab"}, {{1, 2}}, equal);
    check_values<std::string, wharf::utf8>("text_encoding", kind::text_encoding, {"ab", "\xff"},
                                           {wharf::utf8("ab")},
                                           [](const std::string& a, const wharf::utf8& b) {
                                               return same_if(a == static_cast<std::string>(b));
                                           });
    check_values<std::string, std::u16string>(
        "wide text_encoding", kind::text_encoding, {"ab"}, {u"ab"},
        [](const std::string& a, const std::u16string& b) {
            return same_if(a.size() == b.size() && a.size() == 2);
        });
}

BOOST_AUTO_TEST_CASE(containers_are_judged_as_they_decode)
{
    using list = std::vector<std::int32_t>;
    using set = std::set<std::int32_t>;
    using map = std::map<std::int32_t, std::int32_t>;
    const auto equal = [](const auto& a, const auto& b) {
        return same_if(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    };
    check_values<list, set>("a list as a set", kind::container_changed, {{1, 2}, {2, 1}}, {{3, 4}},
                            equal);
    check_values<set, list>("a set as a list", kind::container_changed, {{1, 2}}, {{3, 4}, {4, 3}},
                            equal);
    const auto as_sets = [](const auto& a, const auto& b) {
        return same_if(std::multiset<std::int32_t>(a.begin(), a.end()) ==
                       std::multiset<std::int32_t>(b.begin(), b.end()));
    };
    check_values<list, std::unordered_multiset<std::int32_t>>(
        "a list without order", kind::container_changed, {{2, 1, 2}}, {{3, 4}},
        [&](const auto& a, const auto& b) {
            return as_sets(a, b) == outcome::same ? outcome::lost : outcome::misread;
        });
    std::unordered_map<std::int32_t, std::int32_t> many;
    for (std::int32_t i = 0; i < 20; ++i)
        many[i * 7919] = i;
    check_values<map, std::unordered_map<std::int32_t, std::int32_t>>(
        "a map without order", kind::container_changed, {{{1, 2}}}, {many},
        [](const auto& a, const auto& b) { return same_if(map(b.begin(), b.end()) == a); });
    check_values<set, std::set<std::int32_t, std::greater<>>>(
        "key_order_changed", kind::key_order_changed, {{1, 2}}, {{4, 3}}, as_sets);
    check_values<std::array<std::int32_t, 2>, std::array<std::int32_t, 3>>(
        "array_size_changed", kind::array_size_changed, {{1, 2}}, {{1, 2, 3}}, equal);
    check_values<list, std::array<std::int32_t, 2>>("a list as an array", kind::container_changed,
                                                    {{1, 2}, {1}}, {{3, 4}}, equal);
    check_values<list, map>("a list as a map", kind::container_changed, {{1, 2}}, {{{1, 2}}},
                            [](const auto&, const auto&) { return outcome::misread; });
}

BOOST_AUTO_TEST_CASE(optionals_and_variants_are_judged_as_they_decode)
{
    using text = std::string;
    using number = std::int64_t;
    using optional = std::optional<number>;
    const auto equal = [](const auto& a, const auto& b) {
        if constexpr (requires { a.has_value(); })
            return same_if(a.has_value() && *a == b);
        else
            return same_if(b.has_value() && *b == a);
    };
    check_values<number, optional>("optional_changed", kind::optional_changed, {1, 0}, {{}, {7}},
                                   equal);
    check_values<optional, number>("required", kind::optional_changed, {{}, {7}}, {1, 0}, equal);
    check_values<optional, std::vector<number>>(
        "an optional as a list", kind::container_changed, {{}, {7}}, {{}, {1}, {1, 2}},
        [](const optional& a, const std::vector<number>& b) {
            return same_if((a ? std::vector{*a} : std::vector<number>()) == b);
        });

    const auto same_place = [](const auto& a, const auto& b) {
        return same_if(a.index() == b.index());
    };
    using few = std::variant<text, number>;
    using more = std::variant<text, number, double>;
    check_values<few, more>("alternative_added", kind::alternative_added, {text("a"), number{1}},
                            {number{1}, 1.5}, same_place);
    check_values<more, few>("alternative_removed", kind::alternative_removed, {number{1}, 1.5},
                            {text("a"), number{1}}, same_place);
    const auto same_kind = [](const auto& a, const auto& b) {
        return same_if(std::holds_alternative<text>(a) == std::holds_alternative<text>(b));
    };
    check_values<few, std::variant<number, text>>("alternatives_reordered",
                                                  kind::alternatives_reordered,
                                                  {text("a"), number{1}}, {text("b")}, same_kind);
    check_values<few, std::variant<double, text, number>>(
        "alternative inserted", kind::alternatives_reordered, {number{1}}, {1.5}, same_kind);
}

BOOST_AUTO_TEST_CASE(pointers_are_judged_as_they_decode)
{
    using unique = std::unique_ptr<std::int32_t>;
    using shared = std::shared_ptr<std::int32_t>;
    struct unique_pair {
        unique a, b;
    };
    struct shared_pair {
        shared a, b;
    };
    const auto equal = [](const auto& x, const auto& y) {
        return same_if(*x.a == *y.a && *x.b == *y.b);
    };
    unique_pair two{std::make_unique<std::int32_t>(1), std::make_unique<std::int32_t>(2)};
    std::vector<unique_pair> owned;
    owned.push_back(std::move(two));
    const shared one = std::make_shared<std::int32_t>(3);
    const std::vector<shared_pair> both{{one, one}};
    const comparison<unique_pair, shared_pair> forward = equal;
    const comparison<shared_pair, unique_pair> backward = equal;
    const outcome there = read_as<unique_pair, shared_pair>(owned, {}, forward);
    const outcome back = read_as<shared_pair, unique_pair>(both, {}, backward);
    BOOST_TEST(there == outcome::same);
    BOOST_TEST(back == outcome::refused);
    const auto told =
        wharf::compare_types(wharf::schema_history_of<unique_pair>(),
                             wharf::schema_history_of<shared_pair>(), schema_use::to_daemon);
    BOOST_TEST(tells(told, kind::ownership_changed));
    BOOST_TEST(name_of(wharf::worst_of(told)) == name_of(verdict_of_calls(there, back, true)));
}

// What is compared is bounded: members are held against each other, all with all.
BOOST_AUTO_TEST_CASE(schemas_that_would_take_long_to_compare_are_refused)
{
    const auto compare = [](std::size_t members) {
        return wharf::compare_types(wide_class(members, "a"), wide_class(members, "b"),
                                    schema_use::stored);
    };
    BOOST_TEST(!compare(500).empty());
    BOOST_CHECK_EXCEPTION(compare(3000), wharf::error, [](const wharf::error& e) {
        return e.code() == wharf::errc::message_limit;
    });
}

BOOST_AUTO_TEST_SUITE_END()
