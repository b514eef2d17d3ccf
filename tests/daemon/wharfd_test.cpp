// Tests wharfd as a process: what it opens, says and refuses, with real sockets and signals.
#include "process.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/error.hpp>
#include <wharf/system.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace wharf::test;
using namespace std::chrono_literals;

namespace {

const std::string allow_loopback =
    "[[allow]]\nmethod = \"unix\"\nsubject = \"self\"\nrole = \"admin\"\n"
    "[[allow]]\nmethod = \"anonymous\"\nsubject = \"127.0.0.0/8\"\n"
    "role = \"user\"\n";

std::string listen_at(const std::string& endpoint)
{
    return "[[listen]]\nendpoint = \"" + endpoint + "\"\n";
}

struct running {
    explicit running(const std::string& config, std::vector<std::string> words = {},
                     process::options how = {})
        : file(directory.write("wharfd.conf", config))
    {
        how.environment["NOTIFY_SOCKET"] = manager.name();
        std::vector<std::string> command{
            WHARFD, "--config", file, "--state", directory.path() + "/state", "--print-endpoints"};
        command.insert(command.end(), words.begin(), words.end());
        child.emplace(command, how);
        // One that does not start says nothing: its end is the end of the waiting.
        for (int i = 0; i < 200 && ready.empty() && child->wait(0ms) == -1; ++i)
            ready = manager.wait_for("READY=1", 100ms);
        if (ready.empty())
            ready = manager.wait_for("READY=1", 0ms);
    }
    int stop()
    {
        child->signal(SIGTERM);
        return child->wait();
    }
    scratch directory;
    notify_socket manager;
    std::string file, ready;
    std::optional<process> child;
};

/// Tries to connect; true when somebody accepts.
bool can_connect(const std::string& address, int port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    ::close(fd);
    return connected;
}

int port_of(const std::string& endpoint)
{
    return std::stoi(endpoint.substr(endpoint.rfind(':') + 1));
}

/// The inodes of the TCP sockets that listen, of either family, in this network namespace.
std::set<std::string> listening_tcp_inodes()
{
    std::set<std::string> inodes;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream in(table);
        std::string line;
        while (std::getline(in, line)) {
            std::istringstream words(line);
            const std::vector<std::string> of{std::istream_iterator<std::string>(words), {}};
            if (of.size() > 9 && of[3] == "0A")
                inodes.insert(of[9]);
        }
    }
    return inodes;
}

/// How many TCP sockets of the process listen.
int count_tcp_listeners(pid_t pid)
{
    const std::set<std::string> listening = listening_tcp_inodes();
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) {
        char target[128];
        const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
        const ssize_t n = ::readlink(link.c_str(), target, sizeof target);
        const std::string text(target, n > 0 ? static_cast<std::size_t>(n) : 0);
        if (text.starts_with("socket:[") && listening.contains(text.substr(8, text.size() - 9)))
            ++count;
    }
    return count;
}

int listening_unix(const std::string& path)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), at.sun_path + (path[0] == '@' ? 0 : 0));
    if (path[0] == '@')
        at.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                               (path[0] == '@' ? 0 : 1));
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), length) == 0);
    BOOST_REQUIRE(::listen(fd, 8) == 0);
    return fd;
}

int listening_tcp(int& port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    BOOST_REQUIRE(::listen(fd, 8) == 0);
    BOOST_REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) == 0);
    port = ntohs(at.sin_port);
    return fd;
}

} // namespace

BOOST_AUTO_TEST_CASE(it_starts_says_ready_answers_and_stops_with_status_0)
{
    running d(listen_at("unix:@wharfd-test-" + std::to_string(::getpid())) + allow_loopback);
    BOOST_TEST(d.ready.find("STATUS=serving 1 endpoint: unix:@wharfd-test-") != std::string::npos);
    const std::string endpoint = d.child->read_line();
    {
        wharf::blocking_client client(endpoint);
        BOOST_TEST(client.call(wharf::system::ping{77}) == 77u);
        const auto status = client.call(wharf::system::status{});
        BOOST_TEST(status.pid == static_cast<std::uint64_t>(d.child->pid()));
    }
    BOOST_TEST(d.stop() == 0);
    BOOST_TEST(!d.manager.wait_for("STOPPING=1").empty());
    BOOST_TEST(d.child->output() == "");
}

