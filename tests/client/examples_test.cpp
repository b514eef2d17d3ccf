// The examples of the client, as programs, against a calculator.
#include "calculator.hpp"
#include "counter_service.hpp"
#include "fake_daemon.hpp"
#include "program.hpp"

#include <wharf/server.hpp>

#include <boost/test/unit_test.hpp>

namespace {

program::result run(const char* example, const std::string& endpoint)
{
    return program::run("WHARF_ENDPOINT=" + endpoint + " " EXAMPLES_DIRECTORY "/client_example_" +
                        example + " 2>&1");
}

struct fixture {
    fake::directory directory;
    fake::daemon daemon{directory.socket(),
                        {fake::on<add>([](const add& c) { return c.a + c.b; })}};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(examples_suite, fixture)

BOOST_AUTO_TEST_CASE(sync_prints_the_sum)
{
    const auto r = run("sync", daemon.endpoint());
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output == "3\n");
}

BOOST_AUTO_TEST_CASE(async_prints_the_sum)
{
    const auto r = run("async", daemon.endpoint());
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output == "3\n");
}

BOOST_AUTO_TEST_CASE(coroutine_prints_both_sums)
{
    const auto r = run("coroutine", daemon.endpoint());
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output == "3\n7\n");
}

BOOST_AUTO_TEST_CASE(both_streams_print_each_number)
{
    fake::directory other;
    wharf::server_options options;
    wharf::listener_options listener;
    listener.where = other.socket();
    options.listeners.push_back(listener);
    options.allow.push_back({.method = "unix", .subject = "self", .role = "anyone"});
    options.roles.push_back({.name = "anyone", .commands = {"*"}});
    options.threads = 1;
    wharf::server server(options);
    server.serve(counter{});
    server.start();
    const auto r = run("stream", to_string(server.endpoints().at(0)));
    BOOST_TEST(r.status == 0);
    BOOST_TEST(r.output == "1\n2\n3\n");
    const auto waiting = run("blocking_stream", to_string(server.endpoints().at(0)));
    BOOST_TEST(waiting.status == 0);
    BOOST_TEST(waiting.output == "1\n2\n3\n1\n2\n");
}

BOOST_AUTO_TEST_CASE(an_example_says_what_is_wrong)
{
    for (const char* example : {"sync", "coroutine", "blocking_stream"}) {
        const auto r = run(example, "udp:nowhere");
        BOOST_TEST(r.status == 1);
        BOOST_TEST(r.output.find("udp") != std::string::npos, r.output);
    }
}

BOOST_AUTO_TEST_SUITE_END()
