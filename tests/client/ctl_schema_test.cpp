// wharfctl schema as a program: what it writes, what it finds changed, and how it ends.
#include "fake_daemon.hpp"
#include "program.hpp"

#include <wharf/objects.hpp>
#include <wharf/schema_catalogue.hpp>
#include <wharf/system.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

namespace objects = wharf::objects;

namespace {

struct price {
    std::int64_t cents = 0;
    std::string currency;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& BOOST_SERIALIZATION_NVP(cents);
        if (version >= 1)
            ar& BOOST_SERIALIZATION_NVP(currency);
    }
};

struct sell {
    using reply = std::uint64_t;
    static constexpr std::string_view name = "shop.sell";
    std::string what;
    std::vector<price> prices;
};
/// What it was before.
struct sell_before {
    using reply = std::uint32_t;
    static constexpr std::string_view name = "shop.sell";
    std::string what;
    std::vector<std::optional<price>> prices;
};

template <class C>
wharf::system::description describe()
{
    wharf::system::description told{std::string(C::name),
                                    wharf::schema_of<C>(),
                                    wharf::schema_of<wharf::reply_t<C>>(),
                                    {},
                                    {},
                                    {}};
    told.histories.push_back({"argument", wharf::schema_history_of<C>()});
    return told;
}

std::map<std::string, fake::handler> serve()
{
    return {
        fake::on<wharf::system::list>([](const auto&) {
            return std::vector<std::string>{"objects.list", "objects.schema", "shop.sell"};
        }),
        fake::on<wharf::system::describe>([](const wharf::system::describe& what) {
            if (what.command == objects::list::name)
                return describe<objects::list>();
            if (what.command == objects::find_schema::name)
                return describe<objects::find_schema>();
            return describe<sell>();
        }),
        fake::on<objects::list>([](const objects::list& ask) {
            // Two pages, of one type, of no type, and of the same type again.
            objects::page page;
            const std::uint64_t type = wharf::schema_of<price>().fingerprint();
            if (ask.after.empty())
                page = {{{"a", 1, 2, type}, {"b", 1, 2, 0}}, true, 3};
            else
                page = {{{"c", 1, 2, type}}, false, 3};
            return page;
        }),
        fake::on<objects::find_schema>(
            [](const objects::find_schema&) { return wharf::schema_of<price>(); }),
    };
}

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(), serve()};

    program::result ctl(const std::string& arguments)
    {
        return program::run("WHARF_ENDPOINT=" + daemon.endpoint() + " " WHARFCTL " " + arguments +
                            " 2>&1");
    }
    std::string path(const char* name) const { return directory.path() + "/" + name; }
    static std::string read(const std::string& file)
    {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }
};

} // namespace

BOOST_CLASS_VERSION(price, 1)

BOOST_FIXTURE_TEST_SUITE(ctl_schema, fixture)

BOOST_AUTO_TEST_CASE(export_writes_commands_and_stored_types)
{
    const auto done = ctl("schema export -o " + path("all.json"));
    BOOST_TEST(done.status == 0, done.output);
    BOOST_TEST(done.output == "");
    const auto all = wharf::catalogue_from_json(read(path("all.json")));
    BOOST_TEST_REQUIRE(all.commands.size() == 3u);
    BOOST_TEST(all.commands[2].command == "shop.sell");
    BOOST_TEST(bool(all.commands[2].argument == wharf::schema_history_of<sell>()));
    BOOST_TEST_REQUIRE(all.objects.size() == 1u);
    BOOST_TEST(bool(all.objects[0].type.types == wharf::schema_of<price>()));
    BOOST_TEST(ctl("schema export").output == read(path("all.json")));
    const auto one = wharf::catalogue_from_json(ctl("schema export shop.sell").output);
    BOOST_TEST(one.commands.size() == 1u);
    BOOST_TEST(one.objects.empty());
}

