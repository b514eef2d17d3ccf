// Attacks on the class of an object behind a pointer: keys, class numbers, bases.
#include "archive_attacks.hpp"
#include "archive_hostile_types.hpp"

namespace archive_attacks {
namespace {

using namespace hostile;
using wharf::errc;
using any_shape = std::shared_ptr<shape>;
using any_animal = std::unique_ptr<animal>;

/// More classes than a thread remembers the bases of.
template <int N>
struct many : virtual shape {
    int area() const override { return N; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::base_object<shape>(*this);
    }
};
constexpr int classes = 12;

/// Objects of all these classes in turn, and no end.
bytes all_in_turn()
{
    bytes message = message_of(0xa0, 0x1f);
    const auto add = [&](std::initializer_list<int> piece) {
        for (const int b : piece)
            message.push_back(static_cast<std::byte>(b));
    };
    for (int n = 0; n < classes; ++n)
        add({1, 0, 5, 'm', 'a', 'n', 'y', 'a' + n, 7});
    for (int n = 0; message.size() <= 4093; n = (n + 1) % classes)
        add({1, n + 1, 7});
    return message;
}

} // namespace

} // namespace archive_attacks

#define EXPORT(N, letter) BOOST_CLASS_EXPORT_GUID(archive_attacks::many<N>, "many" letter)
EXPORT(0, "a")
EXPORT(1, "b")
EXPORT(2, "c")
EXPORT(3, "d")
EXPORT(4, "e")
EXPORT(5, "f")
EXPORT(6, "g")
EXPORT(7, "h")
EXPORT(8, "i")
EXPORT(9, "j")
EXPORT(10, "k")
EXPORT(11, "l")
#undef EXPORT

namespace archive_attacks {

std::vector<attack> class_attacks()
{
    std::vector<attack> all;
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, errc code,
                                  bytes message) {
        all.push_back(make_attack<T>(name, code, std::move(message)));
    };
    const bytes a_circle = message_of(1, key_of("circle"), 7, 8);
    const std::span<const std::byte> circle_again(a_circle.begin() + 1, a_circle.end());
    constexpr std::type_identity<any_shape> one{};
    constexpr std::type_identity<std::vector<any_shape>> many_shapes{};
    constexpr std::type_identity<std::pair<any_shape, std::shared_ptr<stranger>>> with_stranger{};
    constexpr std::type_identity<std::pair<any_shape, std::shared_ptr<group>>> with_group{};

    add(one, "a class of no name here", errc::bad_class, message_of(1, key_of("triangle")));
    add(one, "an exported class that is no shape", errc::bad_class,
        message_of(1, key_of("stranger"), 0));
    add(one, "the abstract class itself", errc::bad_class, message_of(1, 0, 0, 7));
    add(one, "a key with a zero byte at its end", errc::bad_class,
        message_of(1, key_of(std::string_view("circle\0", 7)), 7, 8));
    add(one, "a key with a zero byte inside", errc::bad_class,
        message_of(1, key_of(std::string_view("circle\0group", 12)), 7, 8));
    add(one, "a key of 128 bytes", errc::bad_class,
        message_of(1, 0, 0x80, 1, std::string(128, 'c')));
    add(one, "a key of 4000 bytes", errc::bad_class,
        message_of(1, 0, 0xa0, 0x1f, std::string(4000, 'c')));
    add(one, "a key of 2^40 bytes", errc::bad_length,
        message_of(1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20));
    add(one, "the first class by its number", errc::bad_class, message_of(1, 1, 7, 8));
    add(one, "class number 0x7000", errc::bad_class, message_of(1, 0x80, 0xe0, 1));
    add(one, "class number -2", errc::bad_class,
        message_of(1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
    add(many_shapes, "a class number too high by one", errc::bad_class,
        message_of(2, circle_again, 1, 2, 7, 8));
    add(many_shapes, "a class that is named twice", errc::not_canonical,
        message_of(2, circle_again, circle_again));
    add(with_stranger, "a stranger where a shape was", errc::bad_class,
        message_of(circle_again, 2));
    add(with_stranger, "a stranger of a class that the message named", errc::bad_class,
        message_of(circle_again, 1, 1, 0));
    add(with_group, "a group where a circle was", errc::bad_class, message_of(circle_again, 2));
    add(with_group, "a group of the class circle", errc::bad_class,
        message_of(circle_again, 1, 1, 7, 8));
    add(std::type_identity<std::shared_ptr<circle>>{}, "a class with a key, without it",
        errc::not_canonical, message_of(1, 0, 0, 7, 8));
    add(one, "a group that owns itself", errc::ownership_cycle,
        message_of(1, key_of("group"), 7, 1, 2, 0));
    add(one, "a group whose favourite is of another message", errc::bad_reference,
        message_of(1, key_of("group"), 7, 0, 3));
    add(std::type_identity<any_animal>{}, "a derived class that has no key", errc::bad_class,
        message_of(1, key_of("dog"), 4, 1));
    add(std::type_identity<any_animal>{}, "a class that only the writer registered",
        errc::bad_class, message_of(1, 1, 4, 1));
    add(std::type_identity<kennel>{}, "a class that only the reader registered, by its number",
        errc::bad_class, message_of(1, 1, 2, 4, 1));
    add(many_shapes, "objects of more classes than a cache holds, in turn", errc::truncated,
        all_in_turn());
    // Class 0 is what both registered: the key of another one gets the next number.
    add(std::type_identity<kennel>{}, "a class of a key that is no animal", errc::bad_class,
        message_of(1, 1, key_of("circle"), 7, 8));
    return all;
}

} // namespace archive_attacks

BOOST_CLASS_EXPORT_IMPLEMENT(hostile::circle)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::group)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::stranger)
