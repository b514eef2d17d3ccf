// The main() of the bench's servers: a service on a free port of loopback until SIGTERM.
#pragma once

#include <wharf/daemon.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include <pthread.h>
#include <unistd.h>

namespace bench {

inline wharf::server_options serve_options(int argc, char** argv)
{
    wharf::server_options made;
    made.threads = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 1;
    made.sessions_max = 20000;
    wharf::listener_options listener;
    listener.where = wharf::tcp_endpoint{"127.0.0.1", 0};
    made.listeners.push_back(listener);
    made.allow.push_back({.method = "anonymous", .subject = "127.0.0.1", .role = "anyone"});
    made.roles.push_back({.name = "anyone", .commands = {"*"}});
    return made;
}

/// Arguments: [THREADS], by default 1. Prints the port and the process id when it is ready; returns
/// what main() returns.
template <class Service>
int serve(int argc, char** argv, Service service)
try {
    // Blocked before there are threads, so that only the wait below takes them.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, nullptr);

    // As a daemon does by default.
    wharf::keep_freed_memory(64u << 20);
    wharf::server server(serve_options(argc, argv));
    server.serve(std::move(service));
    server.start();
    const auto where = std::get<wharf::tcp_endpoint>(server.endpoints().at(0));
    std::printf("%d %d\n", where.port, ::getpid());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&stop, &signal);
    return 0;
}
catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
}

} // namespace bench
