// The clients of Thrift: the plain one for one call at a time, the concurrent one with a thread for
// each call for many on one connection, and a thread with a plain one for each of many connections.
#include "meter.hpp"
#include "peer.hpp"
#include "thrift_protocol.hpp"

#include <thrift/async/TConcurrentClientSyncInfo.h>
#include <thrift/transport/TSocket.h>

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using bench::clock;
namespace peer = bench::peer;
namespace thrift = apache::thrift;
using client = peer::WorkloadsClientT<bench::thrift_protocol>;
using concurrent_client = peer::WorkloadsConcurrentClientT<bench::thrift_protocol>;

std::shared_ptr<bench::thrift_protocol> dial(const bench::meter& meter)
{
    auto socket = std::make_shared<thrift::transport::TSocket>("127.0.0.1", meter.options().port);
    auto framed = std::make_shared<bench::thrift_transport>(socket);
    framed->open();
    return std::make_shared<bench::thrift_protocol>(framed);
}

/// Calls again and again, until the slice is over.
template <class Call>
void repeat(bench::meter& meter, Call call)
{
    clock::time_point began;
    do {
        began = clock::now();
        call();
    } while (meter.completed(began));
}

template <class Client>
void call_small(Client& server, const bench::small& from, peer::SmallReply& reply)
{
    server.callSmall(reply, from.a, from.b, from.text);
}

bool echoes(const bench::small& sent, const peer::SmallReply& got)
{
    return got.sum == sent.a + sent.b && got.text == sent.text;
}

void small_ones(bench::meter& meter)
{
    client server(dial(meter));
    const auto from = bench::make_small();
    peer::SmallReply reply;
    call_small(server, from, reply);
    bench::require_echo(echoes(from, reply), meter.options().workload);
    repeat(meter, [&] { call_small(server, from, reply); });
}

template <class T>
using echo = void (client::*)(T& reply, const T& argument);

template <class T>
void one_at_a_time(bench::meter& meter, echo<T> method, const T& argument)
{
    client server(dial(meter));
    T reply;
    (server.*method)(reply, argument);
    bench::require_echo(reply == argument, meter.options().workload);
    repeat(meter, [&] { (server.*method)(reply, argument); });
}

std::string make_bytes()
{
    const auto from = bench::make_bytes();
    return {reinterpret_cast<const char*>(from.data.data()), from.data.size()};
}

std::vector<peer::Record> make_records()
{
    std::vector<peer::Record> made;
    for (const auto& from : bench::make_graph().records) {
        auto& record = made.emplace_back();
        record.id = static_cast<std::int64_t>(from.id);
        record.name = from.name;
        record.tags = from.tags;
        record.attributes = from.attributes;
    }
    return made;
}

/// Its clients wait in the thread that calls, so that each call in flight has a thread.
class callers {
public:
    explicit callers(bench::meter& meter) : meter_(meter) {}

    template <class Client>
    void add(Client& server)
    {
        threads_.emplace_back([this, &server] { run(server); });
    }

    void join()
    {
        for (auto& each : threads_)
            each.join();
        if (failed_)
            std::rethrow_exception(failed_);
    }

private:
    template <class Client>
    void run(Client& server)
    try {
        const auto from = bench::make_small();
        peer::SmallReply reply;
        clock::time_point began;
        do {
            began = clock::now();
            call_small(server, from, reply);
            bench::require_echo(echoes(from, reply), meter_.options().workload);
        } while (completed(began));
    }
    catch (...) {
        const std::lock_guard lock(mutex_);
        failed_ = std::current_exception();
    }

    bool completed(clock::time_point began)
    {
        const std::lock_guard lock(mutex_);
        return !failed_ && meter_.completed(began);
    }

    bench::meter& meter_;
    std::mutex mutex_;
    std::exception_ptr failed_;
    std::vector<std::thread> threads_;
};

void many_in_flight(bench::meter& meter)
{
    concurrent_client server(dial(meter),
                             std::make_shared<thrift::async::TConcurrentClientSyncInfo>());
    callers all(meter);
    for (int i = 0; i < bench::in_flight; ++i)
        all.add(server);
    all.join();
}

void many_connections(bench::meter& meter)
{
    std::vector<client> servers;
    for (int i = 0; i < bench::connections; ++i)
        servers.emplace_back(dial(meter));
    callers all(meter);
    for (auto& each : servers)
        all.add(each);
    all.join();
}

void run(bench::meter& meter)
{
    const auto& workload = meter.options().workload;
    if (workload == "W2")
        many_in_flight(meter);
    else if (workload == "W3")
        many_connections(meter);
    else if (workload == "W4a")
        one_at_a_time(meter, &client::echoBytes, make_bytes());
    else if (workload == "W4b")
        one_at_a_time(meter, &client::echoDoubles, bench::make_doubles().data);
    else if (workload == "W5")
        one_at_a_time(meter, &client::echoGraph, make_records());
    else
        small_ones(meter);
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
