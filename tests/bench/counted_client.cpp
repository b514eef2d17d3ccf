// Asks a counting server what its calls allocate: PORT. Prints one JSON line.
#include "counted_commands.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr int calls = 10000;
constexpr int in_flight = 128;

/// Allocations of the server for each call that `make` makes `calls` of, once warm.
template <class Make>
double per_call(wharf::blocking_client& client, Make make)
{
    make();
    const std::uint64_t before = client.call(bench::count_allocations{});
    make();
    const std::uint64_t after = client.call(bench::count_allocations{});
    return static_cast<double>(after - before) / calls;
}

template <class Command>
void one_at_a_time(wharf::blocking_client& client)
{
    for (int i = 0; i < calls; ++i)
        client.call(Command{1, 2});
}

/// Makes `calls` calls, some of them at once.
template <class Command>
class pipeline {
public:
    pipeline(const std::string& where) : client_(context_, where) {}
    void run()
    {
        left_ = calls;
        for (int i = 0; i < in_flight; ++i)
            call();
        context_.restart();
        context_.run();
    }

private:
    void call()
    {
        if (left_-- <= 0)
            return;
        client_.async_call(Command{1, 2}, [this](wharf::error_code ec, std::int64_t) {
            if (ec)
                throw wharf::error(wharf::errc::internal, ec.message());
            call();
        });
    }
    boost::asio::io_context context_{1};
    wharf::client client_;
    int left_ = 0;
};

void run(const std::string& where)
{
    wharf::blocking_client client(where);
    // What first calls leave for good is not the control's.
    client.call(bench::count_allocations{});
    client.call(bench::allocate{});
    const std::uint64_t before = client.call(bench::count_allocations{});
    const std::uint64_t expected = client.call(bench::allocate{});
    const std::uint64_t counted = client.call(bench::count_allocations{}) - before;
    pipeline<bench::add> adds(where);
    pipeline<bench::add_later> later(where);
    const double inline_one = per_call(client, [&] { one_at_a_time<bench::add>(client); });
    const double inline_many = per_call(client, [&] { adds.run(); });
    const double later_one = per_call(client, [&] { one_at_a_time<bench::add_later>(client); });
    const double later_many = per_call(client, [&] { later.run(); });
    std::printf("{\"inline\": %.4f, \"inline_128\": %.4f, \"awaitable\": %.4f, "
                "\"awaitable_128\": %.4f, \"control_expected\": %llu, \"control\": %llu}\n",
                inline_one, inline_many, later_one, later_many,
                static_cast<unsigned long long>(expected),
                static_cast<unsigned long long>(counted));
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    try {
        run("127.0.0.1:" + std::string(argv[1]));
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
