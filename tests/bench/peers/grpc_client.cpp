// The clients of gRPC: its blocking stub for one call at a time, its callback API for many.
#include "meter.hpp"
#include "peer.hpp"

#include <workloads.grpc.pb.h>

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <exception>
#include <latch>
#include <mutex>
#include <optional>

namespace {

using bench::clock;
namespace peer = bench::peer;
using stub = peer::Workloads::Stub;

std::unique_ptr<stub> dial(const bench::meter& meter)
{
    // Else all channels to one address share a connection.
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return peer::Workloads::NewStub(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(meter.options().port),
                                  grpc::InsecureChannelCredentials(), own));
}

void require(const grpc::Status& status)
{
    if (!status.ok())
        throw std::runtime_error(status.error_message());
}

peer::SmallRequest make_small()
{
    const auto from = bench::make_small();
    peer::SmallRequest made;
    made.set_a(from.a);
    made.set_b(from.b);
    made.set_text(from.text);
    return made;
}

peer::Bytes make_bytes()
{
    const auto from = bench::make_bytes();
    peer::Bytes made;
    made.set_data(from.data.data(), from.data.size());
    return made;
}

peer::Doubles make_doubles()
{
    const auto from = bench::make_doubles();
    peer::Doubles made;
    made.mutable_data()->Add(from.data.begin(), from.data.end());
    return made;
}

peer::Graph make_graph()
{
    peer::Graph made;
    for (const auto& from : bench::make_graph().records) {
        auto& record = *made.add_records();
        record.set_id(from.id);
        record.set_name(from.name);
        record.mutable_tags()->Add(from.tags.begin(), from.tags.end());
        record.mutable_attributes()->insert(from.attributes.begin(), from.attributes.end());
    }
    return made;
}

bool echoes(const peer::SmallRequest& sent, const peer::SmallReply& got)
{
    return got.sum() == sent.a() + sent.b() && got.text() == sent.text();
}
bool echoes(const peer::Bytes& sent, const peer::Bytes& got)
{
    return sent.data() == got.data();
}
bool echoes(const peer::Doubles& sent, const peer::Doubles& got)
{
    return std::ranges::equal(sent.data(), got.data());
}
bool echoes(const peer::Record& sent, const peer::Record& got)
{
    const auto& attributes = got.attributes();
    return sent.id() == got.id() && sent.name() == got.name() &&
           std::ranges::equal(sent.tags(), got.tags()) &&
           sent.attributes().size() == attributes.size() &&
           std::ranges::all_of(sent.attributes(), [&](const auto& each) {
               const auto found = attributes.find(each.first);
               return found != attributes.end() && found->second == each.second;
           });
}
bool echoes(const peer::Graph& sent, const peer::Graph& got)
{
    return std::ranges::equal(sent.records(), got.records(),
                              [](const auto& a, const auto& b) { return echoes(a, b); });
}

template <class Request, class Reply>
using method = grpc::Status (stub::*)(grpc::ClientContext*, const Request&, Reply*);

template <class Request, class Reply>
void one_at_a_time(bench::meter& meter, method<Request, Reply> method, const Request& request)
{
    const auto server = dial(meter);
    Reply reply;
    const auto call = [&] {
        grpc::ClientContext context;
        require((*server.*method)(&context, request, &reply));
    };
    call();
    bench::require_echo(echoes(request, reply), meter.options().workload);
    clock::time_point began;
    do {
        began = clock::now();
        call();
    } while (meter.completed(began));
}

/// The meter is for one thread, and gRPC calls back on several.
struct shared_meter {
    bench::meter& meter;
    std::latch running;
    std::mutex mutex{};

    bool completed(clock::time_point began)
    {
        const std::lock_guard lock(mutex);
        return meter.completed(began);
    }
};

/// Makes the same call again and again, until the slice is over.
struct caller {
    shared_meter& meter;
    stub& server;
    const peer::SmallRequest& request;
    peer::SmallReply reply{};
    std::optional<grpc::ClientContext> context{};
    clock::time_point began{};

    void call()
    {
        context.emplace();
        began = clock::now();
        server.async()->CallSmall(&*context, &request, &reply,
                                  [this](const grpc::Status& status) { answered(status); });
    }

    void answered(const grpc::Status& status)
    {
        if (!status.ok()) {
            std::fprintf(stderr, "%s\n", status.error_message().c_str());
            std::_Exit(1);
        }
        if (meter.completed(began))
            call();
        else
            meter.running.count_down();
    }
};

void many(bench::meter& meter, int channels, int calls_each)
{
    shared_meter shared{meter, std::latch(channels * calls_each)};
    std::deque<std::unique_ptr<stub>> servers;
    std::deque<caller> callers;
    const auto request = make_small();
    for (int i = 0; i < channels; ++i) {
        servers.push_back(dial(meter));
        for (int k = 0; k < calls_each; ++k)
            callers.emplace_back(shared, *servers.back(), request).call();
    }
    shared.running.wait();
    for (const auto& each : callers)
        bench::require_echo(echoes(request, each.reply), meter.options().workload);
}

void run(bench::meter& meter)
{
    const auto& workload = meter.options().workload;
    if (workload == "W2")
        many(meter, 1, bench::in_flight);
    else if (workload == "W3")
        many(meter, bench::connections, 1);
    else if (workload == "W4a")
        one_at_a_time(meter, &stub::EchoBytes, make_bytes());
    else if (workload == "W4b")
        one_at_a_time(meter, &stub::EchoDoubles, make_doubles());
    else if (workload == "W5")
        one_at_a_time(meter, &stub::EchoGraph, make_graph());
    else
        one_at_a_time(meter, &stub::CallSmall, make_small());
}

} // namespace

int main(int argc, char** argv)
{
    bench::meter meter(bench::parse_slice(argc, argv));
    try {
        run(meter);
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s: %s\n", argv[0], problem.what());
        return 1;
    }
}