BOOST_AUTO_TEST_CASE(diff_says_what_changed_and_ends_with_the_verdict)
{
    BOOST_TEST(ctl("schema export -o " + path("now.json")).status == 0);
    const auto nothing = ctl("schema diff " + path("now.json") + " " + daemon.endpoint());
    BOOST_TEST(nothing.status == 0);
    BOOST_TEST(nothing.output == "");

    auto catalogue = wharf::catalogue_from_json(read(path("now.json")));
    catalogue.commands.erase(catalogue.commands.begin());
    std::ofstream(path("fewer.json")) << to_json(catalogue);
    const auto more = ctl("schema diff " + path("fewer.json") + " " + path("now.json"));
    BOOST_TEST(more.status == 0);
    BOOST_TEST(more.output ==
               "ok\tcommand_added\tobjects.list\t\tit is new: nobody calls it yet\n");
    const auto fewer = ctl("schema diff --json " + path("now.json") + " " + path("fewer.json"));
    BOOST_TEST(fewer.status == 2);
    BOOST_TEST(fewer.output ==
               "{\"verdict\": \"break\", \"kind\": \"command_removed\", \"command\": "
               "\"objects.list\", \"role\": \"\", \"path\": \"\", \"why\": \"it is gone: whoever "
               "calls it is refused; serve it until no client calls it\"}\n");

    wharf::schema_catalogue before = wharf::catalogue_from_json(read(path("now.json")));
    before.commands.pop_back();
    before.add_command<sell_before>();
    std::ofstream(path("before.json")) << to_json(before);
    const auto broken = ctl("schema diff " + path("before.json") + " " + daemon.endpoint());
    BOOST_TEST(broken.status == 2);
    BOOST_TEST(broken.output.starts_with("break\toptional_changed\tshop.sell\targument.prices[]\t"),
               broken.output);
    BOOST_TEST(broken.output.find("\nbreak\tinteger_width\tshop.sell\treply\t") !=
                   broken.output.npos,
               broken.output);
}

BOOST_AUTO_TEST_CASE(a_warning_ends_with_one)
{
    wharf::schema_catalogue before, after;
    before.add_object<std::vector<std::variant<int, bool, double>>>("shop.any");
    after.add_object<std::vector<std::variant<int, bool, double>>>("shop.any");
    wharf::command_history command{
        "shop.any", wharf::schema_history_of<std::variant<int, bool>>(), {}, {}, {}};
    command.reply.types = wharf::schema_of<std::string>();
    before.commands.push_back(command);
    command.argument = wharf::schema_history_of<std::variant<int, bool, double>>();
    after.commands.push_back(command);
    std::ofstream(path("before.json")) << to_json(before);
    std::ofstream(path("after.json")) << to_json(after);
    const auto warned = ctl("schema diff " + path("before.json") + " " + path("after.json"));
    BOOST_TEST(warned.status == 1);
    BOOST_TEST(warned.output ==
               "warn\talternative_added\tshop.any\targument\tit has 3 alternatives, had 2: old "
               "daemons, from new clients, refuse what has it: update the daemons first\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_said_with_what_to_do)
{
    std::ofstream(path("bad.json")) << "{\"wharf_schemas\": 1,\n \"comands\": []}";
    const auto bad = ctl("schema diff " + path("bad.json") + " " + path("bad.json"));
    BOOST_TEST(bad.status == 6);
    BOOST_TEST(bad.output == "wharfctl: " + path("bad.json") +
                                 " is no file of schemas: unknown key \"comands\"; did you mean "
                                 "\"commands\"?: `wharfctl schema export -o FILE` writes one\n");
    const auto none = ctl("schema diff nothere.json " + path("bad.json"));
    BOOST_TEST(none.status == 6);
    BOOST_TEST(none.output.starts_with("wharfctl: there is no file nothere.json: give a file "));
    const auto gone = ctl("schema diff unix:" + path("gone.sock") + " " + path("bad.json"));
    BOOST_TEST(gone.status == 6);
    BOOST_TEST(gone.output.find("gone.sock") != gone.output.npos, gone.output);
    const auto misspelt = ctl("schema export shop.cell");
    BOOST_TEST(misspelt.status == 6);
    BOOST_TEST(misspelt.output ==
               "wharfctl: no command that you may call has the name shop.cell; did you mean "
               "\"shop.sell\"? `wharfctl list` shows those that you may call\n");
    BOOST_TEST(ctl("schema diff only-one").status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
