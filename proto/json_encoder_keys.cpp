// Sets and maps: what JSON holds in any order is stored in the one of the archive.
#include "json_encoder.hpp"
#include "schema_order.hpp"
#include "schema_values.hpp"

#include <algorithm>
#include <utility>

namespace wharf::detail {

void json_encoder::push_step(const entry& e)
{
    if (e.name.data() != nullptr)
        path_.push_key(e.name);
    else
        path_.push_index(e.place);
}

/// The bytes of a key, which do not depend on what is around it.
std::vector<std::byte> json_encoder::take_key(const schema_type& type, const value& key)
{
    auto outer = std::exchange(out_, {});
    if (type.kind == schema_kind::set)
        put_element(type.parts[0], key);
    else
        put_value(type.parts[0], key);
    return std::exchange(out_, std::move(outer));
}

std::vector<json_encoder::entry> json_encoder::take_entries(const schema_type& type, const value& v)
{
    const bool is_object = v.kind() == json_kind::object;
    std::vector<entry> entries;
    value each = v.first();
    for (std::uint32_t i = 0; i < v.count(); ++i, each = each.next()) {
        charge(sizeof(entry) * 2);
        entry next{.mapped = each, .place = i};
        value key = each;
        if (is_object) {
            next.name = each.text();
            each = each.next();
            next.mapped = each;
        }
        push_step(next);
        if (!is_object && type.kind == schema_kind::map) {
            if (each.kind() != json_kind::array || each.count() != 2)
                fail_expected("a key and its value, [key, value]", each);
            key = each.first();
            next.mapped = key.next();
        }
        next.key = take_key(type, key);
        charge(next.key.size());
        path_.pop();
        entries.push_back(std::move(next));
    }
    return entries;
}

void json_encoder::sort_entries(const schema_type& type, std::vector<entry>& entries)
{
    const auto fail_twice = [&](const entry& e) {
        push_step(e);
        fail("this key is there twice");
    };
    const auto compare = [&](const entry& a, const entry& b) {
        return compare_in_order(types_, type, a.key, b.key);
    };
    // A NaN has no place in an order: what it is in stays as it comes, for the reader to judge.
    const bool is_sorted =
        is_sorted_by_value(types_, type) &&
        std::ranges::all_of(entries, [&](const entry& each) { return compare(each, each) == 0; });
    if (is_sorted) {
        std::ranges::stable_sort(entries,
                                 [&](const entry& a, const entry& b) { return compare(a, b) < 0; });
        // Equal keys stay as they came: the later one is there once too often.
        for (std::size_t i = 1; i < entries.size() && !type.is_multi; ++i)
            if (compare(entries[i - 1], entries[i]) == 0)
                fail_twice(entries[i]);
        return;
    }
    if (type.is_multi)
        return;
    std::vector<const entry*> by_bytes;
    for (const entry& each : entries)
        by_bytes.push_back(&each);
    std::ranges::sort(by_bytes, [](const entry* a, const entry* b) {
        return a->key != b->key ? a->key < b->key : a->place < b->place;
    });
    for (std::size_t i = 1; i < by_bytes.size(); ++i)
        if (by_bytes[i - 1]->key == by_bytes[i]->key)
            fail_twice(*by_bytes[i]);
}

void json_encoder::put_keyed(const schema_type& type, const value& v)
{
    const bool is_map = type.kind == schema_kind::map;
    if (is_object_map(types_, type))
        need(json_kind::object, "an object", v);
    else
        need(json_kind::array, is_map ? "an array of [key, value]" : "an array", v);
    put_varint(v.count());
    if (types_.has_objects(type.parts[0]))
        return put_entries(type, v);
    std::vector<entry> entries = take_entries(type, v);
    sort_entries(type, entries);
    for (const entry& each : entries) {
        const std::size_t begun = out_.size();
        put_bytes(each.key);
        if (is_map) {
            push_step(each);
            put_value(type.parts[1], each.mapped);
            path_.pop();
        }
        if (out_.size() == begun)
            put_byte(0);
    }
}

/// Keys that may refer to others: as they come, since their order is not told by their bytes.
void json_encoder::put_entries(const schema_type& type, const value& v)
{
    value each = v.first();
    for (std::uint32_t i = 0; i < v.count(); ++i, each = each.next()) {
        const path_step in(path_, i);
        if (type.kind == schema_kind::set) {
            put_element(type.parts[0], each);
            continue;
        }
        if (each.kind() != json_kind::array || each.count() != 2)
            fail_expected("a key and its value, [key, value]", each);
        const std::size_t begun = out_.size();
        put_value(type.parts[0], each.first());
        put_value(type.parts[1], each.first().next());
        if (out_.size() == begun)
            put_byte(0);
    }
}

} // namespace wharf::detail
