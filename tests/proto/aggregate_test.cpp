// Structs without serialize(): they travel member by member, as if they had one.
#include "archive_support.hpp"
#include "stock.hpp"

#include <boost/serialization/vector.hpp>

#include <cstdint>
#include <memory>

using namespace archive_support;

namespace {

struct point {
    std::int32_t x = 0;
    std::string label;
    bool operator==(const point&) const = default;
};
/// The same with a serialize().
struct point_twin {
    std::int32_t x = 0;
    std::string label;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(x) & BOOST_SERIALIZATION_NVP(label);
    }
};

struct nothing {
    bool operator==(const nothing&) const = default;
};

enum colour { red, green, blue };

template <class Point, class Nothing>
struct everything {
    Point one;
    std::vector<Point> many;
    std::map<std::string, Point> named;
    std::optional<Point> maybe;
    std::array<Point, 2> pair;
    std::int16_t numbers[3] = {1, 2, 3};
    Point nested[2];
    Nothing empty;
    std::vector<Nothing> empties;
    colour shade = green;
    std::variant<int, Point> either;
};
struct nothing_twin {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct everything_twin : everything<point_twin, nothing_twin> {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& one& many& named& maybe& pair& numbers& nested& empty& empties& shade& either;
    }
};

template <class Everything>
void fill(Everything& e)
{
    e.one = {.x = 1, .label = "one"};
    e.many = {{.x = 2, .label = "two"}, {.x = 3, .label = "three"}};
    e.named["k"] = {.x = 4, .label = "four"};
    e.maybe = {.x = 5, .label = "five"};
    e.pair[1].label = "second";
    e.nested[0].label = "nested";
    e.empties.resize(2);
    e.shade = blue;
    e.either = {};
}

struct versioned {
    int a = 0;
};
struct versioned_twin {
    int a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a;
    }
};

// Ways to have a serialize(), each of which wins over the members: it writes one byte.
constexpr std::uint8_t mark = 0x77;
struct with_member {
    int a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        std::uint8_t only = mark;
        ar& only;
    }
};
struct with_private_member {
    int a = 0;

private:
    friend class boost::serialization::access;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        std::uint8_t only = mark;
        ar& only;
    }
};
struct with_friend {
    int a = 0;
    template <class Archive>
    friend void serialize(Archive& ar, with_friend&, const unsigned)
    {
        std::uint8_t only = mark;
        ar& only;
    }
};
struct with_free {
    int a = 0;
};
template <class Archive>
void serialize(Archive& ar, with_free&, const unsigned)
{
    std::uint8_t only = mark;
    ar& only;
}
struct final_with_member final {
    int a = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        std::uint8_t only = mark;
        ar& only;
    }
};
struct final_without final {
    int a = 0;
};
struct with_inherited : with_member {};

struct move_only {
    std::unique_ptr<point> owned;
    std::unique_ptr<int> number;
};
struct shared {
    std::shared_ptr<point> left, right;
};
struct chain {
    int value = 0;
    std::unique_ptr<chain> next;
};
struct tree {
    int value = 0;
    std::vector<tree> children;
};

struct item {
    std::string name;
    std::uint32_t price = 0;
    colour shade = red;
};
struct order {
    std::uint64_t id = 0;
    std::vector<item> items;
    std::map<std::string, item> spare;
};
struct request {
    nothing tag;
    order body;
};

/// What loading these bytes fails with, text and all.
template <class T>
std::string failure_of(const bytes& message)
{
    try {
        (void)wharf::from_bytes<T>(message);
        return "no failure";
    }
    catch (const wharf::error& e) {
        return e.text();
    }
}

} // namespace

BOOST_CLASS_VERSION(versioned, 3)
BOOST_CLASS_VERSION(versioned_twin, 3)

BOOST_AUTO_TEST_SUITE(aggregate)

BOOST_AUTO_TEST_CASE(members_travel_in_order_without_their_names)
{
    const point value{.x = 5, .label = "hi"};
    BOOST_TEST(to_hex(wharf::to_bytes(value)) == "00 05 00 00 00 02 68 69");
    BOOST_TEST((round_trip(value) == value));
    BOOST_TEST(to_hex(wharf::to_bytes(nothing{})) == "00 00");
    BOOST_TEST((round_trip(nothing{}) == nothing{}));
    BOOST_TEST(to_hex(wharf::to_bytes(final_without{.a = 6})) == "00 06 00 00 00");
}

BOOST_AUTO_TEST_CASE(a_struct_has_the_bytes_of_its_twin_with_serialize)
{
    everything<point, nothing> plain;
    everything_twin twin;
    fill(plain);
    fill(twin);
    const bytes image = wharf::to_bytes(plain);
    BOOST_TEST(to_hex(image) == to_hex(wharf::to_bytes(twin)));
    const auto back = round_trip(plain);
    BOOST_TEST((back.many == plain.many && back.named == plain.named && back.maybe == plain.maybe));
    BOOST_TEST(back.numbers == plain.numbers, boost::test_tools::per_element());
    BOOST_TEST((back.nested[0] == plain.nested[0] && back.shade == blue));
    const auto as_twin = wharf::from_bytes<everything_twin>(image);
    BOOST_TEST(to_hex(wharf::to_bytes(as_twin)) == to_hex(image));
}

