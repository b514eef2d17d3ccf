// Classes, versions and objects behind pointers as JSON; what a missing member is.
#include "json_support.hpp"

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>

using namespace json_support;

namespace json_objects {

struct versioned {
    std::int32_t a = 1;
    std::int32_t b = 2;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& a;
        if (version >= 2)
            ar& b;
    }
    bool operator==(const versioned&) const = default;
};

struct node {
    std::uint8_t v = 0;
    std::shared_ptr<node> next;
    std::weak_ptr<node> self;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& v& next& self;
    }
};

struct figure {
    std::int32_t id = 0;
    virtual ~figure() = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id;
    }
};
struct ring : figure {
    double radius = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<figure>(*this) & radius;
    }
};

struct counter {
    std::uint8_t n = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& n;
    }
};
struct twice {
    counter a;
    counter b;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& a& b;
    }
};

struct settings {
    std::int32_t limit = 100;
    std::string name = "all";
    std::array<std::uint8_t, 2> pair{1, 2};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& limit& name& pair;
    }
};
struct request {
    settings inner;
    std::optional<std::uint8_t> page = std::uint8_t{3};
    std::vector<std::uint8_t> ids{7};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& inner& page& ids;
    }
};

} // namespace json_objects

BOOST_CLASS_VERSION(json_objects::versioned, 2)
BOOST_CLASS_TRACKING(json_objects::counter, boost::serialization::track_always)
BOOST_CLASS_EXPORT_GUID(json_objects::ring, "ring")

using namespace json_objects;

namespace {

const schema_notation::definitions types = {
    {"versioned", "class @2 {a: i32, b: i32}"},
    {"node", "class {v: u8, next: shared<node>, self: weak<node>}"},
    {"figure", "poly class {id: i32}"},
    {"ring", "poly class : figure \"ring\" {figure: figure, radius: f64}"},
    {"counter", "always class {n: u8}"},
    {"settings", "class {limit: i32, name: string, pair: array<2, u8>}"},
};

} // namespace

BOOST_AUTO_TEST_CASE(classes_are_objects_in_any_order_of_keys)
{
    const auto type = types.make("settings");
    check_json(settings(), type, R"({"limit": 100, "name": "all", "pair": [1, 2]})");
    BOOST_TEST(to_hex(wharf::from_json(type, R"( {"pair":[1,2],"name":"all" , "limit":100} )")) ==
               to_hex(wharf::to_bytes(settings())));
}

BOOST_AUTO_TEST_CASE(the_table_of_versions_is_that_of_the_schema)
{
    check_json(versioned(), types.make("versioned"), R"({"a": 1, "b": 2})");
    check_json(std::vector<versioned>(2), types.make("vector<versioned>"),
               R"([{"a": 1, "b": 2}, {"a": 1, "b": 2}])");
    check_json(std::vector<versioned>{}, types.make("vector<versioned>"), "[]");
    BOOST_TEST(refusal([&] {
                   return wharf::to_json(types.make("versioned"),
                                         make_bytes({1, 1, 3, 1, 0, 0, 0, 2, 0, 0, 0}));
               }) == "newer_version at byte 3: a class is at version 3, and the schema knows 2");
    BOOST_TEST(
        refusal([&] {
            return wharf::to_json(types.make("versioned"), make_bytes({1, 1, 1, 1, 0, 0, 0}));
        }) == "bad_value at byte 3: a class is at version 1, and the schema knows 2");
}

BOOST_AUTO_TEST_CASE(objects_that_something_refers_to_have_an_id)
{
    const auto first = std::make_shared<node>();
    first->v = 1;
    const auto second = std::make_shared<node>();
    second->v = 2;
    second->self = first;
    check_json(std::vector<std::shared_ptr<node>>{first, second, nullptr, first},
               types.make("vector<shared<node>>"),
               R"([{"$id": 0, "v": 1, "next": null, "self": null}, )"
               R"({"v": 2, "next": null, "self": {"$ref": 0}}, null, {"$ref": 0}])");
    first->self = first;
    check_json(first, types.make("shared<node>"),
               R"({"$id": 0, "v": 1, "next": null, "self": {"$ref": 0}})");
    // Any numbers will do.
    BOOST_TEST(
        to_hex(wharf::from_json(
            types.make("vector<shared<u8>>"),
            R"([{"$id": 90, "$value": 5}, {"$value": 6, "$id": 2}, {"$ref": 2}, {"$ref": 90}])")) ==
        "00 04 01 05 01 06 03 02");
}

