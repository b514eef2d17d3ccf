// Clients that want an answer of a daemon which is not there yet, and say when they tried.
//   system_waiters CLIENTS PAUSE_MIN_MS PAUSE_MAX_MS EARLY_MS ENDPOINT
// Prints a line "waited" after EARLY_MS; when each client has its answer a line "answered" and a
// line "tried", with the times in microseconds of the clock that systemd stamps by.
#include <wharf/client.hpp>
#include <wharf/system.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

std::int64_t now_us()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void print(const char* name, const std::vector<std::int64_t>& times)
{
    std::fputs(name, stdout);
    for (const std::int64_t each : times)
        std::printf(" %lld", static_cast<long long>(each));
    std::puts("");
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 6)
        return 2;
    const auto clients = static_cast<std::size_t>(std::atoi(argv[1]));
    wharf::client_options options;
    options.timeout = std::chrono::minutes(1);
    options.reconnect_delay_min = std::chrono::milliseconds(std::atoi(argv[2]));
    options.reconnect_delay_max = std::chrono::milliseconds(std::atoi(argv[3]));
    boost::asio::io_context context(1);
    std::vector<std::unique_ptr<wharf::client>> waiting;
    std::vector<std::int64_t> answered, tried;
    int failed = 0;
    for (std::size_t i = 0; i != clients; ++i) {
        waiting.push_back(std::make_unique<wharf::client>(context, argv[5], options));
        waiting[i]->on_state([&](wharf::client_state state, const wharf::error*) {
            if (state == wharf::client_state::connecting)
                tried.push_back(now_us());
        });
        waiting[i]->async_call(wharf::system::ping{}, [&](wharf::error_code code, const auto&...) {
            failed += code.failed();
            answered.push_back(now_us());
            if (answered.size() == clients)
                for (const auto& each : waiting)
                    each->close();
        });
    }
    boost::asio::steady_timer early(context, std::chrono::milliseconds(std::atoi(argv[4])));
    early.async_wait([](wharf::error_code) { print("waited", {}); });
    context.run();
    print("answered", answered);
    print("tried", tried);
    return failed == 0 ? 0 : 1;
}
