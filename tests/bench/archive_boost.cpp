// Stock Boost's rows: a fresh binary archive for each message, with its header and without.
#include "archive_bench.hpp"
#include "memory_streambuf.hpp"

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "archive_serialize.hpp"

namespace bench::archive {
namespace {

template <class T>
void load(T& value, memory_streambuf& from, unsigned flags)
{
    from.rewind();
    boost::archive::binary_iarchive in(from, flags);
    in >> value;
}

template <class T>
void store(const T& value, memory_streambuf& to, unsigned flags)
{
    to.clear();
    boost::archive::binary_oarchive out(to, flags);
    out << value;
}

template <class T>
void add_both(rows& to, const std::string& system, unsigned flags)
{
    const auto value = std::make_shared<const T>(make<T>());
    auto message = std::make_shared<memory_streambuf>();
    store(*value, *message, flags);
    T decoded;
    load(decoded, *message, flags);
    verify(decoded, system);

    const std::size_t bytes = message->bytes().size();
    auto output = std::make_shared<memory_streambuf>();
    add<T>(to, system, "encode", bytes, [value, output, flags] {
        store(*value, *output, flags);
        keep(*output->bytes().data());
    });
    add<T>(to, system, "decode", bytes, [message, flags] {
        T fresh;
        load(fresh, *message, flags);
        keep(fresh);
    });
}

template <class T>
void add_stock(rows& to)
{
    add_both<T>(to, "boost binary", 0);
    add_both<T>(to, "boost binary, no header",
                boost::archive::no_header | boost::archive::no_codecvt);
}

} // namespace

void add_boost(rows& to)
{
    add_stock<small>(to);
    add_stock<medium>(to);
    add_stock<large>(to);
    add_stock<pool>(to);
}

} // namespace bench::archive
