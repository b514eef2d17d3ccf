// The four values that every system of the archive's benchmark encodes and decodes. No library is
// named here: each says in a file of its own how it serialises them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bench::archive {

/// S: a small message.
struct small {
    std::int32_t a = 0, b = 0;
    std::string text;
    bool operator==(const small&) const = default;
};

/// One of M's records: a name of 12 characters, 4 tags of 8, 3 numbers by name.
struct record {
    std::uint64_t id = 0;
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> numbers;
    bool operator==(const record&) const = default;
};

/// M: a thousand records.
struct medium {
    std::vector<record> records;
    bool operator==(const medium&) const = default;
};

/// L: a megabyte of numbers.
struct large {
    std::vector<double> numbers;
    bool operator==(const large&) const = default;
};

/// P's objects: each shares two that stand before it.
struct node {
    std::uint32_t id = 0; ///< its place in the pool
    std::shared_ptr<node> left, right;
    node() = default;
    node(const node&) = delete;
    node& operator=(const node&) = delete;
    virtual ~node() = default;
};
struct number_node : node {
    std::int32_t number = 0;
};
struct text_node : node {
    std::string text;
};

/// P: a thousand polymorphic, shared objects.
struct pool {
    std::vector<std::shared_ptr<node>> nodes;
    /// The same graph: kinds, contents and links, the latter by place.
    bool operator==(const pool& other) const;
};

template <class T>
T make();
template <>
small make();
template <>
medium make();
template <>
large make();
template <>
pool make();

/// A second graph of its own objects: what copying a pool would be if it were deep.
pool deep_copy(const pool& from);

} // namespace bench::archive
