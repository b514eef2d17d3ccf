// The workloads of the server's bench as a service of Thrift.
namespace cpp bench.peer

struct SmallReply {
    1: i64 sum
    2: string text
}

struct Record {
    1: i64 id
    2: string name
    3: list<string> tags
    4: map<string, double> attributes
}

service Workloads {
    SmallReply callSmall(1: i32 a, 2: i32 b, 3: string text)
    binary echoBytes(1: binary data)
    list<double> echoDoubles(1: list<double> data)
    list<Record> echoGraph(1: list<Record> records)
}
