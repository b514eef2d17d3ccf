// Cap'n Proto's server by kj's event loop, on a free port of loopback. It copies what it echoes
// from the call into the reply, which is all the decoding that its format knows.
#include "peer.hpp"

#include <workloads.capnp.h>

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

namespace {

namespace peer = bench::peer;

class workloads final : public peer::Workloads::Server {
    kj::Promise<void> callSmall(CallSmallContext call) override
    {
        const auto from = call.getParams();
        auto to = call.getResults();
        to.setSum(std::int64_t{from.getA()} + from.getB());
        to.setText(from.getText());
        return kj::READY_NOW;
    }
    // The reply is as large as the call: said before, it is one segment.
    kj::Promise<void> echoBytes(EchoBytesContext call) override
    {
        const auto from = call.getParams();
        call.initResults(from.totalSize()).setData(from.getData());
        return kj::READY_NOW;
    }
    kj::Promise<void> echoDoubles(EchoDoublesContext call) override
    {
        const auto from = call.getParams();
        call.initResults(from.totalSize()).setData(from.getData());
        return kj::READY_NOW;
    }
    kj::Promise<void> echoGraph(EchoGraphContext call) override
    {
        const auto from = call.getParams();
        call.initResults(from.totalSize()).setRecords(from.getRecords());
        return kj::READY_NOW;
    }
};

} // namespace

int main()
{
    bench::keep_freed_memory();
    auto io = kj::setupAsyncIo();
    auto address = io.provider->getNetwork().parseAddress("127.0.0.1", 0).wait(io.waitScope);
    auto listener = address->listen();
    capnp::TwoPartyServer server(kj::heap<workloads>());
    bench::announce(static_cast<int>(listener->getPort()));
    server.listen(*listener).wait(io.waitScope);
}
