// What no JSON, no message and no schema of a stranger can do; and the words of each refusal.
#include "json_support.hpp"

#include <wharf/detail/near_names.hpp>

using namespace json_support;

namespace {

const schema_notation::definitions types = {
    {"item", "class {name: string, price: f64}"},
    {"order", "class {items: vector<item>, count: u8, tags: map<string, i32>}"},
    {"link", "class {v: u8, next: shared<link>}"},
    {"tree", "class {children: vector<tree>}"},
};

struct row {
    const char* type;
    std::string json;
    std::string refusal;
};

void check(const std::vector<row>& rows)
{
    for (const row& each : rows)
        BOOST_TEST_CONTEXT(each.type << " " << each.json.substr(0, 100))
    BOOST_TEST(refusal([&] { return wharf::from_json(types.make(each.type), each.json); }) ==
               each.refusal);
}

std::string repeat(const std::string& text, int n)
{
    std::string all;
    for (int i = 0; i < n; ++i)
        all += text;
    return all;
}

std::string refusal_of_bytes(const wharf::schema& type, const bytes& message,
                             const wharf::limits& limit = {})
{
    return refusal([&] { return wharf::to_json(type, message, limit); });
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_no_json_is_refused_with_line_and_column)
{
    check({
        {"u8", "", "bad_json line 1, column 1: incomplete JSON"},
        {"u8", "  ", "bad_json line 1, column 3: incomplete JSON"},
        {"u8", "{\n \"a\": 1,\n}", "bad_json line 3, column 1: syntax error"},
        {"u8", "[1, 2", "bad_json line 1, column 6: incomplete JSON"},
        {"u8", "1 2", "bad_json line 1, column 3: extra data"},
        {"u8", "01", "bad_json line 1, column 2: extra data"},
        {"u8", "nul", "bad_json line 1, column 4: incomplete JSON"},
        {"f64", "NaN", "bad_json line 1, column 1: syntax error"},
        {"f64", "1.", "bad_json line 1, column 3: syntax error"},
        {"u8", "/* c */ 1", "bad_json line 1, column 1: syntax error"},
        {"string", "\"\xff\"", "bad_json line 1, column 2: syntax error"},
        {"string", R"("\ud800")", "bad_json line 1, column 8: syntax error"},
        {"string", "\"\n\"", "bad_json line 1, column 2: syntax error"},
        {"u8", repeat("[", 100000), "bad_json line 1, column 515: too deep"},
    });
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_its_path)
{
    check({
        {"order", R"({"items": [{}, {}, {}, {"price": "abc"}]})",
         R"(bad_json in items[3].price: expected a number, "NaN", "Infinity" or "-Infinity", found "abc")"},
        {"order", R"({"items": [{"pirce": 1}]})",
         R"(bad_json in items[0]: unknown key "pirce"; did you mean "price"?)"},
        {"order", R"({"tags": {"a": 1, "b\n": "x"}})",
         R"(bad_json in tags["b\x0a"]: expected a whole number from -2147483648 to 2147483647, found "x")"},
        {"order", R"({"count": 1, "count": 2})", R"(bad_json the key "count" is there twice)"},
        {"order", R"({"tags": {"a": 1, "a": 1}})",
         R"(bad_json in tags["a"]: this key is there twice)"},
        {"order", "[]", "bad_json expected an object, found an array of 0"},
        {"order", R"({"zzzzzz": 1})", R"(bad_json unknown key "zzzzzz")"},
        {"u8", "300", "bad_json expected a whole number from 0 to 255, found 300"},
        {"u8", "-1", "bad_json expected a whole number from 0 to 255, found -1"},
        {"u64", "-1", "bad_json expected a whole number from 0 to 18446744073709551615, found -1"},
        {"u64", "18446744073709551616",
         "bad_json expected a whole number from 0 to 18446744073709551615, found "
         "18446744073709551616"},
        {"i32", "1.5",
         "bad_json expected a whole number from -2147483648 to 2147483647, found 1.5"},
        {"i8", "1e400", "bad_json expected a whole number from -128 to 127, found 1e400"},
        {"i8", "1e-1", "bad_json expected a whole number from -128 to 127, found 1e-1"},
        {"i8", R"("0x1")", R"(bad_json expected a whole number from -128 to 127, found "0x1")"},
        {"i8", R"("")", R"(bad_json expected a whole number from -128 to 127, found "")"},
        {"i8", "true", "bad_json expected a whole number from -128 to 127, found true"},
        {"f32", "1e40", "bad_json expected a number in the range of a real of 4 bytes, found 1e40"},
        {"f64", "1e400",
         "bad_json expected a number in the range of a real of 8 bytes, found 1e400"},
        {"f64", R"("nan")",
         R"(bad_json expected a number, "NaN", "Infinity" or "-Infinity", found "nan")"},
        {"f64", R"~("NaN(0x3ff0000000000000)")~",
         R"~(bad_json expected a number, "NaN", "Infinity" or "-Infinity", found "NaN(0x3ff0000000000000)")~"},
        {"bool", "1", "bad_json expected true or false, found 1"},
        {"string", "null", "bad_json expected a string, found null"},
        {"blob", R"("AQI")", R"(bad_json expected bytes as a string of base64, found "AQI")"},
        {"blob", R"("AR==")", R"(bad_json expected bytes as a string of base64, found "AR==")"},
        {"blob", R"("A===")", R"(bad_json expected bytes as a string of base64, found "A===")"},
        {"blob", R"("AA==AA==")",
         R"(bad_json expected bytes as a string of base64, found "AA==AA==")"},
        {"bytes<2>", R"("AA==")", "bad_json expected 2 bytes as a string of base64, found 1"},
        {"array<3, u8>", "[1, 2]", "bad_json expected an array of 3, found an array of 2"},
        {"pair<u8, u8>", "[1]", "bad_json expected an array of 2, found an array of 1"},
        {"bits", "[true, 1]", "bad_json in [1]: expected true or false, found 1"},
        {"enum<u8, 0, 0, red, green>", R"("gren")",
         R"(bad_json no enumerator "gren"; did you mean "green"?)"},
        {"enum<u8, 0, 0, red, green>", R"("blue")",
         R"(bad_json expected one of "red", "green", found "blue")"},
        {"enum<i32, 0, 3>", "4", "bad_json expected the number of an enumerator, found 4"},
        {"set<u8>", "[1, 2, 1]", "bad_json in [2]: this key is there twice"},
        {"unordered_set<u8>", "[1, 2, 1]", "bad_json in [2]: this key is there twice"},
        {"set<f64>", R"([1, "NaN"])", "not_canonical in [1]: keys are not in order"},
        {"set<f64>", "[0, -0.0]", "bad_json in [1]: this key is there twice"},
        {"map<u8, u8>", "[[1, 2], [3]]",
         "bad_json in [1]: expected a key and its value, [key, value], found an array of 1"},
        {"map<u8, u8>", "{}", "bad_json expected an array of [key, value], found an object"},
        {"optional<optional<u8>>", "5", R"(bad_json expected null or {"value": ...}, found 5)"},
        {"optional<optional<u8>>", R"({"valu": 5})",
         R"(bad_json expected null or {"value": ...}, found an object)"},
        {"variant<u8, bool>", "5",
         R"(bad_json expected an object of one alternative, as {"#0": ...}, found 5)"},
        {"variant<u8, bool>", R"({"#2": 5})", R"(bad_json unknown alternative "#2")"},
        {"variant<u8, bool>", R"({"#1": 5})", "bad_json in #1: expected true or false, found 5"},
        {"nothing", "0", "bad_json expected null, found 0"},
        {"opaque \"it branches\"", "0",
         "bad_json this part cannot be written without its C++ type: it branches"},
    });
}

BOOST_AUTO_TEST_CASE(objects_that_could_not_be_loaded_are_refused)
{
    check({
        {"shared<link>", R"({"$ref": 0})",
         R"(bad_reference no object before this one has "$id": 0)"},
        {"shared<link>", R"({"$id": 1, "next": {"$ref": 1}})", "ownership_cycle in next"},
        {"vector<shared<u8>>", R"([{"$id": 1}, {"$id": 1}])",
         R"(bad_json in [1]: another object has "$id": 1)"},
        {"vector<shared<u8>>", R"([{"$id": 1}, {"$ref": 1, "$value": 2}])",
         R"(bad_json in [1]: an object with "$ref" has no other key)"},
        {"vector<shared<u8>>", R"([{"$id": -1}])",
         R"(bad_json in [0]: expected a number in "$id", found -1)"},
        {"vector<shared<u8>>", R"([{"value": 1}])",
         R"(bad_json in [0]: unknown key "value"; expected "$value")"},
        {"vector<shared<u8>>", R"([{"$value": 1, "$value": 1}])",
         R"(bad_json in [0]: the key "$value" is there twice)"},
        {"vector<shared<u8>>", "[5]", "bad_json in [0]: expected null or an object, found 5"},
        {"vector<shared<link>>", R"([{"$type": "link"}])",
         R"(bad_json in [0]: unknown key "$type")"},
        {"pair<shared<u8>, unique<u8>>", R"([{"$id": 1}, {"$ref": 1}])", "bad_ownership in [1]"},
        {"pair<shared<u8>, shared<bool>>", R"([{"$id": 1}, {"$ref": 1}])", "bad_class in [1]"},
        {"tree", repeat(R"({"children": [)", 40) + repeat("]}", 40),
         "depth_limit in ...[0]" + repeat(".children[0]", 13)},
    });
}

BOOST_AUTO_TEST_CASE(limits_hold_for_text_and_message)
{
    const auto list = types.make("vector<u8>");
    wharf::limits small;
    small.message_bytes_max = 10;
    BOOST_TEST(refusal([&] { return wharf::from_json(list, "[1,2,3,4,5,6,7,8]", small); }) ==
               "accepted");
    BOOST_TEST(refusal([&] {
                   return wharf::from_json(list, "[1,2,3,4,5,6,7,8,9]", small);
               }).starts_with("message_limit"));
    BOOST_TEST(refusal([&] { return wharf::to_json(list, bytes(11), small); }) ==
               "message_limit at byte 0");
    const wharf::json_options options{.json_bytes_max = 12};
    const bytes four = wharf::to_bytes(std::vector<std::uint8_t>(4));
    const bytes five = wharf::to_bytes(std::vector<std::uint8_t>(5));
    BOOST_TEST(wharf::to_json(list, four, {}, options) == "[0, 0, 0, 0]");
    BOOST_TEST(refusal([&] { return wharf::to_json(list, five, {}, options); }) ==
               "memory_limit at byte 7, in [4]: its JSON is longer than json_bytes_max");
    BOOST_TEST(refusal([&] { return wharf::from_json(list, "[0, 0, 0, 0 ]", {}, options); }) ==
               "message_limit the text is longer than json_bytes_max");
    wharf::limits poor;
    poor.memory_base_bytes = 0;
    poor.memory_factor = 1;
    BOOST_TEST(refusal([&] { return wharf::from_json(list, "[1,2,3,4,5,6,7,8]", poor); }) ==
               "memory_limit the text has too many values");
}

BOOST_AUTO_TEST_CASE(a_damaged_schema_is_refused)
{
    using wharf::schema_kind;
    using wharf::schema_type;
    const auto of = [](std::vector<schema_type> all) {
        const wharf::schema type(std::move(all));
        const std::string by_bytes = refusal_of_bytes(type, make_bytes({0, 0}));
        BOOST_TEST(refusal([&] { return wharf::from_json(type, "0"); }) == by_bytes);
        return by_bytes;
    };
    const auto make = [](schema_kind kind, std::vector<std::uint32_t> parts = {}) {
        schema_type type;
        type.kind = kind;
        type.parts = std::move(parts);
        return type;
    };
    const std::string part = "bad_value the schema is damaged: a part that it does not have";
    const std::string lacks = "bad_value the schema is damaged: a type lacks its parts";
    BOOST_TEST(of({make(schema_kind::list, {1})}) == part);
    BOOST_TEST(of({make(schema_kind::list)}) == lacks);
    BOOST_TEST(of({make(schema_kind::map, {0})}) == lacks);
    BOOST_TEST(of({make(schema_kind::pointer)}) == lacks);
    BOOST_TEST(of({make(schema_kind::integer)}) ==
               "bad_value the schema is damaged: a number or character of 0 bytes");
    BOOST_TEST(of({make(static_cast<schema_kind>(200))}) ==
               "bad_value the schema is damaged: it has a kind of a later version");
    BOOST_TEST(of({make(schema_kind::tracked, {0})}) ==
               "bad_value the schema is damaged: a class that is no class");
    schema_type record = make(schema_kind::record);
    record.fields.push_back({"a", 7, false});
    BOOST_TEST(of({record}) == part);
    schema_type pointer = make(schema_kind::pointer, {0});
    pointer.is_polymorphic = true;
    BOOST_TEST(of({pointer}) == "bad_value the schema is damaged: a class that is no class");
}

BOOST_AUTO_TEST_CASE(a_schema_without_an_end_does_not_cost_more_than_the_limits)
{
    using wharf::schema_kind;
    using wharf::schema_type;
    const auto make = [](schema_kind kind, std::vector<std::uint32_t> parts) {
        schema_type type;
        type.kind = kind;
        type.parts = std::move(parts);
        return type;
    };
    // A value that contains itself, without bytes.
    const wharf::schema self({make(schema_kind::tuple, {0, 0})});
    BOOST_TEST(refusal_of_bytes(self, make_bytes({0, 0})).starts_with("depth_limit"));
    BOOST_TEST(refusal([&] { return wharf::from_json(self, "[]"); }) ==
               "bad_json expected an array of 2, found an array of 0");
    const wharf::schema optional({make(schema_kind::optional, {0})});
    bytes ones(100000, std::byte{1});
    ones[0] = std::byte{0};
    BOOST_TEST(refusal_of_bytes(optional, ones).starts_with("depth_limit"));
    schema_type holder;
    holder.kind = schema_kind::record;
    holder.fields.push_back({"a", 1, false});
    const wharf::schema held({holder, make(schema_kind::tuple, {1})});
    BOOST_TEST(refusal([&] { return wharf::from_json(held, "{}"); }).starts_with("depth_limit"));
    // Twice as many values each level, of which none takes a byte.
    std::vector<schema_type> doubling;
    for (std::uint32_t i = 0; i < 60; ++i)
        doubling.push_back(make(schema_kind::tuple, {i + 1, i + 1}));
    doubling.push_back(make(schema_kind::nothing, {}));
    const wharf::schema wide(doubling);
    BOOST_TEST(refusal_of_bytes(wide, make_bytes({0, 0})).starts_with("memory_limit"));
    doubling.insert(doubling.begin(), holder);
    for (std::size_t i = 1; i + 1 < doubling.size(); ++i)
        for (std::uint32_t& part : doubling[i].parts)
            ++part;
    const wharf::schema missing(doubling);
    BOOST_TEST(
        refusal([&] { return wharf::from_json(missing, "{}"); }).starts_with("memory_limit"));
    // Much for few bytes.
    schema_type array = make(schema_kind::array, {2});
    array.count = std::uint64_t{1} << 60;
    const wharf::schema huge({holder, array, make(schema_kind::nothing, {})});
    BOOST_TEST(refusal([&] { return wharf::from_json(huge, "{}"); }).starts_with("me"));
    schema_type fixed = make(schema_kind::fixed_bytes, {});
    fixed.count = ~std::uint64_t{0};
    const wharf::schema large({holder, fixed});
    BOOST_TEST(refusal([&] { return wharf::from_json(large, "{}"); }) == "message_limit in a");
    BOOST_TEST(refusal_of_bytes(large, make_bytes({0, 0})) == "truncated at byte 1, in a");
}

BOOST_AUTO_TEST_CASE(opaque_parts_are_refused_where_they_occur)
{
    const auto type = types.make("class {n: u8, all: vector<opaque \"it branches\">}");
    BOOST_TEST(wharf::to_json(type, make_bytes({0, 1, 0})) == R"({"n": 1, "all": []})");
    BOOST_TEST(refusal_of_bytes(type, make_bytes({0, 1, 1, 7})) ==
               "bad_json at byte 3, in all[0]: this part cannot be read without its C++ type: "
               "it branches");
}

BOOST_AUTO_TEST_CASE(near_names_are_found)
{
    using wharf::detail::find_near_name;
    const std::vector<std::string> names = {"price", "name", "id", "created_at"};
    BOOST_TEST(find_near_name("pirce", names) == "price");
    BOOST_TEST(find_near_name("Price", names) == "price");
    BOOST_TEST(find_near_name("creatd_at", names) == "created_at");
    BOOST_TEST(find_near_name("nme", names) == "name");
    BOOST_TEST(find_near_name("x", names) == "");
    BOOST_TEST(find_near_name("quantity", names) == "");
    BOOST_TEST(find_near_name(std::string(100, 'a'), names) == "");
    BOOST_TEST(find_near_name("", names) == "");
}
