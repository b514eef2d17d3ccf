// The counts of calls, and their text for Prometheus.
#include "metrics.hpp"
#include "metrics_support.hpp"
#include "metrics_text.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>

using namespace wharf;
using namespace std::chrono_literals;
using wharf::test::prometheus_text;

namespace {

std::vector<command_figures> read(const call_metrics& from)
{
    std::vector<command_figures> all;
    from.add_to(all);
    return all;
}

std::string text_of(const std::vector<std::string>& names,
                    const std::vector<command_figures>& figures)
{
    metrics_text text;
    append_calls(text, names, figures);
    return text.take();
}

bool is_refused(std::string_view text)
{
    try {
        prometheus_text parsed(text);
    }
    catch (const std::runtime_error&) {
        return true;
    }
    return false;
}

} // namespace

// Row 88: calls in flight are a number that anybody can ask for.
BOOST_AUTO_TEST_CASE(row_88_a_call_is_in_flight_until_it_is_answered)
{
    call_metrics counts(2);
    counts.began(0, 3);
    counts.began(1);
    BOOST_TEST(read(counts)[0].in_flight == 3u);
    BOOST_TEST(read(counts)[1].in_flight == 1u);
    counts.answered(0, errc{}, 20us, 30, 40, 2);
    counts.answered(0, errc::not_found, 3s, 5, 6);
    const command_figures after = read(counts)[0];
    BOOST_TEST(after.in_flight == 0u);
    BOOST_TEST(after.answered == 3u);
    BOOST_TEST(after.bytes_in == 35u);
    BOOST_TEST(after.bytes_out == 46u);
    BOOST_TEST((after.errors == std::map<errc, std::uint64_t>{{errc::not_found, 1}}));
    BOOST_TEST(after.latency[1] == 2u);  // up to 25 us
    BOOST_TEST(after.latency[17] == 1u); // up to 5 s
    BOOST_TEST((after.latency_sum == 3s + 40us));
}

BOOST_AUTO_TEST_CASE(a_bound_belongs_to_the_bucket_below_it)
{
    BOOST_TEST(latency_bucket(-1ns) == 0u);
    BOOST_TEST(latency_bucket(0ns) == 0u);
    BOOST_TEST(latency_bucket(10us) == 0u);
    BOOST_TEST(latency_bucket(10us + 1ns) == 1u);
    BOOST_TEST(latency_bucket(10s) == latency_buckets - 2);
    BOOST_TEST(latency_bucket(10s + 1ns) == latency_buckets - 1);
    BOOST_TEST(latency_bucket(std::chrono::nanoseconds::max()) == latency_buckets - 1);
}

BOOST_AUTO_TEST_CASE(unknown_commands_and_codes_are_counted_together)
{
    call_metrics counts(1);
    counts.began(counts.index_of_others());
    counts.answered(counts.index_of_others(), errc::unknown_command, 1us, 0, 0);
    counts.began(70000);
    counts.answered(70000, static_cast<errc>(60000), 1us, 0, 0);
    const auto all = read(counts);
    BOOST_REQUIRE(all.size() == 2u);
    BOOST_TEST(all[1].answered == 2u);
    BOOST_TEST((all[1].errors ==
                std::map<errc, std::uint64_t>{{errc::unknown_command, 1}, {errc::internal, 1}}));
}

// A session may begin on one thread and go on on another.
BOOST_AUTO_TEST_CASE(the_counts_of_threads_add_up)
{
    call_metrics one(1), two(1);
    one.began(0, 2);
    two.answered(0, errc{}, 1ms, 10, 20);
    std::vector<command_figures> all;
    two.add_to(all);
    one.add_to(all);
    BOOST_TEST(all[0].answered == 1u);
    BOOST_TEST(all[0].in_flight == 1u);
    command_figures sum = all[0];
    sum.add(all[0]);
    BOOST_TEST(sum.bytes_out == 40u);
    BOOST_TEST(sum.latency[6] == 2u);
}