BOOST_AUTO_TEST_CASE(port_0_is_a_free_port_that_everything_reports_row_3)
{
    running first(listen_at("127.0.0.1:0") + allow_loopback);
    running second(listen_at("127.0.0.1:0") + allow_loopback);
    const std::string one = first.child->read_line(), two = second.child->read_line();
    BOOST_TEST(port_of(one) > 1024);
    BOOST_TEST(port_of(two) > 1024);
    BOOST_TEST(one != two);
    for (running* d : {&first, &second}) {
        const std::string& endpoint = d == &first ? one : two;
        BOOST_TEST(d->ready.find(endpoint) != std::string::npos);
        wharf::blocking_client client(endpoint);
        const auto status = client.call(wharf::system::status{});
        BOOST_REQUIRE(status.endpoints.size() == 1u);
        BOOST_TEST(status.endpoints[0].endpoint == endpoint);
        BOOST_TEST(d->stop() == 0);
    }
}

BOOST_AUTO_TEST_CASE(it_listens_at_the_address_that_is_configured_only_row_4)
{
    running d(listen_at("127.0.0.2:0") + allow_loopback);
    const int port = port_of(d.child->read_line());
    BOOST_TEST(can_connect("127.0.0.2", port));
    BOOST_TEST(!can_connect("127.0.0.1", port));
    BOOST_TEST(count_tcp_listeners(d.child->pid()) == 1);
}

BOOST_AUTO_TEST_CASE(the_default_opens_no_tcp_port_row_4)
{
    // As the default, but for the path, which only root may use.
    running d("", {"--listen", "unix:@wharfd-default-" + std::to_string(::getpid())});
    BOOST_REQUIRE(!d.ready.empty());
    BOOST_TEST(count_tcp_listeners(d.child->pid()) == 0);
}

BOOST_AUTO_TEST_CASE(ready_is_said_when_the_sockets_listen_row_25)
{
    // No retry: the first attempt after READY must be taken.
    wharf::client_options options;
    options.wait_for_ready = false;
    running d(listen_at("unix:@wharfd-ready-" + std::to_string(::getpid())) + allow_loopback);
    wharf::blocking_client client("unix:@wharfd-ready-" + std::to_string(::getpid()), options);
    BOOST_TEST(client.call(wharf::system::ping{1}) == 1u);
}

BOOST_AUTO_TEST_CASE(a_port_in_use_ends_the_start_with_one_line_before_ready)
{
    int port = 0;
    const int taken = listening_tcp(port);
    running d(listen_at("127.0.0.1:" + std::to_string(port)) + allow_loopback);
    BOOST_TEST(d.child->wait() == 1);
    const std::string errors = d.child->errors();
    ::close(taken);
    BOOST_TEST(d.ready == "");
    const std::string place = "wharfd: " + d.file + ":2:12: listen.endpoint: ";
    BOOST_TEST(errors.find(place + "the endpoint is in use") != std::string::npos, errors);
    BOOST_TEST(std::count(errors.begin(), errors.end(), '\n') == 1);
}

