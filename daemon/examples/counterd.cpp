// A whole daemon that answers with a stream.
#include "counter_service.hpp"

#include <wharf/daemon.hpp>

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(counter{});
    return daemon.run();
}
