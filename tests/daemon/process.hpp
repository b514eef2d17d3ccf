// A daemon as a child process: its output, its notifications and its end, each waited for.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace wharf::test {

/// A fresh directory that goes with what is in it.
class scratch {
public:
    scratch();
    ~scratch();
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    const std::string& path() const { return path_; }
    /// Writes a file in it and returns its path.
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::string path_;
};

/// The datagram socket behind $NOTIFY_SOCKET.
class notify_socket {
public:
    notify_socket();
    ~notify_socket();
    notify_socket(const notify_socket&) = delete;
    notify_socket& operator=(const notify_socket&) = delete;
    /// "@name", for $NOTIFY_SOCKET.
    const std::string& name() const { return name_; }
    /// The next notification; empty when none came in time.
    std::string receive(std::chrono::milliseconds within = std::chrono::seconds(20));
    /// Receives until one holds the text; returns it, or nothing when none came in time.
    std::string wait_for(const std::string& text,
                         std::chrono::milliseconds within = std::chrono::seconds(20));

private:
    int fd_ = -1;
    std::string name_;
};

/// A child process. Its standard output and error are pipes that are read here.
class process {
public:
    struct options {
        std::map<std::string, std::string> environment; ///< added to ours
        /// Become the child's descriptors 3, 4, ...; LISTEN_PID is set when there are any.
        std::vector<int> pass;
    };
    process(const std::vector<std::string>& command, const options& how);
    explicit process(const std::vector<std::string>& command) : process(command, options{}) {}
    /// Kills it when it still runs.
    ~process();
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// A line of its standard output, or what there is at its end.
    std::string read_line();
    /// Waits for its end: the exit status, or 128 + the signal that ended it; -1 when it still
    /// runs after that time.
    int wait(std::chrono::milliseconds within = std::chrono::seconds(30));
    /// Everything that it wrote, once it has ended.
    std::string output();
    std::string errors();

private:
    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    int status_ = -1;
    bool ended_ = false;
    std::string unread_;
};

/// Runs a command to its end.
struct result {
    int status = 0;
    std::string output, errors;
};
result run(const std::vector<std::string>& command, const process::options& how = {});

} // namespace wharf::test
