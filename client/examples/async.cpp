// Calls a calculator with a completion handler: WHARF_ENDPOINT says where it is.
#include "calculator.hpp"

#include <wharf/client.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>

int main()
{
    boost::asio::io_context context;
    wharf::client client(context);
    int failed = 0;
    client.async_call(add{1, 2}, [&](wharf::error_code ec, std::int64_t sum) {
        if (ec)
            std::cerr << ec.message() << '\n', failed = 1;
        else
            std::cout << sum << '\n';
    });
    context.run(); // until no call is pending
    return failed;
}
