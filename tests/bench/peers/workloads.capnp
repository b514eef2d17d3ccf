# The workloads of the server's bench as an interface of Cap'n Proto.
@0xd5a1f8e90f4bb6c3;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench::peer");

struct Record {
    id @0 :UInt64;
    name @1 :Text;
    tags @2 :List(Text);
    attributes @3 :List(Attribute);

    struct Attribute {
        key @0 :Text;
        value @1 :Float64;
    }
}

interface Workloads {
    callSmall @0 (a :Int32, b :Int32, text :Text) -> (sum :Int64, text :Text);
    echoBytes @1 (data :Data) -> (data :Data);
    echoDoubles @2 (data :List(Float64)) -> (data :List(Float64));
    echoGraph @3 (records :List(Record)) -> (records :List(Record));
}
