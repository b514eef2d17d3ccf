// Fills the values of the archive's benchmark, compares graphs and copies them.
#include "archive_values.hpp"

#include <algorithm>

namespace bench::archive {
namespace {

constexpr int count = 1000;

/// "tag00042": a prefix and enough digits for the length.
std::string numbered(std::string prefix, int number, std::size_t length)
{
    const std::string digits = std::to_string(number);
    prefix.append(length - prefix.size() - digits.size(), '0');
    return prefix + digits;
}

bool links_alike(const std::shared_ptr<node>& a, const std::shared_ptr<node>& b, const pool& in_a,
                 const pool& in_b)
{
    if (!a || !b)
        return !a && !b;
    return a->id == b->id && in_a.nodes[a->id] == a && in_b.nodes[b->id] == b;
}

bool contents_alike(const node& a, const node& b)
{
    if (const auto* number = dynamic_cast<const number_node*>(&a)) {
        const auto* other = dynamic_cast<const number_node*>(&b);
        return other != nullptr && other->number == number->number;
    }
    const auto* text = dynamic_cast<const text_node*>(&a);
    const auto* other = dynamic_cast<const text_node*>(&b);
    return text != nullptr && other != nullptr && other->text == text->text;
}

std::shared_ptr<node> copy_of_content(const node& from)
{
    if (const auto* number = dynamic_cast<const number_node*>(&from)) {
        auto made = std::make_shared<number_node>();
        made->number = number->number;
        return made;
    }
    auto made = std::make_shared<text_node>();
    made->text = static_cast<const text_node&>(from).text;
    return made;
}

} // namespace

bool pool::operator==(const pool& other) const
{
    return std::ranges::equal(nodes, other.nodes, [&](const auto& a, const auto& b) {
        return a && b && a->id == b->id && contents_alike(*a, *b) &&
               links_alike(a->left, b->left, *this, other) &&
               links_alike(a->right, b->right, *this, other);
    });
}

pool deep_copy(const pool& from)
{
    pool made;
    made.nodes.reserve(from.nodes.size());
    for (const auto& original : from.nodes) {
        auto copy = copy_of_content(*original);
        copy->id = original->id;
        if (original->left)
            copy->left = made.nodes[original->left->id];
        if (original->right)
            copy->right = made.nodes[original->right->id];
        made.nodes.push_back(std::move(copy));
    }
    return made;
}

template <>
small make()
{
    return {42, -7, "sixteen letters."};
}

template <>
medium make()
{
    medium made;
    for (int i = 0; i < count; ++i) {
        record& r = made.records.emplace_back();
        r.id = 7919u * static_cast<std::uint64_t>(i);
        r.name = numbered("name", i, 12);
        for (int tag = 0; tag < 4; ++tag)
            r.tags.push_back(numbered("tag", 4 * i + tag, 8));
        for (int key = 0; key < 3; ++key)
            r.numbers[numbered("key", key, 4)] = i * 0.5 + key;
    }
    return made;
}

template <>
large make()
{
    large made;
    made.numbers.resize(131072);
    for (std::size_t i = 0; i < made.numbers.size(); ++i)
        made.numbers[i] = static_cast<double>(i) * 1.25;
    return made;
}

template <>
pool make()
{
    pool made;
    for (int i = 0; i < count; ++i) {
        std::shared_ptr<node> next;
        if (i % 2 == 0) {
            auto text = std::make_shared<text_node>();
            text->text = "node" + std::to_string(i);
            next = std::move(text);
        }
        else {
            auto number = std::make_shared<number_node>();
            number->number = 3 * i;
            next = std::move(number);
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

} // namespace bench::archive
