// protobuf's rows: its own message objects, on the heap and in an arena. P is a table of places.
#include "archive_bench.hpp"

#include <archive.pb.h>
#include <archive_unchecked.pb.h>
#include <google/protobuf/arena.h>

namespace bench::archive {
namespace {

template <class Message>
void fill(Message& to, const small& from)
{
    to.set_a(from.a);
    to.set_b(from.b);
    to.set_text(from.text);
}
template <class Message>
void fill(Message& to, const medium& from)
{
    for (const record& r : from.records) {
        auto& added = *to.add_records();
        added.set_id(r.id);
        added.set_name(r.name);
        added.mutable_tags()->Add(r.tags.begin(), r.tags.end());
        added.mutable_numbers()->insert(r.numbers.begin(), r.numbers.end());
    }
}
void fill(proto3::Large& to, const large& from)
{
    to.mutable_numbers()->Add(from.numbers.begin(), from.numbers.end());
}
void fill(proto3::Pool& to, const pool& from)
{
    for (const auto& original : from.nodes) {
        proto3::Node& added = *to.add_nodes();
        added.set_id(original->id);
        added.set_left(original->left ? original->left->id + 1 : 0);
        added.set_right(original->right ? original->right->id + 1 : 0);
        if (const auto* number = dynamic_cast<const number_node*>(original.get()))
            added.set_number(number->number);
        else
            added.set_text(static_cast<const text_node&>(*original).text);
    }
}

template <class Message>
bool alike(const Message& decoded, const medium& value)
{
    // Not by the bytes: the order of a map's entries may differ.
    medium same;
    for (const auto& got : decoded.records())
        same.records.push_back({got.id(),
                                got.name(),
                                {got.tags().begin(), got.tags().end()},
                                {got.numbers().begin(), got.numbers().end()}});
    return same == value;
}
template <class Message, class T>
bool alike(const Message& decoded, const T& value)
{
    Message meant;
    fill(meant, value);
    return decoded.SerializeAsString() == meant.SerializeAsString();
}

template <class Message>
void load(Message& to, const std::string& from)
{
    if (!to.ParseFromString(from))
        throw std::runtime_error("protobuf cannot decode what it encoded");
}

template <class Message, class T>
void add_arena(rows& to, const std::string& system, const std::string& message)
{
    // One block is kept, and large enough: no decode allocates.
    auto block = std::make_shared<std::vector<char>>(8 << 20);
    add<T>(to, system, "decode", message.size(), [message, block] {
        google::protobuf::ArenaOptions options;
        options.initial_block = block->data();
        options.initial_block_size = block->size();
        google::protobuf::Arena arena(options);
        auto* decoded = google::protobuf::Arena::CreateMessage<Message>(&arena);
        load(*decoded, message);
        keep(*decoded);
    });
}

template <class Message, class T>
void add_both(rows& to, const std::string& system)
{
    const T value = make<T>();
    auto filled = std::make_shared<Message>();
    fill(*filled, value);
    const std::string message = filled->SerializeAsString();
    Message verified;
    load(verified, message);
    if (!alike(verified, value))
        throw std::runtime_error(system + " decodes " + letter<T> + " wrongly");

    auto output = std::make_shared<std::string>();
    add<T>(to, system, "encode", message.size(), [filled, output] {
        filled->SerializeToString(output.get());
        keep(*output->data());
    });
    add<T>(to, system, "decode", message.size(), [message] {
        Message decoded;
        load(decoded, message);
        keep(decoded);
    });
    add_arena<Message, T>(to, system + ", arena", message);
}

} // namespace

void add_protobuf(rows& to)
{
    add_both<proto3::Small, small>(to, "protobuf");
    add_both<proto2::Small, small>(to, "protobuf, no UTF-8 check");
    add_both<proto3::Medium, medium>(to, "protobuf");
    add_both<proto2::Medium, medium>(to, "protobuf, no UTF-8 check");
    add_both<proto3::Large, large>(to, "protobuf");
    add_both<proto3::Pool, pool>(to, "protobuf†");
}

} // namespace bench::archive
