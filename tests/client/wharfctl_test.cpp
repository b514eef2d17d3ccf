// wharfctl as a program: what it prints, and the exit codes that scripts use.
#include "fake_daemon.hpp"
#include "program.hpp"

#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <mutex>

using wharf::errc;
namespace objects = wharf::objects;

namespace {

/// The objects of a daemon that forgets them at its end.
struct memory {
    /// The daemon's thread against the test's, which fills it first: the program between them
    /// orders the two, but no sanitizer sees that.
    std::recursive_mutex mutex;
    std::map<std::string, objects::object> all;
    std::uint64_t last = 0;

    objects::written store(const std::string& key, const std::vector<std::byte>& value)
    {
        const std::lock_guard lock(mutex);
        all[key] = {value, ++last};
        return {last};
    }
    std::uint64_t revision(const std::string& key)
    {
        return all.contains(key) ? all[key].revision : 0;
    }
    void check(const std::string& key, std::uint64_t expected)
    {
        if (revision(key) != expected)
            throw wharf::error(errc::conflict, "present revision " + std::to_string(revision(key)));
    }
};

std::map<std::string, fake::handler> serve(memory& m)
{
    return {
        fake::on<wharf::system::ping>([](const auto& c) { return c.token; }),
        fake::on<wharf::system::status>([](const auto&) {
            wharf::system::status_reply reply;
            reply.software = "fake \x1b[31m1";
            reply.pid = 7;
            reply.endpoints = {{"main", "127.0.0.1:7040"}};
            reply.counters = {{"sessions", 3}};
            reply.limits = {{"sessions_max", 10}, {"frame_bytes_max", 65536}};
            reply.levels = {{"sessions_max", 3}};
            return reply;
        }),
        fake::on<wharf::system::metrics>(
            [](const auto&) { return std::string("# TYPE x\nx{a=\"b\"} 1\n"); }),
        fake::on<wharf::system::sessions>([](const wharf::system::sessions& ask) {
            wharf::system::sessions_reply reply{{}, 3, 1};
            for (std::uint64_t id = ask.after + 1; id <= 2 && reply.sessions.size() < ask.limit;
                 ++id)
                reply.sessions.push_back(
                    {id, "unix:\x1b[2J", "alice", "admin", 1763740800000, 5, 1, 0, 2, 300, 400});
            return reply;
        }),
        fake::on<wharf::system::list>([](const auto&) {
            return std::vector<std::string>{"objects.get", "system.ping"};
        }),
        fake::on<objects::put>([&](const objects::put& c) {
            if (c.key == "forbidden")
                throw wharf::error(errc::permission_denied, "a reader may not");
            if (c.key == "steer")
                throw wharf::error(errc::bad_argument, "\x1b]0;owned\x07");
            return m.store(c.key, c.value);
        }),
        fake::on<objects::cas>([&](const objects::cas& c) {
            const std::lock_guard lock(m.mutex);
            m.check(c.key, c.expected);
            return m.store(c.key, c.value);
        }),
        fake::on<objects::get>([&](const objects::get& c) {
            const std::lock_guard lock(m.mutex);
            if (!m.all.contains(c.key))
                throw wharf::error(errc::not_found, "no object " + c.key);
            return m.all[c.key];
        }),
        fake::on<objects::erase>([&](const objects::erase& c) {
            const std::lock_guard lock(m.mutex);
            if (!m.all.contains(c.key))
                throw wharf::error(errc::not_found, "no object " + c.key);
            if (c.expected)
                m.check(c.key, *c.expected);
            m.all.erase(c.key);
            return objects::written{++m.last};
        }),
        fake::on<objects::list>([&](const objects::list& c) {
            const std::lock_guard lock(m.mutex);
            objects::page page;
            for (auto it = m.all.upper_bound(c.after); it != m.all.end(); ++it) {
                if (!it->first.starts_with(c.prefix))
                    continue;
                // Pages of two, so that a client has to ask again.
                if (page.entries.size() == std::min(c.limit, 2u)) {
                    page.more = true;
                    break;
                }
                page.entries.push_back({it->first, it->second.revision, it->second.value.size()});
            }
            return page;
        }),
    };
}

struct fixture {
    fake::directory directory;
    memory stored;
    fake::daemon daemon{directory.socket(), serve(stored)};

