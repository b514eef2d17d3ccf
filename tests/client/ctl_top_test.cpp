// What `wharfctl top` shows, from texts of metrics to lines of a screen.
#include "../../client/ctl_metrics.hpp"
#include "../../client/ctl_text.hpp"
#include "../../client/ctl_top_counts.hpp"
#include "../../client/ctl_top_screen.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace wharf::ctl;

namespace {

/// Two looks at a daemon, ten seconds apart.
constexpr const char* before_text = R"(# HELP wharf_sessions Open.
# TYPE wharf_sessions gauge
wharf_sessions 2
wharf_draining 0
wharf_uptime_seconds 100
wharf_thread_delay_seconds{thread="0"} 0
wharf_thread_delay_seconds{thread="1"} 0.001
wharf_calls_total{command="a.fast"} 1000
wharf_calls_total{command="b.slow"} 10
wharf_call_errors_total{command="b.slow",code="not_found"} 1
wharf_calls_in_flight{command="a.fast"} 0
wharf_calls_in_flight{command="b.slow"} 3
wharf_call_received_bytes_total{command="a.fast"} 5000
wharf_call_sent_bytes_total{command="a.fast"} 7000
wharf_call_duration_seconds_bucket{command="a.fast",le="1e-05"} 900
wharf_call_duration_seconds_bucket{command="a.fast",le="2.5e-05"} 1000
wharf_call_duration_seconds_bucket{command="a.fast",le="+Inf"} 1000
process_cpu_seconds_total 1
process_resident_memory_bytes 10485760
)";
constexpr const char* after_text = R"(wharf_sessions 3
wharf_draining 1
wharf_uptime_seconds 110
wharf_thread_delay_seconds{thread="0"} 0
wharf_thread_delay_seconds{thread="1"} 0
wharf_calls_total{command="a.fast"} 2000
wharf_calls_total{command="b.slow"} 30
wharf_call_errors_total{command="b.slow",code="not_found"} 6
wharf_call_errors_total{command="b.slow",code="internal"} 5
wharf_calls_in_flight{command="a.fast"} 0
wharf_calls_in_flight{command="b.slow"} 4
wharf_call_received_bytes_total{command="a.fast"} 6000
wharf_call_sent_bytes_total{command="a.fast"} 9000
wharf_call_duration_seconds_bucket{command="a.fast",le="1e-05"} 1400
wharf_call_duration_seconds_bucket{command="a.fast",le="2.5e-05"} 2000
wharf_call_duration_seconds_bucket{command="a.fast",le="+Inf"} 2000
process_cpu_seconds_total 6
process_resident_memory_bytes 20971520
)";

daemon_rates ten_seconds()
{
    return rates_between(read_counts(before_text), read_counts(after_text), 10);
}

command_rates command_of(std::string name, double calls_per_s)
{
    command_rates made;
    made.name = std::move(name);
    made.calls_per_s = calls_per_s;
    return made;
}

top_view plain_view()
{
    top_view view;
    view.software = "wharfd 9";
    view.endpoint = "unix:/s";
    view.has_unicode = false;
    return view;
}

} // namespace

BOOST_AUTO_TEST_CASE(metrics_are_names_labels_and_values)
{
    const auto all = parse_metrics("# TYPE x counter\nx 1\n\nx{a=\"1\",b=\"q\\\"\\\\\\n\"} 2.5e3\n"
                                   "broken{a=\"1\nbroken{a} 1\nbroken one\nx +Inf");
    BOOST_REQUIRE_EQUAL(all.size(), 3u);
    BOOST_TEST(all[0].name == "x");
    BOOST_TEST(all[0].labels.empty());
    BOOST_TEST(all[1].label("b") == "q\"\\\n");
    BOOST_TEST(all[1].label("c") == "");
    BOOST_TEST(all[1].value == 2500);
    BOOST_TEST(all[2].value > 1e300);
}

