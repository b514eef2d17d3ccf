// What no archive can beat: the bytes copied, and the object copied. The encoded bytes are Wharf's.
#include "archive_bench.hpp"

#include <algorithm>
#include <cstring>

namespace bench::archive {
namespace {

pool copy_of(const pool& from)
{
    return deep_copy(from);
}
template <class T>
T copy_of(const T& from)
{
    return from;
}

template <class T>
void add_floor(rows& to)
{
    const auto value = std::make_shared<const T>(make<T>());
    verify(copy_of(*value), "copying");
    const auto encoded = std::ranges::find_if(
        to, [](const row& r) { return r.system == "wharf" && r.workload == letter<T>; });
    const std::size_t n = encoded != to.end() ? encoded->bytes : 0;
    if (n != 0) {
        std::vector<char> from(n, 'x'), output(n);
        add<T>(to, "memcpy", "encode", n,
               [from = std::move(from), output = std::move(output)]() mutable {
                   std::memcpy(output.data(), from.data(), from.size());
                   keep(*output.data());
               });
    }
    add<T>(to, "copy of the object", "decode", 0, [value] {
        const T copy = copy_of(*value);
        keep(copy);
    });
}

} // namespace

void add_floors(rows& to)
{
    add_floor<small>(to);
    add_floor<medium>(to);
    add_floor<large>(to);
    add_floor<pool>(to);
}

} // namespace bench::archive
