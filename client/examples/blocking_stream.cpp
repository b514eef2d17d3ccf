// Reads a stream from a counter and waits: WHARF_ENDPOINT says where it is.
#include "counter.hpp"

#include <wharf/blocking_client.hpp>

#include <iostream>

int main()
try {
    wharf::blocking_client client;
    for (const std::int64_t number :
         client.stream(count_up{3})) // leaving the loop cancels the call
        std::cout << number << '\n';

    auto numbers = client.stream(count_up{2});
    while (const auto number = numbers.next(std::chrono::seconds(5))) // each within five seconds
        std::cout << *number << '\n';
}
catch (const wharf::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
