// Tests the system service: what ping, status and list answer.
#include "services/system.hpp"

#include "config.hpp"
#include "metrics_support.hpp"
#include "process.hpp"

#include <wharf/blocking_client.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include <unistd.h>

namespace {

wharf::server_options options_at(const std::string& where)
{
    wharf::server_options options;
    wharf::listener_options l;
    l.name = "local";
    l.where = wharf::parse_endpoint(where);
    options.listeners = {l};
    options.allow = {{"*", "unix", "self", "guest"}};
    options.roles = {
        {"guest", {"system.*"}}, {"all", {"*"}}, {"one", {"system.ping"}}, {"none", {}}};
    options.threads = 1;
    options.decode.depth_max = 17;
    return options;
}

struct running {
    running()
        : server(options_at("unix:" + directory.path() + "/s")),
          service(server, {.software = "test 1",
                           .counters =
                               [] {
                                   return counters{{"extra", 5}};
                               },
                           .store =
                               [] {
                                   return facts{{"engine", "none"}};
                               }})
    {
        server.serve(service);
        server.start();
    }
    ~running() { server.stop(); }
    using counters = std::vector<std::pair<std::string, std::uint64_t>>;
    using facts = std::vector<std::pair<std::string, std::string>>;
    wharf::test::scratch directory;
    wharf::server server;
    wharf::system_service service;
};

std::uint64_t number(const std::vector<wharf::system::number_fact>& in, const std::string& name)
{
    for (const auto& fact : in) {
        if (fact.name == name)
            return fact.value;
    }
    BOOST_ERROR("no number is named " << name);
    return 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(ping_answers_with_its_token)
{
    running d;
    wharf::blocking_client client("unix:" + d.directory.path() + "/s");
    for (const std::uint64_t token : {0ull, 1ull, ~0ull})
        BOOST_TEST(client.call(wharf::system::ping{token}) == token);
}

BOOST_AUTO_TEST_CASE(status_tells_who_where_how_much_and_every_limit)
{
    running d;
    wharf::blocking_client client("unix:" + d.directory.path() + "/s");
    client.call(wharf::system::ping{});
    const auto status = client.call(wharf::system::status{});
    BOOST_TEST(status.software == "test 1");
    BOOST_TEST(status.pid == static_cast<std::uint64_t>(::getpid()));
    BOOST_REQUIRE(status.endpoints.size() == 1u);
    BOOST_TEST(status.endpoints[0].name == "local");
    BOOST_TEST(status.endpoints[0].endpoint == "unix:" + d.directory.path() + "/s");
    BOOST_TEST(number(status.counters, "sessions") == 1u);
    BOOST_TEST(number(status.counters, "calls") >= 1u);
    BOOST_TEST(number(status.counters, "errors") == 0u);
    BOOST_TEST(number(status.counters, "extra") == 5u);
    BOOST_TEST(number(status.limits, "depth_max") == 17u);
    BOOST_TEST(number(status.limits, "handshake_timeout_ms") == 5000u);
    number(status.limits, "drain_timeout_ms");
    // Every limit that can be configured, as what it is.
    for (const auto& [key, text] : wharf::config::describe(wharf::config::defaults())) {
        if (key.starts_with("limits."))
            number(status.limits, key.substr(7) + (key.ends_with("_timeout") ? "_ms" : ""));
    }
    for (const char* key : {"blocking_threads", "drain_timeout_ms"})
        number(status.limits, key);
    BOOST_TEST(number(status.levels, "sessions_max") == 1u);
    BOOST_TEST(number(status.levels, "blocking_queue_max") == 0u);
    number(status.levels, "calls_memory_bytes_max");
    number(status.levels, "blocking_threads");
    for (const auto& level : status.levels)
        number(status.limits, level.name);
    BOOST_REQUIRE(status.store.size() == 1u);
    BOOST_TEST(status.store[0].value == "none");
}

BOOST_AUTO_TEST_CASE(metrics_are_text_that_a_scraper_reads)
{
    running d;
    wharf::blocking_client client("unix:" + d.directory.path() + "/s");
    client.call(wharf::system::ping{});
    const wharf::test::prometheus_text text(client.call(wharf::system::metrics{}));
    BOOST_TEST(text.value("wharf_sessions") == 1);
    BOOST_TEST(text.value("wharf_extra_total") == 5);
    BOOST_TEST(text.has("wharf_uptime_seconds"));
    BOOST_TEST(text.value("process_cpu_seconds_total") > 0);
    BOOST_TEST(text.value("process_resident_memory_bytes") > 100'000);
    BOOST_TEST(text.has("wharf_calls_total", {{"command", "system.metrics"}}));
    // Every limit, by the same names.
    for (const auto& limit : client.call(wharf::system::status{}).limits)
        BOOST_TEST(text.value("wharf_limit", {{"limit", limit.name}}) ==
                   static_cast<double>(limit.value));
}

BOOST_AUTO_TEST_CASE(describe_tells_what_classes_looked_like_at_older_versions)
{
    running d;
    wharf::blocking_client client("unix:" + d.directory.path() + "/s");
    const auto told = client.call(wharf::system::describe{"system.status"});
    BOOST_TEST_REQUIRE(told.histories.size() == 1u);
    BOOST_TEST(told.histories.front().role == "reply");
    const auto& known = wharf::schema_history_of<wharf::system::status_reply>();
    BOOST_TEST(bool(told.histories.front().types == known));
    BOOST_TEST(known.find(0, 0) != nullptr);
    BOOST_TEST(client.call(wharf::system::describe{"system.ping"}).histories.empty());
}

BOOST_AUTO_TEST_CASE(list_names_what_the_caller_may_call)
{
    running d;
    wharf::blocking_client client("unix:" + d.directory.path() + "/s");
    const std::vector<std::string> all{"system.describe", "system.list",     "system.metrics",
                                       "system.ping",     "system.sessions", "system.status"};
    BOOST_TEST(client.call(wharf::system::list{}) == all, boost::test_tools::per_element());
}
