// The least that a socket-activated daemon can be, for comparison: it answers a connection with a
// byte.
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int main()
{
    if (::sd_listen_fds(1) != 1)
        return 1;
    ::sd_notify(0, "READY=1");
    for (;;) {
        const int peer = ::accept(SD_LISTEN_FDS_START, nullptr, nullptr);
        if (peer < 0)
            continue;
        if (::send(peer, "+", 1, MSG_NOSIGNAL) != 1)
            ::sd_notify(0, "STATUS=a peer did not wait for its answer");
        ::close(peer);
    }
}
