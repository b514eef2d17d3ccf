// A whole daemon that answers with the text that it is sent.
#include <wharf/daemon.hpp>

struct echo {
    using reply = std::string;
    static constexpr std::string_view name = "echo.text";
    std::string text;
};

struct echo_service {
    void serve(wharf::router& router) { router.on<echo>(&echo::text); } // any callable
};

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(echo_service{});
    return daemon.run();
}
