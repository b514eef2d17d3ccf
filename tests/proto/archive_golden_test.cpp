// The layout of a message is for ever: stored values have exactly the bytes of
// tests/golden/archive.
#include "archive_attacks.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace archive_support;
using namespace archive_types;

namespace {

/// The lines "name: hex bytes" of a file; '#' begins a comment line.
std::map<std::string, std::string> read_golden(const std::string& file)
{
    std::ifstream in(std::string(WHARF_GOLDEN_DIR "/archive/") + file);
    BOOST_REQUIRE_MESSAGE(in, "cannot read " + file);
    std::map<std::string, std::string> all;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#')
            continue;
        const auto colon = line.find(": ");
        BOOST_REQUIRE_MESSAGE(colon != line.npos, line);
        BOOST_TEST(all.emplace(line.substr(0, colon), line.substr(colon + 2)).second, line);
    }
    return all;
}

bytes from_hex(const std::string& text)
{
    bytes all;
    std::istringstream in(text);
    for (unsigned value = 0; in >> std::hex >> value;)
        all.push_back(static_cast<std::byte>(value));
    return all;
}

/// The rows of one file; each must be checked, and nothing else.
class golden {
public:
    explicit golden(const std::string& file) : rows_(read_golden(file)) {}
    ~golden()
    {
        for (const auto& [name, hex] : rows_)
            BOOST_ERROR("no value for the golden row " + name);
    }

    template <class T>
    void check(const std::string& name, const T& value)
    {
        BOOST_TEST_CONTEXT(name)
        {
            const auto row = rows_.extract(name);
            BOOST_TEST(to_hex(wharf::to_bytes(value)) == (row.empty() ? "" : row.mapped()));
            if (!row.empty()) {
                const T back = wharf::from_bytes<T>(from_hex(row.mapped()));
                BOOST_TEST((back == value));
            }
        }
    }

private:
    std::map<std::string, std::string> rows_;
};

struct outer {
    member first;
    archive_attacks::versioned second;
    bool operator==(const outer&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& first& second;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(archive_golden)

BOOST_AUTO_TEST_CASE(numbers_have_their_golden_bytes)
{
    golden rows("numbers.txt");
    rows.check("false", false);
    rows.check("true", true);
    rows.check("int8 -1", std::int8_t{-1});
    rows.check("uint8 200", std::uint8_t{200});
    rows.check("char x", 'x');
    rows.check("char8", u8'x');
    rows.check("int16 -2", std::int16_t{-2});
    rows.check("uint16 0x1234", std::uint16_t{0x1234});
    rows.check("char16", u'\u263a');
    rows.check("int32 -3", std::int32_t{-3});
    rows.check("uint32 0x12345678", std::uint32_t{0x12345678});
    rows.check("char32", U'\U0001f600');
    rows.check("wchar", L'\u263a');
    rows.check("int64 -4", std::int64_t{-4});
    rows.check("uint64", std::uint64_t{0x0102030405060708});
    rows.check("long -5", -5L);
    rows.check("unsigned long", 0x0102030405060708UL);
    rows.check("long long", -6LL);
    rows.check("int128 -7", wharf::detail::int128{-7});
    rows.check("uint128", wharf::detail::uint128{8} << 64);
    rows.check("float 1.5", 1.5f);
    rows.check("double -2.5", -2.5);
    rows.check("long double 1", 1.0L);
    rows.check("long double -0", -0.0L);
    rows.check("long double 2^-16445", 0x1p-16445L);
    rows.check("long double 1+2^-63", 1.0L + 0x1p-63L);
    rows.check("enum of uint8", fixed::f);
    rows.check("enum of uint64", wide::big);
    rows.check("enum of bool", truth::yes);
    rows.check("enum without a type", blue);
    rows.check("enum with negatives", low);
}

BOOST_AUTO_TEST_CASE(strings_and_containers_have_their_golden_bytes)
{
    golden rows("containers.txt");
    rows.check("empty string", std::string());
    rows.check("string", std::string("ab"));
    rows.check("string of 128", std::string(128, 'z'));
    rows.check("u16string", std::u16string(u"a\u263a"));
    rows.check("wstring", std::wstring(L"w"));
    rows.check("vector of uint16", std::vector<std::uint16_t>{1, 2});
    rows.check("vector of string", std::vector<std::string>{"a", ""});
    rows.check("vector of bool", std::vector<bool>{1, 0, 1, 1, 0, 0, 0, 1, 1});
    rows.check("vector of empty classes", std::vector<empty>(2));
    rows.check("deque", std::deque<std::uint8_t>{1, 2});
    rows.check("list of bool", std::list<bool>{true, false});
    rows.check("forward_list", std::forward_list<std::uint8_t>{1, 2});
    rows.check("set", std::set<std::uint8_t>{3, 1});
    rows.check("multiset", std::multiset<std::uint8_t>{1, 1});
    rows.check("map", std::map<std::string, std::uint8_t>{{"b", 2}, {"a", 1}});
    rows.check("multimap", std::multimap<std::uint8_t, std::uint8_t>{{1, 3}, {1, 2}});
    rows.check("unordered_set", std::unordered_set<std::uint8_t>{7});
    rows.check("unordered_map", std::unordered_map<std::uint8_t, std::string>{{7, "x"}});
    rows.check("std::array", std::array<std::uint8_t, 3>{1, 2, 3});
}

BOOST_AUTO_TEST_CASE(vocabulary_types_have_their_golden_bytes)
{
    golden rows("vocabulary.txt");
    using choice = std::variant<std::monostate, std::uint8_t, std::string>;
    rows.check("optional, none", std::optional<std::uint8_t>());
    rows.check("optional, one", std::optional<std::uint8_t>(5));
    rows.check("variant, monostate", choice());
    rows.check("variant, number", choice(std::uint8_t{5}));
    rows.check("variant, string", choice("v"));
    rows.check("monostate", std::monostate());
    rows.check("pair", std::pair<std::uint8_t, std::string>{1, "p"});
    rows.check("tuple", std::tuple<std::uint8_t, bool>{1, true});
    rows.check("duration", std::chrono::milliseconds(5));
    rows.check("duration of double", std::chrono::duration<double>(1.5));
    rows.check("time_point", std::chrono::system_clock::time_point(std::chrono::nanoseconds(7)));
}

BOOST_AUTO_TEST_CASE(classes_have_their_golden_bytes)
{
    golden rows("classes.txt");
    rows.check("class", member{1, "m"});
    rows.check("class without members", empty{});
    derived d;
    d.a = 1;
    d.b = "m";
    d.c = 1.5;
    rows.check("class with a base", d);
    rows.check("arrays, binary object, array wrapper", arrays{});
    rows.check("split class", split{4});
    tree t;
    t.value = 1;
    t.children.resize(2);
    rows.check("tree", t);
    rows.check("class at version 2", archive_attacks::versioned{1, 2});
    rows.check("two classes, one at version 2", std::vector<outer>{{{1, "m"}, {2, 3}}});
}

BOOST_AUTO_TEST_SUITE_END()