BOOST_AUTO_TEST_CASE(an_unwritable_state_directory_ends_the_start_with_one_line_before_ready)
{
    const scratch directory;
    for (const std::string& state : {std::string("/proc/wharf"), directory.write("file", "x")}) {
        const std::string file = directory.write(
            "wharfd.conf", "state_directory = \"" + state + "\"\n" +
                               listen_at("unix:" + directory.path() + "/s") + allow_loopback);
        notify_socket manager;
        process::options how;
        how.environment["NOTIFY_SOCKET"] = manager.name();
        const result r = run({WHARFD, "--config", file}, how);
        BOOST_TEST(r.status == 1);
        BOOST_TEST(manager.receive(0ms) == "");
        BOOST_TEST(r.errors.starts_with("wharfd: " + file + ":1:19: state_directory: "), r.errors);
        BOOST_TEST(std::count(r.errors.begin(), r.errors.end(), '\n') == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_bad_configuration_never_says_ready_row_2)
{
    const scratch directory;
    for (const std::string& text :
         {std::string("[limits]\ndepth_mx = 3\n"), std::string("[limits]\ndepth_max = \"x\"\n"),
          std::string("listen = []\n"), listen_at("nowhere"), listen_at("udp:127.0.0.1:1"),
          listen_at("127.0.0.1:0")}) {
        notify_socket manager;
        process::options how;
        how.environment["NOTIFY_SOCKET"] = manager.name();
        const result r = run({WHARFD, "--config", directory.write("c", text), "--state",
                              directory.path() + "/state"},
                             how);
        BOOST_TEST(r.status == 2, text);
        BOOST_TEST(manager.receive(0ms) == "");
        // Nothing was touched.
        struct stat there {};
        BOOST_TEST(::stat((directory.path() + "/state").c_str(), &there) != 0);
    }
}

BOOST_AUTO_TEST_CASE(sockets_that_systemd_passes_are_served_row_17)
{
    const scratch directory;
    int port = 0;
    const std::string path = directory.path() + "/passed.sock";
    const std::string name = "@wharfd-passed-" + std::to_string(::getpid());
    const int local = listening_unix(path), abstract = listening_unix(name);
    const int tcp = listening_tcp(port);
    process::options how;
    how.pass = {local, abstract, tcp};
    how.environment["LISTEN_FDS"] = "3";
    how.environment["LISTEN_FDNAMES"] = "wharf:wharf:tcp";
    running d("[[listen]]\nname = \"tcp\"\nendpoint = \"127.0.0.1:1\"\n" + allow_loopback, {}, how);
    BOOST_REQUIRE(!d.ready.empty());
    for (const int fd : {local, abstract, tcp})
        ::close(fd);
    const std::string loopback = "127.0.0.1:" + std::to_string(port);
    for (const std::string& endpoint : {"unix:" + path, "unix:" + name, loopback}) {
        wharf::blocking_client client(endpoint);
        BOOST_TEST(client.call(wharf::system::ping{3}) == 3u);
    }
    wharf::blocking_client client(loopback);
    const auto status = client.call(wharf::system::status{});
    BOOST_REQUIRE(status.endpoints.size() == 3u);
    BOOST_TEST(status.endpoints[0].name == "tcp");
    BOOST_TEST(status.endpoints[0].endpoint == loopback);
    BOOST_TEST(d.stop() == 0);
}

BOOST_AUTO_TEST_CASE(a_passed_tcp_socket_needs_an_allow_line_too)
{
    int port = 0;
    const int tcp = listening_tcp(port);
    process::options how;
    how.pass = {tcp};
    how.environment["LISTEN_FDS"] = "1";
    how.environment["LISTEN_FDNAMES"] = "net";
    const result r = run({WHARFD, "--state", "/nonexistent/state"}, how);
    ::close(tcp);
    BOOST_TEST(r.status == 2);
    BOOST_TEST(r.errors.find("listener = \"net\"") != std::string::npos, r.errors);
    const std::string place = "the passed socket \"127.0.0.1:" + std::to_string(port) + "\" has no";
    BOOST_TEST(r.errors.find(place) != std::string::npos, r.errors);
}

BOOST_AUTO_TEST_CASE(help_and_version_are_printed_and_succeed)
{
    const result help = run({WHARFD, "--help"}), version = run({WHARFD, "--version"});
    BOOST_TEST(help.status == 0);
    BOOST_TEST(help.output.find("--print-endpoints") != std::string::npos);
    BOOST_TEST(version.status == 0);
    BOOST_TEST(version.output.starts_with("wharfd "));
    BOOST_TEST(help.errors + version.errors == "");
}
