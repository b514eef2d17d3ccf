// A server in a process of its own, whose memory can be looked at from outside: small limits.
//   load_daemon DIRECTORY [NAME=NUMBER...]
// Prints "unix:DIRECTORY/socket" and "127.0.0.1:PORT", then serves until SIGTERM.
#include "service.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

/// Limits of the server that an argument may set.
void apply(wharf::server_options& options, const std::string& argument)
{
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::uint64_t number = std::stoull(argument.substr(equals + 1));
    if (name == "threads")
        options.threads = static_cast<std::uint32_t>(number);
    else if (name == "sessions")
        options.sessions_max = static_cast<std::uint32_t>(number);
    else if (name == "send_queue")
        options.send_queue_bytes_max = number;
    else if (name == "session_memory")
        options.session_memory_bytes_max = number;
    else if (name == "calls_memory")
        options.calls_memory_bytes_max = number;
    else if (name == "reassembly")
        options.conversation.reassembly_bytes_max = number;
    else if (name == "message")
        options.conversation.message_bytes_max = number;
    else if (name == "frame_timeout_ms")
        options.conversation.frame_timeout = std::chrono::milliseconds(number);
    else if (name == "handshake_timeout_ms")
        options.conversation.handshake_timeout = std::chrono::milliseconds(number);
    else if (name == "send_timeout_ms")
        options.send_timeout = std::chrono::milliseconds(number);
    else if (name == "socket_buffers")
        for (wharf::listener_options& each : options.listeners)
            each.tcp.send_buffer_bytes = each.tcp.receive_buffer_bytes =
                static_cast<std::uint32_t>(number);
    else
        throw std::invalid_argument(argument);
}

int serve(int argc, char** argv)
{
    // A pipe that nobody reads would stop the log.
    if (std::freopen((std::string(argv[1]) + "/log").c_str(), "a", stderr) == nullptr)
        return 3;
    wharf::server_options options = stress::open_options(std::string(argv[1]) + "/socket", 2);
    for (int i = 2; i < argc; ++i)
        apply(options, argv[i]);
    // Before the threads start, which inherit it.
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);

    wharf::server server(options);
    stress::service service(server);
    server.serve(service);
    server.start();
    for (const wharf::endpoint& where : server.endpoints())
        std::puts(to_string(where).c_str());
    std::fflush(stdout);
    int got = 0;
    ::sigwait(&stop, &got);
    server.stop();
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return argc < 2 ? 2 : serve(argc, argv);
    }
    catch (const std::exception& e) {
        std::fprintf(stderr, "load_daemon: %s\n", e.what());
        return 1;
    }
}