BOOST_AUTO_TEST_CASE(rates_are_what_happened_between_two_looks)
{
    const daemon_rates r = ten_seconds();
    BOOST_TEST(r.sessions == 3);
    BOOST_TEST(r.threads == 2);
    BOOST_TEST(r.is_draining);
    BOOST_TEST(r.calls_per_s == 102);
    BOOST_TEST(r.errors_per_s == 1);
    BOOST_TEST(r.bytes_in_per_s == 100);
    BOOST_TEST(r.bytes_out_per_s == 200);
    BOOST_TEST(r.cpu_percent.value() == 50);
    BOOST_TEST(r.memory_bytes.value() == 20971520);
    BOOST_REQUIRE_EQUAL(r.commands.size(), 2u);
    BOOST_TEST(r.commands[0].name == "a.fast");
    BOOST_TEST(r.commands[0].bytes_per_s == 300);
    // Half of the thousand new calls took at most 10 us; the slowest are spread up to 25 us.
    BOOST_TEST(r.commands[0].p50_s.value() == 1e-5);
    BOOST_TEST(std::abs(r.commands[0].p99_s.value() - 24.7e-6) < 1e-9);
    BOOST_TEST(r.commands[1].errors_per_s == 1);
    BOOST_TEST(r.commands[1].in_flight == 4);
    BOOST_TEST(!r.commands[1].p50_s);
}

BOOST_AUTO_TEST_CASE(counters_of_a_daemon_that_began_again_count_from_nothing)
{
    const daemon_rates r = rates_between(read_counts(after_text), read_counts(before_text), 10);
    BOOST_TEST(r.commands[0].calls_per_s == 100);
    BOOST_TEST(r.calls_per_s == 101);
}

BOOST_AUTO_TEST_CASE(a_quantile_beyond_the_last_bound_is_the_last_bound)
{
    const double infinite = std::numeric_limits<double>::infinity();
    BOOST_TEST(quantile({{1, 0}, {2, 10}, {infinite, 100}}, 0.99).value() == 2);
    BOOST_TEST(quantile({{1, 0}, {2, 10}, {infinite, 10}}, 0.5).value() == 1.5);
    BOOST_TEST(!quantile({{1, 0}, {infinite, 0}}, 0.5));
    BOOST_TEST(!quantile({}, 0.5));
}

BOOST_AUTO_TEST_CASE(commands_are_sorted_by_the_column_that_was_chosen)
{
    std::vector<command_rates> all{
        {"b", 1, 0, 9, 0, {}, {}}, {"a", 1, 5, 0, 0, {}, 0.1}, {"c", 7, 0, 0, 2, 0.5, 0.2}};
    const auto order = [&](sort_column by) {
        sort_commands(all, by);
        return all[0].name + all[1].name + all[2].name;
    };
    BOOST_TEST(order(sort_column::name) == "abc");
    BOOST_TEST(order(sort_column::calls) == "cab");
    BOOST_TEST(order(sort_column::errors) == "acb");
    BOOST_TEST(order(sort_column::p50) == "cab");
    BOOST_TEST(order(sort_column::p99) == "cab");
    BOOST_TEST(order(sort_column::in_flight) == "cab");
    BOOST_TEST(order(sort_column::bytes) == "bca");
}

BOOST_AUTO_TEST_CASE(numbers_and_latencies_are_short)
{
    BOOST_TEST(short_number(0) == "0");
    BOOST_TEST(short_number(7.25) == "7.2");
    BOOST_TEST(short_number(999) == "999");
    BOOST_TEST(short_number(999.99) == "1.0k");
    BOOST_TEST(short_number(45200) == "45.2k");
    BOOST_TEST(short_number(3.1e6) == "3.1M");
    BOOST_TEST(short_latency(12e-6, false) == "12us");
    BOOST_TEST(short_latency(12e-6, true) == "12µs");
    BOOST_TEST(short_latency(1.25e-3, true) == "1.2ms");
    BOOST_TEST(short_latency(0.25, true) == "250ms");
    BOOST_TEST(short_latency(2.5, true) == "2.5s");
}

BOOST_AUTO_TEST_CASE(a_sparkline_has_a_mark_for_each_value)
{
    BOOST_TEST(sparkline({0, 7, 14}, 5, true) == "  ▁▅█");
    BOOST_TEST(sparkline({0, 7, 14}, 2, false) == "=#");
    BOOST_TEST(sparkline({0, 0}, 2, false) == "__");
    BOOST_TEST(sparkline({}, 2, false) == "  ");
}

BOOST_AUTO_TEST_CASE(cutting_counts_characters_and_no_colours)
{
    BOOST_TEST(cut("Grüße!", 4) == "Grüß");
    BOOST_TEST(cut("\x1b[1mbold\x1b[0m rest", 2) == "\x1b[1mbo\x1b[0m");
    BOOST_TEST(cut("\x1b[1mbold\x1b[0m", 9) == "\x1b[1mbold\x1b[0m");
}

