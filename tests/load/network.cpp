// Makes namespaces by unshare and the cable by ip; loses packets by nft.
#include "network.hpp"

#include "daemon/process.hpp"

#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace stress {

network_namespace::network_namespace()
{
    int failed = 0;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0)
            failed = errno;
        else
            fd_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    }).join();
    if (fd_ < 0)
        throw std::runtime_error(std::string("a network namespace needs CAP_SYS_ADMIN: ") +
                                 std::strerror(failed));
}

network_namespace::~network_namespace()
{
    if (fd_ >= 0)
        ::close(fd_);
}

void network_namespace::run(const std::function<void()>& f) const
{
    std::exception_ptr thrown;
    std::thread([&] {
        try {
            if (::setns(fd_, CLONE_NEWNET) != 0)
                throw std::runtime_error(std::string("setns: ") + std::strerror(errno));
            f();
        }
        catch (...) {
            thrown = std::current_exception();
        }
    }).join();
    if (thrown)
        std::rethrow_exception(thrown);
}

void network_namespace::command(const std::string& line) const
{
    run([&] {
        const wharf::test::result done = wharf::test::run({"/bin/sh", "-c", line});
        if (done.status != 0)
            throw std::runtime_error(line + ": " + done.errors);
    });
}

std::string network_namespace::path() const
{
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
}

network::network()
{
    client.command("ip link add cable type veth peer name cable netns " + server.path());
    server.command("ip address add 192.0.2.1/24 dev cable");
    client.command("ip address add 192.0.2.2/24 dev cable");
    for (const network_namespace* each : {&server, &client}) {
        each->command("ip link set lo up");
        each->command("ip link set cable up");
        each->command("nft add table ip lossy");
        // At the receiving end: what a sender's own filter drops is an error to it, not a loss.
        each->command("nft 'add chain ip lossy input { type filter hook input priority 0 ; }'");
    }
}

void network::lose(int to_server, int to_client) const
{
    lose_at(server, to_server);
    lose_at(client, to_client);
}

void network::lose_at(const network_namespace& at, int percent)
{
    const std::string which =
        percent < 100 ? "numgen random mod 100 < " + std::to_string(percent) + " drop" : "drop";
    at.command("nft flush chain ip lossy input");
    if (percent > 0)
        at.command("nft 'add rule ip lossy input ip protocol tcp " + which + "'");
}

std::optional<std::string> why_no_network()
{
    try {
        network made;
        made.lose(50, 50);
        return std::nullopt;
    }
    catch (const std::exception& e) {
        return e.what();
    }
}

} // namespace stress
