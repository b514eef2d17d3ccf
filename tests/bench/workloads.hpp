// The commands of the workloads and their arguments.
#pragma once

#include <wharf/archive.hpp>
#include <wharf/command.hpp>

#include <boost/serialization/nvp.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct small_reply {
    std::int64_t sum{};
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(sum) & BOOST_SERIALIZATION_NVP(text);
    }
};

struct small {
    using reply = small_reply;
    static constexpr std::string_view name = "bench.small";
    std::int32_t a{}, b{};
    std::string text;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(a) & BOOST_SERIALIZATION_NVP(b) & BOOST_SERIALIZATION_NVP(text);
    }
};

struct bytes {
    using reply = std::vector<std::byte>;
    static constexpr std::string_view name = "bench.bytes";
    static constexpr bool reuse_arguments = true;
    std::vector<std::byte> data;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(data);
    }
};

struct doubles {
    using reply = std::vector<double>;
    static constexpr std::string_view name = "bench.doubles";
    static constexpr bool reuse_arguments = true;
    std::vector<double> data;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(data);
    }
};

struct record {
    std::uint64_t id{};
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> attributes;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(id) & BOOST_SERIALIZATION_NVP(name) &
            BOOST_SERIALIZATION_NVP(tags) & BOOST_SERIALIZATION_NVP(attributes);
    }
};

struct graph {
    using reply = std::vector<record>;
    static constexpr std::string_view name = "bench.graph";
    static constexpr bool reuse_arguments = true;
    std::vector<record> records;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(records);
    }
};

/// {1, 2, 16 characters}
small make_small();
/// 1 MiB
bytes make_bytes();
/// 131072 of them, 1 MiB
doubles make_doubles();
/// 1000 records: a name of 12 characters, 4 tags of 8, 3 attributes
graph make_graph();

} // namespace bench
