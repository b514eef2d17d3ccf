// Each attempt is one system call that ends with an errno where the sandbox holds.
#include "attempts.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace probe {

namespace {

std::string outcome_of(long result)
{
    const char* name = ::strerrorname_np(errno);
    return result >= 0 ? "ok" : name ? name : "?";
}

/// For calls that give a descriptor, which nobody needs.
std::string outcome_of_open(int fd)
{
    std::string outcome = outcome_of(fd);
    if (fd >= 0)
        ::close(fd);
    return outcome;
}

std::string write_file(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return outcome_of(fd);
    ::unlink(path.c_str());
    return outcome_of_open(fd);
}

/// What a child would go on as must not end this process.
template <class Run>
std::string run_in_child(Run run)
{
    const pid_t child = ::fork();
    if (child < 0)
        return outcome_of(child);
    if (child == 0) {
        run();
        ::_exit(errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status))
        return "killed";
    // The shell that is tried ends with 0, and a failed exec with its errno.
    errno = WEXITSTATUS(status);
    return outcome_of(errno == 0 ? 0 : -1);
}

std::string execute_shell()
{
    return run_in_child([] { ::execl("/bin/sh", "sh", "-c", "exit 0", nullptr); });
}

/// A program that was never a file: no mount option forbids it.
std::string execute_memory()
{
    const int from = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int memory = ::memfd_create("program", MFD_CLOEXEC);
    char bytes[4096];
    for (ssize_t n = 0; (n = ::read(from, bytes, sizeof bytes)) > 0;)
        if (::write(memory, bytes, static_cast<std::size_t>(n)) != n)
            break;
    const std::string outcome = run_in_child([memory] {
        char name[] = "program", version[] = "--version";
        char* arguments[] = {name, version, nullptr};
        char* environment[] = {nullptr};
        ::fexecve(memory, arguments, environment);
    });
    ::close(from);
    ::close(memory);
    return outcome;
}

std::string map_writable_code()
{
    void* at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return outcome_of(-1);
    ::munmap(at, 4096);
    return "ok";
}

std::string make_data_code()
{
    void* at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const std::string outcome = outcome_of(::mprotect(at, 4096, PROT_READ | PROT_EXEC));
    ::munmap(at, 4096);
    return outcome;
}

std::string send_to(const std::string& address)
{
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return outcome_of(fd);
    const std::string outcome =
        outcome_of(::sendto(fd, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to));
    ::close(fd);
    return outcome;
}

std::string unshare_in_child(int what)
{
    return run_in_child([what] {
        errno = 0;
        if (::unshare(what) == 0)
            errno = 0;
    });
}

std::string set_user_id_bit(const std::string& directory)
{
    const std::string path = directory + "/probe";
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string outcome = outcome_of(::fchmod(fd, S_ISUID | 0700));
    ::close(fd);
    ::unlink(path.c_str());
    return outcome;
}

std::string set_clock()
{
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return outcome_of(::clock_settime(CLOCK_REALTIME, &now));
}

std::string become_realtime()
{
    sched_param lowest{};
    lowest.sched_priority = 1;
    return outcome_of(::sched_setscheduler(0, SCHED_FIFO, &lowest));
}

} // namespace

std::vector<attempt> try_all(const std::string& state_directory, const std::string& other_address)
{
    const auto open_socket = [](int family, int type, int protocol) {
        return outcome_of_open(::socket(family, type | SOCK_CLOEXEC, protocol));
    };
    return {
        {"write own state", write_file(state_directory + "/probe")},
        {"write /tmp", write_file("/tmp/probe")},
        {"write /etc", write_file("/etc/probe")},
        {"write own configuration", write_file("/etc/wharf/probe")},
        {"write /usr", write_file("/usr/probe")},
        {"write /var", write_file("/var/lib/probe")},
        {"write /run", write_file("/run/probe")},
        {"write /run/lock", write_file("/run/lock/probe")},
        {"write /dev/shm", write_file("/dev/shm/probe")},
        {"read /root", outcome_of_open(::open("/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC))},
        {"read another process", outcome_of_open(::open("/proc/1/status", O_RDONLY | O_CLOEXEC))},
        {"read a kernel setting",
         outcome_of_open(::open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC))},
        {"map writable code", map_writable_code()},
        {"make data code", make_data_code()},
        {"run a shell", execute_shell()},
        {"run a program in memory", execute_memory()},
        {"user namespace", unshare_in_child(CLONE_NEWUSER)},
        {"mount namespace", unshare_in_child(CLONE_NEWNS)},
        {"network namespace", unshare_in_child(CLONE_NEWNET)},
        {"raw socket", open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)},
        {"packet socket", open_socket(AF_PACKET, SOCK_RAW, 0)},
        {"netlink socket", open_socket(AF_NETLINK, SOCK_RAW, 0)},
        {"internet socket", open_socket(AF_INET, SOCK_STREAM, 0)},
        {"unix socket", open_socket(AF_UNIX, SOCK_STREAM, 0)},
        {"send to loopback", send_to("127.0.0.1")},
        {"send to another address", send_to(other_address)},
        {"mount", outcome_of(::mount("none", "/tmp", "tmpfs", 0, nullptr))},
        {"chroot", outcome_of(::chroot("/tmp"))},
        {"trace", outcome_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr))},
        {"bpf", outcome_of(::syscall(SYS_bpf, 0, nullptr, 0))},
        {"load a module", outcome_of(::syscall(SYS_init_module, nullptr, 0, ""))},
        {"set the clock", set_clock()},
        {"real time", become_realtime()},
        {"set-user-ID file", set_user_id_bit(state_directory)},
        {"another personality", outcome_of(::personality(PER_LINUX32))},
        {"become root", outcome_of(::setuid(0))},
    };
}

} // namespace probe
