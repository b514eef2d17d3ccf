// What every compiler must agree on while compiling: names and numbers of members, ranges of enums.
#include <wharf/aggregate.hpp>
#include <wharf/archive/enums.hpp>

#include <any>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace {

struct none {};
struct point {
    int x;
    double y;
};
struct no_default {
    explicit no_default(int) {}
    no_default(no_default&&) = delete;
    ~no_default() {}
    std::string text;
};
struct explicit_default {
    explicit explicit_default() {}
};

struct arrays {
    int one[1];
    int three[3];
    int square[2][2];
    point nested[2];
    char text[100000];
    std::array<int, 4> wrapped;
};
struct arrays_and_no_default {
    int a;
    int three[3];
    no_default b;
    int square[2][2];
    point nested[2];
    none c;
    explicit_default d;
};
struct array_of_no_default {
    no_default two[2];
    int last;
};
struct every_kind {
    std::optional<int> maybe;
    std::any anything;
    std::function<void()> function;
    std::variant<int, std::string> either;
    std::unique_ptr<int> owned;
    std::mutex unmovable;
    std::atomic<int> counted;
    std::map<int, point> all;
    const int constant;
    every_kind* pointer;
    int point::*member;
    struct {
        int inner;
    } unnamed_type;
    void (*callback)(int);
};
struct every_kind_and_no_default {
    std::optional<int> maybe;
    std::any anything;
    std::function<void()> function;
    std::variant<int, std::string> either;
    std::unique_ptr<int> owned;
    std::mutex unmovable;
    std::initializer_list<int> list;
    std::pair<int, point> pair;
    no_default last;
};
struct defaults {
    int a = 1;
    explicit_default b{};
    no_default c{1};
    int d[2] = {1, 2};
    std::string e = "e";
};
struct names {
    int _;
    int camelCase;
    int UPPER_9;
    int é;
    int operator_;
    int value;
    int specimen;
};
struct overloaded {
    void operator&() const = delete;
};
struct with_overloaded {
    overloaded a;
    [[no_unique_address]] none b;
    [[no_unique_address]] none c;
};
template <class T, int N>
struct of_template {
    T first[N];
    of_template<T, N - 1>* second;
};
class outer {
    struct hidden {
        int secret;
    };

public:
    using type = hidden;
};
struct final_one final {
    int only;
};

template <class T, std::size_t N>
constexpr bool is_named(const std::string_view (&expected)[N])
{
    return std::equal(wharf::field_names<T>.begin(), wharf::field_names<T>.end(), expected,
                      expected + N) &&
           wharf::field_count<T> == N;
}

static_assert(wharf::field_count<none> == 0 && wharf::field_names<none>.empty());
static_assert(is_named<point>({"x", "y"}));
static_assert(is_named<arrays>({"one", "three", "square", "nested", "text", "wrapped"}));
static_assert(is_named<arrays_and_no_default>({"a", "three", "b", "square", "nested", "c", "d"}));
static_assert(is_named<array_of_no_default>({"two", "last"}));
static_assert(is_named<every_kind>({"maybe", "anything", "function", "either", "owned", "unmovable",
                                    "counted", "all", "constant", "pointer", "member",
                                    "unnamed_type", "callback"}));
static_assert(is_named<every_kind_and_no_default>({"maybe", "anything", "function", "either",
                                                   "owned", "unmovable", "list", "pair", "last"}));
static_assert(is_named<defaults>({"a", "b", "c", "d", "e"}));
static_assert(is_named<names>({"_", "camelCase", "UPPER_9", "é", "operator_", "value",
                               "specimen"}));
static_assert(is_named<with_overloaded>({"a", "b", "c"}));
static_assert(is_named<of_template<point, 3>>({"first", "second"}));
static_assert(is_named<outer::type>({"secret"}));
static_assert(is_named<final_one>({"only"}));
static_assert(*(wharf::field_names<point>[0].data() + 1) == '\0');

constexpr int sum_of(const point& p)
{
    double sum = 0;
    wharf::for_each_field(p, [&sum](std::string_view, const auto& field) { sum += field; });
    return static_cast<int>(sum);
}
static_assert(sum_of({.x = 1, .y = 2}) == 3);

static_assert(wharf::plain_struct<point> && wharf::plain_struct<none>);
static_assert(!wharf::plain_struct<const point> && !wharf::plain_struct<int[3]>);
static_assert(!wharf::plain_struct<no_default> && !wharf::plain_struct<std::string>);
static_assert(!wharf::plain_struct<std::array<int, 3>> &&
              !wharf::plain_struct<std::pair<int, int>>);

enum dense { red, green, blue };
enum sparse { one = 1, hundred = 100 };
enum negative { low = -3, high = 4 };
enum only_negative { minus_one = -1 };
enum byte_wide { two_hundred = 200 };
enum byte_wide_negative { least_byte = -128 };
enum empty {};
enum only_zero { nought };
enum int_wide { greatest = 0x7fffffff };
enum unsigned_wide { all_bits = 0xffffffff };
enum long_wide : long { fixed_long = 5'000'000'000 };
enum widest { everything = 0xffffffffffffffff };
enum widest_negative { bottom = INT64_MIN };
template <class, int>
struct scope {
    enum inner { seventeen = 17 };
};
class guarded {
    enum hidden { nine = 9 };

public:
    using type = hidden;
};

using wharf::detail::has_fixed_underlying_type;
enum class scoped { a };
enum class scoped_byte : unsigned char { a };
enum truth : bool { no, yes };
static_assert(has_fixed_underlying_type<scoped> && has_fixed_underlying_type<scoped_byte> &&
              has_fixed_underlying_type<truth> && has_fixed_underlying_type<long_wide>);
static_assert(!has_fixed_underlying_type<dense> && !has_fixed_underlying_type<empty> &&
              !has_fixed_underlying_type<guarded::type>);

template <class Enum>
constexpr bool is_range(std::int64_t least, std::uint64_t greatest)
{
    constexpr wharf::detail::enum_range range = wharf::detail::range_of_enum<Enum>;
    return range.least == least && range.greatest == greatest;
}
static_assert(is_range<dense>(0, 3));
static_assert(is_range<sparse>(0, 127));
static_assert(is_range<negative>(-8, 7));
static_assert(is_range<only_negative>(-1, 0));
static_assert(is_range<byte_wide>(0, 255));
static_assert(is_range<byte_wide_negative>(-128, 127));
static_assert(is_range<empty>(0, 0));
static_assert(is_range<only_zero>(0, 0));
static_assert(is_range<int_wide>(0, INT32_MAX));
static_assert(is_range<unsigned_wide>(0, UINT32_MAX));
static_assert(is_range<widest>(0, UINT64_MAX));
static_assert(is_range<widest_negative>(INT64_MIN, INT64_MAX));
static_assert(is_range<scope<std::pair<int, char>, 3>::inner>(0, 31));
static_assert(is_range<guarded::type>(0, 15));

constexpr wharf::detail::enum_range known{.least = -4, .greatest = 3};
static_assert(known.has(-4) && known.has(3) && !known.has(-5) && !known.has(4) && !known.has(9999));
constexpr wharf::detail::enum_range partly_known{.least = -4, .greatest = 3, .unknown_from = 256};
static_assert(!partly_known.has(255) && partly_known.has(256) && !partly_known.has(-256) &&
              partly_known.has(-257));

} // namespace
