// Any bytes as containers, of bytes, of classes, and of one another.
#include "archive_fuzz.hpp"

#include <valarray>

namespace {

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

struct nothing {
    auto operator<=>(const nothing&) const = default;
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct sequences {
    std::vector<bool> bits;
    std::deque<std::int16_t> numbers;
    std::list<bool> truths;
    std::forward_list<std::string> names;
    std::valarray<std::uint32_t> values;
    std::vector<nothing> nothings;
    std::vector<std::deque<std::string>> deques;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& bits& numbers& truths& names& values& nothings& deques;
    }
};

struct descending_string {
    bool operator()(const std::string& a, const std::string& b) const { return a > b; }
};

struct ordered {
    std::set<std::pair<std::int8_t, std::string>> pairs;
    std::multiset<std::u16string> strings;
    std::map<std::uint16_t, std::map<std::uint16_t, nothing>> maps;
    std::multimap<std::uint8_t, std::vector<bool>> many;
    std::set<std::string, descending_string> backwards;
    std::set<nothing> nothings;
    std::map<nothing, nothing> pads;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& pairs& strings& maps& many& backwards& nothings& pads;
    }
};

struct hashed {
    std::unordered_map<std::string, std::uint8_t> map;
    std::unordered_set<std::uint32_t> set;
    std::unordered_multimap<std::uint8_t, std::string> many;
    std::unordered_multiset<std::string> bag;
    bool operator==(const hashed&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& map& set& many& bag;
    }
};

struct tree {
    std::uint8_t value = 0;
    std::vector<tree> children;
    std::map<std::uint8_t, tree> named;
    std::list<tree> listed;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value& children& named& listed;
    }
};

using namespace archive_fuzz;
constexpr trial trials[] = {
    try_as<std::vector<record>, form::exact>,
    try_as<sequences, form::exact>,
    try_as<ordered, form::exact>,
    try_as<hashed, form::unordered>,
    try_as<tree, form::exact>,
    try_as<std::pair<std::string, std::vector<std::uint64_t>>, form::exact>,
    try_as<std::vector<std::vector<std::vector<nothing>>>, form::exact>,
    try_as<std::map<std::string, std::string>, form::exact>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
