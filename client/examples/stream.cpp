// Reads a stream from a counter: WHARF_ENDPOINT says where it is.
#include "counter.hpp"

#include <wharf/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>

boost::asio::awaitable<void> follow(wharf::client& client)
{
    const count_up command{3};
    auto numbers = client.stream(command); // dropping it cancels the call
    while (const auto number = co_await numbers.async_next())
        std::cout << *number << '\n';
}

int main()
try {
    boost::asio::io_context context;
    wharf::client client(context);
    auto done = [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    };
    co_spawn(context, follow(client), done);
    context.run();
}
catch (const wharf::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
