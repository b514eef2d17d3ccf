// What is listed of a command's classes, and how its messages are stored for a peer that is older.
// Row 60: the version of a class is agreed upon by both ends.
#include <wharf/detail/peer_versions.hpp>
#include <wharf/detail/stream_channel.hpp>

#include "conversation_script.hpp"

#include <wharf/archive.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/serialization/nvp.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/version.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <set>

using namespace wharf;
using wharf::detail::step_down;

namespace step_down_types {

struct inner {
    std::string name = "n";
    int since_3 = 3;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(name);
        if (version >= 3)
            ar& BOOST_SERIALIZATION_NVP(since_3);
    }
};

struct base {
    virtual ~base() = default;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};
struct keyed : base {
    int value = 1;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& boost::serialization::make_nvp("base", boost::serialization::base_object<base>(*this));
        ar& BOOST_SERIALIZATION_NVP(value);
    }
};

struct plain {
    int number = 0;
};

struct answer {
    inner in;
    std::shared_ptr<base> pointer;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(in) & BOOST_SERIALIZATION_NVP(pointer);
    }
};

struct ask {
    using reply = answer;
    static constexpr std::string_view name = "test.ask";
    std::vector<inner> all;
    plain simple;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(all);
        if (version >= 2)
            ar& BOOST_SERIALIZATION_NVP(simple);
    }
};

struct bulk {
    using reply = void;
    using upload = stream_of<inner>;
    static constexpr std::string_view name = "test.bulk";
};

/// Its save() ignores the version.
struct stubborn {
    int a = 1, b = 2;
    template <class Archive>
    void save(Archive& ar, unsigned) const
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
    }
    template <class Archive>
    void load(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(a);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(b);
    }
    BOOST_SERIALIZATION_SPLIT_MEMBER()
};
struct ask_stubborn {
    using reply = stubborn;
    static constexpr std::string_view name = "test.ask_stubborn";
    stubborn given;
};

} // namespace step_down_types
using namespace step_down_types;
BOOST_CLASS_VERSION(inner, 3)
BOOST_CLASS_VERSION(ask, 2)
BOOST_CLASS_VERSION(stubborn, 1)
BOOST_CLASS_EXPORT_GUID(keyed, "step_down.keyed")

namespace {

template <class C>
wire::bytes list_of()
{
    return wire::copy(detail::classes_of(detail::types_of_command<C>));
}

/// As the peer tells it: with the version `from` replaced, or where it is dropped without it.
wire::bytes change(wire::bytes list, std::uint32_t from, std::optional<std::uint32_t> to)
{
    wire::bytes changed;
    for (std::size_t at = 0; at < list.size(); at += 12) {
        const wire::bytes version = list.substr(at + 8, 4);
        if (version != wire::u32(from))
            changed += list.substr(at, 12);
        else if (to)
            changed += list.substr(at, 8) + wire::u32(*to);
    }
    return changed;
}

template <class C>
std::shared_ptr<const step_down> make(const wire::bytes& theirs)
{
    return step_down::make(detail::types_of_command<C>, wire::view(theirs));
}

template <class T>
byte_buffer stored(const T& value)
{
    byte_buffer bytes;
    store_archive out(bytes);
    out << value;
    out.flush();
    return bytes;
}

template <class T>
T loaded(const byte_buffer& bytes)
{
    return from_bytes<T>(bytes.view());
}

errc code_of(const std::function<void()>& act, std::string* text = nullptr)
{
    try {
        act();
        return {};
    }
    catch (const error& e) {
        if (text != nullptr)
            *text = e.text();
        return e.code();
    }
}

} // namespace

