// Tests wharfd as a process where the system is against it: bursts, descriptors, and the disk.
#include "process.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/error.hpp>
#include <wharf/objects.hpp>
#include <wharf/system.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace wharf::test;
using namespace std::chrono_literals;
using wharf::errc;
namespace objects = wharf::objects;
using clock_type = std::chrono::steady_clock;

namespace {

/// wharfd on a port of loopback, with its state in a directory that outlives it.
struct running {
    running(const scratch& directory, const std::vector<std::string>& settings,
            const std::vector<std::string>& before = {})
        : file(directory.write("wharfd.conf",
                               "[[listen]]\nendpoint = \"127.0.0.1:0\"\n[[allow]]\nmethod = "
                               "\"anonymous\"\nsubject = \"127.0.0.0/8\"\nrole = \"user\"\n"))
    {
        std::vector<std::string> command = before;
        for (const std::string& word :
             {std::string(WHARFD), std::string("--config"), file, std::string("--state"),
              directory.path() + "/state", std::string("--print-endpoints")})
            command.push_back(word);
        for (const std::string& setting : settings) {
            command.push_back("--set");
            command.push_back(setting);
        }
        child.emplace(command);
        where = child->read_line(); // printed once it listens; nothing when it does not start
    }
    int stop()
    {
        child->signal(SIGTERM);
        return child->wait();
    }
    int port() const { return std::stoi(where.substr(where.rfind(':') + 1)); }
    std::string file, where;
    std::optional<process> child;
};

/// Connections that say nothing. They end by a reset, which leaves no port behind.
class crowd {
public:
    ~crowd() { leave(); }
    /// False where the system refuses it at once.
    bool join(int port)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        BOOST_REQUIRE(fd >= 0);
        fds_.push_back(fd);
        const linger hard{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ||
               errno == EINPROGRESS;
    }
    /// Whether the daemon's first byte comes to each of them; how many got it.
    int greeted() const
    {
        int count = 0;
        const auto until = clock_type::now() + 20s;
        for (const int fd : fds_) {
            pollfd ready{fd, POLLIN, 0};
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_type::now());
            char byte = 0;
            count += ::poll(&ready, 1, std::max(0, static_cast<int>(left.count()))) == 1 &&
                     ::recv(fd, &byte, 1, 0) == 1;
        }
        return count;
    }
    void leave()
    {
        for (const int fd : fds_)
            ::close(fd);
        fds_.clear();
    }

private:
    std::vector<int> fds_;
};

std::uint64_t counter(wharf::blocking_client& client, const std::string& name)
{
    for (const auto& fact : client.call(wharf::system::status{}).counters) {
        if (fact.name == name)
            return fact.value;
    }
    BOOST_FAIL("no counter is named " << name);
    return 0;
}

std::chrono::nanoseconds cpu_time(pid_t pid)
{
    std::chrono::nanoseconds total{};
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        std::int64_t ran = 0;
        std::ifstream(task.path() / "schedstat") >> ran;
        total += std::chrono::nanoseconds(ran);
    }
    return total;
}

errc code_of(const std::function<void()>& action)
{
    try {
        action();
    }
    catch (const wharf::error& e) {
        BOOST_TEST_MESSAGE(e.what());
        return e.code();
    }
    return {};
}

void put(wharf::blocking_client& client, const std::string& key, std::size_t bytes)
{
    const objects::put command{key, std::vector<std::byte>(bytes)};
    client.call(command);
}

/// Another program's connection to the database.
class shell {
public:
    explicit shell(const std::string& path) { ::sqlite3_open(path.c_str(), &handle_); }
    ~shell() { ::sqlite3_close(handle_); }
    shell(const shell&) = delete;
    shell& operator=(const shell&) = delete;
    bool run(const char* sql)
    {
        return ::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
    }

private:
    sqlite3* handle_ = nullptr;
};

} // namespace

// Row 9: ten thousand connections at once, none of them refused.
BOOST_AUTO_TEST_CASE(row_9_ten_thousand_connections_at_once_are_all_served)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const int all = static_cast<int>(std::min<rlim_t>(10000, limit.rlim_max - 200));
    const scratch directory;
    running d(directory, {"limits.sessions_max=20000", "limits.handshake_timeout=1min"});
    BOOST_REQUIRE(!d.where.empty());
    crowd peers;
    int refused = 0;
    for (int i = 0; i < all; ++i)
        refused += !peers.join(d.port());
    BOOST_TEST(refused == 0);
    BOOST_TEST(peers.greeted() == all);
    wharf::blocking_client client(d.where);
    BOOST_TEST(counter(client, "sessions") == static_cast<std::uint64_t>(all) + 1);
    BOOST_TEST(counter(client, "connections_refused") == 0u);
    peers.leave();
    BOOST_TEST(d.stop() == 0);
}

