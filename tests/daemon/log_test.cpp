// Tests the log: its formats, that no text forges a line, its bound, and that it never blocks.
#include "log.hpp"

#include "log_events.hpp"
#include "log_format.hpp"
#include "log_sink.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace log = wharf::log;
using namespace std::chrono_literals;

namespace {

constexpr log::event happened{"00112233445566778899aabbccddeeff", log::channel::session};

/// A pipe whose reading end is the test's.
struct pipe_pair {
    pipe_pair()
    {
        int fds[2];
        BOOST_REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
        out = fds[0];
        in = fds[1];
    }
    ~pipe_pair()
    {
        ::close(out);
        if (in >= 0)
            ::close(in);
    }
    std::string read_all()
    {
        ::close(in);
        in = -1;
        std::string text;
        char buffer[65536];
        ssize_t n;
        while ((n = ::read(out, buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<std::size_t>(n));
        return text;
    }
    /// Reads until the text holds `what`, or 20 s have passed.
    std::string read_until(const std::string& what)
    {
        std::string text;
        char buffer[65536];
        pollfd ready{out, POLLIN, 0};
        while (text.find(what) == std::string::npos && ::poll(&ready, 1, 20000) > 0) {
            const ssize_t n = ::read(out, buffer, sizeof buffer);
            if (n <= 0)
                break;
            text.append(buffer, static_cast<std::size_t>(n));
        }
        return text;
    }
    int out = -1, in = -1;
};

log::entry entry_of(const std::string& message, std::initializer_list<log::field> fields = {})
{
    return log::make_entry(log::level::warning, happened,
                           std::chrono::system_clock::time_point(1767323045678ms), message, fields);
}

struct variable {
    variable(const char* name, const std::string& text) : name_(name)
    {
        ::setenv(name, text.c_str(), 1);
    }
    ~variable() { ::unsetenv(name_); }
    const char* name_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_plain_line_has_a_time_a_level_and_fields)
{
    BOOST_TEST(
        log::plain_line(entry_of("hello", {{"WHARF_SESSION", "7"}, {"WHARF_PEER", "a b"}})) ==
        "2026-01-02T03:04:05.678Z warning hello session=7 peer=\"a b\"\n");
}

BOOST_AUTO_TEST_CASE(a_prefixed_line_begins_with_its_priority)
{
    BOOST_TEST(log::prefixed_line(entry_of("hello", {{"WHARF_ERRC", "not_found"}})) ==
               "<4>hello errc=not_found\n");
}

BOOST_AUTO_TEST_CASE(no_text_forges_a_line)
{
    const std::string nasty = "a\n<2>forged\r\x1b[31m\x07\x7f\t\xc2\x9b"
                              "1m\xe2\x80\xa8u\xe2\x80\xaer\xff\xc0\x80";
    for (const std::string& line : {log::plain_line(entry_of(nasty, {{"WHARF_PEER", nasty}})),
                                    log::prefixed_line(entry_of(nasty, {{"WHARF_PEER", nasty}}))}) {
        BOOST_TEST(std::count(line.begin(), line.end(), '\n') == 1);
        BOOST_TEST(line.back() == '\n');
        for (const char c : line.substr(0, line.size() - 1))
            BOOST_TEST(
                (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f));
    }
    BOOST_TEST(log::escape(nasty) == "a\\n<2>forged\\r\\x1b[31m\\x07\\x7f\\t\\xc2\\x9b"
                                     "1m\\xe2\\x80\\xa8u\\xe2\\x80\\xaer\\xff\\xc0\\x80");
    // A value cannot pretend to be two.
    BOOST_TEST(log::prefixed_line(entry_of("m", {{"WHARF_PEER", "x\" role=\"admin"}})) ==
               "<4>m peer=\"x\\\" role=\\\"admin\"\n");
    // A field's name is text, too.
    BOOST_TEST(log::prefixed_line(entry_of("m", {{"A\nB", "x"}})) == "<4>m a\\nb=x\n");
}

BOOST_AUTO_TEST_CASE(text_that_is_utf8_stays_readable)
{
    const std::string text = "Gr\xc3\xbc\xc3\x9f"
                             "e \xe2\x82\xac \xf0\x9f\x9a\xa2";
    BOOST_TEST(log::escape(text) == text);
    BOOST_TEST(log::escape("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // a surrogate
    BOOST_TEST(log::escape("\xf0\x80\x80\x80") == "\\xf0\\x80\\x80\\x80"); // overlong
    BOOST_TEST(log::escape("\xe2\x82") == "\\xe2\\x82");                   // cut
}

BOOST_AUTO_TEST_CASE(the_journal_gets_fields_and_keeps_newlines_as_data)
{
    const std::vector<std::string> expected{
        "MESSAGE=two\nlines",    "PRIORITY=4",      "MESSAGE_ID=00112233445566778899aabbccddeeff",
        "WHARF_CHANNEL=session", "WHARF_SESSION=7", "WHARF_COMMAND=a\nPRIORITY=0",
        "WHARF__BAD_NAME=x"};
    const auto fields = log::journal_fields(
        entry_of("two\nlines",
                 {{"WHARF_SESSION", "7"}, {"WHARF_COMMAND", "a\nPRIORITY=0"}, {"_bad name", "x"}}));
    BOOST_TEST(fields == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_record_has_bounds)
{
    std::string big(1 << 20, 'x');
    const auto e = entry_of(big, {{"A", big},
                                  {"B", "1"},
                                  {"C", "1"},
                                  {"D", "1"},
                                  {"E", "1"},
                                  {"F", "1"},
                                  {"G", "1"},
                                  {"H", "1"},
                                  {"I", "1"},
                                  {"J", "1"},
                                  {"K", "1"},
                                  {"L", "1"},
                                  {"M", "1"},
                                  {"N", "1"},
                                  {"O", "1"},
                                  {"P", "1"},
                                  {"Q", "1"},
                                  {"R", "1"}});
    BOOST_TEST(e.message.size() == log::message_bytes_max);
    BOOST_TEST(e.message.ends_with("..."));
    BOOST_TEST(e.fields.size() == log::fields_max);
    BOOST_TEST(e.fields[0].second.size() == log::value_bytes_max);
}

BOOST_AUTO_TEST_CASE(the_automatic_format_follows_the_supervisor)
{
    const pipe_pair p;
    BOOST_CHECK(log::resolve(log::format::automatic, p.in) == log::format::plain);
    {
        const variable manager("INVOCATION_ID", "1");
        BOOST_CHECK(log::resolve(log::format::automatic, p.in) == log::format::prefixed);
        BOOST_CHECK(log::resolve(log::format::plain, p.in) == log::format::plain);
        struct stat here {};
        BOOST_REQUIRE(::fstat(p.in, &here) == 0);
        const std::string device = std::to_string(here.st_dev) + ":";
        const variable journal("JOURNAL_STREAM", device + std::to_string(here.st_ino));
        BOOST_CHECK(log::resolve(log::format::automatic, p.in) == log::format::journal);
        // Redirected after the manager started us: not the journal any more.
        const variable other("JOURNAL_STREAM", device + std::to_string(here.st_ino + 1));
        BOOST_CHECK(log::resolve(log::format::automatic, p.in) == log::format::prefixed);
    }
    const variable notify("NOTIFY_SOCKET", "@x");
    BOOST_CHECK(log::resolve(log::format::automatic, p.in) == log::format::prefixed);
}

BOOST_AUTO_TEST_CASE(records_come_out_in_order_and_filtered_ones_do_not)
{
    pipe_pair p;
    log::start({log::level::info, log::format::prefixed, 10000}, p.in);
    for (int i = 0; i < 100; ++i)
        log::write(log::level::info, happened, "record " + std::to_string(i),
                   {{"WHARF_SESSION", "1"}});
    log::write(log::level::debug, happened, "hidden");
    BOOST_TEST(!log::enabled(log::level::debug, happened.where));
    log::set_threshold(log::level::debug);
    BOOST_TEST(log::enabled(log::level::debug, happened.where));
    log::write(log::level::debug, happened, "shown");
    log::stop();
    log::set_threshold(log::level::info);
    std::string expected;
    for (int i = 0; i < 100; ++i)
        expected += "<6>record " + std::to_string(i) + " session=1\n";
    BOOST_TEST(p.read_all() == expected + "<7>shown\n");
}

BOOST_AUTO_TEST_CASE(each_channel_has_its_level)
{
    pipe_pair p;
    log::levels wanted = log::level::warning;
    wanted[log::channel::session] = log::level::debug;
    log::start({wanted, log::format::prefixed, 10000}, p.in);
    BOOST_CHECK(log::threshold() == wanted);
    BOOST_TEST(!log::enabled(log::level::notice, log::channel::call));
    log::write(log::level::debug, log::session_begins, "a");
    log::write(log::level::notice, log::serving, "hidden");
    log::write(log::level::error, log::handler_failed, "b");
    // Changed while it runs.
    wanted[log::channel::session] = log::level::critical;
    wanted[log::channel::store] = log::level::info;
    log::set_threshold(wanted);
    log::write(log::level::error, log::session_failed, "hidden");
    log::write(log::level::info, log::store_recovered, "c");
    log::stop();
    log::set_threshold(log::level::info);
    BOOST_TEST(p.read_all() == "<7>a\n<3>b\n<6>c\n");
}

BOOST_AUTO_TEST_CASE(levels_are_read_and_printed)
{
    const auto read = [](std::string_view text) {
        const auto found = log::levels_of(text, log::level::notice);
        return found ? to_text(*found) : "nothing";
    };
    BOOST_TEST(read("debug") == "debug");
    BOOST_TEST(read("session=debug") == "notice,session=debug");
    BOOST_TEST(read("info,store=error,session=debug") == "info,session=debug,store=error");
    BOOST_TEST(read("call=debug,call=error") == "notice,call=error");
    BOOST_TEST(read("call=debug,warning") == "warning");
    BOOST_TEST(read("daemon=debug") ==
               "debug,listener=notice,session=notice,call=notice,store=notice");
    for (const char* bad : {"", "loud", "info,", ",info", "session", "session=", "session=loud",
                            "=info", "sessions=info", "info session=debug", "Info", "emergency"})
        BOOST_TEST(read(bad) == "nothing", bad);
}

BOOST_AUTO_TEST_CASE(a_full_queue_drops_counts_and_says_so_when_there_is_room)
{
    pipe_pair p;
    const std::uint64_t before = log::dropped();
    log::start({log::level::info, log::format::prefixed, 100}, p.in);
    // Nobody reads: the pipe holds 64 KiB, the queue 100 records, the rest has to go. A log that
    // waited for its reader would hang here.
    const std::string text(1000, 'x');
    for (int i = 0; i < 1000; ++i)
        log::write(log::level::info, happened, text);
    const std::uint64_t dropped = log::dropped() - before;
    BOOST_TEST(dropped >= 700u);
    BOOST_TEST(dropped <= 900u);
    // One record for all that were dropped since the last such record.
    const std::string line = "<4>log records were dropped because the queue was full dropped=";
    std::uint64_t told = 0;
    for (std::string read; told < dropped;) {
        const std::string more = p.read_until("\n");
        if (more.empty())
            break;
        read += more;
        told = 0;
        for (auto at = read.find(line); at != std::string::npos; at = read.find(line, at + 1)) {
            const auto digits = at + line.size();
            if (read.find('\n', digits) != std::string::npos)
                told += std::stoull(read.substr(digits));
        }
    }
    BOOST_TEST(told == dropped);
    log::write(log::level::info, happened, "after");
    BOOST_TEST(p.read_until("<6>after\n").find("<6>after\n") != std::string::npos);
    log::stop();
    BOOST_TEST(log::dropped() - before == dropped);
}

BOOST_AUTO_TEST_CASE(stop_does_not_wait_for_a_reader_that_is_gone_silent)
{
    pipe_pair p;
    log::start({log::level::info, log::format::prefixed, 1000}, p.in);
    for (int i = 0; i < 500; ++i)
        log::write(log::level::info, happened, std::string(1000, 'x'));
    const auto begin = std::chrono::steady_clock::now();
    log::stop();
    BOOST_CHECK(std::chrono::steady_clock::now() - begin < 15s);
}

BOOST_AUTO_TEST_CASE(any_thread_may_write_while_the_log_starts_and_stops)
{
    pipe_pair p;
    std::atomic<bool> over{false};
    std::vector<std::thread> writers;
    log::start({log::level::info, log::format::prefixed, 50}, p.in);
    for (int t = 0; t < 4; ++t)
        writers.emplace_back([&] {
            for (int i = 0; i < 2000; ++i)
                log::write(log::level::info, happened, "r", {{"WHARF_SESSION", std::to_string(i)}});
        });
    std::string text;
    std::thread reader([&] {
        char buffer[65536];
        ssize_t n;
        while ((n = ::read(p.out, buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<std::size_t>(n));
    });
    for (auto& w : writers)
        w.join();
    log::stop();
    ::close(p.in);
    p.in = -1;
    reader.join();
    // Every line is whole.
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size(); ++lines) {
        const std::size_t end = text.find('\n', at);
        BOOST_REQUIRE(end != std::string::npos);
        const std::string line = text.substr(at, end - at);
        BOOST_REQUIRE((line.starts_with("<6>r session=") || line.starts_with("<4>log records")));
        at = end + 1;
    }
    BOOST_TEST(lines > 0u);
}
