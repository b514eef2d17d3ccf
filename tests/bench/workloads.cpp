// Fills the arguments of the workloads.
#include "workloads.hpp"

#include <cstdio>

namespace bench {
namespace {

std::string numbered(const char* format, int number)
{
    char text[32];
    std::snprintf(text, sizeof text, format, number);
    return text;
}

} // namespace

small make_small()
{
    return {1, 2, "0123456789abcdef"};
}

bytes make_bytes()
{
    bytes made;
    made.data.resize(1u << 20);
    for (std::size_t i = 0; i < made.data.size(); ++i)
        made.data[i] = static_cast<std::byte>(i * 31);
    return made;
}

doubles make_doubles()
{
    doubles made;
    made.data.resize(131072);
    for (std::size_t i = 0; i < made.data.size(); ++i)
        made.data[i] = static_cast<double>(i) * 0.25;
    return made;
}

graph make_graph()
{
    graph made;
    for (int i = 0; i < 1000; ++i) {
        record r;
        r.id = 1000003u * static_cast<std::uint64_t>(i);
        r.name = numbered("name%08d", i);
        for (int tag = 0; tag < 4; ++tag)
            r.tags.push_back(numbered("t%07d", i * 4 + tag));
        for (int key = 0; key < 3; ++key)
            r.attributes[numbered("key%d", key)] = i * 0.5 + key;
        made.records.push_back(std::move(r));
    }
    return made;
}

} // namespace bench
