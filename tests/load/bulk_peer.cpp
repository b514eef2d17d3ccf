// A client in a process of its own, which uploads so many bytes and says what memory that took.
//   bulk_peer ENDPOINT BYTES BYTES_OF_CHUNK
#include "commands.hpp"

#include <wharf/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <exception>
#include <string>

#include <unistd.h>

namespace {

boost::asio::awaitable<stress::received> send_all(wharf::client& client, std::uint64_t bytes,
                                                  std::size_t bytes_of_chunk)
{
    const stress::upload_all what{};
    auto up = client.stream(what);
    stress::chunk next;
    for (std::uint64_t i = 0; i != bytes / bytes_of_chunk; ++i) {
        stress::fill_chunk(next, i, bytes_of_chunk);
        co_await up.async_send(next);
    }
    up.end_upload();
    co_return co_await up.async_result();
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4)
        return 2;
    try {
        boost::asio::io_context context;
        wharf::client client(context, argv[1]);
        auto done = boost::asio::co_spawn(
            context, send_all(client, std::stoull(argv[2]), std::stoull(argv[3])),
            boost::asio::use_future);
        context.run();
        const stress::received got = done.get();
        std::printf("%llu %llu %llu %llu\n", static_cast<unsigned long long>(got.items),
                    static_cast<unsigned long long>(got.bytes),
                    static_cast<unsigned long long>(got.wrong),
                    static_cast<unsigned long long>(stress::resident_peak(::getpid())));
        return 0;
    }
    catch (const std::exception& e) {
        std::fprintf(stderr, "bulk_peer: %s\n", e.what());
        return 1;
    }
}
