// Messages of objects, one for each family of pointers, and one full value of each.
#pragma once

#include "archive_hostile_types.hpp"

#include <set>
#include <utility>

namespace hostile {

struct smart {
    std::vector<std::shared_ptr<number>> numbers;
    std::shared_ptr<text> a_text;
    std::unique_ptr<text> own_text;
    std::vector<std::shared_ptr<int>> ints;
    std::map<std::string, std::shared_ptr<const node>> nodes;
    std::weak_ptr<node> seen;
    std::optional<std::unique_ptr<std::string>> maybe;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& numbers& a_text& own_text& ints& nodes& seen& maybe;
    }
};

struct from_boost {
    std::vector<boost::shared_ptr<number>> numbers;
    boost::weak_ptr<number> one;
    boost::scoped_ptr<text> own;
    std::shared_ptr<number> other;
    std::variant<boost::shared_ptr<shape>, std::shared_ptr<shape>> either;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& numbers& one& own& other& either;
    }
};

struct polymorphic {
    std::vector<std::shared_ptr<shape>> shapes;
    std::shared_ptr<stranger> one;
    std::unique_ptr<shape> own;
    std::shared_ptr<circle> round;
    std::vector<std::unique_ptr<animal>> animals;
    kennel dogs;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& shapes& one& own& round& animals& dogs;
    }
};

struct with_construct_data {
    std::vector<std::shared_ptr<built>> all;
    std::vector<built> values;
    std::unique_ptr<built> own;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all& values& own;
    }
};

/// Deletes what its raw pointers own, which the next load of it would not.
struct with_raw {
    owned* one = nullptr;
    std::vector<owned*> more;
    graph vertices;
    with_raw() = default;
    with_raw(const with_raw&) = delete;
    with_raw& operator=(const with_raw&) = delete;
    bool is_complete = false;
    ~with_raw() { clear(); }
    void clear()
    {
        delete std::exchange(one, nullptr);
        for (owned* each : more)
            delete each;
        more.clear();
        if (!std::exchange(is_complete, false))
            return;
        std::set<vertex*> found;
        for (vertex* each : vertices.all)
            find(each, found);
        for (vertex* each : found)
            delete each;
        vertices.all.clear();
    }
    static void find(vertex* from, std::set<vertex*>& found)
    {
        if (from == nullptr || !found.insert(from).second)
            return;
        find(from->left, found);
        find(from->right, found);
    }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        if constexpr (Archive::is_loading::value)
            clear();
        ar& one& more& vertices;
        is_complete = true;
    }
};

struct weak {
    std::vector<std::weak_ptr<node>> all;
    std::vector<std::shared_ptr<node>> some;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& all& some;
    }
};

// Values in which every kind of pointer is met as null, as new and once more.

inline smart make_smart()
{
    smart all;
    const auto one = std::make_shared<number>();
    one->value = 5;
    all.numbers = {one, one, nullptr, std::make_shared<number>()};
    all.a_text = std::make_shared<text>();
    all.a_text->value = "a text that is longer than sixteen";
    all.own_text = std::make_unique<text>();
    all.ints = {std::make_shared<int>(3)};
    all.ints.push_back(all.ints[0]);
    const auto first = std::make_shared<node>();
    first->next = std::make_shared<node>();
    first->next->back = first;
    first->back = first;
    all.nodes = {{"a", first}, {"b", first->next}};
    all.seen = first;
    all.maybe = std::make_unique<std::string>("x");
    return all;
}

inline void fill(from_boost& all)
{
    all.numbers = {boost::shared_ptr<number>(new number), nullptr};
    all.numbers.push_back(all.numbers[0]);
    all.one = all.numbers[0];
    all.own.reset(new text);
    all.other = std::make_shared<number>();
    all.either = boost::shared_ptr<shape>(new circle);
}

inline polymorphic make_polymorphic()
{
    polymorphic all;
    const auto round = std::make_shared<circle>();
    round->radius = 2;
    const auto both = std::make_shared<group>();
    both->parts = {round, std::make_shared<circle>(), round};
    both->favourite = round;
    all.shapes = {both, round, both->parts[1]};
    all.one = std::make_shared<stranger>();
    all.one->memory = "a text that is longer than sixteen";
    all.own = std::make_unique<circle>();
    all.round = round;
    all.animals.push_back(std::make_unique<animal>());
    all.animals.push_back(nullptr);
    all.dogs.animals.push_back(std::make_unique<dog>());
    all.dogs.animals.push_back(std::make_unique<animal>());
    return all;
}

inline with_construct_data make_with_construct_data()
{
    with_construct_data all;
    const auto part = std::make_shared<number>();
    all.all = {std::make_shared<built>(part), std::make_shared<built>(part), nullptr};
    all.all.push_back(std::make_shared<built>(nullptr, all.all[0]));
    all.all.push_back(all.all[0]);
    all.values.emplace_back(part, all.all[1]);
    all.own = std::make_unique<built>(part);
    return all;
}

inline void fill(with_raw& all)
{
    all.one = new owned;
    all.one->next = new owned;
    all.more = {new owned, nullptr};
    auto* const left = new vertex;
    auto* const right = new vertex;
    left->left = right;
    right->left = left;
    right->right = right;
    all.vertices.all = {left, right, left};
    all.is_complete = true;
}

inline weak make_weak()
{
    weak all;
    const auto first = std::make_shared<node>();
    const auto second = std::make_shared<node>();
    second->next = first;
    all.all = {first, second, {}, first};
    all.some = {second, first};
    return all;
}

inline deep make_deep()
{
    deep all;
    all.unique = std::make_unique<deep>();
    all.vector.resize(2);
    all.vector[0].map[3].list.push_back(std::make_shared<deep>());
    all.list.emplace_back();
    all.choice = boost::shared_ptr<deep>(new deep);
    return all;
}

} // namespace hostile
