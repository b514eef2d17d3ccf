// A network that a test makes and spoils: two namespaces with a cable, and packets that get lost.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace stress {

/// A network namespace; it goes with this object and the last thread in it.
class network_namespace {
public:
    /// Throws std::runtime_error that names the missing capability.
    network_namespace();
    ~network_namespace();
    network_namespace(const network_namespace&) = delete;
    network_namespace& operator=(const network_namespace&) = delete;

    /// Runs f on a thread of its own inside, and waits for it. Threads that f starts, and sockets
    /// of them all, are inside too. Throws what f throws.
    void run(const std::function<void()>& f) const;
    /// Runs a shell's command inside; throws std::runtime_error where it fails.
    void command(const std::string& line) const;
    /// A path by which other programs find it.
    std::string path() const;

private:
    int fd_ = -1;
};

/// Two namespaces joined by a cable, 192.0.2.1 at the server's end and 192.0.2.2 at the client's.
class network {
public:
    network();
    /// Of 100 packets so many get lost, in each direction; 100: the cable is cut.
    void lose(int to_server, int to_client) const;

    const network_namespace server, client;

private:
    static void lose_at(const network_namespace& at, int percent);
};

/// Why no such network can be made here; nothing where it can.
std::optional<std::string> why_no_network();

} // namespace stress