BOOST_AUTO_TEST_CASE(the_version_of_a_struct_travels_as_that_of_any_class)
{
    const bytes image = wharf::to_bytes(versioned{.a = 1});
    BOOST_TEST(to_hex(image) == "01 01 03 01 00 00 00");
    BOOST_TEST(to_hex(image) == to_hex(wharf::to_bytes(versioned_twin{.a = 1})));
    BOOST_TEST(wharf::from_bytes<versioned>(image).a == 1);
    BOOST_TEST(refusal_of<versioned>({1, 1, 4, 1, 0, 0, 0}) == wharf::errc::newer_version);
}

BOOST_AUTO_TEST_CASE(a_serialize_of_any_kind_wins_over_the_members)
{
    const std::string marked = "00 77";
    BOOST_TEST(to_hex(wharf::to_bytes(with_member{})) == marked);
    BOOST_TEST(to_hex(wharf::to_bytes(with_private_member{})) == marked);
    BOOST_TEST(to_hex(wharf::to_bytes(with_friend{})) == marked);
    BOOST_TEST(to_hex(wharf::to_bytes(with_free{})) == marked);
    BOOST_TEST(to_hex(wharf::to_bytes(final_with_member{})) == marked);
    BOOST_TEST(to_hex(wharf::to_bytes(with_inherited{})) == marked);
    BOOST_TEST(wharf::from_bytes<with_friend>(make_bytes({0, mark})).a == 0);
}

BOOST_AUTO_TEST_CASE(a_local_struct_travels)
{
    struct local {
        std::int8_t a = 0;
        struct {
            std::int8_t inner = 2;
        } unnamed;
    };
    local value;
    value.a = 1;
    BOOST_TEST(to_hex(wharf::to_bytes(value)) == "00 01 02");
    BOOST_TEST(round_trip(value).a == 1);
}

BOOST_AUTO_TEST_CASE(members_may_be_pointers_that_own)
{
    move_only value{.owned = std::make_unique<point>(point{.x = 9, .label = "o"}), .number = {}};
    const bytes image = wharf::to_bytes(value);
    BOOST_TEST(to_hex(image) == "00 01 09 00 00 00 01 6f 00");
    const auto back = wharf::from_bytes<move_only>(image);
    BOOST_TEST((*back.owned == *value.owned && back.number == nullptr));

    const auto one = std::make_shared<point>();
    const shared two{.left = one, .right = one};
    BOOST_TEST(to_hex(wharf::to_bytes(two)) == "00 01 00 00 00 00 00 02");
    const auto loaded = wharf::from_bytes<shared>(wharf::to_bytes(two));
    BOOST_TEST((loaded.left == loaded.right && loaded.left.use_count() == 2));

    chain head{.value = 1, .next = std::make_unique<chain>()};
    head.next->value = 2;
    BOOST_TEST(wharf::from_bytes<chain>(wharf::to_bytes(head)).next->value == 2);
}

BOOST_AUTO_TEST_CASE(the_example_of_a_command_without_serialize)
{
    static_assert(wharf::command<find_parts>);
    const find_parts question{.pattern = "M8", .limit = 2};
    BOOST_TEST(to_hex(wharf::to_bytes(question)) == "00 02 4d 38 02 00 00 00");
    const wharf::reply_t<find_parts> answer{{.number = "M8x20", .kind = washer, .in_stock = 7}};
    BOOST_TEST(round_trip(answer).at(0).in_stock == 7);
}

BOOST_AUTO_TEST_CASE(structs_nest_as_deep_as_classes_may)
{
    tree root;
    root.children.resize(1);
    root.children[0].children.resize(1);
    const bytes image = wharf::to_bytes(root);
    wharf::limits limit;
    limit.depth_max = 3;
    BOOST_TEST(refusal_of<tree>(image, limit) == wharf::errc{});
    limit.depth_max = 2;
    BOOST_TEST(refusal_of<tree>(image, limit) == wharf::errc::depth_limit);
    wharf::byte_buffer out;
    wharf::store_archive archive(out, limit);
    BOOST_CHECK_EXCEPTION(archive << root, wharf::error, [](const wharf::error& e) {
        return e.code() == wharf::errc::depth_limit;
    });
}

BOOST_AUTO_TEST_CASE(an_error_names_the_members_that_led_to_it)
{
    // Row 68: the path of an error, of names that nobody wrote down.
    request value;
    value.body.items = {{.name = "a"}, {.name = "b", .price = 7, .shade = blue}};
    bytes image = wharf::to_bytes(value);
    // Prelude, id and count, the first item, then name and price of the second.
    const std::size_t shade = 1 + 8 + 1 + (2 + 4 + 4) + (2 + 4);
    BOOST_REQUIRE(image[shade] == std::byte{blue});
    image[shade] = std::byte{9};
    BOOST_TEST(failure_of<request>(image).find("in body.items[1].shade") != std::string::npos,
               failure_of<request>(image));
    image.resize(shade - 1);
    BOOST_TEST(failure_of<request>(image).find("in body.items[1].price") != std::string::npos,
               failure_of<request>(image));
}

BOOST_AUTO_TEST_CASE(the_members_of_a_struct_can_be_visited)
{
    point value{.x = 1, .label = "l"};
    std::string seen;
    wharf::for_each_field(value, [&seen]<class Field>(std::string_view name, Field& field) {
        seen += name;
        if constexpr (std::is_same_v<Field, std::string>)
            field += "abel";
        else
            field = 2;
    });
    BOOST_TEST(seen == "xlabel");
    BOOST_TEST((value == point{.x = 2, .label = "label"}));
    wharf::for_each_field(std::as_const(value), []<class Field>(std::string_view, Field&) {
        static_assert(std::is_const_v<Field>);
    });
}

BOOST_AUTO_TEST_SUITE_END()
