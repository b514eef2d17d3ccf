// Tests the configuration: defaults, order of sources, values, what is refused and how it is said.
#include "config.hpp"

#include "config_values.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace config = wharf::config;
using wharf::test::scratch;
using namespace std::chrono_literals;

namespace {

config::configuration from_text(const std::string& text)
{
    config::configuration all = config::defaults();
    config::apply_toml(all, text, "test.conf");
    config::check(all);
    return all;
}

std::string complaint(const std::string& text)
{
    try {
        from_text(text);
    }
    catch (const config::config_error& e) {
        return e.what();
    }
    return "nothing";
}

std::string read(const std::string& file)
{
    std::ifstream in(file, std::ios::binary);
    BOOST_REQUIRE_MESSAGE(in, "cannot read " << file);
    return {std::istreambuf_iterator<char>(in), {}};
}

const std::string tcp_listener = "[[listen]]\nname = \"tcp\"\nendpoint = \"127.0.0.1:0\"\n";
const std::string tcp_rule =
    "[[allow]]\nlistener = \"tcp\"\nmethod = \"anonymous\"\nsubject = \"127.0.0.0/8\"\n"
    "role = \"user\"\n";

struct bad {
    const char* text;
    const char* line; ///< what --check says behind the file's name
};

/// Row 2: no start with any of these; each is one line with its place, its key and what was
/// expected.
const bad bad_configs[] = {
    // Unknown names.
    {"[limits]\ndepth_mx = 3\n",
     ":2:1: limits.depth_mx: unknown key; expected \"limits.depth_max\""},
    {"state_dir = \"/x\"\n",
     ":1:1: state_dir: unknown key; expected a key that wharfd.conf(5) lists"},
    {"[limit]\n", ":1:2: limit: unknown table; expected \"limits\""},
    {"[nonsense]\n", ":1:2: nonsense: unknown table; expected one of listen, allow, role, server, "
                     "limits, tcp, log, store"},
    {"[[listen]]\nendpiont = \"unix:/x\"\n",
     ":2:1: listen.endpiont: unknown key; expected \"endpoint\""},
    // Wrong types, ranges and notations.
    {"[limits]\ndepth_max = \"many\"\n",
     ":2:13: limits.depth_max: \"many\" does not fit; expected a number from 1 to 1000"},
    {"[limits]\ndepth_max = 0\n",
     ":2:13: limits.depth_max: 0 is out of range; expected a number from 1 to 1000"},
    {"[limits]\nsessions_max = -1\n",
     ":2:16: limits.sessions_max: -1 is out of range; expected a number from 1 to 1000000"},
    {"[limits]\nframe_bytes_max = \"64Kb\"\n",
     ":2:19: limits.frame_bytes_max: \"64Kb\" does not fit; expected a size from 1KiB to 16MiB, "
     "such as \"64KiB\" or a number of bytes"},
    {"[server]\ndrain_timeout = 10\n",
     ":2:17: server.drain_timeout: 10 does not fit; expected a duration from 0s to 1h, such as "
     "\"500ms\", \"10s\" or \"2min\""},
    {"[tcp]\nkeepalive_idle = \"1500ms\"\n",
     ":2:18: tcp.keepalive_idle: \"1500ms\" is not whole seconds; expected a duration from 0s to "
     "9h, such as \"500ms\", \"10s\" or \"2min\""},
    {"[tcp]\nno_delay = 1\n", ":2:12: tcp.no_delay: 1 does not fit; expected true or false"},
    {"[log]\nlevel = \"loud\"\n",
     ":2:9: log.level: \"loud\" does not fit; expected one of \"critical\", \"error\", "
     "\"warning\", \"notice\", \"info\", \"debug\", and those of channels, as in "
     "\"info,session=debug\""},
    {"[log]\nlevel = 2026-01-02\n", ":2:9: log.level: a value of this kind fits no key; expected a "
                                    "text, a number, true, false or a list of texts"},
    {"state_directory = \"relative\"\n",
     ":1:19: state_directory: \"relative\" does not fit; expected an absolute path"},
    {"limits = 3\n", ":1:1: limits: unknown key; expected a key that wharfd.conf(5) lists"},
    {"[listen]\nendpoint = \"unix:/x\"\n", ":1:2: listen: is one table; expected [[listen]]"},
    {"[[limits]]\ndepth_max = 3\n", ":1:1: limits: is a list of tables; expected [limits]"},
    // Syntax.
    {"[limits\n", ":1:8: syntax: "},
    {"[limits]\ndepth_max = 3\ndepth_max = 4\n", ":3:13: syntax: "},
    {"a = \"\xff\"\n", ": syntax: "},
    // Endpoints.
    {"listen = []\n", ":1:10: listen: there is no endpoint; expected at least one [[listen]]"},
    {"[[listen]]\nname = \"x\"\n",
     ":1:1: listen.endpoint: is missing; expected \"host:port\", \"1.2.3.4:port\", \"[v6]:port\", "
     "\"unix:/path\", \"unix:@name\" or \"fd:N\""},
    {"[[listen]]\nendpoint = \"127.0.0.1\"\n", ":2:12: listen.endpoint: "},
    {"[[listen]]\nendpoint = \"127.0.0.1:70000\"\n", ":2:12: listen.endpoint: "},
    {"[[listen]]\nendpoint = \"unix:relative\"\n", ":2:12: listen.endpoint: "},
    // Row 22: datagrams carry no archive.
    {"[[listen]]\nendpoint = \"udp:127.0.0.1:7040\"\n",
     ":2:12: listen.endpoint: \"udp:127.0.0.1:7040\": a datagram endpoint cannot carry archives"},
    {"[[listen]]\nendpoint = \"unix:/a\"\n[[listen]]\nendpoint = \"unix:/a\"\n",
     ":4:12: listen.endpoint: \"unix:/a\" is listed twice; expected each place once"},
    {"[[listen]]\nendpoint = \"unix:/a\"\nname = \"n\"\n[[listen]]\nendpoint = \"unix:/b\"\n"
     "name = \"n\"\n",
     ":6:8: listen.name: two listeners are named \"n\"; expected a name of its own for each"},
    {"[[listen]]\nendpoint = \"unix:/a\"\nipv6_only = true\n",
     ":3:13: listen.ipv6_only: is for TCP only"},
    {"[[listen]]\nendpoint = \"unix:/a\"\nmode = \"0999\"\n",
     ":3:8: listen.mode: \"0999\" does not fit; expected permissions such as \"0660\""},
    {"[[listen]]\nendpoint = \"unix:/a\"\ngroup = \"no-such-group-here\"\n",
     ":3:9: listen.group: there is no group \"no-such-group-here\"; expected a group of this "
     "system"},
    // TCP is served to nobody by default: the line to add is printed.
    {"[[listen]]\nname = \"tcp\"\nendpoint = \"127.0.0.1:7040\"\n",
     ":3:12: listen.endpoint: \"127.0.0.1:7040\" has no allow line, so that nobody could use it; "
     "expected a line such as: allow = [{ listener = \"tcp\", method = \"anonymous\", subject = "
     "\"127.0.0.0/8\", role = \"user\" }] at the top of the file, or [[allow]] with these keys "
     "below"},
    // The allow table and the roles.
    {"[[allow]]\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"adnim\"\n",
     ":4:8: allow.role: no role is named \"adnim\"; expected one of \"admin\", \"user\""},
    {"[[allow]]\nlistener = \"tpc\"\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"admin\"\n",
     ":2:12: allow.listener: no listener is named \"tpc\"; expected one of \"*\", "
     "\"unix:/run/wharf/wharf.sock\""},
    {"[[allow]]\nmethod = \"magic\"\nsubject = \"self\"\nrole = \"admin\"\n",
     ":2:10: allow.method: \"magic\" does not fit; expected \"unix\" or \"anonymous\""},
    {"[[allow]]\nmethod = \"unix\"\nrole = \"admin\"\n",
     ":1:1: allow.subject: is missing; expected who"},
    {"[[allow]]\nmethod = \"unix\"\nsubject = \"user:no-such-user-here\"\nrole = \"admin\"\n",
     ":3:11: allow.subject: there is no user \"no-such-user-here\"; expected uid:N"},
    {"[[allow]]\nmethod = \"unix\"\nsubject = \"group:no-such-group-here\"\nrole = \"admin\"\n",
     ":3:11: allow.subject: there is no group \"no-such-group-here\"; expected uid:N"},
    {"[[allow]]\nmethod = \"anonymous\"\nsubject = \"10.0.0.0/33\"\nrole = \"admin\"\n",
     ":3:11: allow.subject: \"10.0.0.0/33\" has bad bits; expected an address"},
    {"[[role]]\nname = \"r\"\ncommands = \"*\"\n",
     ":3:12: role.commands: \"*\" does not fit; expected a list of command names"},
    {"[[role]]\nname = \"r\"\ncommands = [\"obj*\"]\n",
     ":3:12: role.commands: \"obj*\" is no command name; expected a list of command names"},
    {"[[role]]\nname = \"r\"\ncommands = []\n[[role]]\nname = \"r\"\ncommands = []\n",
     ":5:8: role.name: two roles are named \"r\"; expected a name of its own for each"},
    // Limits that contradict each other.
    {"[limits]\nframe_bytes_max = \"2MiB\"\nmessage_bytes_max = \"1MiB\"\n",
     ":2:19: limits.frame_bytes_max: limits.frame_bytes_max (2MiB) exceeds "
     "limits.message_bytes_max (1MiB)"},
    // Nothing that a file says breaks out of the line.
    {"\"a\\nb\\u001b[31m\" = 3\n", ":1:1: a\\nb\\x1b[31m: unknown key"},
};

} // namespace

