// Any bytes as the standard library's vocabulary: optional, variant, tuple, chrono, path.
#include "archive_fuzz.hpp"

#include <filesystem>

namespace {

struct nothing {
    template <class Archive>
    void serialize(Archive&, unsigned)
    {}
};

struct leaf {
    std::uint8_t a = 0;
    std::string b;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b;
    }
};

/// Recursion through an optional and through a variant.
struct nest {
    std::vector<nest> self;
    std::variant<std::monostate, std::vector<nest>, leaf> choice;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& self& choice;
    }
};

struct vocabulary {
    std::optional<bool> maybe_truth;
    std::optional<std::optional<std::string>> maybe_maybe;
    std::variant<std::monostate, int, leaf, std::vector<leaf>> choice;
    std::tuple<char16_t, float, std::tuple<>, leaf> both;
    std::pair<std::optional<leaf>, nothing> pair;
    std::vector<std::variant<nothing, std::monostate>> choices;
    std::vector<std::tuple<>> tuples;
    std::vector<std::monostate> states;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& maybe_truth& maybe_maybe& choice& both& pair& choices& tuples& states;
    }
};

struct times {
    std::chrono::seconds seconds{};
    std::chrono::duration<double, std::milli> part{};
    std::chrono::system_clock::time_point point{};
    std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<std::int32_t>> small{};
    std::filesystem::path path;
    std::map<std::filesystem::path, std::chrono::minutes> all;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& seconds& part& point& small& path& all;
    }
};

using namespace archive_fuzz;
constexpr trial trials[] = {
    try_as<vocabulary, form::exact>,
    try_as<times, form::exact>,
    try_as<nest, form::exact>,
    try_as<std::vector<std::optional<std::string>>, form::exact>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
