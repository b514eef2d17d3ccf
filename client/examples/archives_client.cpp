// The seeds' client: connects, stores a value, loads the reply.
#include <wharf/archive.hpp>
#include <wharf/socket.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv)
try {
    if (argc != 2) {
        std::cerr << "usage: archives_client PORT\n";
        return 2;
    }
    wharf::socket client;                            // construct a socket
    client.create();                                 // create it, on any port
    client.connect("127.0.0.1", std::stoi(argv[1])); // seek a connection

    wharf::socket_file file(client); // construct file object
    wharf::load_archive in(file);    // construct an archive: load, store, or both
    wharf::store_archive out(file);

    out << std::uint32_t{7040}; // use the archives to pass data
    out.flush();
    std::string reply;
    in >> reply;
    std::cout << reply << '\n';
}
catch (const std::exception& e) {
    std::cerr << "archives_client: " << e.what() << '\n';
    return 1;
}
