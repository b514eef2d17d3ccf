// Wharf's server with the workloads' commands, on a free port of loopback.
#include "serve.hpp"
#include "workloads.hpp"

namespace {

struct workloads {
    void serve(wharf::router& router)
    {
        router.on<bench::small>([](const bench::small& c) {
            return bench::small_reply{std::int64_t{c.a} + c.b, c.text};
        });
        // The argument is given back without a copy of ours: what is measured is the way.
        router.on<bench::bytes>([](const bench::bytes& c) -> const auto& { return c.data; });
        router.on<bench::doubles>([](const bench::doubles& c) -> const auto& { return c.data; });
        router.on<bench::graph>([](const bench::graph& c) -> const auto& { return c.records; });
    }
};

} // namespace

int main(int argc, char** argv)
{
    return bench::serve(argc, argv, workloads{});
}
