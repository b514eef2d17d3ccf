// Errors of the archives say in which field, at which byte and why, and are Boost's exceptions too.
#include "archive_support.hpp"
#include "archive_types.hpp"

#include <new>
#include <stdexcept>

using namespace archive_support;
using wharf::archive_error;
using wharf::errc;
using codes = boost::archive::archive_exception;

namespace {

enum class trouble : std::uint8_t { none, throws, no_memory, own_error, not_an_exception };

struct item {
    double price = 0;
    bool is_paid = false;
    archive_types::plain colour{};
    std::string name;
    std::set<std::string> tags;
    trouble does = trouble::none;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(price) & BOOST_SERIALIZATION_NVP(is_paid);
        ar& BOOST_SERIALIZATION_NVP(colour) & BOOST_SERIALIZATION_NVP(name);
        ar& BOOST_SERIALIZATION_NVP(tags) & BOOST_SERIALIZATION_NVP(does);
        if (Archive::is_saving::value)
            return;
        switch (does) {
        case trouble::none: return;
        case trouble::throws: throw std::runtime_error("the item is sold out");
        case trouble::no_memory: throw std::bad_alloc();
        case trouble::own_error:
            throw wharf::error(errc::overloaded, "try later", std::chrono::milliseconds(5));
        case trouble::not_an_exception: throw 5;
        }
    }
};

struct purchase {
    std::int32_t id = 0;
    std::vector<item> items;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(items);
    }
};

/// Its message: prelude, id, count 4, and items of 8 + 1 + 1 (colour: 4 bytes) ... from byte 6 on.
purchase four_items(trouble last = trouble::none)
{
    purchase order;
    order.items.resize(4);
    for (item& i : order.items)
        i.tags = {"a", "b"};
    order.items[3].does = last;
    return order;
}

template <class T>
bytes named(const char* name, const T& value)
{
    return wharf::to_bytes(boost::serialization::make_nvp(name, value));
}

template <class T>
archive_error failure_of(const char* name, std::span<const std::byte> message,
                         const wharf::limits& limit = {})
{
    T value{};
    auto field = boost::serialization::make_nvp(name, value);
    try {
        wharf::load_archive archive(message, limit);
        archive >> field;
        archive.finish();
    }
    catch (const archive_error& e) {
        return e;
    }
    BOOST_FAIL("the load succeeded");
    return archive_error(errc{});
}

template <class T>
std::string path_of(const T& value, std::size_t left)
{
    bytes image = named("v", value);
    image.resize(left);
    return failure_of<T>("v", image).path();
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_path)

BOOST_AUTO_TEST_CASE(row_68_each_cause_has_its_field_its_byte_and_its_code)
{
    // row 68: the paths, for every cause that bytes can give.
    const purchase order = four_items();
    const bytes image = named("order", order);
    const std::size_t item_bytes = 8 + 1 + 4 + 1 + 5 + 1;
    const std::size_t item_3 = 6 + 3 * item_bytes;
    BOOST_REQUIRE(image.size() == item_3 + item_bytes);
    struct cause {
        std::size_t at;
        int byte; ///< -1: the message ends there
        errc code;
        codes::exception_code archive_code;
        std::string path;
        std::size_t offset;
    };
    const cause causes[] = {
        {item_3 + 2, -1, errc::truncated, codes::input_stream_error, "order.items[3].price",
         item_3},
        {item_3 + 8, 2, errc::bad_bool, codes::other_exception, "order.items[3].is_paid",
         item_3 + 8},
        {item_3 + 9, 9, errc::bad_enum, codes::other_exception, "order.items[3].colour",
         item_3 + 9},
        {item_3 + 13, 99, errc::bad_length, codes::array_size_too_short, "order.items[3].name",
         item_3 + 14},
        {item_3 + 16, 'z', errc::not_canonical, codes::other_exception, "order.items[3].tags[1]",
         item_3 + 19},
        {5, 99, errc::bad_length, codes::array_size_too_short, "order.items", 6},
        {3, -1, errc::truncated, codes::input_stream_error, "order.id", 1},
        {0, 7, errc::bad_prelude, codes::invalid_signature, "", 0},
        {item_3 - 1, 1, errc::refused_by_type, codes::other_exception, "order.items[2]", item_3},
    };
    for (const cause& c : causes) {
        bytes changed = image;
        if (c.byte < 0)
            changed.resize(c.at);
        else
            changed[c.at] = static_cast<std::byte>(c.byte);
        const archive_error e = failure_of<purchase>("order", changed);
        BOOST_TEST(e.code() == c.code);
        BOOST_TEST(e.boost::archive::archive_exception::code == c.archive_code);
        BOOST_TEST(e.path() == c.path);
        BOOST_TEST(e.offset() == c.offset);
        std::string place = "at byte " + std::to_string(c.offset);
        if (!c.path.empty())
            place += ", in " + c.path;
        BOOST_TEST(e.text().starts_with(place));
        BOOST_TEST(
            std::string(e.what()).starts_with(std::string(to_sentence(c.code)) + ": " + place));
    }
    wharf::limits tight;
    tight.depth_max = 1;
    BOOST_TEST(failure_of<purchase>("order", image, tight).path() == "order.items[0]");
    tight = {};
    tight.memory_base_bytes = 100;
    tight.memory_factor = 0;
    BOOST_TEST(failure_of<purchase>("order", image, tight).path() == "order.items");
    bytes longer = image;
    longer.push_back(std::byte{0});
    const archive_error rest = failure_of<purchase>("order", longer);
    BOOST_TEST(rest.code() == errc::trailing_data);
    BOOST_TEST(rest.offset() == image.size());
    BOOST_TEST(rest.path() == "");
}

