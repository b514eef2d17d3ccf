// The layout of strings and containers is for ever: tests/golden/archive/containers.txt.
#include "archive_golden.hpp"
#include "archive_golden_types.hpp"
#include "archive_types.hpp"

#include <wharf/utf8.hpp>

#include <filesystem>
#include <valarray>

using namespace archive_golden;
using namespace archive_types;

namespace {

template <std::size_t N, class T>
struct array_holder {
    T all[N] = {};
    bool operator==(const array_holder&) const = default;
    GOLDEN_MEMBERS(all)
};

} // namespace

BOOST_AUTO_TEST_SUITE(archive_golden_containers)

BOOST_AUTO_TEST_CASE(strings_and_containers_have_their_golden_bytes)
{
    rows golden("containers.txt");
    golden.check("empty string", std::string());
    golden.check("string", std::string("ab"));
    golden.check("string of 128", std::string(128, 'z'));
    golden.check("u16string", std::u16string(u"a\u263a"));
    golden.check("wstring", std::wstring(L"w"));
    golden.check("vector of uint16", std::vector<std::uint16_t>{1, 2});
    golden.check("vector of string", std::vector<std::string>{"a", ""});
    golden.check("vector of bool", std::vector<bool>{1, 0, 1, 1, 0, 0, 0, 1, 1});
    golden.check("vector of empty classes", std::vector<empty>(2));
    golden.check("deque", std::deque<std::uint8_t>{1, 2});
    golden.check("list of bool", std::list<bool>{true, false});
    golden.check("forward_list", std::forward_list<std::uint8_t>{1, 2});
    golden.check("set", std::set<std::uint8_t>{3, 1});
    golden.check("multiset", std::multiset<std::uint8_t>{1, 1});
    golden.check("map", std::map<std::string, std::uint8_t>{{"b", 2}, {"a", 1}});
    golden.check("multimap", std::multimap<std::uint8_t, std::uint8_t>{{1, 3}, {1, 2}});
    golden.check("unordered_set", std::unordered_set<std::uint8_t>{7});
    golden.check("unordered_map", std::unordered_map<std::uint8_t, std::string>{{7, "x"}});
    golden.check("std::array", std::array<std::uint8_t, 3>{1, 2, 3});
    golden.check("string that is not UTF-8", std::string("a\xff\0", 3));
    golden.check("utf8", wharf::utf8("\u263a"));
    golden.check("utf8 of four bytes, and NUL", wharf::utf8(std::string("\U0001f600\0", 5)));
    golden.check("u8string", std::u8string(u8"\u263a"));
    golden.check("u32string", std::u32string(U"\U0001f600"));
    golden.check("path", std::filesystem::path("/tmp/a"));
    golden.check("valarray", std::valarray<float>{1.5f, 2.0f}, [](const auto& back) {
        return back.size() == 2 && back[0] == 1.5f && back[1] == 2.0f;
    });
    golden.check("vector of double", std::vector<double>{1.5, -2.5});
    golden.check("vector of long double", std::vector<long double>{1.0L});
    golden.check("vector of long", std::vector<long>{1, -2});
#ifdef __SIZEOF_INT128__
    golden.check("vector of int128", std::vector<wharf::detail::int128>{-7});
#else
    golden.take("vector of int128");
#endif
    golden.check("vector of enum", std::vector<fixed>{f, f});
    golden.check("vector of vectors", std::vector<std::vector<std::uint8_t>>{{5}, {}, {6, 7}});
    golden.check("vector of bool, eight", std::vector<bool>(8, true));
    golden.check("set of strings, as unsigned bytes", std::set<std::string>{"\x80", "a"});
    golden.check("unordered_multiset", std::unordered_multiset<std::uint8_t>{5, 5});
    golden.check("unordered_multimap", std::unordered_multimap<std::uint8_t, std::uint8_t>{{5, 6}});
    golden.check("set of classes without members", std::set<nothing>{{}});
    golden.check("map to classes without members",
                 std::map<std::uint8_t, nothing>{{1, {}}, {2, {}}});
    golden.check("C array", array_holder<2, std::uint16_t>{{1, 2}});
    golden.check("array of classes without members", std::array<nothing, 2>());
}

BOOST_AUTO_TEST_SUITE_END()
