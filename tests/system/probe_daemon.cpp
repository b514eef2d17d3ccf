// A daemon that can be made to hang, and that tries what its sandbox should not let it do.
#include "attempts.hpp"

#include <wharf/aggregate.hpp>
#include <wharf/daemon.hpp>
#include <wharf/service.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

/// Never answered: its handler keeps its thread.
struct hang {
    using reply = void;
    static constexpr std::string_view name = "probe.hang";
};

/// Answered after a while.
struct wait {
    using reply = void;
    static constexpr std::string_view name = "probe.wait";
    std::uint32_t milliseconds = 0;
};

/// Its handler throws what is no wharf::error, with the caller's text in it.
struct fail {
    using reply = void;
    static constexpr std::string_view name = "probe.fail";
    std::string text;
};

/// Everything that attempts.hpp knows, with what came of each.
struct try_all {
    using reply = std::vector<probe::attempt>;
    static constexpr std::string_view name = "probe.try_all";
    std::string state_directory; ///< where a file may be written
    std::string other_address;   ///< an address that is not loopback
};

boost::asio::awaitable<void> wait_for(wait what, wharf::call&)
{
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    std::chrono::milliseconds(what.milliseconds));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

struct probe_service {
    void serve(wharf::router& router)
    {
        router.on<hang>([](const hang&) {
            for (;;)
                ::pause();
        });
        router.on<wait>(wait_for);
        router.on<fail>([](const fail& what) { throw std::runtime_error(what.text); });
        router.on<try_all>([](const try_all& what) {
            return probe::try_all(what.state_directory, what.other_address);
        });
    }
};

} // namespace

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    // As wharfd does.
    wharf::forbid_programs();
    daemon.serve(probe_service{});
    return daemon.run();
}
