// Two classes with one export key: what a program is told, and when.
#include "archive_support.hpp"

#include <wharf/service.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/serialization/nvp.hpp>

namespace {

struct parcel {
    virtual ~parcel() = default;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
template <int>
struct kept : parcel {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("parcel",
                                           boost::serialization::base_object<parcel>(*this));
    }
};
using letter = kept<1>;
using postcard = kept<2>;

struct ping {
    using reply = int;
    static constexpr std::string_view name = "keys.ping";
    int token = 0;
};

std::string refusal(const std::function<void()>& what)
{
    try {
        what();
        return "accepted";
    }
    catch (const wharf::error& e) {
        return std::string(wharf::to_name(e.code())) + ": " + e.text();
    }
}

} // namespace

BOOST_CLASS_EXPORT_GUID(letter, "parcel.flat")
BOOST_CLASS_EXPORT_GUID(postcard, "parcel.flat")

BOOST_AUTO_TEST_SUITE(class_keys)

// Row 65: a key says which class is meant, so that two classes cannot share one. A daemon that has
// such classes does not start: what registers its commands throws.
BOOST_AUTO_TEST_CASE(a_program_with_two_classes_of_one_key_registers_no_command)
{
    wharf::router commands;
    const std::string text =
        refusal([&] { commands.on<ping>([](const ping& c) { return c.token; }); });
    BOOST_TEST(text.starts_with("bad_argument: the export key \"parcel.flat\" is given to "));
    BOOST_TEST(text.find("kept<1>") != text.npos);
    BOOST_TEST(text.find("kept<2>") != text.npos);
    BOOST_TEST(text.ends_with(": give each class a key of its own"));
    BOOST_TEST(commands.names().empty());
}

// Row 65: without a daemon, neither class is written or read by its key.
BOOST_AUTO_TEST_CASE(neither_class_of_a_shared_key_is_stored_or_loaded)
{
    const std::shared_ptr<parcel> first = std::make_shared<letter>();
    const std::shared_ptr<parcel> second = std::make_shared<postcard>();
    for (const auto& each : {first, second}) {
        const std::string text = refusal([&] { (void)wharf::to_bytes(each); });
        BOOST_TEST(text.starts_with("unregistered_class: "));
        BOOST_TEST(text.find("kept<1>") != text.npos);
        BOOST_TEST(text.find("kept<2>") != text.npos);
    }
    std::vector<std::byte> message = archive_support::make_bytes({0, 1, 0, 11});
    for (const char c : std::string_view("parcel.flat"))
        message.push_back(static_cast<std::byte>(c));
    const std::string text = refusal([&] {
        (void)wharf::from_bytes<std::shared_ptr<parcel>>(std::span<const std::byte>(message));
    });
    BOOST_TEST(text.starts_with("bad_class: "));
    BOOST_TEST(text.find("\"parcel.flat\" is given to") != text.npos);
}

BOOST_AUTO_TEST_SUITE_END()
