// Any bytes as any of these types: only wharf::error leaves, and what is accepted stores to the
// same bytes.
#include <wharf/archive.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

enum class shade : std::uint8_t { light, dark };

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

struct everything {
    bool truth = false;
    long double wide = 0;
    shade colour{};
    std::wstring text;
    std::vector<bool> bits;
    std::deque<std::int16_t> numbers;
    std::list<bool> truths;
    std::forward_list<std::string> names;
    std::set<std::pair<std::int8_t, std::string>> pairs;
    std::multimap<std::uint8_t, std::optional<std::string>> many;
    std::variant<std::monostate, int, record> choice;
    std::array<std::uint16_t, 3> three{};
    int four[4] = {};
    std::tuple<char16_t, float> both;
    std::chrono::seconds seconds{};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& truth& wide& colour& text& bits& numbers& truths& names& pairs& many& choice;
        ar& three& four& both& seconds;
    }
};

struct tree {
    std::uint8_t value = 0;
    std::vector<tree> children;
    std::optional<std::string> name;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& value& children& name;
    }
};

struct nothing {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct versioned {
    std::uint8_t a = 0, b = 0;
    std::vector<nothing> nothings;
    template <class Archive>
    void serialize(Archive& ar, unsigned version)
    {
        ar& a;
        if (version >= 1)
            ar& nothings;
        if (version >= 2)
            ar& b;
    }
};

struct hashed {
    std::unordered_map<std::string, std::uint8_t> map;
    std::unordered_set<std::uint32_t> set;
    std::unordered_multimap<std::uint8_t, std::string> many;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& map& set& many;
    }
};

struct nodes {
    std::vector<std::deque<std::string>> deques;
    std::map<std::uint16_t, std::map<std::uint16_t, nothing>> maps;
    std::multiset<std::u16string> strings;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& deques& maps& strings;
    }
};

void require(bool holds, const char* what)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

/// `keeps_bytes`: nothing in T has an order or version that a second store may change.
template <class T, bool keeps_bytes>
void try_as(std::span<const std::byte> message)
{
    T value{};
    try {
        wharf::load_archive archive(message);
        archive >> value;
        archive.finish();
    }
    catch (const wharf::error& e) {
        require(e.text().starts_with("at byte "), "an error says where");
        return;
    }
    const auto again = wharf::to_bytes(value);
    if constexpr (keeps_bytes)
        require(std::ranges::equal(again, message), "accepted bytes store to the same bytes");
    else
        (void)wharf::from_bytes<T>(again);
}

} // namespace

BOOST_CLASS_VERSION(versioned, 2)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const std::span message(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    switch (data[0] % 8) {
    case 0: try_as<std::vector<record>, true>(message); break;
    case 1: try_as<everything, true>(message); break;
    case 2: try_as<tree, true>(message); break;
    case 3: try_as<versioned, false>(message); break;
    case 4: try_as<hashed, false>(message); break;
    case 5: try_as<nodes, true>(message); break;
    case 6: try_as<std::vector<std::vector<versioned>>, false>(message); break;
    default: try_as<std::pair<std::string, std::vector<std::uint64_t>>, true>(message); break;
    }
    return 0;
}
