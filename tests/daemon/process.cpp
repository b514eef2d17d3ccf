// Starts child processes for tests and waits for what they do, always with a deadline.
#include "process.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace wharf::test {

namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what)
{
    throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

bool wait_readable(int fd, clock::time_point until)
{
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
        pollfd ready{fd, POLLIN, 0};
        const int n = ::poll(&ready, 1, static_cast<int>(std::max<long>(left, 0)));
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

std::string read_all(int fd)
{
    std::string out;
    char buffer[4096];
    const auto until = clock::now() + std::chrono::seconds(20);
    while (wait_readable(fd, until)) {
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0)
            break;
        out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
}

} // namespace

scratch::scratch()
{
    std::string name = (std::filesystem::temp_directory_path() / "wharf.XXXXXX").string();
    if (!::mkdtemp(name.data()))
        fail("mkdtemp");
    path_ = name;
}

scratch::~scratch()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string scratch::write(const std::string& name, const std::string& text) const
{
    const auto file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
}

notify_socket::notify_socket()
{
    static std::atomic<int> count{0};
    name_ = "@wharf-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name_.begin() + 1, name_.end(), address.sun_path + 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0)
        fail("notify socket");
}

notify_socket::~notify_socket()
{
    ::close(fd_);
}

std::string notify_socket::receive(std::chrono::milliseconds within)
{
    if (!wait_readable(fd_, clock::now() + within))
        return {};
    char buffer[4096];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
}

std::string notify_socket::wait_for(const std::string& text, std::chrono::milliseconds within)
{
    const auto until = clock::now() + within;
    while (clock::now() < until) {
        const std::string got =
            receive(std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()));
        if (got.find(text) != std::string::npos)
            return got;
    }
    return {};
}

process::process(const std::vector<std::string>& command, const options& how)
{
    std::vector<char*> arguments;
    for (const std::string& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::vector<std::string> variables;
    for (char** v = environ; *v; ++v) {
        const std::string variable = *v;
        const std::string name = variable.substr(0, variable.find('='));
        // What a supervisor of this test told it is not for the child.
        const bool ours = name == "NOTIFY_SOCKET" || name == "INVOCATION_ID" ||
                          name == "JOURNAL_STREAM" || name == "WATCHDOG_USEC" ||
                          name == "STATE_DIRECTORY" || name == "CREDENTIALS_DIRECTORY" ||
                          name.starts_with("LISTEN_");
        if (!ours && !how.environment.contains(name))
            variables.push_back(variable);
    }
    for (const auto& [name, text] : how.environment)
        variables.push_back(name + "=" + text);
    char listen_pid[32] = "LISTEN_PID=";
    std::vector<char*> environment;
    for (std::string& v : variables)
        environment.push_back(v.data());
    if (!how.pass.empty())
        environment.push_back(listen_pid);
    environment.push_back(nullptr);

    int out[2], err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
        fail("pipe");
    // Out of the way of the numbers that the child gives to what it inherits.
    std::vector<int> high;
    for (const int fd : how.pass)
        high.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 100));
    pid_ = ::fork();
    if (pid_ < 0)
        fail("fork");
    if (pid_ == 0) {
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        for (std::size_t i = 0; i < high.size(); ++i)
            ::dup2(high[i], 3 + static_cast<int>(i));
        if (!how.pass.empty()) {
            // snprintf is not safe after fork in a threaded program; digits are.
            char digits[16];
            int n = 0;
            for (pid_t rest = ::getpid(); rest > 0; rest /= 10)
                digits[n++] = static_cast<char>('0' + rest % 10);
            char* at = listen_pid + 11;
            while (n > 0)
                *at++ = digits[--n];
            *at = '\0';
        }
        ::execve(arguments[0], arguments.data(), environment.data());
        ::_exit(127);
    }
    for (const int fd : high)
        ::close(fd);
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
}

process::~process()
{
    if (!ended_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
    ::close(err_);
}

void process::signal(int number) const
{
    ::kill(pid_, number);
}

std::string process::read_line()
{
    const auto until = clock::now() + std::chrono::seconds(20);
    std::size_t end;
    while ((end = unread_.find('\n')) == std::string::npos && wait_readable(out_, until)) {
        char buffer[4096];
        const ssize_t n = ::read(out_, buffer, sizeof buffer);
        if (n <= 0)
            break;
        unread_.append(buffer, static_cast<std::size_t>(n));
    }
    std::string line = unread_.substr(0, end);
    unread_.erase(0, end == std::string::npos ? end : end + 1);
    return line;
}

int process::wait(std::chrono::milliseconds within)
{
    if (ended_)
        return status_;
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (fd < 0)
        fail("pidfd_open");
    const bool over = wait_readable(fd, clock::now() + within);
    ::close(fd);
    if (!over)
        return -1;
    int raw = 0;
    ::waitpid(pid_, &raw, 0);
    ended_ = true;
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return status_;
}

std::string process::output()
{
    return unread_ + read_all(out_);
}
std::string process::errors()
{
    return read_all(err_);
}

result run(const std::vector<std::string>& command, const process::options& how)
{
    process child(command, how);
    result r;
    // No test's output fills a pipe.
    r.status = child.wait();
    r.output = child.output();
    r.errors = child.errors();
    return r;
}

} // namespace wharf::test
