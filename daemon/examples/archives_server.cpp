// The seeds' server: one connection, a pair of archives on it, a reply to whatever value comes.
#include <wharf/archive.hpp>
#include <wharf/socket.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv)
try {
    wharf::socket server;                             // construct a socket
    server.create(argc > 1 ? std::stoi(argv[1]) : 0); // create it; 0 takes a free port
    server.listen();                                  // start listening
    std::cout << server.port() << std::endl;

    wharf::socket peer;            // construct a new, empty socket
    server.accept(peer);           // accept connection
    wharf::socket_file file(peer); // construct file object
    wharf::load_archive in(file);  // construct an archive: load, store, or both
    wharf::store_archive out(file);

    std::uint32_t value = 0;
    do { // use the archives to pass data; take all that arrived
        in >> value;
        out << "value " + std::to_string(value);
        out.flush();
    } while (!in.is_buffer_empty());
}
catch (const std::exception& e) {
    std::cerr << "archives_server: " << e.what() << '\n';
    return 1;
}