BOOST_AUTO_TEST_CASE(objects_that_are_no_classes_have_a_value)
{
    check_json(std::make_shared<std::string>("hi"), types.make("shared<string>"),
               R"({"$value": "hi"})");
    check_json(std::unique_ptr<std::string>(), types.make("unique<string>"), "null");
    check_json(std::make_shared<std::optional<int>>(), types.make("shared<optional<i32>>"),
               R"({"$value": null})");
}

BOOST_AUTO_TEST_CASE(a_reference_may_be_where_the_same_type_has_another_place)
{
    const bytes image = make_bytes({0, 1, 1, 5, 2});
    const auto of = [&](const char* type) {
        return refusal([&] { return wharf::to_json(types.make(type), image); });
    };
    BOOST_TEST(of("pair<shared<vector<u8>>, shared<vector<u8>>>") == "accepted");
    BOOST_TEST(of("pair<shared<vector<u8>>, shared<vector<i8>>>") == "bad_class at byte 5, in [1]");
}

BOOST_AUTO_TEST_CASE(derived_classes_have_their_export_key)
{
    const auto type = types.make("vector<shared<figure>>");
    std::vector<std::shared_ptr<figure>> all;
    const auto made = std::make_shared<ring>();
    made->id = 3;
    made->radius = 1.5;
    all.push_back(made);
    all.push_back(std::make_shared<figure>());
    all.push_back(std::make_shared<ring>());
    check_json(all, type,
               R"([{"$type": "ring", "figure": {"id": 3}, "radius": 1.5}, {"id": 0}, )"
               R"({"$type": "ring", "figure": {"id": 0}, "radius": 0}])");
    const auto of = [&](const char* json) {
        return refusal([&] { return wharf::from_json(type, json); });
    };
    BOOST_TEST(of(R"([{"$type": "rink"}])") ==
               "bad_class in [0]: unknown class \"rink\" in \"$type\"; did you mean \"ring\"?");
    BOOST_TEST(of(R"([{"$type": 5}])") ==
               "bad_json in [0]: expected a string in \"$type\", found 5");
}

BOOST_AUTO_TEST_CASE(an_abstract_base_needs_a_type)
{
    const schema_notation::definitions abstract = {
        {"solid", "abstract class {id: i32}"},
        {"ball", "poly class : solid \"ball\" {solid: solid, radius: u16}"},
    };
    const auto type = abstract.make("shared<solid>");
    BOOST_TEST(refusal([&] { return wharf::from_json(type, "{}"); }) ==
               "bad_json expected \"$type\", one of \"ball\"");
    BOOST_TEST(to_hex(wharf::from_json(type, R"({"$type": "ball", "radius": 2})")) ==
               "00 01 00 04 62 61 6c 6c 00 00 00 00 02 00");
}

BOOST_AUTO_TEST_CASE(a_tracked_value_that_is_there_again_is_a_reference)
{
    twice value;
    value.a.n = 5;
    value.b.n = 6;
    check_json(value, types.make("class {a: counter, same: again<counter>, b: counter}"),
               R"({"a": {"$id": 0, "n": 5}, "same": {"$ref": 0}, "b": {"n": 6}})");
}

BOOST_AUTO_TEST_CASE(a_tracked_value_is_not_again_where_something_else_begins)
{
    // The class inside of the optional is no part of what `a` is a part of.
    const auto type = types.make("class {a: counter, b: optional<class {n: again<counter>}>}");
    BOOST_TEST(refusal([&] {
                   return wharf::to_json(type, make_bytes({0, 1, 5, 1, 2}));
               }) ==
               "bad_reference at byte 5, in b.n: a value is referred to only where it is again");
}

