// Reading the configuration again while the daemon runs: what changes, what needs a restart, and
// that a fault changes nothing.
#include "config_reload.hpp"

#include "process.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>
#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace config = wharf::config;
namespace system_ = wharf::system;
using namespace wharf::test;
using namespace std::chrono_literals;
using wharf::errc;
using names = std::vector<std::string>;

namespace {

const std::string local = "[[listen]]\nname = \"local\"\nendpoint = \"unix:/run/x/s\"\n";

config::configuration from_text(const std::string& text)
{
    config::configuration all = config::defaults();
    config::apply_toml(all, text, "test.conf");
    config::check(all);
    return all;
}

config::reload_plan plan(const std::string& running, const std::string& read)
{
    return config::plan_reload(from_text(running), from_text(read));
}

/// wharfd with a configuration file that tests write anew.
struct running {
    running()
    {
        write("");
        process::options how;
        how.environment["NOTIFY_SOCKET"] = manager.name();
        child.emplace(std::vector<std::string>{WHARFD, "--config", file}, how);
        BOOST_REQUIRE(!manager.wait_for("READY=1").empty());
    }
    /// The state directory and the listener, then `text`.
    void write(const std::string& text)
    {
        file =
            directory.write("w.conf", "state_directory = \"" + directory.path() +
                                          "/state\"\n[[listen]]\nname = \"local\"\nendpoint = \"" +
                                          where() + "\"\n" + text);
    }
    std::string where() const { return "unix:" + directory.path() + "/s"; }
    /// SIGTERM, and what was logged.
    std::string stop()
    {
        child->signal(SIGTERM);
        BOOST_TEST(child->wait() == 0);
        return child->errors();
    }
    scratch directory;
    notify_socket manager;
    std::string file;
    std::optional<process> child;
};

std::uint64_t limit(wharf::blocking_client& client, const std::string& name)
{
    for (const auto& each : client.call(system_::status{}).limits)
        if (each.name == name)
            return each.value;
    BOOST_ERROR("no limit is named " << name);
    return 0;
}

std::string refusal(wharf::blocking_client& client)
{
    try {
        client.call(system_::reload{});
    }
    catch (const wharf::error& e) {
        BOOST_CHECK(e.code() == errc::bad_argument);
        return e.text();
    }
    return "";
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

// ---- The plan ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_key_is_either_applied_or_named_as_needing_a_restart)
{
    const config::configuration defaults = from_text(local);
    std::size_t fixed = 0;
    for (const auto& [name, text] : config::describe(defaults)) {
        const auto dot = name.find('.');
        if (name.starts_with("listen.") || name.starts_with("allow.") || name.starts_with("role."))
            continue;
        // Another value of the same kind that the key takes.
        names others{text == "true" ? "false" : "true", "\"/elsewhere\"", "\"plain\"", "\"error\""};
        for (const char* value : {"2", "3", "48", "\"2s\"", "\"3min\"", "\"100KiB\"", "\"48MiB\""})
            others.emplace_back(value);
        bool done = false;
        for (const std::string& other : others) {
            std::string key = name.substr(dot + 1) + " = " + other + "\n";
            if (dot != std::string::npos)
                key.insert(0, "[" + name.substr(0, dot) + "]\n");
            config::configuration read;
            try {
                read = from_text(key + local);
            }
            catch (const std::exception&) {
                continue;
            }
            const config::reload_plan p = config::plan_reload(defaults, read);
            if (p.applied.empty() && p.restart.empty())
                continue; // it is the default
            const bool restart = config::needs_restart(name);
            fixed += restart ? 1 : 0;
            BOOST_TEST((restart ? p.restart : p.applied) == names{name},
                       boost::test_tools::per_element());
            BOOST_TEST((restart ? p.applied : p.restart).empty());
            // What is in force is what the plan says.
            for (const auto& [key_now, value_now] : config::describe(p.now))
                if (key_now == name)
                    BOOST_TEST((value_now == text) == restart, name);
            done = true;
            break;
        }
        BOOST_TEST(done, "no other value was found for " << name);
    }
    BOOST_TEST(fixed >= 15u);
}

BOOST_AUTO_TEST_CASE(nothing_changes_when_nothing_was_changed)
{
    const config::reload_plan p = plan(local, local);
    BOOST_TEST(p.applied.empty());
    BOOST_TEST(p.restart.empty());
}

BOOST_AUTO_TEST_CASE(listeners_change_at_a_restart_but_for_json)
{
    config::reload_plan p = plan(local, local + "json = false\n");
    BOOST_TEST(p.applied == names{"listen.json"}, boost::test_tools::per_element());
    BOOST_TEST(p.restart.empty());
    BOOST_TEST(!p.now.server.listeners.at(0).json);
    const std::string rule = "[[allow]]\nlistener = \"tcp\"\nmethod = \"anonymous\"\n"
                             "subject = \"127.0.0.1\"\nrole = \"user\"\n";
    const std::string self = "[[allow]]\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"admin\"\n";
    const std::string tcp = "[[listen]]\nname = \"tcp\"\nendpoint = \"127.0.0.1:7040\"\n";
    // The line for a listener that is not there yet waits for it.
    p = plan(local + self, local + tcp + self + rule);
    BOOST_TEST(p.applied.empty());
    BOOST_TEST(p.restart == names{"listen"}, boost::test_tools::per_element());
    BOOST_TEST(p.now.server.listeners.size() == 1u);
    BOOST_TEST(p.now.server.allow.size() == 1u);
    // One that goes stays open until then, but lets nobody in any more.
    p = plan(local + tcp + self + rule, local + self);
    BOOST_TEST(p.applied == names{"allow"}, boost::test_tools::per_element());
    BOOST_TEST(p.restart == names{"listen"}, boost::test_tools::per_element());
    BOOST_TEST(p.now.server.listeners.size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_changes_has_to_fit_what_cannot)
{
    const std::string larger =
        "[limits]\nmessage_bytes_max = \"32MiB\"\nframe_bytes_max = \"1MiB\"\n";
    BOOST_TEST(plan(local, larger + local).restart == names{"limits.message_bytes_max"},
               boost::test_tools::per_element());
    const std::string smaller = "[limits]\nmessage_bytes_max = \"512KiB\"\n";
    try {
        plan(smaller + local, larger + local);
        BOOST_ERROR("it fits");
    }
    catch (const config::config_error& e) {
        BOOST_TEST(e.what() ==
                   std::string("test.conf:3:19: limits.frame_bytes_max: exceeds the "
                               "limits.message_bytes_max in force, 512KiB, which changes at a "
                               "restart only; expected a restart, or a size that fits both"));
    }
}

// ---- A daemon ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_reload_applies_what_can_change_and_names_what_cannot)
{
    running d;
    wharf::blocking_client client(d.where());
    d.write("[limits]\nsessions_max = 77\ndepth_max = 5\n[server]\nthreads = 9\n"
            "drain_timeout = \"7s\"\n");
    const system_::reload_reply reply = client.call(system_::reload{});
    const names applied{"server.drain_timeout", "limits.sessions_max", "limits.depth_max"};
    BOOST_TEST(reply.applied == applied, boost::test_tools::per_element());
    BOOST_TEST(reply.restart == names{"server.threads"}, boost::test_tools::per_element());
    BOOST_TEST(limit(client, "sessions_max") == 77u);
    BOOST_TEST(limit(client, "drain_timeout_ms") == 7000u);
    // It is said again as long as it is so, and what was applied is not.
    const system_::reload_reply again = client.call(system_::reload{});
    BOOST_TEST(again.applied.empty());
    BOOST_TEST(again.restart == names{"server.threads"}, boost::test_tools::per_element());
    const std::string log = d.stop();
    BOOST_TEST(has(log, "reload: applied server.drain_timeout, limits.sessions_max, "
                        "limits.depth_max; restart needed for server.threads operator="),
               log);
}

BOOST_AUTO_TEST_CASE(a_broken_file_changes_nothing_and_says_what_a_start_would)
{
    running d;
    wharf::blocking_client client(d.where());
    d.write("[limits]\nsessions_max = 77\ndepth_mx = 5\n");
    const result check = run({WHARFD, "--check", "--config", d.file});
    BOOST_TEST(check.status == 2);
    const std::string text = refusal(client);
    BOOST_TEST("wharfd: " + text + "\n" == check.errors);
    BOOST_TEST(has(text, ":7:1: limits.depth_mx: unknown key; expected \"limits.depth_max\""),
               text);
    BOOST_TEST(limit(client, "sessions_max") == 10000u);
    // The service manager is told what is wrong, and that the daemon is ready all the same.
    BOOST_TEST(has(d.manager.wait_for("RELOADING=1"), "\nMONOTONIC_USEC="));
    const std::string ready = d.manager.receive();
    BOOST_TEST(has(ready, "READY=1\nSTATUS=serving 1 endpoint"), ready);
    BOOST_TEST(has(ready, "the last reload was refused: " + text), ready);
    d.write("");
    client.call(system_::reload{});
    BOOST_REQUIRE(!d.manager.wait_for("RELOADING=1").empty());
    BOOST_TEST(!has(d.manager.receive(), "refused"));
    BOOST_TEST(has(d.stop(), "<3>reload refused, nothing changes: " + text));
}

BOOST_AUTO_TEST_CASE(sighup_reloads_and_every_reloading_has_its_ready)
{
    running d;
    for (int i = 0; i < 3; ++i) {
        d.write(i == 1 ? "nonsense = 1\n" : "[limits]\nsessions_max = " + std::to_string(70 + i));
        d.child->signal(SIGHUP);
        BOOST_TEST(has(d.manager.wait_for("RELOADING=1"), "MONOTONIC_USEC="));
        BOOST_TEST(d.manager.receive().starts_with("READY=1\n"));
    }
    wharf::blocking_client client(d.where());
    BOOST_TEST(limit(client, "sessions_max") == 72u);
    BOOST_TEST(has(d.stop(), "operator=SIGHUP"));
}

BOOST_AUTO_TEST_CASE(a_session_keeps_its_role_and_its_limits_and_the_next_one_has_the_new_ones)
{
    running d;
    wharf::blocking_client old(d.where());
    old.call(wharf::objects::put{"k", std::vector<std::byte>(3000), 0});
    const std::string look = "[[role]]\nname = \"look\"\ncommands = [\"system.*\"]\n";
    const std::string rule = "[[allow]]\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"look\"\n";
    d.write(look + rule);
    const system_::reload_reply reply = old.call(system_::reload{});
    const names applied{"allow", "role"};
    BOOST_TEST(reply.applied == applied, boost::test_tools::per_element());
    wharf::blocking_client next(d.where());
    BOOST_TEST(next.call(system_::ping{1}) == 1u);
    const auto denied = [&](auto command) {
        try {
            next.call(command);
        }
        catch (const wharf::error& e) {
            return e.code() == errc::permission_denied;
        }
        return false;
    };
    BOOST_TEST(denied(wharf::objects::get{"k"}));
    // "system.*" is for looking.
    BOOST_TEST(denied(system_::reload{}));
    BOOST_TEST(denied(system_::drain{}));
    BOOST_TEST(denied(system_::log_level{}));
    const auto all = next.call(system_::list{});
    BOOST_TEST(std::count(all.begin(), all.end(), "system.status") == 1);
    BOOST_TEST(std::count(all.begin(), all.end(), "system.drain") == 0);
    // The old one goes on as who it was.
    BOOST_TEST(old.call(wharf::objects::get{"k"}).value.size() == 3000u);
    BOOST_TEST(old.call(system_::reload{}).applied.empty());
}

BOOST_AUTO_TEST_CASE(reloads_under_load_lose_no_call)
{
    running d;
    boost::asio::io_context context;
    wharf::client caller(context, d.where());
    constexpr int reloads = 100;
    std::atomic<bool> over{false};
    std::uint64_t answered = 0, failed = 0, sent = 0;
    // Eight calls are under way at all times, over sessions that were there before.
    std::function<void()> call_again = [&] {
        if (over)
            return;
        const system_::ping command{++sent};
        caller.async_call(command, [&, token = sent](wharf::error_code ec, std::uint64_t got) {
            !ec&& got == token ? ++answered : ++failed;
            call_again();
        });
    };
    std::function<void()> put_again = [&] {
        if (over)
            return;
        const wharf::objects::put command{"k", std::vector<std::byte>(100), 0};
        ++sent;
        caller.async_call(command, [&](wharf::error_code ec, const wharf::objects::written&) {
            !ec ? ++answered : ++failed;
            put_again();
        });
    };
    for (int i = 0; i < 4; ++i) {
        call_again();
        put_again();
    }
    std::jthread work([&] { context.run(); });
    struct at_end {
        std::atomic<bool>& over;
        ~at_end() { over = true; }
    } const ends{over};
    wharf::blocking_client op(d.where());
    std::uint64_t expected = 10000;
    for (int i = 1; i <= reloads; ++i) {
        const bool is_broken = i % 10 == 0;
        d.write(is_broken ? "[limits]\nsessions_max = 0\n"
                          : "[limits]\nsessions_max = " + std::to_string(100 + i) + "\n");
        if (is_broken)
            BOOST_TEST(has(refusal(op), "sessions_max: 0 is out of range"));
        else {
            op.call(system_::reload{});
            expected = 100 + static_cast<std::uint64_t>(i);
        }
        // Who is told has to listen: the daemon waits where the socket is full.
        BOOST_TEST(!d.manager.wait_for("READY=1").empty());
        BOOST_TEST(limit(op, "sessions_max") == expected);
        // New sessions come and go meanwhile.
        wharf::blocking_client next(d.where());
        BOOST_TEST(next.call(system_::ping{7}) == 7u);
    }
    over = true;
    work.join();
    BOOST_TEST(failed == 0u);
    BOOST_TEST(answered == sent);
    BOOST_TEST(answered > 8u);
}

BOOST_AUTO_TEST_CASE(two_reloads_at_once_come_one_after_the_other)
{
    running d;
    d.write("[limits]\nsessions_max = 77\n");
    std::atomic<int> applied{0}, unchanged{0};
    std::vector<std::thread> operators;
    for (int i = 0; i < 4; ++i)
        operators.emplace_back([&] {
            wharf::blocking_client client(d.where());
            client.call(system_::reload{}).applied.empty() ? ++unchanged : ++applied;
        });
    for (std::thread& each : operators)
        each.join();
    BOOST_TEST(applied == 1);
    BOOST_TEST(unchanged == 3);
    // None of them overlapped: to the service manager they are pairs.
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(d.manager.receive().starts_with("RELOADING=1\n"));
        BOOST_TEST(d.manager.receive().starts_with("READY=1\n"));
    }
}

BOOST_AUTO_TEST_CASE(sockets_of_the_service_manager_are_still_there_after_a_reload)
{
    const scratch directory;
    const std::string file =
        directory.write("w.conf", "state_directory = \"" + directory.path() + "/state\"\n");
    const std::string path = directory.path() + "/passed";
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::listen(fd, 16) == 0);
    notify_socket manager;
    process::options how;
    how.environment = {{"NOTIFY_SOCKET", manager.name()}, {"LISTEN_FDS", "1"}};
    how.pass = {fd};
    process child({WHARFD, "--config", file}, how);
    BOOST_REQUIRE(!manager.wait_for("READY=1").empty());
    wharf::blocking_client client("unix:" + path);
    const system_::reload_reply reply = client.call(system_::reload{});
    BOOST_TEST(reply.applied.empty());
    BOOST_TEST(reply.restart.empty());
    wharf::blocking_client next("unix:" + path);
    BOOST_TEST(next.call(system_::ping{1}) == 1u);
    child.signal(SIGTERM);
    BOOST_TEST(child.wait() == 0);
    ::close(fd);
}
