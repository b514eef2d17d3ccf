// Any bytes as numbers, strings, enums and arrays of them.
#include "archive_fuzz.hpp"

namespace {

enum class shade : std::uint8_t { light, dark };
enum class wide : std::int64_t { low = -1, high = std::int64_t{1} << 40 };
enum class truth : bool { no, yes };
#ifdef __clang__
enum plain : unsigned { red, green, blue }; // clang does not tell this range; g++ has the test
#else
enum plain { red, green, blue };
#endif

struct numbers {
    bool truth = false;
    std::int8_t i8 = 0;
    std::uint16_t u16 = 0;
    std::int32_t i32 = 0;
    std::uint64_t u64 = 0;
    long l = 0;
    unsigned long ul = 0;
    wchar_t w = 0;
    char16_t c16 = 0;
    char32_t c32 = 0;
    float f = 0;
    double d = 0;
    long double ld = 0;
    __extension__ __int128 i128 = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& truth& i8& u16& i32& u64& l& ul& w& c16& c32& f& d& ld& i128;
    }
};

struct enums {
    shade a{};
    wide b{};
    truth c{};
    plain d{};
    std::vector<shade> run;
    std::vector<plain> checked;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b& c& d& run& checked;
    }
};

struct strings {
    std::string bytes;
    std::wstring wide;
    std::u8string utf8;
    std::u16string utf16;
    std::u32string utf32;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& bytes& wide& utf8& utf16& utf32;
    }
};

struct arrays {
    int four[4] = {};
    char text[8] = {};
    bool truths[3] = {};
    std::array<std::uint16_t, 3> three{};
    std::array<std::string, 2> names;
    std::array<int, 0> none{};
    int table[2][3] = {};
    std::int16_t wrapped[2] = {};
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& four& text& truths& three& names& none& table;
        ar& boost::serialization::make_array(wrapped, 2);
    }
};

struct short_record {
    std::int32_t a = 0, b = 0;
    std::string name;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& a& b& name;
    }
};

using namespace archive_fuzz;
constexpr trial trials[] = {
    try_as<numbers, form::exact>,
    try_as<enums, form::exact>,
    try_as<strings, form::exact>,
    try_as<arrays, form::exact>,
    try_as<short_record, form::exact>,
    try_as<std::string, form::exact>,
    try_as<std::vector<long double>, form::exact>,
    try_as<std::vector<wchar_t>, form::exact>,
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    return try_one(trials, data, size);
}
