// Opening a listening socket: TCP addresses, unix paths with their permissions, inherited ones.
#include "listen.hpp"
#include "address.hpp"
#include "resolver.hpp"

#include <cerrno>

#include <grp.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace wharf {
namespace {

// A name is bound at its first address: a daemon that shall listen on more is told so.
socket_address address_to_bind(const tcp_endpoint& e, const std::string& name)
{
    if (auto numeric = numeric_address(e))
        return *numeric;
    resolution found = system_lookup(e.host, e.port);
    if (found.addresses.empty())
        throw error(found.code, name + ": " + found.text);
    return found.addresses.front();
}

unique_fd bind_tcp(const tcp_endpoint& e, const listen_settings& settings, const std::string& name)
{
    socket_address address = address_to_bind(e, name);
    unique_fd fd = open_stream(address.family(), name);
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (address.family() == AF_INET6) // explicit: the system's default is a sysctl
        set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, settings.ipv6_only, "IPV6_V6ONLY");
    if (::bind(fd.get(), address.get(), address.size) != 0)
        throw_system("cannot bind " + name, errno);
    return fd;
}

// The file of a daemon that was killed stays behind: only one on which nobody listens is removed.
void remove_stale(const socket_address& address, const char* path, const std::string& name)
{
    struct stat status;
    if (::lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return;
        throw_system("cannot bind " + name, errno);
    }
    if (!S_ISSOCK(status.st_mode))
        throw error(errc::address_in_use, name + ": the path is a file that is no socket");
    unique_fd probe = open_stream(AF_UNIX, name);
    if (::connect(probe.get(), address.get(), address.size) == 0 || errno == EAGAIN)
        throw error(errc::address_in_use, name + ": a process listens on it");
    if (errno == ENOENT)
        return;
    if (errno != ECONNREFUSED)
        throw_system("cannot bind " + name, errno);
    if (::unlink(path) != 0 && errno != ENOENT)
        throw_system("cannot remove the stale " + name, errno);
}

gid_t group_number(const std::string& group, const std::string& name)
{
    if (group.find_first_not_of("0123456789") == std::string::npos && group.size() < 10)
        return static_cast<gid_t>(std::stoul(group));
    std::vector<char> buffer(16u << 10);
    struct group entry, *found = nullptr;
    int failed = 0;
    while ((failed = ::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found)) ==
               ERANGE &&
           buffer.size() < (16u << 20))
        buffer.resize(buffer.size() * 2);
    if (failed != 0)
        throw_system(name + ": cannot look up group \"" + group + "\"", failed);
    if (found == nullptr)
        throw error(errc::bad_endpoint, name + ": there is no group \"" + group + "\"");
    return found->gr_gid;
}

unique_fd bind_path(const socket_address& address, const char* path,
                    const listen_settings& settings, const std::string& name)
{
    gid_t group = settings.unix_group.empty() ? static_cast<gid_t>(-1)
                                              : group_number(settings.unix_group, name);
    remove_stale(address, path, name);
    unique_fd fd = open_stream(AF_UNIX, name);
    // The file takes its mode from the socket: nobody may connect before group and mode are set.
    // umask() would do the same for every thread of the process.
    if (::fchmod(fd.get(), 0) != 0)
        throw_system(name, errno);
    if (::bind(fd.get(), address.get(), address.size) != 0)
        throw_system("cannot bind " + name, errno);
    try {
        if (group != static_cast<gid_t>(-1) && ::lchown(path, static_cast<uid_t>(-1), group) != 0)
            throw_system("cannot give " + name + " to group \"" + settings.unix_group + "\"",
                         errno);
        if (::chmod(path, settings.unix_mode & 0777) != 0)
            throw_system("cannot set the mode of " + name, errno);
    }
    catch (...) {
        ::unlink(path);
        throw;
    }
    return fd;
}

unique_fd bind_unix(const unix_endpoint& e, const listen_settings& settings,
                    const std::string& name)
{
    socket_address address = unix_address(e);
    if (!e.abstract)
        return bind_path(address, e.path.c_str(), settings, name);
    unique_fd fd = open_stream(AF_UNIX, name);
    if (::bind(fd.get(), address.get(), address.size) != 0)
        throw_system("cannot bind " + name, errno);
    return fd;
}

} // namespace

unique_fd bind_stream(const endpoint& where, const listen_settings& settings)
{
    std::string name = to_string(where);
    if (auto* tcp = std::get_if<tcp_endpoint>(&where))
        return bind_tcp(*tcp, settings, name);
    if (auto* local = std::get_if<unix_endpoint>(&where))
        return bind_unix(*local, settings, name);
    throw error(errc::bad_endpoint, name + ": an inherited socket is bound already");
}

void start_listening(int fd, int backlog, const std::string& name)
{
    if (::listen(fd, backlog > 0 ? backlog : SOMAXCONN) != 0)
        throw_system("cannot listen on " + name, errno);
}

unique_fd listen_stream(const endpoint& where, const listen_settings& settings)
{
    if (auto* inherited = std::get_if<fd_endpoint>(&where))
        return adopt(*inherited, true); // whoever opened it chose backlog and permissions
    unique_fd fd = bind_stream(where, settings);
    start_listening(fd.get(), settings.backlog, to_string(where));
    return fd;
}

} // namespace wharf
