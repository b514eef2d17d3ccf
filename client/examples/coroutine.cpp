// Calls a calculator from a coroutine: WHARF_ENDPOINT says where it is.
#include "calculator.hpp"

#include <wharf/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>

using namespace std::chrono_literals;

boost::asio::awaitable<void> ask(wharf::client& client)
{
    const std::int64_t sum = co_await client.async_call<add>(1, 2); // throws wharf::error
    std::cout << sum << '\n';
    const add command{sum, 4};
    std::cout << co_await client.async_call(command, {.timeout = 2s}) << '\n';
}

int main()
try {
    boost::asio::io_context context;
    wharf::client client(context);
    auto done = [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    };
    co_spawn(context, ask(client), done);
    context.run();
}
catch (const wharf::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
