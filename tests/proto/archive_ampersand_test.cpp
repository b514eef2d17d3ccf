// Outside of a serialize() function `archive & value` does what << and >> do, to the byte and to
// the error; and inside of one, << and >> do what & does.
#include "archive_support.hpp"
#include "archive_types.hpp"

#include <boost/serialization/nvp.hpp>

#include <optional>

using namespace archive_support;
using archive_types::empty;
using archive_types::make_branch;
using archive_types::member;
using archive_types::split;
using archive_types::tree;
using wharf::archive_error;
using wharf::errc;

namespace {

/// What a load or store throws, as text with everything that a user can see.
template <class F>
std::string failure_of(F operation)
{
    try {
        operation();
        return "nothing";
    }
    catch (const archive_error& e) {
        return std::to_string(e.offset()) + " \"" + e.path() + "\" " + e.what();
    }
}

/// Both operators, so that a case is written once.
struct with_shift {
    template <class Archive, class T>
    static void visit(Archive& archive, T& value)
    {
        if constexpr (Archive::is_saving::value)
            archive << value;
        else
            archive >> value;
    }
};
struct with_ampersand {
    template <class Archive, class T>
    static void visit(Archive& archive, T& value)
    {
        archive& value;
    }
};

struct everything {
    int number = 7;
    std::string text = "a text that is longer than sixteen";
    std::vector<std::string> texts{"", "b"};
    std::map<std::string, double> numbers{{"k", 1.5}};
    std::optional<member> maybe{{1, "in"}};
    member object{2, "m"};
    std::vector<member> objects{{3, "x"}, {4, "y"}};
    split halves{5};
    int array[2] = {8, 9};
    empty nothing;
    std::tuple<> none;
    tree branch = make_branch(2);

    template <class Operator, class Archive>
    void visit_all(Archive& archive)
    {
        Operator::visit(archive, number);
        Operator::visit(archive, text);
        Operator::visit(archive, texts);
        Operator::visit(archive, numbers);
        Operator::visit(archive, maybe);
        Operator::visit(archive, object);
        Operator::visit(archive, objects);
        Operator::visit(archive, halves);
        Operator::visit(archive, array);
        Operator::visit(archive, nothing);
        Operator::visit(archive, none);
        Operator::visit(archive, branch);
        auto named = boost::serialization::make_nvp("named", object);
        Operator::visit(archive, named);
    }
    bool operator==(const everything& other) const
    {
        return number == other.number && text == other.text && texts == other.texts &&
               numbers == other.numbers && maybe == other.maybe && object == other.object &&
               objects == other.objects && halves == other.halves && array[0] == other.array[0] &&
               array[1] == other.array[1] &&
               wharf::to_bytes(branch) == wharf::to_bytes(other.branch);
    }
};

/// The same members, inside of a serialize().
template <class Operator>
struct nested_everything {
    everything all;
    template <class Archive>
    void serialize(Archive& archive, unsigned)
    {
        all.visit_all<Operator>(archive);
    }
};

template <class Operator>
bytes image_of(everything value)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    value.visit_all<Operator>(store);
    store.flush();
    return {out.data(), out.data() + out.size()};
}

template <class Operator>
everything loaded_from(const bytes& image)
{
    everything back{.number = 0,
                    .text = {},
                    .texts = {},
                    .numbers = {},
                    .maybe = {},
                    .object = {},
                    .objects = {},
                    .halves = {},
                    .array = {},
                    .nothing = {},
                    .none = {},
                    .branch = {}};
    wharf::load_archive load(image);
    back.visit_all<Operator>(load);
    load.finish();
    return back;
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_ampersand)

BOOST_AUTO_TEST_CASE(values_of_every_kind_have_the_same_bytes_and_come_back)
{
    const bytes image = image_of<with_shift>({});
    BOOST_TEST(to_hex(image_of<with_ampersand>({})) == to_hex(image));
    BOOST_TEST((loaded_from<with_ampersand>(image) == everything{}));
    BOOST_TEST((loaded_from<with_shift>(image) == everything{}));
}

BOOST_AUTO_TEST_CASE(members_are_the_same_by_either_operator)
{
    const bytes shifted = wharf::to_bytes(nested_everything<with_shift>());
    BOOST_TEST(to_hex(wharf::to_bytes(nested_everything<with_ampersand>())) == to_hex(shifted));
    BOOST_TEST((wharf::from_bytes<nested_everything<with_ampersand>>(shifted).all == everything{}));
    BOOST_TEST((wharf::from_bytes<nested_everything<with_shift>>(shifted).all == everything{}));
}

