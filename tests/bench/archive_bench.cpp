// The archive beside Boost's own binary archive: a small message, a thousand records, a megabyte.
#include <wharf/archive.hpp>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <benchmark/benchmark.h>

#include <streambuf>

namespace {

struct small {
    std::int32_t a = 0, b = 0;
    std::string s;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b& s;
    }
};
struct record {
    std::uint64_t id = 0;
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> values;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& name& tags& values;
    }
};
struct medium {
    std::vector<record> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all;
    }
};
struct large {
    std::vector<double> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all;
    }
};

template <class T>
T make();
template <>
small make()
{
    return {42, -7, "sixteen chars ok"};
}
template <>
medium make()
{
    medium m;
    for (int i = 0; i < 1000; ++i) {
        record& r = m.all.emplace_back();
        r.id = static_cast<std::uint64_t>(i) * 7919;
        r.name = "name-" + std::to_string(1000000 + i);
        for (int j = 0; j < 4; ++j)
            r.tags.push_back("tag" + std::to_string(10000 + i * 4 + j));
        for (int j = 0; j < 3; ++j)
            r.values["key" + std::to_string(j)] = i * 0.5 + j;
    }
    return m;
}
template <>
large make()
{
    large l;
    l.all.resize(131072);
    for (std::size_t i = 0; i < l.all.size(); ++i)
        l.all[i] = static_cast<double>(i) * 1.25;
    return l;
}

/// Boost's archives over memory, without a copy.
class memory_streambuf : public std::streambuf {
public:
    std::string bytes;
    void read_from_start() { setg(bytes.data(), bytes.data(), bytes.data() + bytes.size()); }

protected:
    std::streamsize xsputn(const char* from, std::streamsize n) override
    {
        bytes.append(from, static_cast<std::size_t>(n));
        return n;
    }
    int_type overflow(int_type c) override
    {
        bytes.push_back(static_cast<char>(c));
        return c;
    }
};

template <class T>
void wharf_encode(benchmark::State& state)
{
    const T value = make<T>();
    wharf::byte_buffer out;
    for (auto _ : state) {
        out.clear();
        wharf::store_archive archive(out);
        archive << value;
        archive.flush();
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
    state.counters["bytes"] = static_cast<double>(out.size());
}

template <class T>
void wharf_decode(benchmark::State& state)
{
    const auto bytes = wharf::to_bytes(make<T>());
    for (auto _ : state) {
        T value;
        wharf::load_archive archive(bytes);
        archive >> value;
        archive.finish();
        benchmark::DoNotOptimize(value);
        benchmark::ClobberMemory();
    }
    state.counters["bytes"] = static_cast<double>(bytes.size());
}

template <class T>
void boost_encode(benchmark::State& state)
{
    const T value = make<T>();
    memory_streambuf out;
    for (auto _ : state) {
        out.bytes.clear();
        boost::archive::binary_oarchive archive(out);
        archive << value;
        benchmark::DoNotOptimize(out.bytes.data());
        benchmark::ClobberMemory();
    }
    state.counters["bytes"] = static_cast<double>(out.bytes.size());
}

template <class T>
void boost_decode(benchmark::State& state)
{
    const T original = make<T>();
    memory_streambuf in;
    {
        boost::archive::binary_oarchive archive(in);
        archive << original;
    }
    for (auto _ : state) {
        T value;
        in.read_from_start();
        boost::archive::binary_iarchive archive(in);
        archive >> value;
        benchmark::DoNotOptimize(value);
        benchmark::ClobberMemory();
    }
    state.counters["bytes"] = static_cast<double>(in.bytes.size());
}

/// The floor of a decode: the same object, copied and destroyed.
template <class T>
void copy_construct(benchmark::State& state)
{
    const T original = make<T>();
    for (auto _ : state) {
        T value(original);
        benchmark::DoNotOptimize(value);
        benchmark::ClobberMemory();
    }
}

} // namespace

BENCHMARK_TEMPLATE(wharf_encode, small);
BENCHMARK_TEMPLATE(boost_encode, small);
BENCHMARK_TEMPLATE(wharf_decode, small);
BENCHMARK_TEMPLATE(boost_decode, small);
BENCHMARK_TEMPLATE(copy_construct, small);
BENCHMARK_TEMPLATE(wharf_encode, medium);
BENCHMARK_TEMPLATE(boost_encode, medium);
BENCHMARK_TEMPLATE(wharf_decode, medium);
BENCHMARK_TEMPLATE(boost_decode, medium);
BENCHMARK_TEMPLATE(copy_construct, medium);
BENCHMARK_TEMPLATE(wharf_encode, large);
BENCHMARK_TEMPLATE(boost_encode, large);
BENCHMARK_TEMPLATE(wharf_decode, large);
BENCHMARK_TEMPLATE(boost_decode, large);
BENCHMARK_TEMPLATE(copy_construct, large);

BENCHMARK_MAIN();
