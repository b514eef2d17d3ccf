// The clients of Wharf: the blocking client for one call at a time, the asynchronous one for many.
#include "meter.hpp"
#include "workloads.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <deque>
#include <exception>

namespace {

using bench::clock;

constexpr int in_flight = 128;
constexpr int connections = 64;

std::string endpoint(const bench::meter& meter)
{
    return "127.0.0.1:" + std::to_string(meter.options().port);
}

template <class Command>
void one_at_a_time(bench::meter& meter, const Command& command)
{
    wharf::blocking_client client(endpoint(meter));
    clock::time_point began;
    do {
        began = clock::now();
        client.call(command);
    } while (meter.completed(began));
}

// Makes the same call again and again, until the slice is over.
struct caller {
    boost::asio::io_context& context;
    bench::meter& meter;
    wharf::client& client;
    const bench::small& command;
    clock::time_point began{};

    void call()
    {
        began = clock::now();
        client.async_call(command, [this](wharf::error_code ec, const bench::small_reply&) {
            if (ec)
                throw wharf::error(wharf::errc::internal, ec.message());
            if (meter.completed(began))
                call();
            else
                context.stop();
        });
    }
};

void many(bench::meter& meter, int clients, int calls_each)
{
    boost::asio::io_context context(1);
    std::deque<wharf::client> all;
    std::deque<caller> callers;
    const auto command = bench::make_small();
    for (int i = 0; i < clients; ++i) {
        all.emplace_back(context, endpoint(meter));
        for (int k = 0; k < calls_each; ++k)
            callers.emplace_back(context, meter, all.back(), command).call();
    }
    context.run();
}

void run(bench::meter& meter)
{
    const auto& workload = meter.options().workload;
    if (workload == "W2")
        many(meter, 1, in_flight);
    else if (workload == "W3")
        many(meter, connections, 1);
    else if (workload == "W4a")
        one_at_a_time(meter, bench::make_bytes());
    else if (workload == "W4b")
        one_at_a_time(meter, bench::make_doubles());
    else if (workload == "W5")
        one_at_a_time(meter, bench::make_graph());
    else
        one_at_a_time(meter, bench::make_small());
}

} // namespace

int main(int argc, char** argv)
{
    bench::meter meter(bench::parse_slice(argc, argv));
    try {
        run(meter);
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
