// gRPC's server by its callback API, on a free port of loopback.
#include "peer.hpp"

#include <workloads.grpc.pb.h>

#include <google/protobuf/arena.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/message_allocator.h>

namespace {

namespace peer = bench::peer;

/// The records of a call and of its reply, in one arena: what protobuf has for messages of many
/// parts.
class graphs_in_arena final : public grpc::MessageHolder<peer::Graph, peer::Graph> {
public:
    graphs_in_arena() : arena_(options())
    {
        set_request(google::protobuf::Arena::CreateMessage<peer::Graph>(&arena_));
        set_response(google::protobuf::Arena::CreateMessage<peer::Graph>(&arena_));
    }
    void Release() override { delete this; }

private:
    static google::protobuf::ArenaOptions options()
    {
        google::protobuf::ArenaOptions made;
        made.start_block_size = made.max_block_size = 1u << 20;
        return made;
    }
    google::protobuf::Arena arena_;
};

class graph_allocator final : public grpc::MessageAllocator<peer::Graph, peer::Graph> {
    grpc::MessageHolder<peer::Graph, peer::Graph>* AllocateMessages() override
    {
        return new graphs_in_arena;
    }
};

class workloads final : public peer::Workloads::CallbackService {
    using context = grpc::CallbackServerContext;
    using reactor = grpc::ServerUnaryReactor;

    static reactor* finish(context* call)
    {
        auto* made = call->DefaultReactor();
        made->Finish(grpc::Status::OK);
        return made;
    }

    reactor* CallSmall(context* call, const peer::SmallRequest* request,
                       peer::SmallReply* reply) override
    {
        reply->set_sum(std::int64_t{request->a()} + request->b());
        reply->set_text(request->text());
        return finish(call);
    }
    reactor* EchoBytes(context* call, const peer::Bytes* request, peer::Bytes* reply) override
    {
        *reply = *request;
        return finish(call);
    }
    reactor* EchoDoubles(context* call, const peer::Doubles* request, peer::Doubles* reply) override
    {
        *reply = *request;
        return finish(call);
    }
    reactor* EchoGraph(context* call, const peer::Graph* request, peer::Graph* reply) override
    {
        *reply = *request;
        return finish(call);
    }
};

} // namespace

int main()
{
    bench::keep_freed_memory();
    graph_allocator graphs;
    workloads service;
    service.SetMessageAllocatorFor_EchoGraph(&graphs);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    if (!server)
        return 1;
    bench::announce(port);
    server->Wait();
}