// Row 10: 200 clients and 64 descriptors.
BOOST_AUTO_TEST_CASE(row_10_without_descriptors_it_stays_calm_and_recovers)
{
#if defined(__SANITIZE_ADDRESS__)
    // UBSan asks a pipe whether an object is readable, and ends the daemon when there is none.
    BOOST_TEST_MESSAGE("not with sanitizers, which need descriptors of their own");
    return;
#endif
    const scratch directory;
    running d(directory, {"limits.handshake_timeout=1min"},
              {"/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"});
    BOOST_REQUIRE(!d.where.empty());
    const auto began = clock_type::now();
    {
        wharf::blocking_client early(d.where);
        BOOST_TEST(early.call(wharf::system::ping{1}) == 1u);
        crowd peers;
        for (int i = 0; i < 200; ++i)
            BOOST_TEST(peers.join(d.port()));
        const auto until = clock_type::now() + 20s;
        while (counter(early, "descriptors_exhausted") < 2 && clock_type::now() < until) {}
        BOOST_TEST(counter(early, "descriptors_exhausted") >= 2u);
        const auto used_before = cpu_time(d.child->pid());
        BOOST_TEST(d.child->wait(1000ms) == -1); // it lives on
        const auto used = cpu_time(d.child->pid()) - used_before;
        BOOST_TEST(used.count() < std::chrono::nanoseconds(50ms).count()); // of one second
        BOOST_TEST(early.call(wharf::system::ping{2}) == 2u);
    }
    // The crowd has gone: whoever comes now is served.
    wharf::blocking_client late(d.where);
    BOOST_TEST(late.call(wharf::system::ping{3}) == 3u);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(clock_type::now() - began).count();
    BOOST_TEST(d.stop() == 0);
    const std::string log = d.child->errors();
    long said = 0;
    for (auto at = log.find("no connection can be accepted now"); at != std::string::npos;
         at = log.find("no connection can be accepted now", at + 1))
        ++said;
    BOOST_TEST(said >= 1);
    BOOST_TEST(said <= seconds + 1); // once a second
}

BOOST_AUTO_TEST_CASE(a_damaged_database_refuses_the_start_and_says_what_to_do)
{
    const scratch directory;
    {
        running d(directory, {});
        wharf::blocking_client client(d.where);
        put(client, "k", 100);
        BOOST_TEST(d.stop() == 0);
    }
    std::fstream database(directory.path() + "/state/wharf.db",
                          std::ios::binary | std::ios::in | std::ios::out);
    database << std::string(16, 'x');
    database.close();
    running d(directory, {});
    BOOST_TEST(d.where == "");
    BOOST_TEST(d.child->wait() == 1);
    const std::string errors = d.child->errors();
    BOOST_TEST(errors.starts_with("wharfd: --state: state_directory: the database is damaged: "),
               errors);
    BOOST_TEST(errors.find("restore a backup of the directory") != std::string::npos, errors);
    BOOST_TEST(std::count(errors.begin(), errors.end(), '\n') == 1);
}

BOOST_AUTO_TEST_CASE(a_state_directory_in_use_refuses_the_start)
{
    const scratch directory;
    running first(directory, {});
    running second(directory, {});
    BOOST_TEST(second.where == "");
    BOOST_TEST(second.child->wait() == 1);
    const std::string errors = second.child->errors();
    BOOST_TEST(errors.find("is in use by process " + std::to_string(first.child->pid())) !=
                   std::string::npos,
               errors);
    BOOST_TEST(std::count(errors.begin(), errors.end(), '\n') == 1);
    BOOST_TEST(first.stop() == 0);
}

BOOST_AUTO_TEST_CASE(a_full_database_is_an_error_to_the_call_and_nothing_is_half_written)
{
    const scratch directory;
    constexpr std::size_t size = 20000;
    int stored = 0;
    {
        running d(directory, {"store.database_bytes_max=512KiB"});
        wharf::blocking_client client(d.where);
        errc code{};
        while (code == errc{} && stored < 100) {
            code = code_of([&] { put(client, "k" + std::to_string(stored), size); });
            stored += code == errc{};
        }
        BOOST_CHECK(code == errc::store_full);
        BOOST_TEST(stored > 5);
        // Nobody else notices: other calls of the session are answered, and what takes no room.
        BOOST_TEST(client.call(wharf::system::ping{9}) == 9u);
        client.call(objects::erase{"k0", {}});
        put(client, "k0", size);
        BOOST_TEST(d.stop() == 0);
    }
    running d(directory, {});
    wharf::blocking_client client(d.where);
    const auto found = client.call(objects::list{"", "", 1000});
    BOOST_TEST(found.entries.size() == static_cast<std::size_t>(stored));
    for (const auto& entry : found.entries)
        BOOST_TEST(entry.size == size);
    BOOST_TEST(d.stop() == 0);
}

BOOST_AUTO_TEST_CASE(a_locked_database_is_an_error_to_the_call_and_nothing_is_half_written)
{
    const scratch directory;
    running d(directory, {"store.busy_timeout=50ms"});
    wharf::blocking_client client(d.where);
    put(client, "k", 10);
    {
        shell other(directory.path() + "/state/wharf.db");
        BOOST_REQUIRE(other.run("BEGIN IMMEDIATE"));
        BOOST_CHECK(code_of([&] { put(client, "k", 20); }) == errc::store_busy);
        BOOST_TEST(client.call(objects::get{"k"}).value.size() == 10u);
    }
    put(client, "k", 30);
    BOOST_TEST(client.call(objects::get{"k"}).value.size() == 30u);
    BOOST_TEST(d.stop() == 0);
}
