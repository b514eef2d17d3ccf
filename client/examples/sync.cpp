// Calls a calculator and waits: WHARF_ENDPOINT says where it is.
#include "calculator.hpp"

#include <wharf/blocking_client.hpp>

#include <iostream>

int main()
try {
    wharf::blocking_client client; // WHARF_ENDPOINT, else the unix socket; or ("host:7040")
    std::cout << client.call(add{1, 2}) << '\n';
}
catch (const wharf::error& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
