// Opens sessions that do nothing: PORT COUNT. Prints "ready" once all have said hello, and holds
// them until its input ends.
#include <wharf/conversation.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <variant>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

[[noreturn]] void fail(const char* what)
{
    std::perror(what);
    std::exit(1);
}

int connect_to(int port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    return fd;
}

void shake_hands(int fd)
{
    wharf::conversation talk(wharf::side::client, {}, "idle", wharf::conversation::clock::now());
    const auto opening = talk.unsent();
    if (::send(fd, opening.data(), opening.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(opening.size()))
        fail("send");
    while (!talk.is_open()) {
        const auto room = talk.prepare();
        const ssize_t n = ::recv(fd, room.data(), room.size(), 0);
        if (n <= 0)
            fail("recv");
        talk.commit(static_cast<std::size_t>(n));
        while (!std::holds_alternative<wharf::events::nothing>(talk.next()))
            if (talk.has_ended())
                fail("handshake");
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s PORT COUNT\n", argv[0]);
        return 2;
    }
    std::vector<int> sessions;
    for (int i = std::atoi(argv[2]); i > 0; --i) {
        sessions.push_back(connect_to(std::atoi(argv[1])));
        shake_hands(sessions.back());
    }
    std::puts("ready");
    std::fflush(stdout);
    char ignored;
    while (::read(STDIN_FILENO, &ignored, 1) > 0) {}
    for (const int fd : sessions)
        ::close(fd);
}
