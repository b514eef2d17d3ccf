// A user's program: one command, served and called in one process by the installed libraries.
#include <wharf/archive.hpp>
#include <wharf/blocking_client.hpp>
#include <wharf/command.hpp>
#include <wharf/server.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstdint>
#include <string_view>

struct add {
    using reply = std::int64_t;
    static constexpr std::string_view name = "calculator.add";
    std::int64_t a{}, b{};
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b);
    }
};

struct calculator {
    void serve(wharf::router& router)
    {
        router.on<add>([](const add& c) { return c.a + c.b; });
    }
};

int main()
{
    wharf::server_options options;
    options.listeners.push_back({.name = "tcp", .where = wharf::tcp_endpoint{"127.0.0.1", 0}});
    options.allow.push_back({.method = "anonymous", .subject = "127.0.0.1", .role = "anyone"});
    options.roles.push_back({.name = "anyone", .commands = {"calculator.*"}});
    wharf::server server(options);
    server.serve(calculator{});
    server.start();
    wharf::blocking_client client(to_string(server.endpoints().at(0)));
    return client.call(add{1, 2}) == 3 ? 0 : 1;
}
