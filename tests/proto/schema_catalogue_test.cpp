// Schemas as a file: written, read back, and refused where somebody damaged it.
#include "archive_support.hpp"
#include "schema_diff_types.hpp"
#include "stock.hpp"

#include <wharf/json.hpp>
#include <wharf/schema_diff.hpp>
#include <wharf/stream.hpp>
#include <wharf/system.hpp>

#include <boost/serialization/export.hpp>

namespace {

using namespace schema_diff_types;

struct plain {
    using reply = std::string;
    static constexpr std::string_view name = "shop.plain";
    is::added what;
    std::vector<std::optional<was::two>> items;
};
struct streamed {
    using reply = wharf::stream_of<was::two>;
    using upload = wharf::stream_of<std::int32_t>;
    static constexpr std::string_view name = "shop.streamed";
    std::int32_t id = 0;
};
struct silent {
    using reply = void;
    static constexpr std::string_view name = "shop.silent";
};
/// The same name, as it is later.
struct plain_later {
    using reply = std::string;
    static constexpr std::string_view name = "shop.plain";
    is::added what;
    std::vector<std::optional<is::renamed>> items;
};
struct streamed_later {
    using reply = std::vector<was::two>;
    using upload = wharf::stream_of<std::int32_t>;
    static constexpr std::string_view name = "shop.streamed";
    std::int32_t id = 0;
};

/// At the last version that BOOST_CLASS_VERSION can give.
struct ancient {
    std::int32_t id = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(id);
    }
};

wharf::schema_catalogue make_catalogue()
{
    wharf::schema_catalogue made;
    made.add_command<plain>();
    made.add_command<silent>();
    made.add_command<streamed>();
    made.add_object<std::shared_ptr<shape>>("shop.shape");
    return made;
}

std::string refusal(const std::string& text)
{
    try {
        (void)wharf::catalogue_from_json(text);
        return "accepted";
    }
    catch (const wharf::error& e) {
        return std::string(wharf::to_name(e.code())) + " " + e.text();
    }
}

std::string replace(std::string text, const std::string& what, const std::string& by)
{
    const std::size_t at = text.find(what);
    BOOST_TEST_REQUIRE(at != text.npos);
    return text.replace(at, what.size(), by);
}

std::vector<std::string> lines_of(const std::vector<wharf::schema_change>& changes)
{
    std::vector<std::string> lines;
    for (const auto& each : changes)
        lines.push_back(std::string(wharf::to_name(each.verdict)) + " " +
                        std::string(wharf::to_name(each.kind)) + " " + each.command + " " +
                        each.path);
    return lines;
}

} // namespace

BOOST_CLASS_VERSION(ancient, 255)
BOOST_CLASS_EXPORT_GUID(schema_diff_types::circle, "diff.circle")
BOOST_CLASS_EXPORT_GUID(schema_diff_types::square, "diff.square")

BOOST_AUTO_TEST_SUITE(schema_catalogue)

BOOST_AUTO_TEST_CASE(a_catalogue_is_read_back_as_it_was_written)
{
    const wharf::schema_catalogue made = make_catalogue();
    const std::string text = to_json(made);
    const wharf::schema_catalogue again = wharf::catalogue_from_json(text);
    BOOST_TEST(bool(again == made));
    BOOST_TEST(to_json(again) == text);
    BOOST_TEST(wharf::compare_catalogues(made, again).empty());
    // A type on each line, so that a diff of two versions shows what changed.
    BOOST_TEST(text.starts_with("{\"wharf_schemas\": 1,\n\"commands\": [\n {\"command\": "
                                "\"shop.plain\",\n  \"argument\": {\"text\": \"{what: "));
    BOOST_TEST(text.find("\n    {\"kind\":\"integer\",\"size\":4,\"is_signed\":true}") !=
               text.npos);
}

/// With the text of a file that was written when the program was released.
BOOST_AUTO_TEST_CASE(a_program_compares_itself_with_what_was_released)
{
    wharf::schema_catalogue first;
    first.add_object<part>("stock.part");
    const std::string released = to_json(first);

    wharf::schema_catalogue now;
    now.add_command<find_parts>();
    now.add_object<part>("stock.part");
    const auto changes = wharf::compare_catalogues(wharf::catalogue_from_json(released), now);
    for (const wharf::schema_change& each : changes)
        BOOST_TEST_MESSAGE(each.path << ": " << each.why);
    BOOST_TEST(bool(wharf::worst_of(changes) == wharf::schema_verdict::ok));
    BOOST_TEST(changes.size() == 1u);
}