BOOST_AUTO_TEST_CASE(what_a_type_throws_has_the_place_too)
{
    const std::pair<trouble, std::string> troubles[] = {
        {trouble::throws, ": the item is sold out"},
        {trouble::no_memory, ": no memory"},
        {trouble::own_error, ": try later"},
        {trouble::not_an_exception, ""},
    };
    for (const auto& [does, why] : troubles) {
        const bytes image = named("order", four_items(does));
        const archive_error e = failure_of<purchase>("order", image);
        BOOST_TEST(e.code() == (does == trouble::no_memory   ? errc::memory_limit
                                : does == trouble::own_error ? errc::overloaded
                                                             : errc::refused_by_type));
        BOOST_TEST(e.retry_after().count() == (does == trouble::own_error ? 5 : 0));
        BOOST_TEST(e.text() ==
                   "at byte " + std::to_string(image.size()) + ", in order.items[3]" + why);
    }
}

BOOST_AUTO_TEST_CASE(each_base_catches_it_and_says_the_same)
{
    const bytes image = make_bytes({0, 1});
    std::string texts[4];
    try {
        (void)wharf::from_bytes<int>(image);
    }
    catch (const boost::archive::archive_exception& e) {
        texts[0] = e.what();
        BOOST_TEST(e.code == codes::input_stream_error);
    }
    try {
        (void)wharf::from_bytes<int>(image);
    }
    catch (const wharf::error& e) {
        texts[1] = e.what();
        BOOST_TEST(e.code() == errc::truncated);
    }
    try {
        (void)wharf::from_bytes<int>(image);
    }
    catch (const std::exception& e) {
        texts[2] = e.what();
    }
    texts[3] = "the bytes end inside a value: at byte 1";
    for (const std::string& text : texts)
        BOOST_TEST(text == texts[3]);
}

