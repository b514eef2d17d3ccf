// What a stored object can be read as: older versions of its type, but no other type.
#include <wharf/stored_objects.hpp>

#include <boost/test/unit_test.hpp>

namespace objects = wharf::objects;
using wharf::errc;

namespace {

#define MEMBERS(...)                                                                               \
    template <class Archive>                                                                       \
    void serialize(Archive& ar, unsigned version)                                                  \
    {                                                                                              \
        (void)version;                                                                             \
        __VA_ARGS__                                                                                \
    }

/// An item as three programs have it, one after the other.
struct first_item {
    std::int32_t id = 1;
    std::string text = "x";
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(text);)
};
struct second_item {
    std::int32_t id = 1;
    std::string text = "x";
    double weight = 0.5;
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(text);
            if (version > 0) ar & BOOST_SERIALIZATION_NVP(weight);)
};
struct third_item {
    std::int32_t id = 1;
    std::string text = "x";
    double weight = 0.5;
    bool sold = false;
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(text);
            if (version > 0) ar & BOOST_SERIALIZATION_NVP(weight);
            if (version > 1) ar & BOOST_SERIALIZATION_NVP(sold);)
};
/// All of the same bytes as a first_item.
struct renamed_item {
    std::int32_t id = 1;
    std::string title = "x";
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(title);)
};
struct other_class {
    std::int32_t hour = 1;
    std::string zone = "x";
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(hour) & BOOST_SERIALIZATION_NVP(zone);)
};
struct point {
    std::int32_t x = 1, y = 2, z = 3;
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(x) & BOOST_SERIALIZATION_NVP(y) &
                BOOST_SERIALIZATION_NVP(z);)
};
struct turned_point {
    std::int32_t x = 1, y = 2, z = 3;
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(x) & BOOST_SERIALIZATION_NVP(z) &
                BOOST_SERIALIZATION_NVP(y);)
};
template <class Item>
struct order {
    std::string customer = "c";
    std::vector<Item> items{Item()};
    MEMBERS(ar& BOOST_SERIALIZATION_NVP(customer) & BOOST_SERIALIZATION_NVP(items);)
};

template <class T>
objects::object stored()
{
    objects::put made = objects::make_put("k", T());
    return {std::move(made.value), 1, made.fingerprint};
}

/// What reading says, without and with the schema; "" twice where it is read.
struct verdicts {
    errc plain{}, with_schema{};
    std::string plain_text, schema_text;
};
template <class Written, class Read>
verdicts read_as()
{
    verdicts result;
    const objects::object from = stored<Written>();
    try {
        objects::value_as<Read>(from);
    }
    catch (const wharf::error& e) {
        result.plain = e.code();
        result.plain_text = e.what();
    }
    try {
        objects::value_as<Read>(from, wharf::schema_of<Written>());
    }
    catch (const wharf::error& e) {
        result.with_schema = e.code();
        result.schema_text = e.what();
    }
    return result;
}
template <class Written, class Read>
void check(errc plain, errc with_schema, std::string_view words = "")
{
    const verdicts v = read_as<Written, Read>();
    BOOST_TEST((v.plain == plain), v.plain_text);
    BOOST_TEST((v.with_schema == with_schema), v.schema_text);
    BOOST_TEST(v.schema_text.find(words) != std::string::npos, v.schema_text);
}

} // namespace

BOOST_CLASS_VERSION(second_item, 1)
BOOST_CLASS_VERSION(third_item, 2)

BOOST_AUTO_TEST_SUITE(stored_types)

BOOST_AUTO_TEST_CASE(an_older_version_is_read_also_within_others)
{
    constexpr errc ok{};
    check<first_item, first_item>(ok, ok);
    check<first_item, second_item>(ok, ok);
    check<first_item, third_item>(ok, ok);
    check<second_item, third_item>(ok, ok);
    check<order<first_item>, order<third_item>>(ok, ok);
    check<std::vector<second_item>, std::vector<third_item>>(ok, ok);
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_refused_by_name_and_both_numbers)
{
    check<third_item, second_item>(errc::newer_version, errc::newer_version, "second_item");
    check<order<third_item>, order<second_item>>(errc::newer_version, errc::newer_version,
                                                 "second_item");
    const verdicts v = read_as<third_item, second_item>();
    BOOST_TEST(v.plain_text.find("version 2") != std::string::npos, v.plain_text);
    BOOST_TEST(v.plain_text.find("1") != std::string::npos, v.plain_text);
}

BOOST_AUTO_TEST_CASE(another_type_is_refused_even_if_its_bytes_would_load)
{
    check<other_class, first_item>(errc::bad_class, errc::bad_class,
                                   "first_item (other members); it is {hour: i32, zone: string}");
    check<turned_point, point>(errc::bad_class, errc::bad_class, "members in another order");
    check<order<other_class>, order<first_item>>(errc::bad_class, errc::bad_class,
                                                 "items[]: other members");
    check<std::int32_t, std::uint32_t>(errc::bad_class, errc::bad_class, "another kind of value");
    // Without the schema it could be a second_item of an older version.
    check<other_class, second_item>(errc{}, errc::bad_class, "second_item (other members)");
}

BOOST_AUTO_TEST_CASE(a_renamed_member_is_read_where_the_schema_is_known)
{
    check<first_item, renamed_item>(errc::bad_class, errc{});
    check<order<first_item>, order<renamed_item>>(errc::bad_class, errc{});
}

BOOST_AUTO_TEST_CASE(bytes_without_a_type_are_read_as_what_they_fit)
{
    objects::object from = stored<other_class>();
    from.fingerprint = 0;
    BOOST_TEST(objects::value_as<first_item>(from).id == 1);
}

BOOST_AUTO_TEST_CASE(a_damaged_schema_is_an_error)
{
    wharf::schema_type broken;
    broken.kind = wharf::schema_kind::list;
    broken.parts = {7};
    const auto from = stored<other_class>();
    try {
        objects::value_as<first_item>(from, wharf::schema(std::vector{broken}));
        BOOST_ERROR("it was taken");
    }
    catch (const wharf::error& e) {
        BOOST_TEST((e.code() == errc::bad_value));
    }
}

BOOST_AUTO_TEST_SUITE_END()
