// The claim of one daemon on its state directory, by flock on a file that names the holder.
#include "store_claim.hpp"

#include <wharf/error.hpp>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wharf {
namespace {

[[noreturn]] void refuse(int number, const std::string& path, const std::string& directory)
{
    const std::string reason = path + ": " + std::generic_category().message(number);
    switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
        throw error(errc::access_denied, "state directory " + directory + " is not writable (" +
                                             reason + "): give it to the daemon's user");
    case ENOSPC:
    case EDQUOT: throw error(errc::store_full, reason);
    default: throw error(errc::store_failed, reason);
    }
}

std::string holder(int fd)
{
    char text[32];
    const ssize_t n = ::pread(fd, text, sizeof text, 0);
    std::string pid;
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i)
        pid += text[i];
    return pid.empty() ? std::string("another process") : "process " + pid;
}

} // namespace

store_claim::store_claim(const std::string& directory)
{
    struct stat facts;
    if (::stat(directory.c_str(), &facts) != 0) {
        if (errno != ENOENT)
            refuse(errno, directory, directory);
        throw error(errc::store_failed,
                    "state directory " + directory + " does not exist: create it");
    }
    if (!S_ISDIR(facts.st_mode))
        throw error(errc::store_failed, directory + " is not a directory");
    const std::string path = directory + "/wharf.lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0)
        refuse(errno, path, directory);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const int number = errno;
        const std::string who = holder(fd_);
        ::close(fd_);
        if (number != EWOULDBLOCK)
            refuse(number, path, directory);
        throw error(errc::store_busy, "state directory " + directory + " is in use by " + who +
                                          ": stop it, or use another directory");
    }
    // The number helps a person only: whether it could be written does not matter.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, pid.data(), pid.size(), 0) < 0)
        return;
}

store_claim::~store_claim()
{
    ::close(fd_);
}

} // namespace wharf
