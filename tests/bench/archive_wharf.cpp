// Wharf's rows: all guards on, default limits, the output buffer reused.
#include "archive_bench.hpp"
#include "archive_serialize.hpp"

#include <wharf/archive.hpp>

namespace bench::archive {
namespace {

using bytes = std::vector<std::byte>;

template <class T>
void load(T& value, const bytes& message)
{
    wharf::load_archive in(message);
    in >> value;
    in.finish();
}

template <class T>
void store(const T& value, wharf::byte_buffer& to)
{
    to.clear();
    wharf::store_archive out(to);
    out << value;
    out.flush();
}

template <class T>
void add_both(rows& to)
{
    const auto value = std::make_shared<const T>(make<T>());
    const bytes message = wharf::to_bytes(*value);
    verify(wharf::from_bytes<T>(message), "wharf");

    auto buffer = std::make_shared<wharf::byte_buffer>();
    add<T>(to, "wharf", "encode", message.size(), [value, buffer] {
        store(*value, *buffer);
        keep(*buffer->data());
    });
    add<T>(to, "wharf", "decode", message.size(), [message] {
        T decoded;
        load(decoded, message);
        keep(decoded);
    });
}

/// Decodes into an object that already holds such a value.
template <class T>
void add_reused(rows& to)
{
    const bytes message = wharf::to_bytes(make<T>());
    T reused;
    load(reused, message);
    load(reused, message);
    verify(reused, "wharf, reused object");
    add<T>(to, "wharf, reused object", "decode", message.size(),
           [message, reused = std::move(reused)]() mutable {
               load(reused, message);
               keep(reused);
           });
}

} // namespace

void add_wharf(rows& to)
{
    add_both<small>(to);
    add_reused<small>(to);
    add_both<medium>(to);
    add_reused<medium>(to);
    add_both<large>(to);
    add_both<pool>(to);
}

} // namespace bench::archive