BOOST_AUTO_TEST_CASE(a_list_has_each_class_of_all_messages_once_in_order)
{
    const wire::bytes list = list_of<ask>();
    std::multiset<std::uint32_t> versions;
    std::uint64_t last = 0;
    BOOST_REQUIRE(list.size() % 12 == 0);
    for (std::size_t at = 0; at < list.size(); at += 12) {
        std::uint64_t id = 0;
        std::uint32_t version = 0;
        std::memcpy(&id, list.data() + at, sizeof id);
        std::memcpy(&version, list.data() + at + 8, sizeof version);
        BOOST_TEST(id > last);
        last = id;
        versions.insert(version);
    }
    // ask, inner, plain, answer, base, keyed
    BOOST_TEST(versions == (std::multiset<std::uint32_t>{0, 0, 0, 0, 2, 3}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_is_stepped_down_for_an_equal_or_newer_peer)
{
    BOOST_TEST(make<ask>(list_of<ask>()) == nullptr);
    BOOST_TEST(make<ask>(change(list_of<ask>(), 3, 7)) == nullptr);
    // A peer that says nothing.
    BOOST_TEST(make<ask>({}) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_class_that_the_peer_does_not_list_stays_as_it_is)
{
    BOOST_TEST(make<ask>(change(list_of<ask>(), 2, std::nullopt)) == nullptr);
}

BOOST_AUTO_TEST_CASE(row_60_an_argument_is_stored_at_the_older_version)
{
    const auto older = make<ask>(change(list_of<ask>(), 2, 1));
    BOOST_REQUIRE(older != nullptr);
    ask what;
    what.all = {{"x", 9}};
    what.simple.number = 5;
    const byte_buffer newest = stored(what);
    const detail::older_message made = older->store_argument(newest.view());
    BOOST_TEST(made.is_older);
    older_versions by_hand;
    by_hand.set<ask>(1);
    byte_buffer expected;
    store_archive out(expected);
    out.store_at(by_hand);
    out << what;
    out.flush();
    BOOST_TEST(wire::to_hex(wire::copy(made.bytes.view())) ==
               wire::to_hex(wire::copy(expected.view())));
    const ask read = loaded<ask>(made.bytes);
    BOOST_TEST(read.all.at(0).since_3 == 9);
    BOOST_TEST(read.simple.number == 0);
}

BOOST_AUTO_TEST_CASE(a_message_without_the_class_is_not_older)
{
    // Only inner differs, and there is none in this message: the peer has not refused it.
    const auto older = make<ask>(change(list_of<ask>(), 3, 1));
    BOOST_REQUIRE(older != nullptr);
    BOOST_TEST(!older->store_argument(stored(ask()).view()).is_older);
    ask with_one;
    with_one.all.resize(1);
    BOOST_TEST(older->store_argument(stored(with_one).view()).is_older);
}

BOOST_AUTO_TEST_CASE(a_reply_is_stored_at_the_older_version)
{
    const auto older = make<ask>(change(list_of<ask>(), 3, 0));
    answer what;
    what.in = {"x", 9};
    what.pointer = std::make_shared<keyed>();
    const answer read = loaded<answer>(older->store_reply(stored(what).view()).bytes);
    BOOST_TEST(read.in.name == "x");
    BOOST_TEST(read.in.since_3 == 3);
    BOOST_TEST((dynamic_cast<keyed*>(read.pointer.get()) != nullptr));
}

BOOST_AUTO_TEST_CASE(an_object_of_a_class_that_the_peer_lacks_is_refused_by_its_key)
{
    // The two lists differ in what only one of them has; both commands name the base.
    wire::bytes without;
    const wire::bytes list = list_of<ask>();
    std::shared_ptr<const step_down> older;
    for (std::size_t at = 0; at < list.size() && older == nullptr; at += 12)
        older = make<ask>(list.substr(0, at) + list.substr(at + 12));
    BOOST_REQUIRE(older != nullptr); // exactly one class is needed: keyed
    answer what;
    BOOST_CHECK(code_of([&] { older->store_reply(stored(what).view()); }) == errc{});
    what.pointer = std::make_shared<keyed>();
    std::string text;
    BOOST_CHECK(code_of([&] { older->store_reply(stored(what).view()); }, &text) ==
                errc::unregistered_class);
    BOOST_TEST(text.find("step_down.keyed") != text.npos, text);
}

BOOST_AUTO_TEST_CASE(a_save_that_ignores_its_version_is_an_obstacle_and_is_named)
{
    const auto older = make<ask_stubborn>(change(list_of<ask_stubborn>(), 1, 0));
    BOOST_REQUIRE(older != nullptr);
    const std::string named = "step_down_types::stubborn: the peer knows version 0, this program "
                              "has version 1 and cannot store the older one";
    BOOST_TEST(older->obstacle_of_answers().starts_with(named), older->obstacle_of_answers());
    std::string text;
    BOOST_CHECK(code_of([&] { older->store_argument(stored(ask_stubborn()).view()); }, &text) ==
                errc::newer_version);
    BOOST_TEST(text.starts_with(named), text);
    // What is right has none.
    BOOST_TEST(make<ask>(change(list_of<ask>(), 3, 0))->obstacle_of_answers() == "");
    BOOST_TEST(make<ask>(change(list_of<ask>(), 2, 0))->obstacle_of_calls() == "");
}

BOOST_AUTO_TEST_CASE(items_of_an_upload_leave_at_the_older_version)
{
    const auto older = make<bulk>(change(list_of<bulk>(), 3, 2));
    BOOST_REQUIRE(older != nullptr);
    const auto items = older->uploads();
    BOOST_TEST(!items->is_of_incoming());
    const inner read = loaded<inner>(items->outgoing(stored(inner{"x", 9}).view()));
    BOOST_TEST(read.name == "x");
    BOOST_TEST(read.since_3 == 3);
}

// ---- A connection -------------------------------------------------------------------------------

namespace {

/// A conversation whose peer exchanges versions and has declared "test.ask" with this list.
struct served {
    explicit served(const wire::bytes& list)
    {
        with.feed(wire::opening() + wire::hello_with_versions(128));
        with.feed(wire::declare_with(0, "test.ask", wire::record(1, list)));
    }
    template <class C>
    std::shared_ptr<const step_down> answer(const wire::bytes& list)
    {
        const wire::bytes kept = list;
        const events::declared e{0, C::name, wire::view(kept)};
        return detail::answer_declaration(with.talk, e, &detail::types_of_command<C>);
    }
    test::subject with;
};

} // namespace

BOOST_AUTO_TEST_CASE(an_equal_declaration_is_not_answered)
{
    served s(list_of<ask>());
    BOOST_TEST(s.answer<ask>(list_of<ask>()) == nullptr);
    BOOST_TEST(s.with.take_output() == "");
}

BOOST_AUTO_TEST_CASE(an_equal_declaration_of_an_upload_is_answered)
{
    served s(list_of<bulk>());
    BOOST_TEST(s.answer<bulk>(list_of<bulk>()) == nullptr);
    BOOST_TEST(s.with.take_output() == wire::versions(0, wire::record(1, list_of<bulk>())));
}

BOOST_AUTO_TEST_CASE(another_declaration_is_answered_in_either_direction)
{
    for (const std::uint32_t theirs : {1u, 9u}) {
        const wire::bytes list = change(list_of<ask>(), 3, theirs);
        served s(list);
        BOOST_TEST((s.answer<ask>(list) != nullptr) == (theirs < 3));
        BOOST_TEST(s.with.take_output() == wire::versions(0, wire::record(1, list_of<ask>())));
    }
}

BOOST_AUTO_TEST_CASE(a_declaration_without_a_list_is_not_answered)
{
    served s(list_of<ask>());
    const events::declared e{0, "test.ask", std::nullopt};
    BOOST_TEST(detail::answer_declaration(s.with.talk, e, &detail::types_of_command<ask>) ==
               nullptr);
    BOOST_TEST(s.with.take_output() == "");
}
