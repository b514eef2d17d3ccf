// load_daemon as a child of a test, in a directory of its own.
#pragma once

#include "support.hpp"

#include "daemon/process.hpp"

#include <wharf/endpoint.hpp>

#include <string>
#include <vector>

#include <csignal>

namespace stress {

/// Runs from its construction to stop(), or to its destruction, which kills it.
class daemon_process {
public:
    /// Limits as load_daemon takes them: "threads=2".
    explicit daemon_process(const std::vector<std::string>& limits)
        : process_(command(directory_ / "", limits))
    {
        for (int i = 0; i != 2; ++i)
            endpoints_.push_back(wharf::parse_endpoint(process_.read_line()));
    }
    /// A unix socket, then a TCP port of loopback.
    const std::vector<wharf::endpoint>& endpoints() const { return endpoints_; }
    pid_t pid() const { return process_.pid(); }
    /// Its exit status.
    int stop()
    {
        process_.signal(SIGTERM);
        return process_.wait();
    }

private:
    static std::vector<std::string> command(const std::string& directory,
                                            const std::vector<std::string>& limits)
    {
        std::vector<std::string> words{LOAD_DAEMON, directory};
        words.insert(words.end(), limits.begin(), limits.end());
        return words;
    }

    scratch directory_;
    wharf::test::process process_;
    std::vector<wharf::endpoint> endpoints_;
};

} // namespace stress