BOOST_AUTO_TEST_CASE(an_empty_value_has_its_pad)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    empty none;
    store& none & 1 & none;
    store.flush();
    BOOST_TEST(to_hex(out.view()) == "00 00 01 00 00 00 00");
    wharf::load_archive load(out.view());
    int one = 0;
    load& none& one& none;
    load.finish();
    BOOST_TEST(one == 1);
}

BOOST_AUTO_TEST_CASE(a_value_that_fails_to_store_leaves_the_message_as_it_was)
{
    wharf::limits shallow;
    shallow.depth_max = 4;
    const tree deep = make_branch(1000);
    for (const bool is_first : {true, false}) {
        wharf::byte_buffer out, other;
        wharf::store_archive store(out, shallow), shifting(other, shallow);
        if (!is_first) {
            store & 1;
            shifting << 1;
        }
        const std::string why =
            failure_of([&] { store& boost::serialization::make_nvp("t", deep); });
        BOOST_TEST(why.find("t._1[0]") != std::string::npos);
        BOOST_TEST(why ==
                   failure_of([&] { shifting << boost::serialization::make_nvp("t", deep); }));
        store & 2;
        store.flush();
        BOOST_TEST(to_hex(out.view()) ==
                   (is_first ? "00 02 00 00 00" : "00 01 00 00 00 02 00 00 00"));
    }
    struct refuses {
        void serialize(wharf::store_archive&, unsigned) { throw std::out_of_range("no"); }
    };
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    BOOST_CHECK_THROW(store & refuses(), std::out_of_range);
    store.flush();
    BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(a_value_that_fails_to_load_ends_the_message)
{
    const bytes image = make_bytes({0, 3, 0, 0, 0, 9, 'm'});
    for (const bool is_named : {false, true}) {
        member object;
        const auto load_by = [&](auto by) {
            wharf::load_archive load(image);
            auto named = boost::serialization::make_nvp("o", object);
            std::string why =
                failure_of([&] { is_named ? by.visit(load, named) : by.visit(load, object); });
            return why + ", then " + failure_of([&] { by.visit(load, object); });
        };
        const std::string why = load_by(with_ampersand());
        BOOST_TEST(why == load_by(with_shift()));
        BOOST_TEST(why.starts_with(is_named ? "6 \"o.b\"" : "6 \"b\""));
    }
    struct refuses {
        void serialize(wharf::load_archive&, unsigned) { throw std::out_of_range("no"); }
    } value;
    wharf::load_archive load(image);
    BOOST_CHECK_EXCEPTION(load & value, archive_error,
                          [](const archive_error& e) { return e.code() == errc::refused_by_type; });
    const bytes prelude = make_bytes({0});
    wharf::load_archive at_end(prelude);
    int number = 0;
    BOOST_CHECK_EXCEPTION(at_end & number, archive_error, [](const archive_error& e) {
        return e.code() == errc::truncated && e.offset() == 1;
    });
}

BOOST_AUTO_TEST_CASE(messages_of_a_file_open_and_end_in_the_same_places)
{
    memory_file file;
    wharf::store_archive store(file);
    store & 1 & empty() & std::string("text");
    store.flush();
    BOOST_TEST(to_hex(file.messages.at(0)) == "00 01 00 00 00 00 04 74 65 78 74");
    store & true;
    store.flush();
    store & 2;
    store.flush();
    wharf::load_archive load(file);
    int number = 0;
    empty none;
    std::string text;
    load& number& none& text;
    BOOST_TEST(number == 1);
    BOOST_TEST(text == "text");
    BOOST_CHECK_EXCEPTION(load & text & number, archive_error,
                          [](const archive_error& e) { return e.code() == errc::bad_length; });
    load& number;
    BOOST_TEST(number == 2);
    load.finish();
}

// What is short is written in front of the check for room, into the slack.
BOOST_AUTO_TEST_CASE(a_buffer_grows_wherever_its_end_is)
{
    struct shorts {
        void serialize(wharf::store_archive& archive, unsigned)
        {
            for (const int length : {0, 1, 15, 16, 17, 31, 32, 33, 200}) {
                const auto n = static_cast<std::uint8_t>(length);
                archive& n& std::string(n, 'x') & true & std::uint64_t{n} * 0x0101010101010101u;
                archive& boost::serialization::collection_size_type(n * 1000u) & 1.5L;
            }
        }
    };
    const bytes expected = wharf::to_bytes(shorts());
    std::size_t wrong = 0;
    for (std::size_t room = 0; room <= expected.size() + 1; ++room) {
        wharf::byte_buffer out(2000);
        const std::size_t before = out.capacity() - room;
        out.resize(before);
        wharf::store_archive store(out);
        store << shorts();
        store.flush();
        wrong += !std::ranges::equal(out.view().subspan(before), expected);
    }
    BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
