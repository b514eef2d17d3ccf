// A daemon whose calls stay in flight until it drains; "in flight: N" on its output tells how many.
#include "waiting_commands.hpp"

#include <wharf/daemon.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstdio>

#include <unistd.h>

namespace {

using namespace wharf::test;

struct waiting {
    wharf::server& server;

    void serve(wharf::router& commands)
    {
        wharf::server& asked = server;
        commands.on<wait_for_drain>(
            [&asked, in_flight = std::make_shared<std::atomic<int>>(0)](
                wait_for_drain c, wharf::call& current) -> wharf::awaitable<std::uint64_t> {
                return wait(asked, in_flight, c.number, current.get_executor());
            });
        commands.on<hang>([](const hang&) {
            std::printf("hanging\n");
            std::fflush(stdout);
            for (;;)
                ::pause();
        });
    }

    static wharf::awaitable<std::uint64_t> wait(wharf::server& asked,
                                                std::shared_ptr<std::atomic<int>> in_flight,
                                                std::uint64_t number,
                                                boost::asio::any_io_executor executor)
    {
        std::printf("in flight: %d\n", ++*in_flight);
        std::fflush(stdout);
        boost::asio::steady_timer timer(executor);
        while (!asked.status().draining) {
            timer.expires_after(std::chrono::milliseconds(5));
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        co_return number;
    }
};

} // namespace

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(waiting{daemon.server()});
    return daemon.run();
}
