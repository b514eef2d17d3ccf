// A server that counts its allocations, on a free port of loopback.
#include "allocations.hpp"
#include "counted_commands.hpp"
#include "serve.hpp"

namespace {

struct counted {
    void serve(wharf::router& router)
    {
        router.on<bench::add>([](const bench::add& c) { return c.a + c.b; });
        router.on<bench::add_later>(
            [](bench::add_later c) -> wharf::awaitable<std::int64_t> { co_return c.a + c.b; });
        router.on<bench::count_allocations>(
            [](const bench::count_allocations&) { return bench::allocations(); });
        router.on<bench::allocate>(
            [](const bench::allocate&) { return bench::allocate_by_each(); });
    }
};

} // namespace

int main(int argc, char** argv)
{
    return bench::serve(argc, argv, counted{});
}
