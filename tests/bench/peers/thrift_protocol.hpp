// The transport and the protocol that both of Thrift's programs use, named at compile time: the
// generated code then calls them without virtual functions.
#pragma once

#include <Workloads.h>

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TVirtualTransport.h>

namespace bench {

/// Frames, and its limit of 100 MiB for one message. Thrift 0.17 counts a connection's strings
/// towards it for ever (its issue THRIFT-5492), and would end a connection after 100 megabytes of
/// W4a.
class thrift_transport : public apache::thrift::transport::TVirtualTransport<
                             thrift_transport, apache::thrift::transport::TFramedTransport> {
public:
    using below = std::shared_ptr<apache::thrift::transport::TTransport>;
    explicit thrift_transport(const below& socket) : TVirtualTransport(socket) {}

    std::uint32_t readEnd() override
    {
        resetConsumedMessageSize();
        return TFramedTransport::readEnd();
    }
};

struct thrift_transport_factory : apache::thrift::transport::TTransportFactory {
    thrift_transport::below getTransport(thrift_transport::below below) override
    {
        return std::make_shared<thrift_transport>(below);
    }
};

using thrift_protocol = apache::thrift::protocol::TBinaryProtocolT<thrift_transport>;
using thrift_protocol_factory = apache::thrift::protocol::TBinaryProtocolFactoryT<thrift_transport>;

} // namespace bench
