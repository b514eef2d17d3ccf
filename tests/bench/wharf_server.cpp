// Wharf's server with the workloads' commands, one worker, on a free port of loopback.
#include "workloads.hpp"

#include <wharf/server.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

#include <unistd.h>

namespace {

struct workloads {
    void serve(wharf::router& router)
    {
        router.on<bench::small>([](const bench::small& c) {
            return bench::small_reply{std::int64_t{c.a} + c.b, c.text};
        });
        // The argument is given back without a copy of ours: what is measured is the way.
        router.on<bench::bytes>([](const bench::bytes& c) -> const auto& { return c.data; });
        router.on<bench::doubles>([](const bench::doubles& c) -> const auto& { return c.data; });
        router.on<bench::graph>([](const bench::graph& c) -> const auto& { return c.records; });
    }
};

wharf::server_options options()
{
    wharf::server_options made;
    made.threads = 1;
    wharf::listener_options listener;
    listener.where = wharf::tcp_endpoint{"127.0.0.1", 0};
    made.listeners.push_back(listener);
    made.allow.push_back({.method = "anonymous", .subject = "127.0.0.1", .role = "anyone"});
    made.roles.push_back({.name = "anyone", .commands = {"*"}});
    return made;
}

void run()
{
    // Blocked before there are threads, so that only the wait below takes them.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, nullptr);

    wharf::server server(options());
    server.serve(workloads{});
    server.start();
    const auto where = std::get<wharf::tcp_endpoint>(server.endpoints().at(0));
    std::printf("%d %d\n", where.port, ::getpid());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&stop, &signal);
}

} // namespace

int main()
{
    try {
        run();
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
