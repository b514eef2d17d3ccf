// What a shell offers while somebody types a command line of wharfctl.
#include "../../client/ctl_complete_json.hpp"
#include "../../client/ctl_shell_line.hpp"
#include "fake_daemon.hpp"
#include "program.hpp"

#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <optional>

using namespace wharf::ctl;
using words = std::vector<std::string>;
namespace objects = wharf::objects;

namespace order_namespace {

enum class colour : std::uint8_t { red, green };

struct item {
    std::string name;
    bool gift = false;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(gift);
    }
};

struct order {
    std::uint32_t id = 0;
    std::vector<item> items;
    std::map<std::string, item> by_name;
    std::optional<item> extra;
    std::pair<item, bool> both;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(items) &
            BOOST_SERIALIZATION_NVP(by_name) & BOOST_SERIALIZATION_NVP(extra) &
            BOOST_SERIALIZATION_NVP(both);
    }
};

} // namespace order_namespace

namespace {

words next(const std::string& text)
{
    return complete_json(wharf::schema_of<order_namespace::order>(), text);
}

std::map<std::string, fake::handler> commands()
{
    return {
        fake::on<wharf::system::list>([](const auto&) {
            return words{"objects.get", "objects.list", "system.ping"};
        }),
        fake::on<wharf::system::describe>([](const wharf::system::describe& what) {
            wharf::system::description made;
            made.command = what.command;
            made.argument = wharf::schema_of<objects::list>();
            return made;
        }),
        fake::on<objects::list>([](const objects::list& what) {
            objects::page page;
            for (const char* key : {"a/1", "a/2 b", "a/\x1b[2J", "b"})
                if (std::string(key).starts_with(what.prefix))
                    page.entries.push_back({key, 1, 1});
            return page;
        }),
    };
}

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(), commands()};

    /// "a|b|" for the candidates a and b.
    std::string complete(const std::string& arguments)
    {
        const auto r = program::run("WHARF_ENDPOINT=" + daemon.endpoint() +
                                    " " WHARFCTL " __complete " + arguments + " 2>&1");
        BOOST_TEST(r.status == 0);
        std::string text = r.output;
        std::replace(text.begin(), text.end(), '\n', '|');
        return text;
    }
    /// What bash gets from the script, with this line and the cursor at its end.
    std::string bash(const std::string& line)
    {
        std::ofstream(directory.path() + "/line") << line;
        const auto r = program::run(
            "PATH=$(dirname " WHARFCTL "):$PATH WHARF_ENDPOINT=" + daemon.endpoint() +
            " bash --norc -c 'source " COMPLETION " && COMP_LINE=$(cat " + directory.path() +
            "/line; echo x); COMP_LINE=${COMP_LINE%x}; COMP_POINT=${#COMP_LINE}; COMPREPLY=(); "
            "_wharfctl wharfctl 2>/dev/null; printf \"%s|\" \"${COMPREPLY[@]}\"'");
        BOOST_TEST(r.status == 0);
        return r.output;
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(a_line_is_split_as_a_shell_splits_it)
{
    const auto split = [](const char* line) { return read_shell_line(line, "").words; };
    BOOST_TEST(split("a b") == (words{"a", "b"}));
    BOOST_TEST(split("a b ") == (words{"a", "b", ""}));
    BOOST_TEST(split("") == words{""});
    BOOST_TEST(split("a 'b c\" d") == (words{"a", "b c\" d"}));
    BOOST_TEST(split("a \"b 'c\\\"\\n") == (words{"a", "b 'c\"\\n"}));
    BOOST_TEST(split("a b\\ c") == (words{"a", "b c"}));
    BOOST_TEST(split("x | a ''") == (words{"a", ""}));
    BOOST_TEST(read_shell_line("a 'b", "").quote == '\'');
    BOOST_TEST(read_shell_line("a 'b'", "").quote == 0);
}

BOOST_AUTO_TEST_CASE(what_stands_before_a_break_is_kept)
{
    BOOST_TEST(read_shell_line("a unix:/x", ":=").kept == 5u);
    BOOST_TEST(read_shell_line("a unix:/x", "").kept == 0u);
    BOOST_TEST(read_shell_line("a x:y z", ":=").kept == 0u);
    BOOST_TEST(read_shell_line("a 'x:y", ":=").kept == 0u);
}

BOOST_AUTO_TEST_CASE(words_are_quoted_as_the_place_needs_it)
{
    const auto quoted = [](const char* line, const char* word) {
        return quote_for(read_shell_line(line, ""), word);
    };
    BOOST_TEST(quoted("a ", "b c$'") == "b\\ c\\$\\'");
    BOOST_TEST(quoted("a \"", "b c$") == "b c\\$");
    BOOST_TEST(quoted("a '", "b c$") == "b c$");
    BOOST_TEST(quoted("a '", "b'c") == "");
    BOOST_TEST(quoted("a ", "Grüße/x:1") == "Grüße/x:1");
}

BOOST_AUTO_TEST_CASE(json_goes_on_with_members_that_are_not_there_yet)
{
    BOOST_TEST(next("") == words{"{"});
    BOOST_TEST(
        next("{") ==
        (words{"{\"id\": ", "{\"items\": ", "{\"by_name\": ", "{\"extra\": ", "{\"both\": "}));
    BOOST_TEST(next("{\"i") == (words{"{\"id\": ", "{\"items\": "}));
    BOOST_TEST(next("{i") == (words{"{\"id\": ", "{\"items\": "}));
    BOOST_TEST(next("{\"id\": 1, \"i") == words{"{\"id\": 1, \"items\": "});
    BOOST_TEST(next("{\"id\": 1").empty());
    BOOST_TEST(next("{\"id\"").empty());
    BOOST_TEST(next("{\"unknown\": {").empty());
}

BOOST_AUTO_TEST_CASE(json_goes_on_inside_containers)
{
    BOOST_TEST(next("{\"items\": ") == words{"{\"items\": ["});
    BOOST_TEST(next("{\"items\": [{\"n") == words{"{\"items\": [{\"name\": "});
    BOOST_TEST(next("{\"items\": [{\"name\": \"]}\", \"gift\": t") ==
               words{"{\"items\": [{\"name\": \"]}\", \"gift\": true"});
    BOOST_TEST(next("{\"items\": [{}, {\"g") == words{"{\"items\": [{}, {\"gift\": "});
    BOOST_TEST(next("{\"by_name\": {\"x\": {\"g") == words{"{\"by_name\": {\"x\": {\"gift\": "});
    BOOST_TEST(next("{\"extra\": {\"g") == words{"{\"extra\": {\"gift\": "});
    BOOST_TEST(next("{\"both\": [{}, f") == words{"{\"both\": [{}, false"});
    BOOST_TEST(next("{\"items\": [], \"e") == words{"{\"items\": [], \"extra\": "});
}

BOOST_AUTO_TEST_CASE(what_is_no_json_goes_on_with_nothing)
{
    for (const char* text : {"}", "]", ":", "{{", "[[", "{\"a\": 1}}", "nonsense", "\\", "{\"\\"})
        BOOST_TEST(next(text).empty(), text);
    BOOST_TEST(next(std::string(100000, '[')).empty());
    BOOST_TEST(complete_json(wharf::schema::opaque("why"), "{").empty());
}

BOOST_FIXTURE_TEST_SUITE(program_suite, fixture)

BOOST_AUTO_TEST_CASE(subcommands_and_options_are_known_without_a_daemon)
{
    const std::string nowhere = "--endpoint unix:/nonexistent/s ";
    BOOST_TEST(complete(nowhere + "pi") == "ping|");
    BOOST_TEST(complete(nowhere + "put k --f") == "--file|");
    BOOST_TEST(complete(nowhere + "--col") == "--colour|");
    BOOST_TEST(complete(nowhere + "--colour a") == "always|auto|");
    BOOST_TEST(complete(nowhere + "top --sort p") == "p50|p99|");
    BOOST_TEST(complete(nowhere + "log-level c") == "call=|critical|");
    BOOST_TEST(complete(nowhere + "log-level info,s") == "info,session=|info,store=|");
    BOOST_TEST(complete(nowhere + "log-level info,session=d") == "info,session=debug|");
    BOOST_TEST(complete(nowhere + "log-level info,n") == "");
    BOOST_TEST(complete(nowhere + "schema e") == "export|");
    BOOST_TEST(complete(nowhere + "call s") == "");
    BOOST_TEST(complete("").find("status|") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_daemon_knows_commands_fields_and_keys)
{
    BOOST_TEST(complete("call o") == "objects.get|objects.list|");
    BOOST_TEST(complete("describe sy") == "system.ping|");
    BOOST_TEST(complete("schema export objects.get sy") == "system.ping|");
    BOOST_TEST(complete("call objects.list '{\"p'") == "{\"prefix\": |");
    // Not the one that steers a terminal.
    BOOST_TEST(complete("get a/") == "a/1|a/2 b|");
    BOOST_TEST(complete("erase b") == "b|");
    BOOST_TEST(complete("ls a/1") == "a/1|");
    BOOST_TEST(complete("-e " + daemon.endpoint() + " cas a/1") == "a/1|");
    BOOST_TEST(complete("put k val") == "");
}

BOOST_AUTO_TEST_CASE(bash_gets_what_it_puts_in_the_place_of_the_word)
{
    BOOST_TEST(bash("wharfctl pi") == "ping |");
    BOOST_TEST(bash("wharfctl call objects.l") == "objects.list |");
    BOOST_TEST(bash("wharfctl call objects.list ") == "'{|");
    BOOST_TEST(bash("wharfctl call objects.list '{") == "{\"after\": |{\"limit\": |{\"prefix\": |");
    // Two, so that readline does not close the quotes.
    BOOST_TEST(bash("wharfctl call objects.list '{\"p") == "{\"prefix\": |{\"prefix\": ...|");
    BOOST_TEST(bash("wharfctl get a/2") == "a/2\\ b |");
    BOOST_TEST(bash("wharfctl get 'a/2") == "a/2 b|");
    BOOST_TEST(bash("wharfctl -e unix:/ru") == "/run/wharf/wharf.sock |");
    BOOST_TEST(bash("true && wharfctl pi") == "ping |");
    BOOST_TEST(bash("wharfctl put k -f /etc/ho") == "|"); // the shell's own: files
}

BOOST_AUTO_TEST_CASE(a_daemon_that_hangs_costs_no_more_than_a_blink)
{
    fake::directory other;
    // Nobody accepts there: the connection stays in the backlog.
    const int listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    (other.path() + "/s").copy(where.sun_path, sizeof where.sun_path - 1);
    BOOST_REQUIRE(::bind(listening, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
    BOOST_REQUIRE(::listen(listening, 8) == 0);
    const auto before = std::chrono::steady_clock::now();
    BOOST_TEST(complete("-e unix:" + other.path() + "/s call o") == "");
    const auto took = std::chrono::steady_clock::now() - before;
    BOOST_TEST((took < std::chrono::seconds(5)));
    ::close(listening);
}

BOOST_AUTO_TEST_CASE(the_scripts_are_printed)
{
    BOOST_TEST(program::run(WHARFCTL " completion bash | cmp - " COMPLETION " 2>&1").status == 0);
    BOOST_TEST(program::run(WHARFCTL " completion zsh").output.starts_with("#compdef wharfctl"));
    BOOST_TEST(program::run(WHARFCTL " completion fish 2>&1").status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
