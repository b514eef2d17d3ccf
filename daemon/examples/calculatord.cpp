// A whole daemon that answers one command.
#include "calculator.hpp"

#include <wharf/daemon.hpp>

struct calculator {
    void serve(wharf::router& router)
    {
        router.on<add>([](const add& c) { return c.a + c.b; });
    }
};

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv); // options, config file, log, sockets from systemd
    daemon.serve(calculator{});
    return daemon.run(); // READY=1, until SIGTERM has drained every call
}
