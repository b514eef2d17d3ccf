// Schemas written as tests/golden/README.md writes types: "class {a: i32, b: vector<string>}".
#pragma once

#include <wharf/schema.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace schema_notation {

/// Names that types of one test share, and the classes among them.
class definitions {
public:
    definitions() = default;
    definitions(std::initializer_list<std::pair<std::string, std::string>> all);
    /// "define NAME TYPE" of a golden file.
    void define(const std::string& name, const std::string& type) { texts_[name] = type; }
    /// Throws std::runtime_error where the text is none of a type. Beside what the files have:
    ///   blob                    std::vector<std::byte>
    ///   enum<u8, 0, 0, a=0, b>  names of enumerators
    ///   falling_set<T>, own_set<T>, and maps: other orders
    ///   opaque "why"
    wharf::schema make(const std::string& type) const;

private:
    std::map<std::string, std::string> texts_;
};

/// A type that needs no definitions.
inline wharf::schema make(const std::string& type)
{
    return definitions().make(type);
}

} // namespace schema_notation
