// What the main() of a daemon needs: options, log, sockets from systemd, and a server that drains.
#pragma once

#include <wharf/server.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wharf {

struct store_options;
struct system_controls;

/// Lets malloc keep up to so many freed bytes for the next call, in each of its arenas (a thread
/// has one), and take blocks up to 32 MiB from what it keeps. By glibc's own rule a server whose
/// calls hold a few MiB each gives that memory back to the system after every call, and gets it
/// back a page fault at a time, which costs more than the call. 0 leaves glibc to its rule. It is
/// about the whole process: a daemon does it at start, by server.freed_memory_bytes; a program that
/// embeds a server may. Any thread. Source: mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD.
void keep_freed_memory(std::size_t bytes) noexcept;

/// From now on this thread, and every thread that it starts, can run no other program: execve(2)
/// fails with EPERM, and so does every system call by another machine's table. It cannot be undone.
/// Call it in main() before there are threads, in a daemon that starts no programs: who takes it
/// over can start none either. False where the kernel or the machine (neither x86-64 nor aarch64)
/// has no such filter; the thread cannot gain privileges any more all the same.
bool forbid_programs() noexcept;

/// A server with the duties of a process: command line, configuration, log, service manager,
/// signals. Make one, in main(), before any other thread: it changes what signals do to the
/// process, and the log is the process's.
///
///     wharf::daemon daemon(argc, argv);
///     daemon.serve(calculator{});
///     return daemon.run();
///
/// It belongs to the thread that made it.
class daemon {
public:
    /// Reads the command line, the configuration and the sockets that systemd passes; opens and
    /// starts nothing. Ends the process, by std::exit, after --help, --version, --check and
    /// --print-config (status 0) and where any of it is wrong (status 2, one line on stderr).
    daemon(int argc, char** argv);
    ~daemon();
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    /// As server::serve(): before run(). Throws error(errc::bad_argument) for a command that is
    /// served twice.
    template <class Service>
    void serve(Service&& service)
    {
        server().serve(std::forward<Service>(service));
    }

    /// Serves the commands of wharf/system.hpp, unless the program does, by which wharfctl asks
    /// what the daemon is and what its commands take. Starts the server, tells the service manager
    /// that it is ready, and waits. SIGTERM or SIGINT drains: no new connections, every accepted
    /// call is answered until server.drain_timeout. A second one ends the process at once, with
    /// status 1. SIGHUP reads the configuration again: a fault in it changes nothing and is logged,
    /// else what can change does, and the log names what needs a restart. Returns the status for
    /// main() to return: 0, or 1 where it could not start, after one line on stderr. Once.
    int run();

    /// Prints why the daemon cannot start, one line on stderr with the place in the configuration
    /// where there is one, and returns the status for main() to return: 1.
    int fail(const std::exception& why) const;

    /// For services that tell about it. Valid as long as the daemon.
    wharf::server& server() noexcept;
    /// "wharfd 0.1.0"
    const std::string& software() const noexcept;
    /// What the process counts beside its server: {"log_records_dropped", 0}. Any thread.
    std::vector<std::pair<std::string, std::uint64_t>> counters() const;
    /// What the commands by which operators change a daemon do, for a system service that the
    /// program makes itself. Valid as long as the daemon.
    system_controls controls();
    /// The configured store. Creates its directory where only the last part of it is missing.
    store_options store() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace wharf
