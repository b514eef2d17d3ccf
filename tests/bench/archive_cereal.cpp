// Cereal's rows: its binary and its portable archive, fresh for each message, over one stream.
#include "archive_bench.hpp"
#include "memory_streambuf.hpp"

#include <cereal/archives/binary.hpp>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/base_class.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <istream>
#include <ostream>

namespace bench::archive {

template <class Archive>
inline void serialize(Archive& ar, small& value)
{
    ar(value.a, value.b, value.text);
}
template <class Archive>
inline void serialize(Archive& ar, record& value)
{
    ar(value.id, value.name, value.tags, value.numbers);
}
template <class Archive>
inline void serialize(Archive& ar, medium& value)
{
    ar(value.records);
}
template <class Archive>
inline void serialize(Archive& ar, large& value)
{
    ar(value.numbers);
}
template <class Archive>
inline void serialize(Archive& ar, node& value)
{
    ar(value.id, value.left, value.right);
}
template <class Archive>
inline void serialize(Archive& ar, number_node& value)
{
    ar(cereal::base_class<node>(&value), value.number);
}
template <class Archive>
inline void serialize(Archive& ar, text_node& value)
{
    ar(cereal::base_class<node>(&value), value.text);
}
template <class Archive>
inline void serialize(Archive& ar, pool& value)
{
    ar(value.nodes);
}

} // namespace bench::archive

CEREAL_REGISTER_TYPE_WITH_NAME(bench::archive::number_node, "number")
CEREAL_REGISTER_TYPE_WITH_NAME(bench::archive::text_node, "text")

namespace bench::archive {
namespace {

struct stream : memory_streambuf {
    std::ostream out{this};
    std::istream in{this};
};

template <class Input, class T>
void load(T& value, stream& from)
{
    from.rewind();
    Input in(from.in);
    in(value);
}

template <class Output, class T>
void store(const T& value, stream& to)
{
    to.clear();
    Output out(to.out);
    out(value);
}

template <class Input, class Output, class T>
void add_both(rows& to, const std::string& system)
{
    const auto value = std::make_shared<const T>(make<T>());
    auto message = std::make_shared<stream>();
    store<Output>(*value, *message);
    T decoded;
    load<Input>(decoded, *message);
    verify(decoded, system);

    const std::size_t bytes = message->bytes().size();
    auto output = std::make_shared<stream>();
    add<T>(to, system, "encode", bytes, [value, output] {
        store<Output>(*value, *output);
        keep(*output->bytes().data());
    });
    add<T>(to, system, "decode", bytes, [message] {
        T fresh;
        load<Input>(fresh, *message);
        keep(fresh);
    });
}

template <class T>
void add_pairs(rows& to)
{
    add_both<cereal::BinaryInputArchive, cereal::BinaryOutputArchive, T>(to, "cereal binary");
    add_both<cereal::PortableBinaryInputArchive, cereal::PortableBinaryOutputArchive, T>(
        to, "cereal portable");
}

} // namespace

void add_cereal(rows& to)
{
    add_pairs<small>(to);
    add_pairs<medium>(to);
    add_pairs<large>(to);
    add_pairs<pool>(to);
}

} // namespace bench::archive
