// The grammar of endpoints: what is read, what is refused and what the refusal says.
#include "socket_support.hpp"

#include <wharf/endpoint.hpp>

#include <random>
#include <vector>

using namespace wharf;

namespace {

struct accepted {
    std::string text;
    endpoint value;
};

const std::string host_253 = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                             std::string(63, 'c') + "." + std::string(61, 'd');

const std::vector<accepted> good = {
    {"localhost:7040", tcp_endpoint{"localhost", 7040}},
    {"127.0.0.1:0", tcp_endpoint{"127.0.0.1", 0}},
    {"0.0.0.0:65535", tcp_endpoint{"0.0.0.0", 65535}},
    {"[::]:1", tcp_endpoint{"::", 1}},
    {"[::1]:7040", tcp_endpoint{"::1", 7040}},
    {"[::ffff:10.0.0.1]:80", tcp_endpoint{"::ffff:10.0.0.1", 80}},
    {"[fe80::1%eth0]:7040", tcp_endpoint{"fe80::1%eth0", 7040}},
    {"[fe80::1%2]:7040", tcp_endpoint{"fe80::1%2", 7040}},
    {"db-1.example_x.com:5", tcp_endpoint{"db-1.example_x.com", 5}},
    {"example.com.:5", tcp_endpoint{"example.com.", 5}},
    {"3com.com:5", tcp_endpoint{"3com.com", 5}},
    {host_253 + ":7", tcp_endpoint{host_253, 7}},
    {"unix:/run/wharf/wharf.sock", unix_endpoint{"/run/wharf/wharf.sock", false}},
    {"unix:/with space:and:colons", unix_endpoint{"/with space:and:colons", false}},
    {"unix:@wharf", unix_endpoint{"wharf", true}},
    {"unix:@@", unix_endpoint{"@", true}},
    {"unix:/" + std::string(106, 'p'), unix_endpoint{"/" + std::string(106, 'p'), false}},
    {"unix:@" + std::string(107, 'n'), unix_endpoint{std::string(107, 'n'), true}},
    {"fd:0", fd_endpoint{0}},
    {"fd:3", fd_endpoint{3}},
    {"fd:2147483647", fd_endpoint{2147483647}},
};

struct refused {
    std::string text;
    std::string says; // a part of the message: what was expected
};

const std::vector<refused> bad = {
    {"", "expected host:port"},
    {"localhost", "expected host:port"},
    {":7040", "expected a host before the port"},
    {"localhost:", "expected a port number from 0 to 65535"},
    {"localhost:65536", "expected a port number from 0 to 65535"},
    {"localhost:99999999999999999999", "expected a port number from 0 to 65535"},
    {"localhost:-1", "expected a port number from 0 to 65535"},
    {"localhost:+1", "expected a port number from 0 to 65535"},
    {"localhost:080", "expected a port number from 0 to 65535"},
    {"localhost: 80", "expected a port number from 0 to 65535"},
    {"localhost:80 ", "expected a port number from 0 to 65535"},
    {"localhost:http", "expected a port number from 0 to 65535"},
    {"::1:7040", "stands in brackets"},
    {"::1", "stands in brackets"},
    {"fe80::1:2:3:4", "stands in brackets"},
    {"[::1]", "expected [v6]:port"},
    {"[::1]7040", "expected [v6]:port"},
    {"[::1:7040", "expected [v6]:port"},
    {"[127.0.0.1]:7040", "expected an IPv6 address between the brackets"},
    {"[]:7040", "expected an IPv6 address between the brackets"},
    {"[fe80::1%]:7040", "expected an interface behind '%'"},
    {"[fe80::1%averyverylongname]:7040", "expected an interface behind '%'"},
    {"1.2.3.256:80", "expected an IPv4 address of four numbers"},
    {"1.2.3:80", "expected an IPv4 address of four numbers"},
    {"127.1:80", "expected an IPv4 address of four numbers"},
    {"0x7f000001:80", "expected an IPv4 address of four numbers"},
    {"2130706433:80", "expected an IPv4 address of four numbers"},
    {"a..b:80", "expected a host name of labels"},
    {".:80", "expected a host name of labels"},
    {"-a.com:80", "expected a host name of labels"},
    {"a-.com:80", "expected a host name of labels"},
    {"a b:80", "expected a host name of labels"},
    {"h\xc3\xb6st:80", "expected a host name of labels"},
    {std::string(64, 'a') + ":80", "expected a host name of labels"},
    {host_253 + "d:80", "at most 253 bytes"},
    {"http://localhost:80", "expected host:port"},
    {"tcp:localhost:80", "expected host:port"},
    {"unix:", "expected an absolute path"},
    {"unix:relative", "expected an absolute path"},
    {"unix:@", "expected a name"},
    {"unix:/" + std::string(107, 'p'), "at most 107 bytes"},
    {"unix:@" + std::string(108, 'n'), "at most 107 bytes"},
    {std::string("unix:/a\0b", 9), "no control characters"},
    {"unix:/a\nb", "no control characters"},
    {"fd:", "expected the number of an open descriptor"},
    {"fd:-1", "expected the number of an open descriptor"},
    {"fd:x", "expected the number of an open descriptor"},
    {"fd:03", "expected the number of an open descriptor"},
    {"fd:2147483648", "expected the number of an open descriptor"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(endpoints)

// Row 5: one grammar, read and printed back.
BOOST_AUTO_TEST_CASE(every_form_is_read_and_printed_back)
{
    for (const accepted& row : good)
        BOOST_TEST_CONTEXT(row.text)
        {
            endpoint e = parse_endpoint(row.text);
            BOOST_TEST((e == row.value));
            BOOST_TEST(to_string(e) == row.text);
            BOOST_TEST((parse_endpoint(to_string(e)) == e));
        }
}

BOOST_AUTO_TEST_CASE(every_refusal_says_what_was_expected)
{
    for (const refused& row : bad)
        BOOST_TEST_CONTEXT(row.text)
        {
            error e = error_of([&] { parse_endpoint(row.text); });
            BOOST_TEST(e.code() == errc::bad_endpoint);
            BOOST_TEST(contains(e.text(), row.says), e.text());
        }
}

// Row 22: an archive needs a reliable stream.
BOOST_AUTO_TEST_CASE(datagram_endpoints_are_refused_by_name)
{
    for (std::string text : {"udp:127.0.0.1:7040", "udp:localhost:1", "UDP:h:1", "udp://h:1"}) {
        error e = error_of([&] { parse_endpoint(text); });
        BOOST_TEST(e.code() == errc::bad_endpoint);
        BOOST_TEST(contains(e.text(), "cannot carry archives"), e.text());
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_repeats_bad_input_cut_and_on_one_line)
{
    error e = error_of([] { parse_endpoint("unix:/a\nb" + std::string(10000, 'x')); });
    BOOST_TEST(e.text().size() < 400u);
    BOOST_TEST(!contains(e.text(), "\n"));
}

BOOST_AUTO_TEST_CASE(the_default_endpoint_is_a_unix_socket)
{
    BOOST_TEST(std::holds_alternative<unix_endpoint>(parse_endpoint(default_endpoint)));
}

// Whatever the bytes, the answer is an endpoint that prints as it was read, or bad_endpoint.
BOOST_AUTO_TEST_CASE(mutated_endpoints_are_read_back_or_refused)
{
    std::mt19937 random(1);
    const std::string alphabet("[]:@%./-0123456789abfux \0\xff", 27);
    std::size_t read = 0, refusals = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = good[random() % good.size()].text;
        for (unsigned edits = random() % 4 + 1; edits > 0; --edits) {
            std::size_t at = random() % (text.size() + 1);
            char c = alphabet[random() % alphabet.size()];
            if (random() % 2 == 0 || at == text.size())
                text.insert(at, 1, c);
            else
                text[at] = c;
        }
        try {
            BOOST_REQUIRE_EQUAL(to_string(parse_endpoint(text)), text);
            ++read;
        }
        catch (const error& e) {
            BOOST_REQUIRE(e.code() == errc::bad_endpoint);
            ++refusals;
        }
    }
    BOOST_TEST(read > 100u);
    BOOST_TEST(refusals > 100u);
}

BOOST_AUTO_TEST_SUITE_END()
