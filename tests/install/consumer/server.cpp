// A user's daemon, linked with the installed libraries.
#include "area.hpp"

#include <wharf/daemon.hpp>

struct shapes {
    void serve(wharf::router& router)
    {
        router.on<area>([](const area& c) { return c.of ? c.of->area() : 0; });
    }
};

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(shapes{});
    return daemon.run();
}