    /// Runs wharfctl with both outputs in one.
    program::result ctl(const std::string& arguments, const std::string& before = {})
    {
        return program::run(before + "WHARF_ENDPOINT=" + daemon.endpoint() + " " WHARFCTL " " +
                            arguments + " 2>&1");
    }
    std::string path(const char* name) const { return directory.path() + "/" + name; }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(wharfctl_suite, fixture)

BOOST_AUTO_TEST_CASE(ping_status_and_list_show_what_the_daemon_says)
{
    const auto ping = ctl("ping");
    BOOST_TEST(ping.status == 0);
    BOOST_TEST(ping.output.starts_with(daemon.endpoint() + " answered in "), ping.output);
    const auto status = ctl("status");
    BOOST_TEST(status.status == 0);
    BOOST_TEST(status.output == "software\tfake \\x1b[31m1\npid\t7\nuptime_ms\t0\n"
                                "endpoint.main\t127.0.0.1:7040\nsessions\t3\n"
                                "limit.sessions_max\t10\nlimit.frame_bytes_max\t65536\n");
    const auto list = ctl("list");
    BOOST_TEST(list.status == 0);
    BOOST_TEST(list.output == "objects.get\nsystem.ping\n");
}

BOOST_AUTO_TEST_CASE(limits_sessions_and_metrics_show_what_is_taken)
{
    BOOST_TEST(ctl("limits").output == "sessions_max\t3\t10\nframe_bytes_max\t-\t65536\n");
    const auto metrics = ctl("metrics");
    BOOST_TEST(metrics.status == 0);
    BOOST_TEST(metrics.output == "# TYPE x\nx{a=\"b\"} 1\n");
    const std::string rest =
        "\tunix:\\x1b[2J\talice\tadmin\t2025-11-21T16:00:00Z\t5\t1\t0\t2\t300\t400\n";
    const std::string missing =
        "wharfctl: 1 sessions are on threads of the daemon that did not answer\n";
    BOOST_TEST(ctl("sessions").output == "1" + rest + "2" + rest + missing);
    BOOST_TEST(ctl("sessions --limit 1").output == "1" + rest);
}

BOOST_AUTO_TEST_CASE(json_is_a_line_for_each_fact_with_names_that_stay)
{
    BOOST_TEST(ctl("status --json").output ==
               R"({"software": "fake \u001b[31m1", "pid": 7, "uptime_ms": 0, )"
               R"("endpoints": {"main": "127.0.0.1:7040"}, "counters": {"sessions": 3}, )"
               R"("limits": {"sessions_max": 10, "frame_bytes_max": 65536}, )"
               R"("levels": {"sessions_max": 3}, "store": {}})"
               "\n");
    BOOST_TEST(ctl("list --json").output ==
               "{\"command\": \"objects.get\"}\n{\"command\": \"system.ping\"}\n");
    BOOST_TEST(ctl("limits --json").output ==
               "{\"limit\": \"sessions_max\", \"taken\": 3, \"value\": 10}\n"
               "{\"limit\": \"frame_bytes_max\", \"taken\": null, \"value\": 65536}\n");
    BOOST_TEST(ctl("sessions --json -n 1").output ==
               R"({"id": 1, "peer": "unix:\u001b[2J", "name": "alice", "role": "admin", )"
               R"("since": "2025-11-21T16:00:00Z", "calls": 5, "in_flight": 1, )"
               R"("peer_calls": 0, "streams": 2, "received_bytes": 300, "sent_bytes": 400})"
               "\n");
    BOOST_TEST(ctl("metrics --json").output ==
               "{\"name\": \"x\", \"labels\": {\"a\": \"b\"}, \"value\": 1}\n");
    const auto ping = ctl("ping --json");
    BOOST_TEST(
        ping.output.starts_with("{\"endpoint\": \"" + daemon.endpoint() + "\", \"took_ms\": "),
        ping.output);
    BOOST_TEST(ctl("put k v --json").output == "{\"key\": \"k\", \"revision\": 1}\n");
    BOOST_TEST(ctl("--json cas k 1 v").output == "{\"key\": \"k\", \"revision\": 2}\n");
    BOOST_TEST(ctl("ls --json").output ==
               "{\"key\": \"k\", \"revision\": 2, \"size\": 1, \"type\": null}\n");
    BOOST_TEST(ctl("erase k --json").output == "{\"key\": \"k\", \"revision\": 3}\n");
    BOOST_TEST(ctl("get k --json --raw").status == 2);
    // Beyond 2^53 a number would be another one after most readers.
    stored.last = (std::uint64_t{1} << 53) + 1;
    BOOST_TEST(ctl("put k v --json").output ==
               "{\"key\": \"k\", \"revision\": \"9007199254740994\"}\n");
}

BOOST_AUTO_TEST_CASE(colours_are_where_they_are_wanted_and_nowhere_else)
{
    const std::string red = "\x1b[31mwharfctl:\x1b[0m";
    BOOST_TEST(ctl("get absent").output.find('\x1b') == std::string::npos);
    BOOST_TEST(ctl("get absent --colour always").output.starts_with(red));
    const auto on_terminal = [&](const std::string& before, const std::string& arguments) {
        return program::run(before + " TERM=xterm WHARF_ENDPOINT=" + daemon.endpoint() +
                            " script -qec '" WHARFCTL " " + arguments + "' /dev/null </dev/null")
            .output;
    };
    BOOST_TEST(on_terminal("", "get absent").starts_with(red));
    BOOST_TEST(on_terminal("", "limits").starts_with("\x1b[1mLIMIT"));
    BOOST_TEST(on_terminal("", "limits --colour never").starts_with("LIMIT"));
    BOOST_TEST(on_terminal("NO_COLOR=1", "limits").starts_with("LIMIT"));
    BOOST_TEST(on_terminal("NO_COLOR=1", "get absent").starts_with("wharfctl:"));
    BOOST_TEST(on_terminal("", "status").starts_with("\x1b[1mfake \\x1b[31m1\x1b[0m, pid 7"));
}

BOOST_AUTO_TEST_CASE(settings_come_from_the_users_file)
{
    const std::string home = "XDG_CONFIG_HOME=" + directory.path() + " ";
    BOOST_TEST(::system(("mkdir " + path("wharf")).c_str()) == 0);
    std::ofstream(path("wharf/wharfctl.toml")) << "endpoint = \"" << daemon.endpoint() << "\"\n";
    const auto run = [&](const std::string& arguments) {
        return program::run("unset WHARF_ENDPOINT; " + home + WHARFCTL " " + arguments + " 2>&1");
    };
    BOOST_TEST(run("list").output == "objects.get\nsystem.ping\n");
    std::ofstream(path("wharf/wharfctl.toml")) << "endpoint = \"unix:/nonexistent/s\"\n";
    const auto absent = run("list");
    BOOST_TEST(absent.output.find("endpoint from " + path("wharf/wharfctl.toml")) !=
                   std::string::npos,
               absent.output);
    std::ofstream(path("wharf/wharfctl.toml")) << "timeout = 0\n";
    const auto wrong = run("list");
    BOOST_TEST(wrong.status == 2);
    BOOST_TEST(wrong.output == "wharfctl: " + path("wharf/wharfctl.toml") +
                                   ":1: timeout: expected seconds from 0.001 to 86400\n");
}

BOOST_AUTO_TEST_CASE(top_prints_snapshots_where_nobody_watches)
{
    const auto text = ctl("top --count 2 --interval 0.05");
    BOOST_TEST(text.status == 0);
    BOOST_TEST(text.output.starts_with("fake \\x1b[31m1  unix:"), text.output);
    BOOST_TEST(text.output.find("COMMAND ") != text.output.rfind("COMMAND "));
    const auto json = ctl("top --count 1 --interval 0.05 --json");
    BOOST_TEST(json.output.starts_with("{\"software\": \"fake \\u001b[31m1\""), json.output);
    BOOST_TEST(std::count(json.output.begin(), json.output.end(), '\n') == 1);
}

BOOST_AUTO_TEST_CASE(what_is_put_is_what_one_gets)
{
    BOOST_TEST(ctl("put k hello").output == "1\n");
    BOOST_TEST(ctl("get k").output == "hello");
    BOOST_TEST(ctl("put k", "printf 'a\\0b\\377' | ").output == "2\n");
    BOOST_TEST(ctl("get k").output == std::string("a\0b\xff", 4));
    std::ofstream(path("in"), std::ios::binary) << std::string(100000, 'z');
    BOOST_TEST(ctl("put big --file " + path("in")).output == "3\n");
    BOOST_TEST(ctl("get big --output " + path("out")).output == "");
    BOOST_TEST(program::run("cmp " + path("in") + " " + path("out") + " 2>&1").status == 0);
    BOOST_TEST(ctl("put empty ''").output == "4\n");
    BOOST_TEST(ctl("get empty").output == "");
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_binary_as_a_hex_dump)
{
    stored.store("b", {std::byte{0}, std::byte{0x1b}, std::byte{'A'}});
    const auto r = program::run("WHARF_ENDPOINT=" + daemon.endpoint() +
                                " script -qec '" WHARFCTL " get b' /dev/null </dev/null");
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output.find("00 1b 41") != std::string::npos, r.output);
    BOOST_TEST(r.output.find("|..A|") != std::string::npos, r.output);
}

BOOST_AUTO_TEST_CASE(cas_stores_at_the_revision_only)
{
    BOOST_TEST(ctl("cas k 0 first").output == "1\n");
    const auto again = ctl("cas k 0 second");
    BOOST_TEST(again.status == 3);
    BOOST_TEST(again.output.find("present revision 1") != std::string::npos, again.output);
    BOOST_TEST(ctl("cas k 1 second").status == 0);
    BOOST_TEST(ctl("get k").output == "second");
}

BOOST_AUTO_TEST_CASE(erase_removes)
{
    ctl("put k v");
    BOOST_TEST(ctl("erase k --revision 9").status == 3);
    BOOST_TEST(ctl("erase k").status == 0);
    BOOST_TEST(ctl("get k").status == 1);
    BOOST_TEST(ctl("erase k").status == 1);
}

BOOST_AUTO_TEST_CASE(ls_asks_for_every_page)
{
    for (int i = 0; i != 5; ++i)
        stored.store("a/" + std::to_string(i), std::vector<std::byte>(static_cast<std::size_t>(i)));
    stored.store("b\x1b", {});
    BOOST_TEST(ctl("ls a/").output ==
               "a/0\t1\t0\t-\na/1\t2\t1\t-\na/2\t3\t2\t-\na/3\t4\t3\t-\na/4\t5\t4\t-\n");
    BOOST_TEST(ctl("ls b").output == "b\\x1b\t6\t0\t-\n");
    BOOST_TEST(ctl("ls -n 3").output == "a/0\t1\t0\t-\na/1\t2\t1\t-\na/2\t3\t2\t-\n");
    const auto none = ctl("ls nothing");
    BOOST_TEST(none.status == 0);
    BOOST_TEST(none.output == "");
}

BOOST_AUTO_TEST_CASE(each_kind_of_failure_has_its_exit_code_and_one_line)
{
    const auto one_line = [](const program::result& r) {
        return r.output.starts_with("wharfctl: ") && r.output.find('\n') == r.output.size() - 1;
    };
    const auto missing = ctl("get absent");
    BOOST_TEST(missing.status == 1);
    BOOST_TEST(one_line(missing), missing.output);
    for (const char* wrong : {"", "frobnicate", "get", "put k v --file f", "ping --timeout soon",
                              "--endpoint udp:x ping"}) {
        const auto usage = ctl(wrong);
        BOOST_TEST(usage.status == 2, wrong);
        BOOST_TEST(one_line(usage), usage.output);
    }
    BOOST_TEST(ctl("frobnicate k").output ==
               "wharfctl: unknown subcommand frobnicate: see wharfctl --help\n");
    BOOST_TEST(ctl("--bogus").output == "wharfctl: unknown option --bogus: see wharfctl --help\n");
    BOOST_TEST(ctl("stauts").output ==
               "wharfctl: unknown subcommand stauts; did you mean \"status\"?\n");
    BOOST_TEST(ctl("put k v --tiemout 3").output ==
               "wharfctl: unknown option --tiemout; did you mean \"--timeout\"?\n");
    BOOST_TEST(ctl("put k v --flie x").output ==
               "wharfctl: unknown option --flie; did you mean \"--file\"?\n");
    BOOST_TEST(ctl("ping again").output ==
               "wharfctl: one word too many: again: see wharfctl ping --help\n");
    BOOST_TEST(ctl("cas k one v").output == "wharfctl: REVISION: expected a number, found one: "
                                            "see wharfctl cas --help\n");
    BOOST_TEST(ctl("ls --limit").output ==
               "wharfctl: --limit needs a value: see wharfctl ls --help\n");
    BOOST_TEST(ctl("ping --timeout soon").output ==
               "wharfctl: --timeout: expected seconds from 0.001 to 86400, found soon\n");
    BOOST_TEST(ctl("--colour red ping").output ==
               "wharfctl: --colour: expected auto, always or never, found red\n");
    BOOST_TEST(ctl("top --sort size").status == 2);
    BOOST_TEST(ctl("'\x1b[31m'").output.find('\x1b') == std::string::npos);
    const auto denied = ctl("put forbidden v");
    BOOST_TEST(denied.status == 4);
    BOOST_TEST(denied.output.find("a reader may not") != std::string::npos, denied.output);
    const auto other = ctl("put steer v");
    BOOST_TEST(other.status == 6);
    BOOST_TEST(other.output.find("\\x1b]0;owned\\x07") != std::string::npos, other.output);
    const auto unreadable = ctl("put k --file /nonexistent/file");
    BOOST_TEST(unreadable.status == 6);
    BOOST_TEST(unreadable.output.find("/nonexistent/file") != std::string::npos, unreadable.output);
}

BOOST_AUTO_TEST_CASE(without_a_daemon_it_says_what_to_try)
{
    const auto absent = ctl("-e unix:" + path("absent") + " ping");
    BOOST_TEST(absent.status == 5);
    BOOST_TEST(absent.output == "wharfctl: no daemon at unix:" + path("absent") +
                                    " (connection refused; endpoint from --endpoint): is wharfd "
                                    "running? Try `systemctl status wharfd`, or give --endpoint\n");
    const auto waited = ctl("-e unix:" + path("absent") + " --wait --timeout 0.1 ping");
    BOOST_TEST(waited.status == 5);
    BOOST_TEST(waited.output.find("deadline") != std::string::npos, waited.output);
}

BOOST_AUTO_TEST_CASE(options_may_follow_the_subcommand_and_help_and_version_succeed)
{
    BOOST_TEST(ctl("get absent --endpoint unix:" + path("absent")).status == 5);
    const auto version = ctl("--version");
    BOOST_TEST(version.status == 0);
    BOOST_TEST(version.output.starts_with("wharfctl "), version.output);
    const auto help = ctl("--help"), put = ctl("put --help");
    BOOST_TEST(help.status == 0);
    BOOST_TEST(help.output.find("Exit codes: 0 done, 1 not found") != std::string::npos);
    BOOST_TEST(put.status == 0);
    BOOST_TEST(
        put.output.find("--endpoint, --timeout, --wait, --json and --colour may stand here too") !=
        std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