BOOST_AUTO_TEST_CASE(one_thread_counts_while_others_read)
{
    call_metrics counts(1);
    constexpr std::uint64_t calls = 20000;
    std::atomic<bool> done{false};
    std::thread reader([&] {
        std::uint64_t last = 0;
        while (!done) {
            const auto now = read(counts);
            if (now[0].answered < last)
                std::abort();
            last = now[0].answered;
        }
    });
    for (std::uint64_t i = 0; i < calls; ++i) {
        counts.began(0);
        counts.answered(0, i % 2 ? errc{} : static_cast<errc>(100 + i % 8), 1us, 1, 1);
    }
    done = true;
    reader.join();
    BOOST_TEST(read(counts)[0].answered == calls);
    BOOST_TEST(read(counts)[0].errors_sum() == calls / 2);
}

BOOST_AUTO_TEST_CASE(the_text_is_what_a_scraper_reads)
{
    call_metrics counts(2);
    counts.began(0, 5);
    counts.answered(0, errc{}, 30us, 100, 200, 3);
    counts.answered(0, errc::deadline_exceeded, 20s, 1, 2);
    counts.began(2);
    counts.answered(2, errc::unknown_command, 1us, 0, 0);
    const std::vector<std::string> names{"calculator.add", "odd\"name\\\n"};
    const prometheus_text text(text_of(names, read(counts)));
    using labels = std::map<std::string, std::string>;
    const labels add{{"command", "calculator.add"}};
    BOOST_TEST(text.types.at("wharf_calls_total") == "counter");
    BOOST_TEST(text.types.at("wharf_calls_in_flight") == "gauge");
    BOOST_TEST(text.types.at("wharf_call_duration_seconds") == "histogram");
    BOOST_TEST(text.value("wharf_calls_total", add) == 4);
    BOOST_TEST(text.value("wharf_calls_in_flight", add) == 1);
    BOOST_TEST(text.value("wharf_call_received_bytes_total", add) == 101);
    BOOST_TEST(text.value("wharf_call_sent_bytes_total", add) == 202);
    labels failed = add;
    failed["code"] = "deadline_exceeded";
    BOOST_TEST(text.value("wharf_call_errors_total", failed) == 1);
    BOOST_TEST(text.value("wharf_calls_total", {{"command", "(other)"}}) == 1);
    BOOST_TEST(text.value("wharf_calls_total", {{"command", names[1]}}) == 0);
    labels bucket = add;
    bucket["le"] = "5e-05";
    BOOST_TEST(text.value("wharf_call_duration_seconds_bucket", bucket) == 3);
    bucket["le"] = "10";
    BOOST_TEST(text.value("wharf_call_duration_seconds_bucket", bucket) == 3);
    bucket["le"] = "+Inf";
    BOOST_TEST(text.value("wharf_call_duration_seconds_bucket", bucket) == 4);
    BOOST_TEST(text.value("wharf_call_duration_seconds_sum", add) == 20.00009);
}

// Counts are read while calls go on: what was answered may be ahead of what began.
BOOST_AUTO_TEST_CASE(no_number_in_flight_is_negative)
{
    call_metrics counts(0);
    counts.answered(0, errc{}, 1us, 0, 0);
    const prometheus_text text(text_of({}, read(counts)));
    BOOST_TEST(text.value("wharf_calls_in_flight", {{"command", "(other)"}}) == 0);
}

BOOST_AUTO_TEST_CASE(the_parser_refuses_what_a_scraper_would)
{
    const std::string head = "# HELP a_total b\n# TYPE a_total counter\n";
    BOOST_TEST(!is_refused(head + "a_total{x=\"1\"} 1\n"));
    BOOST_TEST(is_refused(head + "a_total 1\na_total 1\n"));
    BOOST_TEST(is_refused(head + "a_total{x=\"1} 1\n"));
    BOOST_TEST(is_refused(head + "a_total{x=\"\\q\"} 1\n"));
    BOOST_TEST(is_refused(head + "a_total\n"));
    BOOST_TEST(is_refused(head + "b 1\n"));
    BOOST_TEST(is_refused(head + "a_total 1"));
    BOOST_TEST(is_refused(head + head));
    BOOST_TEST(is_refused("# HELP a b\n# TYPE a counter\n"));
    const std::string buckets = "# HELP h b\n# TYPE h histogram\nh_sum 1\nh_count 2\n";
    BOOST_TEST(!is_refused(buckets + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"));
    BOOST_TEST(is_refused(buckets + "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\n"));
    BOOST_TEST(is_refused(buckets + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n"));
    BOOST_TEST(is_refused(buckets + "h_bucket{le=\"1\"} 1\n"));
}
