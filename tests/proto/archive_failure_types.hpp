// The benchmark's M and P with a memory of whether they were loaded whole, and with visits that
// fail when they are told to.
#pragma once

#include "archive_hostile_graphs.hpp"

#include <stdexcept>

namespace hostile {

/// The visit that throws, counted down.
inline thread_local int visits_until_failure = -1;

inline void visit()
{
    if (visits_until_failure >= 0 && visits_until_failure-- == 0)
        throw std::runtime_error("refused by the test");
}

struct failing_record : counted {
    std::uint64_t id = 0;
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> numbers;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& name& tags& numbers;
    }
};
struct failing_records {
    std::vector<failing_record> records;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& records;
    }
};

inline failing_records make_records(int n)
{
    failing_records made;
    for (int i = 0; i < n; ++i) {
        failing_record& r = made.records.emplace_back();
        r.id = 7919u * static_cast<std::uint64_t>(i);
        r.name = "name" + std::to_string(10000000 + i);
        for (int tag = 0; tag < 4; ++tag)
            r.tags.push_back("tag" + std::to_string(10000 + 4 * i + tag));
        for (int key = 0; key < 3; ++key)
            r.numbers["key" + std::to_string(key)] = i * 0.5 + key;
    }
    return made;
}

struct failing_node : counted {
    bool is_whole = false; ///< its last visit came to its end
    std::uint32_t id = 0;
    std::shared_ptr<failing_node> left, right;
    virtual ~failing_node() = default;
    virtual char kind() const = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& left& right;
    }
};
template <class Archive, class Node, class Content>
void visit_all(Archive& ar, Node& node, Content& content)
{
    node.is_whole = false;
    visit();
    ar& boost::serialization::base_object<failing_node>(node) & content;
    visit();
    node.is_whole = true;
}
struct number_node : failing_node {
    std::int32_t number = 0;
    char kind() const override { return 'n'; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        visit_all(ar, *this, number);
    }
};
struct text_node : failing_node {
    std::string text;
    char kind() const override { return 't'; }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        visit_all(ar, *this, text);
    }
};
struct failing_pool {
    std::vector<std::shared_ptr<failing_node>> nodes;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& nodes;
    }
};

inline failing_pool make_pool(int n)
{
    failing_pool made;
    for (int i = 0; i < n; ++i) {
        std::shared_ptr<failing_node> next;
        if (i % 2 == 0) {
            auto with_text = std::make_shared<text_node>();
            with_text->text = "node" + std::to_string(i);
            next = std::move(with_text);
        }
        else {
            auto with_number = std::make_shared<number_node>();
            with_number->number = 3 * i;
            next = std::move(with_number);
        }
        next->id = static_cast<std::uint32_t>(i);
        if (i > 0) {
            next->left = made.nodes[static_cast<std::size_t>(i) / 2];
            next->right = made.nodes.back();
        }
        made.nodes.push_back(std::move(next));
    }
    return made;
}

// Is every object that can be reached complete? Those that are loaded as values may hold anything.
template <class T>
bool is_whole(const T&)
{
    return true;
}
inline bool is_whole(const failing_pool& pool)
{
    for (const auto& each : pool.nodes)
        if (each && (!each->is_whole || (each->left && !each->left->is_whole) ||
                     (each->right && !each->right->is_whole)))
            return false;
    return true;
}
inline bool is_whole(const node& from)
{
    const auto behind = from.back.lock();
    return from.is_whole && (!behind || behind->is_whole) && (!from.next || is_whole(*from.next));
}
inline bool is_whole(const smart& all)
{
    for (const auto& [name, each] : all.nodes)
        if (each && !is_whole(*each))
            return false;
    const auto seen = all.seen.lock();
    return !seen || is_whole(*seen);
}
inline bool is_whole(const weak& all)
{
    for (const auto& each : all.all)
        if (const auto locked = each.lock(); locked && !is_whole(*locked))
            return false;
    for (const auto& each : all.some)
        if (each && !is_whole(*each))
            return false;
    return true;
}

} // namespace hostile

BOOST_SERIALIZATION_ASSUME_ABSTRACT(hostile::failing_node)
BOOST_CLASS_EXPORT_KEY2(hostile::number_node, "number_node")
BOOST_CLASS_EXPORT_KEY2(hostile::text_node, "text_node")
