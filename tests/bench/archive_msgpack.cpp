// msgpack-cxx's rows, without P: it has no pointers.
#include "archive_bench.hpp"

#include <msgpack.hpp>

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS)
{
    namespace adaptor {

    /// What the library's own macro would write into a class: an array of its members.
    template <class T>
    requires requires(T& value)
    {
        members(value, [](auto&...) {});
    }
    struct convert<T> {
        const msgpack::object& operator()(const msgpack::object& from, T& value) const
        {
            members(value, [&](auto&... member) {
                type::make_define_array(member...).msgpack_unpack(from);
            });
            return from;
        }
    };
    template <class T>
    requires requires(const T& value)
    {
        members(value, [](auto&...) {});
    }
    struct pack<T> {
        template <class Stream>
        packer<Stream>& operator()(packer<Stream>& to, const T& value) const
        {
            members(value,
                    [&](auto&... member) { type::make_define_array(member...).msgpack_pack(to); });
            return to;
        }
    };

    } // namespace adaptor
}
} // namespace msgpack

namespace bench::archive {

template <class T, class F>
requires std::is_same_v<std::remove_const_t<T>, small>
void members(T& value, F f)
{
    f(value.a, value.b, value.text);
}
template <class T, class F>
requires std::is_same_v<std::remove_const_t<T>, record>
void members(T& value, F f)
{
    f(value.id, value.name, value.tags, value.numbers);
}
template <class T, class F>
requires std::is_same_v<std::remove_const_t<T>, medium>
void members(T& value, F f)
{
    f(value.records);
}
template <class T, class F>
requires std::is_same_v<std::remove_const_t<T>, large>
void members(T& value, F f)
{
    f(value.numbers);
}

namespace {

template <class T>
void load(T& value, const msgpack::sbuffer& from)
{
    const auto parsed = msgpack::unpack(from.data(), from.size());
    parsed->convert(value);
}

template <class T>
void add_both(rows& to)
{
    const auto value = std::make_shared<const T>(make<T>());
    auto message = std::make_shared<msgpack::sbuffer>();
    msgpack::pack(*message, *value);
    T decoded;
    load(decoded, *message);
    verify(decoded, "msgpack");

    auto output = std::make_shared<msgpack::sbuffer>();
    add<T>(to, "msgpack", "encode", message->size(), [value, output] {
        output->clear();
        msgpack::pack(*output, *value);
        keep(*output->data());
    });
    add<T>(to, "msgpack", "decode", message->size(), [message] {
        T fresh;
        load(fresh, *message);
        keep(fresh);
    });
}

} // namespace

void add_msgpack(rows& to)
{
    add_both<small>(to);
    add_both<medium>(to);
    add_both<large>(to);
}

} // namespace bench::archive
