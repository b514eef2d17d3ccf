// What operators do to a daemon that runs, by its commands and by wharfctl: the log's level, the
// drain, a reload, and a watch that outlives its daemon.
#include "process.hpp"
#include "waiting_commands.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>
#include <wharf/objects.hpp>
#include <wharf/server.hpp>
#include <wharf/system.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <thread>

namespace system_ = wharf::system;
using namespace wharf::test;
using namespace std::chrono_literals;
using wharf::errc;

namespace {

struct running {
    explicit running(const std::string& program = WHARFD, std::vector<std::string> words = {})
    {
        words.insert(words.begin(), {program, "--listen", where(), "--state", directory.path()});
        command = words;
        start();
    }
    void start()
    {
        process::options how;
        how.environment["NOTIFY_SOCKET"] = manager.name();
        child.emplace(command, how);
        BOOST_REQUIRE(!manager.wait_for("READY=1").empty());
    }
    std::string where() const { return "unix:" + directory.path() + "/s"; }
    std::vector<std::string> ctl(std::vector<std::string> words) const
    {
        words.insert(words.begin(), {WHARFCTL, "--endpoint", where()});
        return words;
    }
    scratch directory;
    notify_socket manager;
    std::vector<std::string> command;
    std::optional<process> child;
};

wharf::error refusal(const std::function<void()>& call)
{
    try {
        call();
    }
    catch (const wharf::error& e) {
        return e;
    }
    return wharf::error(errc{}, "nothing was refused");
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

std::string fact(wharf::blocking_client& client, const std::string& name)
{
    for (const auto& each : client.call(system_::status{}).store)
        if (each.name == name)
            return each.value;
    return "";
}

/// Asks until it is so; each question is a call, so that nothing spins.
template <class F>
bool becomes_so(F&& is_so)
{
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!is_so())
        if (std::chrono::steady_clock::now() > until)
            return false;
    return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_logs_level_is_set_and_goes_back_by_itself)
{
    running d;
    wharf::blocking_client client(d.where());
    const system_::log_level_reply asked = client.call(system_::log_level{});
    BOOST_TEST((asked == system_::log_level_reply{"info", "info", 0, "info"}));
    const system_::log_level_reply set = client.call(system_::log_level{"debug", 50});
    BOOST_TEST((set == system_::log_level_reply{"info", "debug", 50, "info"}));
    BOOST_TEST(becomes_so([&] { return client.call(system_::log_level{}).now == "info"; }));
    // Without a time it stays; another one takes its place, and with it the time of the first.
    client.call(system_::log_level{"debug", 100});
    client.call(system_::log_level{"error", 0});
    BOOST_TEST(client.call(system_::log_level{}).now == "error");
    // What the files say is in force again after a reload.
    client.call(system_::reload{});
    BOOST_TEST(client.call(system_::log_level{}).now == "info");
    d.child->signal(SIGTERM);
    BOOST_TEST(d.child->wait() == 0);
    const std::string log = d.child->errors();
    BOOST_TEST(has(log, "the log's level is debug, it was info; info again in 50 ms operator="),
               log);
    BOOST_TEST(has(log, "session="));
    BOOST_TEST(has(log, "the log's level is info again"));
    // The record of a change is there where either level shows it.
    BOOST_TEST(has(log, "the log's level is error, it was debug"));
}

BOOST_AUTO_TEST_CASE(one_channel_is_shown_and_the_others_stay_as_they_are)
{
    running d;
    wharf::blocking_client client(d.where());
    const system_::log_level_reply set = client.call(system_::log_level{"session=debug", 60000});
    BOOST_TEST((set == system_::log_level_reply{"info", "info,session=debug", 60000, "info"}));
    BOOST_TEST(client.call(system_::log_level{"store=error", 0}).now ==
               "info,session=debug,store=error");
    { // Its session is shown.
        wharf::blocking_client other(d.where());
        other.call(system_::ping{});
    }
    BOOST_TEST(client.call(system_::log_level{"info", 0}).now == "info");
    d.child->signal(SIGTERM);
    BOOST_TEST(d.child->wait() == 0);
    const std::string log = d.child->errors();
    BOOST_TEST(has(log, "<7>session begins: "), log);
    BOOST_TEST(
        has(log, "the log's level is info,session=debug, it was info; info again in 60000 ms"),
        log);
}

BOOST_AUTO_TEST_CASE(a_level_that_is_none_is_refused)
{
    running d;
    wharf::blocking_client client(d.where());
    wharf::error e = refusal([&] { client.call(system_::log_level{"lou\nd", 0}); });
    BOOST_CHECK(e.code() == errc::bad_argument);
    BOOST_TEST(e.text() == "level is \"lou\\nd\"; expected critical, error, warning, notice, info "
                           "or debug, or a channel's: session=debug");
    e = refusal([&] { client.call(system_::log_level{"debug", system_::log_level_ms_max + 1}); });
    BOOST_TEST(has(e.text(), "at most 604800000 are allowed"));
    e = refusal([&] { client.call(system_::log_level{"", 5}); });
    BOOST_CHECK(e.code() == errc::bad_argument);
    BOOST_TEST(client.call(system_::log_level{}).now == "info");
}

BOOST_AUTO_TEST_CASE(a_drain_answers_itself_and_all_calls_in_flight_then_the_process_ends)
{
    running d(WAITING_DAEMON);
    boost::asio::io_context context;
    wharf::client client(context, d.where());
    std::atomic<int> answered{0}, failed{0};
    for (std::uint64_t i = 0; i < 100; ++i) {
        const wait_for_drain command{i};
        client.async_call(command,
                          [&](wharf::error_code ec, std::uint64_t) { ec ? ++failed : ++answered; });
    }
    std::thread work([&] { context.run(); });
    while (d.child->read_line() != "in flight: 100") {}
    wharf::blocking_client op(d.where());
    const system_::drain_reply reply = op.call(system_::drain{2500});
    BOOST_TEST(reply.timeout_ms == 2500u);
    BOOST_TEST(reply.sessions == 2u);
    const std::string told = d.manager.wait_for("STOPPING=1");
    BOOST_TEST(has(told, "EXTEND_TIMEOUT_USEC=12500000"), told);
    BOOST_TEST(d.child->wait() == 0);
    work.join();
    BOOST_TEST(answered == 100);
    BOOST_TEST(failed == 0);
    BOOST_TEST(has(d.child->errors(), "drain: the daemon was asked to stop operator="));
}

BOOST_AUTO_TEST_CASE(a_drain_takes_the_time_that_it_was_given_and_no_more)
{
    const scratch directory;
    wharf::server_options options;
    wharf::listener_options& on = options.listeners.emplace_back();
    on.where = wharf::unix_endpoint{directory.path() + "/s"};
    options.allow.push_back({"*", "unix", "self", "all"});
    options.roles.push_back({"all", {"*"}});
    options.drain_timeout = 1h;
    wharf::server server(options);
    std::promise<void> begun;
    struct service {
        std::promise<void>& begun;
        void serve(wharf::router& commands)
        {
            commands.on<hang>([this](hang, wharf::call& current) -> wharf::awaitable<void> {
                begun.set_value();
                boost::asio::steady_timer timer(current.get_executor(), 1h);
                co_await timer.async_wait(boost::asio::use_awaitable);
            });
        }
    } waits{begun};
    server.serve(waits);
    server.start();
    boost::asio::io_context context;
    wharf::client client(context, "unix:" + directory.path() + "/s");
    const hang command{1};
    client.async_call(command, wharf::call_options{.timeout = 60s}, [](wharf::error_code) {});
    std::thread work([&] { context.run(); });
    begun.get_future().wait();
    const auto begin = std::chrono::steady_clock::now();
    server.stop(200ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_CHECK(took >= 200ms);
    BOOST_CHECK(took < 30s);
    client.close();
    work.join();
}

BOOST_AUTO_TEST_CASE(a_drain_longer_than_an_hour_is_refused_and_nothing_stops)
{
    running d;
    wharf::blocking_client op(d.where());
    const wharf::error e = refusal([&] { op.call(system_::drain{system_::drain_ms_max + 1}); });
    BOOST_CHECK(e.code() == errc::bad_argument);
    BOOST_TEST(has(e.text(), "at most 3600000 are allowed"));
    BOOST_TEST(op.call(system_::ping{1}) == 1u);
}

BOOST_AUTO_TEST_CASE(a_drain_of_nothing_ends_at_once)
{
    running d;
    wharf::blocking_client op(d.where());
    BOOST_TEST(op.call(system_::drain{}).timeout_ms == 30000u);
    op.close();
    BOOST_TEST(d.child->wait(20s) == 0);
}

BOOST_AUTO_TEST_CASE(wharfctl_reloads_sets_the_level_and_drains)
{
    running d;
    result r = run(d.ctl({"reload"}));
    BOOST_TEST(r.output == "nothing has changed\n", r.errors);
    BOOST_TEST(r.status == 0);
    r = run(d.ctl({"reload", "--json"}));
    BOOST_TEST(r.output == "{\"applied\": [], \"restart\": []}\n", r.errors);
    r = run(d.ctl({"call", "system.reload"}));
    BOOST_TEST(r.output == "{\"applied\": [], \"restart\": []}\n", r.errors);
    r = run(d.ctl({"log-level"}));
    BOOST_TEST(r.output == "info\n", r.errors);
    r = run(d.ctl({"log-level", "debug", "--for", "60s"}));
    BOOST_TEST(r.output == "debug (it was info), info again in 1min\n", r.errors);
    r = run(d.ctl({"log-level", "warning"}));
    BOOST_TEST(r.output == "warning (it was debug), info again at the next reload or start\n");
    r = run(d.ctl({"log-level", "debug", "--for", "60"}));
    BOOST_TEST(r.status == 2);
    BOOST_TEST(has(r.errors, "\"60\" is no duration; write it as 500ms, 60s, 10min or 1h"));
    r = run(d.ctl({"log-level", "loud"}));
    BOOST_TEST(r.status == 6);
    BOOST_TEST(has(r.errors, "expected critical, error, warning"));
    r = run(d.ctl({"drain", "--wait"}));
    BOOST_TEST(r.status == 0, r.errors);
    BOOST_TEST(has(r.output, "stopped: "));
    // It returned after the end, not before.
    BOOST_TEST(d.child->wait(0ms) == 0);
    r = run(d.ctl({"drain", "--wait"}));
    BOOST_TEST(r.status == 5);
    BOOST_TEST(has(r.errors, "no daemon at"));
}

BOOST_AUTO_TEST_CASE(wharfctl_says_what_is_wrong_with_a_configuration_and_that_nothing_changed)
{
    const scratch directory;
    const std::string where = "unix:" + directory.path() + "/s";
    const std::string good = "state_directory = \"" + directory.path() + "/state\"\n";
    const std::string file = directory.write("w.conf", good);
    notify_socket manager;
    process::options how;
    how.environment["NOTIFY_SOCKET"] = manager.name();
    process child({WHARFD, "--config", file, "--listen", where}, how);
    BOOST_REQUIRE(!manager.wait_for("READY=1").empty());
    directory.write("w.conf", good + "threads = 4\n");
    result r = run({WHARFCTL, "-e", where, "reload"});
    BOOST_TEST(r.status == 6);
    BOOST_TEST(r.errors ==
               "wharfctl: the daemon refuses its configuration and goes on with the one "
               "it has: " +
                   file +
                   ":2:1: threads: unknown key; expected a key that wharfd.conf(5) "
                   "lists\n");
    directory.write("w.conf", good + "[server]\nthreads = 4\ndrain_timeout = \"3s\"\n");
    r = run({WHARFCTL, "-e", where, "reload"});
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output == "applied  server.drain_timeout\nrestart needed for  server.threads\n");
}

BOOST_AUTO_TEST_CASE(wharfctl_watch_goes_on_after_a_kill_with_the_next_change)
{
    running d;
    wharf::blocking_client client(d.where());
    const auto put = [&](const std::string& key) {
        return client.call(wharf::objects::put{key, std::vector<std::byte>(5), 0}).revision;
    };
    BOOST_TEST(put("a/0") == 1u);
    process watch(d.ctl({"watch", "a/", "--json", "--limit", "4"}));
    BOOST_TEST(becomes_so([&] { return fact(client, "watches") == "1"; }));
    const std::string line =
        R"({"revision": 2, "change": "put", "key": "a/1", "size": 5, "type": null})";
    put("a/1");
    BOOST_TEST(watch.read_line() == line);
    d.child->signal(SIGKILL);
    d.child->wait();
    d.start();
    BOOST_TEST(becomes_so([&] { return fact(client, "watches") == "1"; }));
    put("b/2");
    put("a/3");
    BOOST_TEST(watch.read_line() ==
               R"({"revision": 4, "change": "put", "key": "a/3", "size": 5, "type": null})");
    // A stop in order is no end of it either.
    d.child->signal(SIGTERM);
    BOOST_TEST(d.child->wait() == 0);
    d.start();
    BOOST_TEST(becomes_so([&] { return fact(client, "watches") == "1"; }));
    client.call(wharf::objects::erase{"a/3", {}});
    BOOST_TEST(watch.read_line() ==
               R"({"revision": 5, "change": "erase", "key": "a/3", "size": 0, "type": null})");
    put("a/4");
    BOOST_TEST(has(watch.read_line(), "\"revision\": 6"));
    BOOST_TEST(watch.wait() == 0);
    const std::string said = watch.errors();
    BOOST_TEST(has(said, "wharfctl: the connection was lost; watching again after revision 2\n"),
               said);
    BOOST_TEST(has(said, "wharfctl: the daemon stops; watching again after revision 4\n"), said);
}

BOOST_AUTO_TEST_CASE(wharfctl_watch_prints_values_by_the_schemas_that_the_daemon_keeps)
{
    running d;
    wharf::blocking_client client(d.where());
    client.call(wharf::objects::define{wharf::schema_of<system_::number_fact>()});
    const auto put = [&](std::uint64_t value) {
        client.call(wharf::objects::make_put("n", system_::number_fact{"n", value}));
    };
    put(1);
    put(2);
    const result r = run(d.ctl({"watch", "--after", "0", "--values", "--limit", "2", "--json"}));
    const std::string type =
        wharf::objects::fingerprint_text(wharf::objects::fingerprint_of<system_::number_fact>());
    BOOST_TEST(r.status == 0, r.errors);
    // The first value has changed again.
    BOOST_TEST(has(r.output, "\"type\": \"" + type + "\", \"value\": null}\n"), r.output);
    BOOST_TEST(has(r.output, "\"value\": {\"name\": \"n\", \"value\": 2}}\n"), r.output);
    const result gone = run(d.ctl({"watch", "--after", "9"}));
    BOOST_TEST(gone.status == 6);
    BOOST_TEST(has(gone.errors, "the store is at revision 2, before 9"));
}
