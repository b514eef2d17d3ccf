// The types that the fuzz targets of JSON read and write by: one of each kind, alone and in others.
#pragma once

#include "../proto/schema_notation.hpp"
#include "archive_fuzz.hpp"

#include <wharf/json.hpp>

namespace json_fuzz {

inline std::vector<wharf::schema> make_types()
{
    const schema_notation::definitions known = {
        {"figure", "poly class {id: i32}"},
        {"ring", "poly class : figure \"ring\" @2 {figure: figure, radius: f64}"},
        {"late", "poly class : figure {figure: figure, hour: u8}"},
        {"solid", "abstract class {id: i32}"},
        {"ball", "poly class : solid \"ball\" {solid: solid, radius: u16}"},
        {"link", "class {v: u8, next: shared<link>, other: weak<link>}"},
        {"tree", "class @3 {value: i32, children: vector<tree>}"},
        {"counter", "always class {n: u8}"},
        {"once", "never class {v: u8}"},
        {"town", "class (name: string) {n: i32}"},
    };
    std::vector<wharf::schema> types;
    for (const char* text : {
             "tuple<bool, i8, u16, i32, u64, i128, u128, f32, f64>",
             "vector<f128>",
             "tuple<string, utf8, text<u16>, text<u32>, blob, bytes<3>>",
             "vector<tuple<enum<u8, 0, 0, red, green=7>, enum<i32, -8, 7, low=-3>, enum<u64, 0, "
             "0>>>",
             "class {a: vector<u16>, b: array<2, u8>, c: items<2, string>, d: bits, e: nothing}",
             "class {a: set<i8>, b: multiset<string>, c: falling_set<f32>, d: own_set<u8>}",
             "class {a: unordered_set<string>, b: unordered_multiset<u8>, c: set<vector<u8>>}",
             "set<tuple<variant<u8, string>, optional<bool>, f64, bits, set<u8>>>",
             "class {a: map<string, i32>, b: map<u8, string>, c: multimap<string, u8>}",
             "class {a: unordered_map<string, u8>, b: map<text<u16>, u8>, c: own_map<string, u8>}",
             "variant<nothing, optional<optional<u8>>, vector<class {}>, map<class {}, class {}>>",
             "vector<shared<link>>",
             "vector<tree>",
             "class {register late, all: vector<shared<figure>>}",
             "vector<variant<shared<figure>, weak<figure>, unique<solid>, shared<ring>>>",
             "tuple<shared<string>, shared<string>, boost_shared<u8>, boost_weak<u8>, alias<u8>>",
             "class {a: counter, again: again<counter>, p: shared<counter>, all: vector<counter>}",
             "vector<optional<town>>",
             "tuple<vector<unique<once>>, class {n: count, a: u8}, set<shared<u8>>>",
             "map<string, map<string, vector<map<u16, optional<string>>>>>",
         })
        types.push_back(known.make(text));
    return types;
}

/// The type that the first byte says.
inline const wharf::schema& type_of(std::uint8_t first)
{
    static const std::vector<wharf::schema> types = make_types();
    return types[first % types.size()];
}

} // namespace json_fuzz
