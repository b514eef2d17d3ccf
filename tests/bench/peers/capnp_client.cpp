// The client of Cap'n Proto: promises of one event loop, for one call at a time and for many.
#include "meter.hpp"
#include "peer.hpp"

#include <workloads.capnp.h>

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <functional>
#include <span>

namespace {

using bench::clock;
namespace peer = bench::peer;

/// One connection, and what it answers for.
struct connection {
    explicit connection(kj::Own<kj::AsyncIoStream> dialled)
        : stream(kj::mv(dialled)), rpc(*stream), server(rpc.bootstrap().castAs<peer::Workloads>())
    {}
    kj::Own<kj::AsyncIoStream> stream;
    capnp::TwoPartyClient rpc;
    peer::Workloads::Client server;
};

class network {
public:
    explicit network(const bench::meter& meter)
        : io_(kj::setupAsyncIo()),
          address_(io_.provider->getNetwork()
                       .parseAddress("127.0.0.1", meter.options().port)
                       .wait(io_.waitScope))
    {}
    kj::Own<kj::AsyncIoStream> dial() { return address_->connect().wait(io_.waitScope); }
    kj::WaitScope& wait_scope() { return io_.waitScope; }

private:
    kj::AsyncIoContext io_;
    kj::Own<kj::NetworkAddress> address_;
};

template <class T>
capnp::MessageSize words_of(const T& data)
{
    return {data.size() * sizeof data[0] / sizeof(capnp::word) + 16, 0};
}

// Makes the request of a call with this argument.
auto request_for(peer::Workloads::Client& server, const bench::small& from)
{
    auto made = server.callSmallRequest();
    made.setA(from.a);
    made.setB(from.b);
    made.setText(from.text);
    return made;
}
auto request_for(peer::Workloads::Client& server, const bench::bytes& from)
{
    auto made = server.echoBytesRequest(words_of(from.data));
    made.setData({reinterpret_cast<const kj::byte*>(from.data.data()), from.data.size()});
    return made;
}
auto request_for(peer::Workloads::Client& server, const bench::doubles& from)
{
    auto made = server.echoDoublesRequest(words_of(from.data));
    made.setData({from.data.data(), from.data.size()});
    return made;
}
auto request_for(peer::Workloads::Client& server, const bench::graph& from)
{
    auto made = server.echoGraphRequest(words_of(from.records));
    auto records = made.initRecords(static_cast<unsigned>(from.records.size()));
    for (unsigned i = 0; i < records.size(); ++i) {
        const auto& source = from.records[i];
        auto record = records[i];
        record.setId(source.id);
        record.setName(source.name);
        auto tags = record.initTags(static_cast<unsigned>(source.tags.size()));
        for (unsigned k = 0; k < tags.size(); ++k)
            tags.set(k, source.tags[k]);
        auto attributes = record.initAttributes(static_cast<unsigned>(source.attributes.size()));
        unsigned k = 0;
        for (const auto& [key, value] : source.attributes) {
            attributes[k].setKey(key);
            attributes[k++].setValue(value);
        }
    }
    return made;
}

/// As std::equal, for which the iterators of Cap'n Proto's lists are too little.
template <class Sent, class Got, class Same>
bool all_alike(const Sent& sent, const Got& got, Same same)
{
    unsigned i = 0;
    return sent.size() == got.size() &&
           std::ranges::all_of(sent, [&](const auto& each) { return same(each, got[i++]); });
}

bool echoes(const bench::small& sent, peer::Workloads::CallSmallResults::Reader got)
{
    return got.getSum() == sent.a + sent.b && got.getText() == sent.text;
}
bool echoes(const bench::bytes& sent, peer::Workloads::EchoBytesResults::Reader got)
{
    const auto data = got.getData();
    return std::ranges::equal(sent.data, std::as_bytes(std::span(data.begin(), data.size())));
}
bool echoes(const bench::doubles& sent, peer::Workloads::EchoDoublesResults::Reader got)
{
    return all_alike(sent.data, got.getData(), std::equal_to());
}
bool echoes(const bench::record& sent, peer::Record::Reader got)
{
    using attribute = peer::Record::Attribute::Reader;
    return got.getId() == sent.id && got.getName() == sent.name &&
           all_alike(sent.tags, got.getTags(), [](const auto& a, auto b) { return b == a; }) &&
           all_alike(sent.attributes, got.getAttributes(), [](const auto& a, attribute b) {
               return b.getKey() == a.first && b.getValue() == a.second;
           });
}
bool echoes(const bench::graph& sent, peer::Workloads::EchoGraphResults::Reader got)
{
    return all_alike(sent.records, got.getRecords(),
                     [](const auto& a, peer::Record::Reader b) { return echoes(a, b); });
}

template <class Command>
void one_at_a_time(bench::meter& meter, const Command& command)
{
    network all(meter);
    connection to(all.dial());
    const auto call = [&] { return request_for(to.server, command).send().wait(all.wait_scope()); };
    bench::require_echo(echoes(command, call()), meter.options().workload);
    clock::time_point began;
    do {
        began = clock::now();
        call();
    } while (meter.completed(began));
}

/// Makes the same call again and again, until the slice is over.
struct caller {
    bench::meter& meter;
    peer::Workloads::Client& server;
    const bench::small& command;
    kj::PromiseFulfiller<void>& over;

    kj::Promise<void> call()
    {
        return request_for(server, command)
            .send()
            .then([this, began = clock::now()](
                      capnp::Response<peer::Workloads::CallSmallResults> got) -> kj::Promise<void> {
                bench::require_echo(echoes(command, got), meter.options().workload);
                if (meter.completed(began))
                    return call();
                over.fulfill();
                return kj::READY_NOW;
            });
    }
};

void many(bench::meter& meter, int clients, int calls_each)
{
    network all(meter);
    auto over = kj::newPromiseAndFulfiller<void>();
    std::deque<connection> to;
    std::deque<caller> callers;
    kj::Vector<kj::Promise<void>> calls;
    const auto command = bench::make_small();
    for (int i = 0; i < clients; ++i) {
        to.emplace_back(all.dial());
        for (int k = 0; k < calls_each; ++k)
            calls.add(
                callers.emplace_back(meter, to.back().server, command, *over.fulfiller).call());
    }
    // A call that fails ends the slice with its exception; the others end with the connections.
    over.promise.exclusiveJoin(kj::joinPromises(calls.releaseAsArray())).wait(all.wait_scope());
}

void run(bench::meter& meter)
{
    const auto& workload = meter.options().workload;
    if (workload == "W2")
        many(meter, 1, bench::in_flight);
    else if (workload == "W3")
        many(meter, bench::connections, 1);
    else if (workload == "W4a")
        one_at_a_time(meter, bench::make_bytes());
    else if (workload == "W4b")
        one_at_a_time(meter, bench::make_doubles());
    else if (workload == "W5")
        one_at_a_time(meter, bench::make_graph());
    else
        one_at_a_time(meter, bench::make_small());
}

} // namespace

int main(int argc, char** argv)
{
    bench::meter meter(bench::parse_slice(argc, argv));
    try {
        run(meter);
    }
    catch (const kj::Exception& problem) {
        std::fprintf(stderr, "%s: %s\n", argv[0], problem.getDescription().cStr());
        return 1;
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s: %s\n", argv[0], problem.what());
        return 1;
    }
}