BOOST_AUTO_TEST_CASE(every_bad_config_ends_the_check_with_one_line_row_2_and_row_22)
{
    const scratch directory;
    for (const bad& b : bad_configs) {
        const std::string file = directory.write("wharfd.conf", b.text);
        const auto r = wharf::test::run({WHARFD, "--check", "--config", file});
        BOOST_TEST_CONTEXT(b.text)
        {
            BOOST_TEST(r.status == 2);
            BOOST_TEST(r.output.empty());
            BOOST_TEST(std::count(r.errors.begin(), r.errors.end(), '\n') == 1);
            const bool has_place = b.line[0] == ':' && b.line[1] != ' ';
            const std::string expected = (has_place ? "wharfd: " + file : "") + b.line;
            BOOST_TEST(r.errors.find(expected) != std::string::npos,
                       "said: " << r.errors << "expected: " << expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_good_config_passes_the_check)
{
    const scratch directory;
    const std::string file = directory.write("wharfd.conf", tcp_listener + tcp_rule);
    const auto r = wharf::test::run({WHARFD, "--check", "--config", file});
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.errors == "");
    BOOST_TEST(r.output == "wharfd: the configuration is ok\n");
}

BOOST_AUTO_TEST_CASE(bad_words_of_the_command_line_end_with_one_line_row_2)
{
    const std::vector<std::vector<std::string>> lines{
        {"--bogus"},
        {"--config"},
        {"--config", "/no/such/file"},
        {"--config", "/"},
        {"--listen", "udp:127.0.0.1:1"},
        {"--listen", "127.0.0.1:7040"},
        {"--set", "limits.depth_max"},
        {"--set", "limits.depth_max=x"},
        {"--set", "listen.endpoint=unix:/x"},
        {"--log-level", "loud"},
        {"--threads", "-1"},
        {"--check", "--print-config"},
    };
    for (const auto& words : lines) {
        std::vector<std::string> command{WHARFD, "--check"};
        command.insert(command.end(), words.begin(), words.end());
        const auto r = wharf::test::run(command);
        BOOST_TEST_CONTEXT(words.front() << " " << words.back())
        {
            BOOST_TEST(r.status == 2);
            BOOST_TEST(r.output == "");
            BOOST_TEST(r.errors.starts_with("wharfd: "));
            BOOST_TEST(std::count(r.errors.begin(), r.errors.end(), '\n') == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(by_default_only_the_unix_socket_listens_row_4)
{
    const config::configuration all = config::defaults();
    BOOST_REQUIRE(all.server.listeners.size() == 1u);
    BOOST_TEST(wharf::to_string(all.server.listeners[0].where) == wharf::default_endpoint);
    for (const wharf::allow_rule& rule : all.server.allow)
        BOOST_TEST(rule.method == "unix");
    BOOST_TEST(all.server.allow[0].subject == "uid:0");
    BOOST_TEST(all.server.allow[1].subject == "self");
    BOOST_CHECK_NO_THROW(config::check(all));
}

BOOST_AUTO_TEST_CASE(later_sources_win_and_each_value_says_where_it_came_from)
{
    const scratch directory;
    const std::string file = directory.write(
        "wharfd.conf", "[limits]\ndepth_max = 10\ncommands_max = 10\nsessions_max = 10\n");
    const std::string second =
        directory.write("wharfd.conf.d/20.conf", "[limits]\ncommands_max = 30\n");
    directory.write("wharfd.conf.d/10.conf", "[limits]\ncommands_max = 20\nsessions_max = 20\n");
    directory.write("wharfd.conf.d/30.ignored", "[limits]\ncommands_max = 99\n");
    config::overrides above;
    above.file = file;
    above.settings = {"limits.sessions_max=40", "log.level=debug"};
    above.state_directory = "/from/systemd";
    const config::configuration all = config::load(above);
    BOOST_TEST(all.server.decode.depth_max == 10u);
    BOOST_TEST(all.server.conversation.commands_max == 30u);
    BOOST_TEST(all.server.sessions_max == 40u);
    BOOST_TEST(all.store.directory == "/from/systemd");
    BOOST_CHECK(all.log.threshold == wharf::log::level::debug);
    BOOST_TEST(config::to_string(all.origin("limits.depth_max")) == file + ":2:13");
    BOOST_TEST(config::to_string(all.origin("limits.commands_max")) == second + ":2:16");
    BOOST_TEST(config::to_string(all.origin("limits.sessions_max")) == "--set");
    BOOST_TEST(config::to_string(all.origin("state_directory")) == "$STATE_DIRECTORY");
    BOOST_TEST(config::to_string(all.origin("limits.memory_factor")) == "default");
}

BOOST_AUTO_TEST_CASE(a_credential_is_read_after_the_files_and_before_the_command_line)
{
    const scratch directory;
    config::overrides above;
    above.file = directory.write("wharfd.conf", "[limits]\ndepth_max = 10\n");
    directory.write("wharfd.conf.d/10.conf", "[limits]\ndepth_max = 11\nsessions_max = 20\n");
    above.credential =
        directory.write("credential", "[limits]\ndepth_max = 12\nsessions_max = 30\n");
    above.settings = {"limits.sessions_max=40"};
    const config::configuration all = config::load(above);
    BOOST_TEST(all.server.decode.depth_max == 12u);
    BOOST_TEST(config::to_string(all.origin("limits.depth_max")) == above.credential + ":2:13");
    BOOST_TEST(all.server.sessions_max == 40u);
    above.credential += "-not";
    BOOST_CHECK_THROW(config::load(above), config::config_error);
}

BOOST_AUTO_TEST_CASE(listed_tables_replace_the_defaults_and_files_add_up)
{
    const auto all = from_text(tcp_listener + "backlog = 7\n" + tcp_rule);
    BOOST_REQUIRE(all.server.listeners.size() == 1u);
    BOOST_TEST(all.server.listeners[0].backlog == 7);
    BOOST_REQUIRE(all.server.allow.size() == 1u);

    config::configuration more = all;
    config::apply_toml(more, "[[listen]]\nendpoint = \"unix:@a\"\n", "more.conf");
    BOOST_TEST(more.server.listeners.size() == 2u);

    // A role of a built-in name replaces it; others are added.
    const auto roles = from_text("[[role]]\nname = \"user\"\ncommands = [\"a.b\"]\n"
                                 "[[role]]\nname = \"guest\"\ncommands = [\"c.*\"]\n");
    BOOST_REQUIRE(roles.server.roles.size() == 3u);
    BOOST_TEST(roles.server.roles[1].name == "user");
    BOOST_TEST(roles.server.roles[1].commands.size() == 1u);
    BOOST_TEST(roles.server.roles[2].name == "guest");
}

BOOST_AUTO_TEST_CASE(a_listen_option_replaces_what_the_files_list)
{
    const scratch directory;
    config::overrides above;
    above.file = directory.write("wharfd.conf", "[[listen]]\nendpoint = \"unix:/a\"\n"
                                                "[[listen]]\nendpoint = \"unix:/b\"\n");
    above.listen = {"unix:/c"};
    const auto all = config::load(above);
    BOOST_REQUIRE(all.server.listeners.size() == 1u);
    BOOST_TEST(wharf::to_string(all.server.listeners[0].where) == "unix:/c");
}

BOOST_AUTO_TEST_CASE(tcp_options_reach_every_listener)
{
    const scratch directory;
    config::overrides above;
    above.file =
        directory.write("wharfd.conf", tcp_listener + tcp_rule +
                                           "[tcp]\nno_delay = false\nkeepalive_idle = \"2min\"\n");
    const auto all = config::load(above);
    BOOST_TEST(!all.server.listeners[0].tcp.no_delay);
    BOOST_CHECK(all.server.listeners[0].tcp.keepalive_idle == 120s);
}

BOOST_AUTO_TEST_CASE(what_is_printed_is_read_back_as_the_same)
{
    const auto all =
        from_text(tcp_listener + tcp_rule +
                  "[[listen]]\nendpoint = \"unix:/s\"\nmode = \"0600\"\n"
                  "[[allow]]\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"admin\"\n"
                  "[limits]\nidle_timeout = \"90s\"\nmessage_bytes_max = 1048577\n");
    const std::string printed = config::print(all);
    config::configuration again = config::defaults();
    config::apply_toml(again, printed, "printed");
    BOOST_CHECK(again.server == all.server);
    BOOST_CHECK(again.log == all.log);
    BOOST_CHECK(again.store == all.store);
    BOOST_CHECK(again.tcp == all.tcp);
    BOOST_TEST(printed.find("idle_timeout = \"90s\" # test.conf:17") != std::string::npos, printed);
    BOOST_TEST(printed.find("threads = 0 # default") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(print_config_of_the_program_is_a_config_that_it_reads)
{
    const scratch directory;
    const auto first = wharf::test::run({WHARFD, "--print-config", "--set", "limits.depth_max=9"});
    BOOST_TEST(first.status == 0);
    const std::string file = directory.write("wharfd.conf", first.output);
    const auto second = wharf::test::run({WHARFD, "--print-config", "--config", file});
    BOOST_TEST(second.status == 0, second.errors);
    const auto without_comments = [](const std::string& text) {
        return std::regex_replace(text, std::regex(" +#[^\n]*"), "");
    };
    BOOST_TEST(without_comments(second.output) == without_comments(first.output));
}

BOOST_AUTO_TEST_CASE(durations_and_sizes_round_trip)
{
    for (const auto d : {0ms, 1ms, 999ms, 1000ms, 90000ms, 120000ms, 3600000ms, 5400000ms})
        BOOST_CHECK(config::parse_duration(config::format_duration(d)) == d);
    for (const std::uint64_t n : {0ull, 1ull, 1023ull, 1024ull, 65536ull, 1ull << 20, 3ull << 30})
        BOOST_CHECK(config::parse_size(config::format_size(n)) == n);
    for (const char* text : {"", "s", "1", "1 s", "-1s", "1.5s", "1d", "99999999999999999999s",
                             "9999999999999999h", "0x1s", "1ss"})
        BOOST_TEST(!config::parse_duration(text).has_value(), text);
    for (const char* text : {"", "KiB", "1KB", "-1", "1.5MiB", "99999999999999999999",
                             "18446744073709551615GiB", "1 KiB"})
        BOOST_TEST(!config::parse_size(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_name_is_suggested_only_when_it_is_close)
{
    const std::vector<std::string> names{"depth_max", "commands_max"};
    BOOST_TEST(config::closest("depth_mx", names) == "depth_max");
    BOOST_TEST(config::closest("dept_max", names) == "depth_max");
    BOOST_TEST(config::closest("sessions", names) == "");
    BOOST_TEST(config::closest(std::string(100000, 'a'), names) == "");
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_refused)
{
    const scratch directory;
    config::overrides above;
    above.file = directory.write("wharfd.conf", std::string(config::file_bytes_max + 1, '#'));
    BOOST_CHECK_THROW(config::load(above), config::config_error);
}

BOOST_AUTO_TEST_CASE(nesting_in_a_file_does_not_exhaust_the_stack)
{
    BOOST_TEST(complaint("a = " + std::string(200000, '[')).find("test.conf:1:") == 0u);
    std::string dotted = "a";
    for (int i = 0; i < 2000; ++i)
        dotted += ".a";
    BOOST_TEST(complaint(dotted + " = 1") != "nothing");
}

// ---- config/wharfd.conf and its manual page ------------------------------------------------

namespace {

/// The file with every commented setting turned into a real one.
std::string uncommented(const std::string& text)
{
    std::istringstream in(text);
    std::string out, line;
    const std::regex setting("^#((\\[\\[)?[a-z_0-9]+(\\]\\]| = ).*)$");
    while (std::getline(in, line))
        out += std::regex_replace(line, setting, "$1") + "\n";
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_shipped_file_changes_nothing)
{
    config::configuration all = config::defaults();
    config::apply_toml(all, read(WHARF_SOURCE_DIR "/config/wharfd.conf"), "wharfd.conf");
    BOOST_CHECK(all.server == config::defaults().server);
    BOOST_TEST(all.origins.empty());
}

BOOST_AUTO_TEST_CASE(the_shipped_file_documents_every_key_with_its_real_default)
{
    const std::string text = uncommented(read(WHARF_SOURCE_DIR "/config/wharfd.conf"));
    config::configuration all;
    BOOST_REQUIRE_NO_THROW(config::apply_toml(all, text, "wharfd.conf"));
    const config::configuration defaults = config::defaults();
    const auto expected = config::describe(defaults), documented = config::describe(all);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& [key, value] = expected[i];
        const auto dot = key.find('.');
        const std::string table = key.substr(0, dot == std::string::npos ? 0 : dot);
        const bool repeats = table == "listen" || table == "allow" || table == "role";
        const std::string name = repeats ? table + "[0]" + key.substr(dot) : key;
        BOOST_TEST(all.origins.contains(name), key << " is not documented");
        BOOST_TEST(documented[i].second == value, key);
    }
    // The tables that repeat show wharfd's own lines.
    BOOST_REQUIRE(all.server.listeners.size() == 1u);
    BOOST_CHECK(all.server.listeners[0].where == defaults.server.listeners[0].where);
    BOOST_TEST(all.server.listeners[0].backlog == defaults.server.listeners[0].backlog);
    BOOST_TEST(all.server.listeners[0].unix_mode == defaults.server.listeners[0].unix_mode);
    BOOST_CHECK(all.server.roles == defaults.server.roles);
    const std::vector<wharf::allow_rule> rules{{"*", "unix", "uid:0", "admin"},
                                               {"*", "unix", "self", "admin"},
                                               {"*", "unix", "group:wharf", "user"}};
    BOOST_CHECK(all.server.allow == rules);
}

BOOST_AUTO_TEST_CASE(the_manual_page_names_every_key_with_its_default)
{
    const std::string page = std::regex_replace(read(WHARF_SOURCE_DIR "/config/wharfd.conf.5"),
                                                std::regex(R"(\\\(dq)"), "\"");
    for (const auto& [key, value] : config::describe(config::defaults())) {
        const auto dot = key.find('.');
        const std::string table = key.substr(0, dot == std::string::npos ? 0 : dot);
        const std::string name = key.substr(dot == std::string::npos ? 0 : dot + 1);
        const bool repeats = table == "listen" || table == "allow" || table == "role";
        const std::string entry = ".B " + name + (repeats ? "\n" : " = " + value + "\n");
        BOOST_TEST(page.find(entry) != std::string::npos, "no " << entry);
    }
}