// Row 61: what serialize() is passed is a version of this class, and nested ones have their own.
BOOST_AUTO_TEST_CASE(older_versions_of_nested_classes_are_in_it)
{
    const auto& history = wharf::schema_history_of<plain>();
    BOOST_TEST_REQUIRE(history.older.size() == 1u);
    const wharf::older_class& older = history.older.front();
    BOOST_TEST(older.version == 0u);
    BOOST_TEST(history.types.at(older.type).version == 1u);
    BOOST_TEST(history.types.at(older.type).fields.size() == 2u);
    const auto* layout = history.find(older.type, 0);
    BOOST_TEST_REQUIRE(layout != nullptr);
    BOOST_TEST_REQUIRE(layout->fields.size() == 1u);
    BOOST_TEST(layout->fields.front().name == "id");
    BOOST_TEST(bool(history.types.fingerprint() == wharf::schema_of<plain>().fingerprint()));
}

BOOST_AUTO_TEST_CASE(of_a_class_with_very_many_versions_all_are_known)
{
    const auto& history = wharf::schema_history_of<ancient>();
    BOOST_TEST(history.older.size() == wharf::older_versions_max);
    BOOST_TEST(history.older.back().version == 254u);
    BOOST_TEST(wharf::check_versions<ancient>().empty());
}

BOOST_AUTO_TEST_CASE(what_system_describe_answers_is_the_same_command)
{
    wharf::system::description told{"shop.plain",
                                    wharf::schema_of<plain>(),
                                    wharf::schema_of<std::string>(),
                                    {},
                                    {},
                                    {{"argument", wharf::schema_history_of<plain>()}}};
    BOOST_TEST(bool(wharf::make_history(told) == make_catalogue().commands.front()));
    // An older program is told without the histories, and an older daemon tells none.
    wharf::older_versions older;
    older.set<wharf::system::description>(0);
    wharf::byte_buffer out;
    wharf::store_archive archive(out);
    archive.store_at(older);
    archive << told;
    archive.flush();
    told.histories.clear();
    BOOST_TEST(
        bool(wharf::from_bytes<wharf::system::description>({out.data(), out.size()}) == told));
}

BOOST_AUTO_TEST_CASE(commands_are_compared_by_their_names)
{
    const wharf::schema_catalogue before = make_catalogue();
    wharf::schema_catalogue after;
    after.add_command<plain_later>();
    after.add_command<streamed_later>();
    after.add_command<wharf::system::ping>();
    const auto changes = wharf::compare_catalogues(before, after);
    const std::vector<std::string> expected{
        "warn field_renamed shop.plain argument.items[].note",
        "break command_removed shop.silent ",
        "break stream_changed shop.streamed items",
        "ok command_added system.ping ",
    };
    BOOST_TEST(lines_of(changes) == expected, boost::test_tools::per_element());
    BOOST_TEST(bool(wharf::worst_of(changes) == wharf::schema_verdict::broken));
}

BOOST_AUTO_TEST_CASE(classes_behind_pointers_are_compared_by_their_keys)
{
    using pointer = std::shared_ptr<shape>;
    const wharf::schema_history now = wharf::schema_history_of<pointer>();
    const auto change = [&](auto edit) {
        std::vector<wharf::schema_type> types = now.types.types();
        edit(types.front().derived);
        return wharf::schema_history{wharf::schema(std::move(types)), {}};
    };
    const auto few = change([](auto& derived) {
        std::erase_if(derived, [](const auto& each) { return each.key == "diff.square"; });
    });
    const auto other = change([](auto& derived) {
        for (auto& each : derived)
            if (each.key == "diff.square")
                each.key = "diff.oblong";
    });
    const auto lines = [](const auto& before, const auto& after, wharf::schema_use use) {
        return lines_of(wharf::compare_types(before, after, use)).front();
    };
    using use = wharf::schema_use;
    BOOST_TEST(lines(few, now, use::to_daemon) == "warn class_added  type");
    BOOST_TEST(lines(now, few, use::to_daemon) == "warn class_removed  type");
    BOOST_TEST(lines(now, few, use::stored) == "break class_removed  type");
    BOOST_TEST(lines(now, other, use::to_daemon) == "break export_key_changed  type");
    BOOST_TEST(wharf::compare_types(few, now, use::to_daemon).front().why ==
               "\"diff.square\" is new: old daemons, from new clients, refuse what has it: update "
               "the daemons first");
    BOOST_TEST(wharf::compare_types(few, now, use::to_client)
                   .front()
                   .why.ends_with("update the clients first"));

    // And so it is: whoever has no class of this key refuses the message, and no other.
    const pointer squared = std::make_shared<square>();
    std::vector<std::byte> message = wharf::to_bytes(squared);
    BOOST_TEST(bool(wharf::from_bytes<pointer>(std::span<const std::byte>(message)) != nullptr));
    message[5] = std::byte{'X'}; // as the first letter of a key that is not known here
    BOOST_TEST(archive_support::refusal_of<pointer>(message) == wharf::errc::bad_class);
}

