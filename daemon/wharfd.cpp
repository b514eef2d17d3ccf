// wharfd: the daemon with durable objects and the commands that tell about it.
#include "services/objects.hpp"
#include "services/system.hpp"

#include <wharf/daemon.hpp>
#include <wharf/store.hpp>

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    wharf::forbid_programs(); // Where the kernel cannot, wharfd serves as well.
    try {
        wharf::store store(daemon.store());
        daemon.server().before_stop([&] { store.end_watches(); });
        daemon.serve(wharf::objects_service(
            store, daemon.server().options().conversation.message_bytes_max));
        daemon.serve(
            wharf::system_service(daemon.server(), {.software = daemon.software(),
                                                    .counters = [&] { return daemon.counters(); },
                                                    .store = [&] { return store.describe(); },
                                                    .controls = daemon.controls()}));
        return daemon.run();
    }
    catch (const std::exception& e) {
        return daemon.fail(e);
    }
}
