// The other side of the storm: servers die in the middle of the calls of their clients, and each
// call ends once, as one that may have been done.
#include "commands.hpp"
#include "hostile_bytes.hpp"
#include "run_until.hpp"
#include "sockets.hpp"

#include <wharf/client.hpp>
#include <wharf/transport.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace asio = boost::asio;
using wharf::errc;
using wharf::error_code;

namespace {

constexpr int wave = 50;
const int waves = stress::scaled(stress::is_instrumented ? 6 : 20, 20);

/// Listens, and does nothing for those who connect.
class listener {
public:
    explicit listener(const stress::scratch& directory, bool tcp)
        : acceptor_(
              wharf::open_listener(context_.get_executor(),
                                   tcp ? wharf::endpoint(wharf::tcp_endpoint{"127.0.0.1", 0})
                                       : wharf::endpoint(wharf::unix_endpoint{directory / "raw"}))),
          where_(wharf::bound_endpoint(acceptor_))
    {}
    std::string where() const { return to_string(where_); }
    stress::socket_fd accept()
    {
        // It does not block by itself.
        pollfd ready{acceptor_.native_handle(), POLLIN, 0};
        ::poll(&ready, 1, std::chrono::milliseconds(stress::patience).count());
        return stress::socket_fd(acceptor_.accept().release());
    }
    void close() { acceptor_.close(); }

private:
    asio::io_context context_;
    wharf::transport_acceptor acceptor_;
    wharf::endpoint where_;
};

/// Reads until so many frames of this kind have come behind the opening.
bool read_frames(int fd, std::uint8_t kind, int count)
{
    std::string got;
    std::size_t at = 8;
    while (count != 0) {
        while (got.size() >= at + 16) {
            std::uint32_t length = 0;
            std::memcpy(&length, got.data() + at, sizeof length);
            if (got.size() < at + 16 + length)
                break;
            count -= std::uint8_t(got[at + 4]) == kind;
            at += 16 + length;
        }
        char some[4096];
        const ssize_t n = count == 0 ? 1 : ::recv(fd, some, sizeof some, 0);
        if (n <= 0)
            return false;
        if (count != 0)
            got.append(some, std::size_t(n));
    }
    return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_server_dies_in_the_middle_of_the_calls_of_its_clients)
{
    for (int n = 0; n != waves; ++n) {
        stress::scratch directory;
        listener dying(directory, n % 2 == 0);
        asio::io_context context;
        std::vector<std::unique_ptr<wharf::client>> clients;
        std::vector<wharf::stream<stress::download>> streams;
        std::vector<int> ends(2 * wave);
        stress::complaints wrong;
        for (std::size_t i = 0; i != wave; ++i) {
            clients.push_back(std::make_unique<wharf::client>(context, dying.where()));
            const auto expect_unknown = [&, i](std::size_t which, error_code failed) {
                if (ends[2 * i + which]++ != 0)
                    wrong.add("a call ended twice");
                if (failed != errc::outcome_unknown)
                    wrong.add("a call that was sent ended with: " + failed.message());
            };
            clients[i]->async_call(
                stress::hold{}, [expect_unknown](error_code failed) { expect_unknown(0, failed); });
            streams.push_back(clients[i]->stream(stress::download{1, 1}));
            streams[i].async_next(
                [expect_unknown](error_code failed, const std::optional<stress::chunk>&) {
                    expect_unknown(1, failed);
                });
        }
        std::thread server([&] {
            std::vector<stress::socket_fd> peers;
            for (int i = 0; i != wave; ++i) {
                peers.push_back(dying.accept());
                const std::string greeting = stress::bytes::greeting();
                ::send(peers.back().get(), greeting.data(), greeting.size(), MSG_NOSIGNAL);
            }
            dying.close();
            for (std::size_t i = 0; i != peers.size(); ++i) {
                if (!read_frames(peers[i].get(), stress::bytes::call, 2))
                    wrong.add("the calls did not come");
                if (i % 2 == 0)
                    stress::reset_on_close(peers[i].get());
                peers[i].reset();
            }
        });
        BOOST_TEST(stress::run_until(context, [&] {
            return std::all_of(ends.begin(), ends.end(), [](int times) { return times != 0; });
        }));
        server.join();
        BOOST_TEST(wrong.count() == 0, wrong.first());
    }
}
