// Attacks on counts: for each container more elements than the bytes that are left could hold, and
// elements that take no bytes.
#include "archive_attacks.hpp"

#include <filesystem>
#include <valarray>

namespace archive_attacks {
namespace {

using wharf::errc;

template <class T>
void add_counts(std::vector<attack>& all)
{
    struct count {
        const char* name;
        bytes image;
    };
    const count counts[] = {
        {"2^64 - 1", make_bytes({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0})},
        {"2^63", make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0})},
        {"2^62", make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0})},
        {"2^32", make_bytes({0, 0x80, 0x80, 0x80, 0x80, 0x10, 0})},
        {"60 million", make_bytes({0, 0x80, 0x8e, 0xce, 0x1c, 0})},
        {"4096", make_bytes({0, 0x80, 0x20, 0})},
    };
    for (const count& each : counts)
        all.push_back(make_attack<T>(__PRETTY_FUNCTION__, errc::bad_length, each.image));
}

template <class... Types>
void add_all_counts(std::vector<attack>& all)
{
    (add_counts<Types>(all), ...);
}

struct pair_of_nothing {
    std::pair<archive_types::empty, std::monostate> members;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& members;
    }
};
struct less_empty {
    bool operator()(const archive_types::empty&, const archive_types::empty&) const
    {
        return false;
    }
};

} // namespace

std::vector<attack> count_attacks()
{
    using archive_types::empty;
    using std::string;
    std::vector<attack> all;
    add_all_counts<string, std::wstring, std::u8string, std::u16string, std::u32string,
                   std::filesystem::path>(all);
    add_all_counts<std::vector<std::uint8_t>, std::vector<double>, std::vector<long double>,
                   std::vector<string>, std::vector<record>, std::vector<std::vector<int>>,
                   std::vector<std::optional<int>>, std::valarray<int>>(all);
    add_all_counts<std::deque<int>, std::list<bool>, std::forward_list<string>>(all);
    add_all_counts<std::set<int>, std::multiset<string>, std::map<int, int>,
                   std::map<string, record>, std::multimap<int, string>>(all);
    add_all_counts<std::unordered_set<int>, std::unordered_multiset<string>,
                   std::unordered_map<string, int>, std::unordered_multimap<int, int>>(all);
    add_all_counts<std::array<int, 3>, std::array<string, 0>, believer>(all);
    add_all_counts<std::vector<std::unique_ptr<int>>, std::vector<std::shared_ptr<int>>,
                   std::set<std::shared_ptr<int>>, std::map<std::shared_ptr<int>, int>>(all);
    // Elements that take no bytes.
    add_all_counts<std::vector<empty>, std::deque<empty>, std::list<empty>,
                   std::vector<std::monostate>, std::vector<std::tuple<>>,
                   std::vector<pair_of_nothing>, std::vector<std::vector<empty>>,
                   std::map<empty, empty, less_empty>, std::multiset<empty, less_empty>>(all);
    return all;
}

} // namespace archive_attacks