BOOST_AUTO_TEST_CASE(codes_of_boost_are_the_nearest_ones)
{
    const std::pair<errc, codes::exception_code> table[] = {
        {errc::truncated, codes::input_stream_error},
        {errc::bad_length, codes::array_size_too_short},
        {errc::bad_prelude, codes::invalid_signature},
        {errc::bad_class, codes::unregistered_class},
        {errc::unregistered_class, codes::unregistered_class},
        {errc::newer_version, codes::unsupported_class_version},
        {errc::pointer_conflict, codes::pointer_conflict},
        {errc::bad_varint, codes::other_exception},
        {errc::not_canonical, codes::other_exception},
        {errc::bad_bool, codes::other_exception},
        {errc::bad_enum, codes::other_exception},
        {errc::bad_value, codes::other_exception},
        {errc::trailing_data, codes::other_exception},
        {errc::memory_limit, codes::other_exception},
        {errc::depth_limit, codes::other_exception},
        {errc::refused_by_type, codes::other_exception},
        {errc::ownership_cycle, codes::other_exception},
    };
    for (const auto& [code, expected] : table) {
        BOOST_TEST_CONTEXT(to_name(code))
        {
            BOOST_TEST(wharf::to_archive_code(code) == expected);
            BOOST_TEST(archive_error(code).boost::archive::archive_exception::code == expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(members_without_names_have_their_place)
{
    using archive_types::tree;
    tree root{1, {{2, {}}, {3, {{4, {}}}}}};
    // Prelude, 1, count 2, 2, count 0, 3, count 1, 4, count 0.
    BOOST_TEST(path_of(root, 3) == "v._0");
    BOOST_TEST(path_of(root, 5) == "v._1");
    BOOST_TEST(path_of(root, 8) == "v._1[0]._0");
    BOOST_TEST(path_of(root, 17) == "v._1[1]._1[0]._0");
    BOOST_TEST(path_of(root, 20) == "v._1[1]._1[0]._1");
}

BOOST_AUTO_TEST_CASE(every_kind_of_container_names_its_element)
{
    using strings = std::vector<std::string>;
    BOOST_TEST(path_of(strings{"a", "bc"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::list<std::string>{"a", "bc"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::forward_list<std::string>{"a", "bc"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::deque<std::string>{"a", "bc"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::set<std::string>{"a", "bc"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::vector<std::vector<bool>>{{true}, {false}}, 4) == "v[1]");
    BOOST_TEST(path_of(std::array<std::string, 2>{"a", "b"}, 5) == "v[1]");
    BOOST_TEST(path_of(std::optional<strings>{{"a", "b"}}, 6) == "v[1]");
    BOOST_TEST(path_of(std::variant<int, strings>{strings{"a", "b"}}, 6) == "v[1]");
    BOOST_TEST(path_of(std::pair<int, int>{}, 3) == "v.first");
    BOOST_TEST(path_of(std::pair<int, int>{}, 7) == "v.second");
    BOOST_TEST(path_of(std::tuple<int, bool, int>{}, 8) == "v[2]");
    BOOST_TEST(path_of(std::make_shared<strings>(strings{"a", "b"}), 6) == "v[1]");
}

BOOST_AUTO_TEST_CASE(values_of_maps_go_by_key)
{
    BOOST_TEST((path_of(std::map<std::string, int>{{"one", 1}, {"two", 2}}, 16) == "v[\"two\"]"));
    BOOST_TEST((path_of(std::map<std::int64_t, std::string>{{-7, "abc"}}, 12) == "v[-7]"));
    BOOST_TEST((path_of(std::unordered_map<std::uint64_t, std::string>{{~0ull, "abc"}}, 12) ==
                "v[18446744073709551615]"));
    // While the key itself is loaded, and where a key has no words: the index.
    BOOST_TEST((path_of(std::map<std::string, int>{{"one", 1}, {"two", 2}}, 12) == "v[1]"));
    BOOST_TEST(
        (path_of(std::map<std::pair<int, int>, std::string>{{{1, 2}, "abc"}}, 12) == "v[0]"));
}

BOOST_AUTO_TEST_CASE(text_of_the_peer_is_escaped_and_cut)
{
    using map = std::map<std::string, int>;
    const std::string hostile = "\x1b[2J\"\\\n\xff";
    BOOST_TEST((path_of(map{{hostile, 1}}, 12) == R"(v["\x1b[2J\x22\x5c\x0a\xff"])"));
    const bytes image = named("v", map{{std::string(200, 'k'), 1}});
    const archive_error e = failure_of<map>("v", std::span(image).first(image.size() - 1));
    BOOST_TEST(e.path() == "v[\"" + std::string(32, 'k') + "...\"]");
}

BOOST_AUTO_TEST_CASE(a_message_of_any_depth_stays_short)
{
    // As many levels of "._1[0]" as may be: the outer ones give way.
    const auto deepest = static_cast<int>(wharf::limits{}.depth_max);
    archive_types::tree root = archive_types::make_branch(deepest);
    bytes image = named(std::string(500, 'n').c_str(), root);
    image.pop_back();
    const archive_error e = failure_of<archive_types::tree>("root", image);
    BOOST_TEST(e.path().starts_with("..."));
    BOOST_TEST(e.path().ends_with("._1[0]._1"));
    BOOST_TEST(e.path().size() <= 163u);
    BOOST_TEST(std::string(e.what()).size() < 300u);
    // What a type says is cut as well.
    struct talks {
        void serialize(wharf::load_archive&, unsigned)
        {
            throw std::runtime_error(std::string(5000, 'x'));
        }
    };
    const archive_error long_text = failure_of<talks>("t", make_bytes({0, 0}));
    BOOST_TEST(std::string(long_text.what()).size() < 300u);
}

namespace {
/// Recovers from a failure of its own, and then may fail otherwise.
struct forgiving {
    std::vector<std::string> texts;
    bool is_lost = false;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        try {
            ar& BOOST_SERIALIZATION_NVP(texts);
        }
        catch (const wharf::error&) {
            ar& BOOST_SERIALIZATION_NVP(is_lost);
            throw std::runtime_error("lost");
        }
    }
};
/// Holds the message of another archive.
struct envelope {
    std::vector<std::byte> content;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(content);
        if (Archive::is_loading::value) {
            std::vector<bool> bits;
            auto named_bits = boost::serialization::make_nvp("bits", bits);
            wharf::load_archive inner(content);
            inner >> named_bits;
        }
    }
};
} // namespace

BOOST_AUTO_TEST_CASE(a_failure_that_was_caught_leaves_nothing_in_the_next_path)
{
    // texts: count 1, a length that is too long; is_lost: the byte 1.
    const archive_error e = failure_of<forgiving>("v", make_bytes({0, 1, 9, 1}));
    BOOST_TEST(e.code() == errc::refused_by_type);
    BOOST_TEST(e.path() == "v");
}

BOOST_AUTO_TEST_CASE(an_archive_within_an_archive_keeps_its_own_place)
{
    const archive_error e = failure_of<envelope>("v", make_bytes({0, 2, 0, 9}));
    BOOST_TEST(e.code() == errc::bad_length);
    BOOST_TEST(e.path() == "bits");
    BOOST_TEST(e.offset() == 2u);
    BOOST_TEST(failure_of<envelope>("v", make_bytes({0, 2, 0})).path() == "v.content");
}

BOOST_AUTO_TEST_CASE(a_store_that_fails_names_the_field)
{
    struct deep {
        archive_types::tree branch;
        void serialize(wharf::store_archive& ar, unsigned) { ar& BOOST_SERIALIZATION_NVP(branch); }
    };
    const deep value{archive_types::make_branch(70)};
    wharf::limits shallow;
    shallow.depth_max = 3;
    wharf::byte_buffer out;
    wharf::store_archive archive(out, shallow);
    try {
        archive << boost::serialization::make_nvp("value", value);
        BOOST_FAIL("stored");
    }
    catch (const archive_error& e) {
        BOOST_TEST(e.code() == errc::depth_limit);
        BOOST_TEST(e.path() == "value.branch._1[0]._1[0]");
        BOOST_TEST(e.offset() != archive_error::no_offset);
    }
    // The type's own exceptions leave a store as they are.
    struct refuses {
        void serialize(wharf::store_archive&, unsigned) { throw std::out_of_range("no"); }
    };
    BOOST_CHECK_THROW(archive << refuses(), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(parts_that_are_not_known_are_absent)
{
    BOOST_TEST(archive_error(errc::bad_bool).text() == "");
    BOOST_TEST(archive_error(errc::bad_bool).what() == std::string(to_sentence(errc::bad_bool)));
    BOOST_TEST(archive_error(errc::bad_bool, 7).text() == "at byte 7");
    BOOST_TEST(archive_error(errc::bad_bool, 7, "a.b").text() == "at byte 7, in a.b");
    BOOST_TEST(archive_error(errc::bad_bool, 7, "a.b", "why").text() == "at byte 7, in a.b: why");
    BOOST_TEST(archive_error(errc::bad_bool, 7, "", "why").text() == "at byte 7: why");
    BOOST_TEST(archive_error(errc::bad_bool, archive_error::no_offset, "a", "why").text() ==
               "in a: why");
}

BOOST_AUTO_TEST_SUITE_END()