BOOST_AUTO_TEST_CASE(parts_that_want_other_orders_of_deployment_break)
{
    wharf::command_history was{"shop.order",
                               wharf::schema_history_of<std::variant<int, bool>>(),
                               wharf::schema_history_of<std::variant<int, bool>>(),
                               {},
                               {}};
    wharf::command_history is{"shop.order",
                              wharf::schema_history_of<std::variant<int, bool, float>>(),
                              wharf::schema_history_of<std::variant<int, bool, float>>(),
                              {},
                              {}};
    const auto changes = wharf::compare_catalogues({{was}, {}}, {{is}, {}});
    const std::vector<std::string> expected{
        "warn alternative_added shop.order argument",
        "warn alternative_added shop.order reply",
        "break deployment_order shop.order ",
    };
    BOOST_TEST(lines_of(changes) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused_with_the_place)
{
    const std::string good = to_json(make_catalogue());
    BOOST_TEST(refusal("") == "bad_json line 1, column 1: incomplete JSON");
    BOOST_TEST(refusal("{}").starts_with("bad_value this is no file of schemas in format 1"));
    BOOST_TEST(refusal(replace(good, "\"wharf_schemas\": 1", "\"wharf_schemas\": 2"))
                   .starts_with("bad_value this is no file of schemas in format 1"));
    BOOST_TEST(refusal(replace(good, "\"kind\":\"integer\"", "\"kind\":\"integral\""))
                   .starts_with("bad_json in commands[0].argument.types["));
    BOOST_TEST(refusal(replace(good, "\"command\"", "\"comand\"")) ==
               "bad_json in commands[0]: unknown key \"comand\"; did you mean \"command\"?");
    // Somebody merged two files by hand.
    BOOST_TEST(
        refusal(replace(good, "\"size\":4,\"is_signed\":true", "\"size\":8,\"is_signed\":true"))
            .starts_with("bad_value shop.plain argument: its fingerprint is "));
    BOOST_TEST(
        refusal(replace(good, "\"name\":\"what\",\"type\":", "\"name\":\"what\",\"type\":9")) ==
        "bad_value shop.plain argument: this is no schema");
    BOOST_TEST(
        refusal(std::string(wharf::catalogue_bytes_max + 1, ' ')).starts_with("message_limit "));
}

BOOST_AUTO_TEST_CASE(what_strangers_say_of_their_types_ends)
{
    // Each class of the one with each of the other, over and over.
    const auto wide = [](std::uint32_t n, std::uint32_t by) {
        std::vector<wharf::schema_type> types(n);
        for (std::uint32_t i = 0; i < n; ++i) {
            types[i].kind = wharf::schema_kind::record;
            for (std::uint32_t j = 0; j < n; ++j)
                types[i].fields.push_back({"f" + std::to_string(j), (i + j * by + 1) % n, false});
        }
        return wharf::schema_history{wharf::schema(std::move(types)), {}};
    };
    BOOST_CHECK_EXCEPTION(
        (void)wharf::compare_types(wide(400, 1), wide(400, 7), wharf::schema_use::to_daemon),
        wharf::error, [](const wharf::error& e) { return e.code() == wharf::errc::message_limit; });
    wharf::schema_history damaged = wharf::schema_history_of<plain>();
    damaged.older.front().layout = 1000;
    BOOST_CHECK_EXCEPTION((void)wharf::compare_types(damaged, damaged, wharf::schema_use::stored),
                          wharf::error,
                          [](const wharf::error& e) { return e.code() == wharf::errc::bad_value; });
}

BOOST_AUTO_TEST_SUITE_END()