BOOST_AUTO_TEST_CASE(a_screen_fits_any_terminal)
{
    top_view view = plain_view();
    daemon_rates figures = ten_seconds();
    for (int i = 0; i != 40; ++i)
        figures.commands.push_back(
            command_of("x" + std::string(static_cast<std::size_t>(i) * 3, 'y'), 1));
    rate_history calls;
    for (int i = 0; i != 700; ++i)
        calls.add(figures);
    for (const bool colours : {false, true})
        for (const std::size_t width : {1, 20, 79, 80, 132, 200})
            for (const std::size_t height : {1, 5, 7, 24, 60}) {
                view.look = style(colours);
                view.width = width;
                view.height = height;
                const auto lines = draw_screen(view, figures, calls);
                BOOST_TEST(lines.size() <= height);
                for (const std::string& line : lines)
                    BOOST_TEST(cut(line, width) == line, line);
            }
}

BOOST_AUTO_TEST_CASE(a_screen_has_the_daemon_the_totals_and_the_commands)
{
    top_view view = plain_view();
    view.trouble = "no connection (steers \x1b[2J)";
    rate_history calls;
    calls.add(ten_seconds());
    const auto lines = draw_screen(view, ten_seconds(), calls);
    BOOST_REQUIRE_EQUAL(lines.size(), 24u);
    BOOST_TEST(lines[0] == "wharfd 9  unix:/s  up 1 min 50 s  draining");
    BOOST_TEST(lines[1] == "3 sessions  102 calls/s  1 errors/s  100B/s in  200B/s out");
    BOOST_TEST(lines[2] == "CPU 50%  memory 20.0 MiB  2 threads");
    BOOST_TEST(lines[3].ends_with("#  most 102"), lines[3]);
    BOOST_TEST(lines[4] == "no connection (steers \\x1b[2J)");
    BOOST_TEST(lines[5] ==
               "COMMAND                   CALLS/S ERRORS/S     P50     P99 IN FLIGHT  BYTES/S");
    BOOST_TEST(lines[6] ==
               "a.fast                        100        -    10us    25us         -      300");
    BOOST_TEST(lines[7] ==
               "b.slow                          2        1       -       -         4        -");
    BOOST_TEST(lines[8] == "");
    BOOST_TEST(lines[23] ==
               "q quit  space pause  < > sort  r rate  e errors  p p99  n name  every 1 s");
}

BOOST_AUTO_TEST_CASE(a_wide_screen_has_a_line_for_each_command)
{
    top_view view = plain_view();
    view.width = 200;
    rate_history calls;
    calls.add(ten_seconds());
    const auto lines = draw_screen(view, ten_seconds(), calls);
    BOOST_TEST(lines[5].ends_with("BYTES/S  CALLS/S, LAST MINUTE"), lines[5]);
    BOOST_TEST(lines[6].ends_with(" #"), lines[6]);
}

BOOST_AUTO_TEST_CASE(names_of_a_daemon_do_not_steer_the_terminal)
{
    daemon_rates figures;
    figures.commands.push_back(command_of("evil\x1b[2J\n", 5));
    for (const std::string& line : draw_screen(plain_view(), figures, {}))
        BOOST_TEST(line.find_first_of("\x1b\n") == std::string::npos, line);
    BOOST_TEST(json_of(plain_view(), figures).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_snapshot_has_what_did_something_and_json_has_everything)
{
    daemon_rates figures = ten_seconds();
    figures.commands.push_back(command_of("idle", 0));
    const std::string text = draw_snapshot(plain_view(), figures);
    BOOST_TEST(text.find("a.fast") != std::string::npos);
    BOOST_TEST(text.find("idle") == std::string::npos);
    BOOST_TEST(json_of(plain_view(), figures) ==
               R"({"software": "wharfd 9", "endpoint": "unix:/s", "uptime_s": 110, )"
               R"("draining": true, "sessions": 3, "calls_per_s": 102, "errors_per_s": 1, )"
               R"("received_bytes_per_s": 100, "sent_bytes_per_s": 200, "cpu_percent": 50, )"
               R"("memory_bytes": 20971520, "threads": 2, "commands": [)"
               R"({"command": "a.fast", "calls_per_s": 100, "errors_per_s": 0, "p50_s": 1e-05, )"
               R"("p99_s": 2.47e-05, "in_flight": 0, "bytes_per_s": 300}, )"
               R"({"command": "b.slow", "calls_per_s": 2, "errors_per_s": 1, "p50_s": null, )"
               R"("p99_s": null, "in_flight": 4, "bytes_per_s": 0}, )"
               R"({"command": "idle", "calls_per_s": 0, "errors_per_s": 0, "p50_s": null, )"
               R"("p99_s": null, "in_flight": 0, "bytes_per_s": 0}]})"
               "\n");
}