BOOST_AUTO_TEST_CASE(construct_data_has_an_object_of_its_own)
{
    const auto type = schema_notation::make("vector<class (name: string) {n: i32}>");
    const bytes image = make_bytes({0, 1, 2, 'U', 'r', 5, 0, 0, 0});
    BOOST_TEST(wharf::to_json(type, image) == R"([{"$construct": {"name": "Ur"}, "n": 5}])");
    BOOST_TEST(to_hex(wharf::from_json(type, R"([{"n": 5, "$construct": {"name": "Ur"}}])")) ==
               to_hex(image));
    BOOST_TEST(refusal([&] {
                   return wharf::from_json(type, R"([{"$construct": {"nam": "Ur"}}])");
               }) == "bad_json in [0].$construct: unknown key \"nam\"; did you mean \"name\"?");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_empty_where_no_default_is_known)
{
    const auto of = [](const char* type, const char* json) {
        return to_hex(wharf::from_json(types.make(type), json));
    };
    BOOST_TEST(of("settings", "{}") == "00 00 00 00 00 00 02 00 00");
    BOOST_TEST(of("class {e: enum<i8, 0, 0, low=-2, high=3>}", "{}") == "00 fe");
    BOOST_TEST(of("class {e: enum<i8, 0, 0, low=-2, zero=0>}", "{}") == "00 00");
    BOOST_TEST(of("class {v: variant<u8, string>, o: optional<u8>, t: pair<u8, bool>}", "{}") ==
               "00 00 00 00 00 00");
    BOOST_TEST(of("class {p: shared<u8>, b: bits, f: bytes<2>, m: map<u8, u8>, r: f32}", "{}") ==
               "00 00 00 00 00 00 00 00 00 00");
    BOOST_TEST(of("class {c: counter, n: nothing, d: f128}", "{}") ==
               "00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_that_of_the_default)
{
    const auto type = types.make("class {inner: settings, page: optional<u8>, ids: vector<u8>}");
    const bytes defaults = wharf::to_bytes(request());
    const auto of = [&](const char* json) {
        return wharf::to_json(type, wharf::from_json(type, json, {}, {}, defaults));
    };
    const std::string inner = R"("inner": {"limit": 100, "name": "all", "pair": [1, 2]})";
    BOOST_TEST(of("{}") == "{" + inner + R"(, "page": 3, "ids": [7]})");
    BOOST_TEST(of(R"({"page": null, "ids": []})") == "{" + inner + R"(, "page": null, "ids": []})");
    BOOST_TEST(of(R"({"inner": {"name": "x"}})") ==
               R"({"inner": {"limit": 100, "name": "x", "pair": [1, 2]}, "page": 3, "ids": [7]})");
    // The same bytes as a C++ object that is changed.
    request changed;
    changed.inner.name = "x";
    BOOST_TEST(to_hex(wharf::from_json(type, R"({"inner": {"name": "x"}})", {}, {}, defaults)) ==
               to_hex(wharf::to_bytes(changed)));
}

BOOST_AUTO_TEST_CASE(the_ids_of_a_default_are_not_those_of_the_text)
{
    const auto type = types.make("class {a: shared<u8>, b: shared<u8>, c: shared<u8>}");
    // {"a": {"$id": 0, "$value": 5}, "b": {"$ref": 0}, "c": null}
    const bytes defaults = make_bytes({0, 1, 5, 2, 0});
    BOOST_TEST(to_hex(wharf::from_json(type, R"({"c": {"$id": 0, "$value": 9}})", {}, {},
                                       defaults)) == "00 01 05 02 01 09");
    BOOST_TEST(refusal([&] {
                   return wharf::from_json(type, R"({"a": null, "c": {"$ref": 0}})", {}, {},
                                           defaults);
               }) == "bad_reference in b: no object before this one has \"$id\": 0");
}

BOOST_AUTO_TEST_CASE(fields_without_a_name_of_their_own_go_by_their_place)
{
    auto made = types.make("class {a: u8, a2: u8, c: u8, d: u8}").types();
    made[0].fields[1].name = "a";
    made[0].fields[2].name = "$id";
    made[0].fields[3].name = "";
    const wharf::schema type(made);
    const std::string json = R"({"#0": 1, "#1": 2, "#2": 3, "#3": 4})";
    BOOST_TEST(wharf::to_json(type, make_bytes({0, 1, 2, 3, 4})) == json);
    BOOST_TEST(to_hex(wharf::from_json(type, json)) == "00 01 02 03 04");
}
