// Thrift's threaded server, framed and binary, on a free port of loopback.
#include "peer.hpp"
#include "thrift_protocol.hpp"

#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TServerSocket.h>

namespace {

namespace peer = bench::peer;
namespace thrift = apache::thrift;

class workloads final : public peer::WorkloadsIf {
    void callSmall(peer::SmallReply& reply, std::int32_t a, std::int32_t b,
                   const std::string& text) override
    {
        reply.sum = std::int64_t{a} + b;
        reply.text = text;
    }
    void echoBytes(std::string& reply, const std::string& data) override { reply = data; }
    void echoDoubles(std::vector<double>& reply, const std::vector<double>& data) override
    {
        reply = data;
    }
    void echoGraph(std::vector<peer::Record>& reply,
                   const std::vector<peer::Record>& records) override
    {
        reply = records;
    }
};

/// Is called when the server listens.
struct announcer final : thrift::server::TServerEventHandler {
    explicit announcer(thrift::transport::TServerSocket& listening) : socket(listening) {}
    void preServe() override { bench::announce(socket.getPort()); }
    thrift::transport::TServerSocket& socket;
};

} // namespace

int main()
{
    bench::keep_freed_memory();
    const auto socket = std::make_shared<thrift::transport::TServerSocket>("127.0.0.1", 0);
    thrift::server::TThreadedServer server(
        std::make_shared<peer::WorkloadsProcessorT<bench::thrift_protocol>>(
            std::make_shared<workloads>()),
        socket, std::make_shared<bench::thrift_transport_factory>(),
        std::make_shared<bench::thrift_protocol_factory>());
    server.setServerEventHandler(std::make_shared<announcer>(*socket));
    server.serve();
}
