// What hostile bytes cost: counted memory for each attack, and time where the build is optimised.
#include "archive_attacks.hpp"
#include "archive_hostile_graphs.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <random>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHARF_COUNTS_MEMORY 0 // the sanitizers bring their own allocator
#else
#define WHARF_COUNTS_MEMORY 1
#endif

namespace {

thread_local std::size_t allocated_bytes = 0;
thread_local std::size_t allocations = 0;

[[maybe_unused]] void count(std::size_t n)
{
    allocated_bytes += n;
    ++allocations;
}

} // namespace

#if WHARF_COUNTS_MEMORY
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n)
{
    count(n);
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size)
{
    count(n * size);
    return __libc_calloc(n, size);
}
void* realloc(void* p, std::size_t n)
{
    count(n);
    return __libc_realloc(p, n);
}
void* memalign(std::size_t alignment, std::size_t n)
{
    count(n);
    return __libc_memalign(alignment, n);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t n)
{
    count(n);
    *to = __libc_memalign(alignment, n);
    return *to != nullptr ? 0 : 12; // ENOMEM
}
void* aligned_alloc(std::size_t alignment, std::size_t n)
{
    count(n);
    return __libc_memalign(alignment, n);
}
}
#endif

using namespace archive_attacks;
using namespace hostile;

namespace {

/// What this thread has computed: another process that takes the processor is not the archive's.
std::chrono::nanoseconds thread_time()
{
    timespec now{};
    BOOST_REQUIRE(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Of one load, whether it is refused or not.
struct cost {
    std::chrono::nanoseconds time{};
    std::size_t bytes = 0;
};

cost cost_of(const attack& a)
{
    allocated_bytes = 0;
    const auto begin = thread_time();
    try {
        a.load(a.message, a.limit);
    }
    catch (const wharf::error&) {
    }
    return {thread_time() - begin, allocated_bytes};
}

/// The median of nine.
std::chrono::nanoseconds time_of(const attack& a)
{
    std::array<std::chrono::nanoseconds, 9> times;
    for (std::chrono::nanoseconds& time : times)
        time = cost_of(a).time;
    std::nth_element(times.begin(), times.begin() + 4, times.end());
    return times[4];
}

/// The costliest so far; time is bounded only where the build is optimised.
struct worst {
    std::chrono::nanoseconds time{};
    std::string time_name;
    std::size_t bytes = 0;
    std::string bytes_name;
    void note(std::chrono::nanoseconds spent, const std::string& name)
    {
        if (spent > time) {
            time = spent;
            time_name = name;
        }
    }
    void note(std::size_t allocated, const std::string& name)
    {
        if (allocated > bytes) {
            bytes = allocated;
            bytes_name = name;
        }
    }
    void check() const
    {
        BOOST_TEST_MESSAGE("at most " << bytes << " bytes allocated: " << bytes_name << "; at most "
                                      << time / std::chrono::nanoseconds(1)
                                      << " ns: " << time_name);
        BOOST_TEST(bytes < 1u << 20, bytes_name);
#if defined(NDEBUG) && WHARF_COUNTS_MEMORY
        BOOST_TEST((time < std::chrono::microseconds(100)), time_name);
#endif
    }
};

/// Changes one to four places: a byte, a run of bytes taken out, doubled or written over.
void mutate(bytes& message, std::mt19937& random)
{
    constexpr int telling[] = {0, 1, 2, 3, 0x7f, 0x80, 0xff};
    for (auto changes = 1 + random() % 4; changes != 0 && !message.empty(); --changes) {
        const auto at = message.begin() + static_cast<std::ptrdiff_t>(random() % message.size());
        const auto run = std::min<std::ptrdiff_t>(message.end() - at,
                                                  static_cast<std::ptrdiff_t>(random() % 64));
        switch (random() % 6) {
        case 0: *at = static_cast<std::byte>(telling[random() % std::size(telling)]); break;
        case 1: *at = static_cast<std::byte>(random()); break;
        case 2: *at ^= static_cast<std::byte>(1u << random() % 8); break;
        case 3: message.erase(at, at + run); break;
        case 4: {
            const bytes doubled(at, at + run);
            message.insert(at, doubled.begin(), doubled.end());
            break;
        }
        default:
            std::copy_n(message.begin(), std::min<std::ptrdiff_t>(run, at - message.begin()), at);
            break;
        }
    }
    if (message.size() > 4096)
        message.resize(4096);
}

/// As large as 4 KiB allows.
template <class T, class Fill>
bytes largest(const Fill& fill)
{
    bytes message;
    for (int n = 1;; n += 1 + n / 4) {
        auto value = T();
        fill(value, n);
        const bytes next = wharf::to_bytes(value);
        if (next.size() > 4096)
            return message;
        message = next;
    }
}

std::vector<attack> honest_messages()
{
    std::vector<attack> all;
    const auto add = [&]<class T>(std::type_identity<T>, const char* name, const auto& fill) {
        all.push_back(make_attack<T>(name, wharf::errc{}, largest<T>(fill)));
    };
    add(std::type_identity<std::vector<record>>{}, "records", [](auto& to, int n) {
        for (int i = 0; i < n; ++i) {
            record r;
            r.name = "name" + std::to_string(i);
            r.tags = {"tag", "another tag", "a tag that is longer than sixteen"};
            r.values = {{"x", 1}, {"y", 2}, {"z", 3}};
            to.push_back(r);
        }
    });
    add(std::type_identity<std::vector<versioned>>{}, "versions",
        [](auto& to, int n) { to.resize(static_cast<std::size_t>(n)); });
    add(std::type_identity<std::vector<deep>>{}, "nested", [](auto& to, int n) {
        for (int i = 0; i < n; ++i)
            to.push_back(make_deep());
    });
    add(std::type_identity<std::map<std::string, std::optional<std::vector<std::string>>>>{},
        "maps", [](auto& to, int n) {
            for (int i = 0; i < n; ++i)
                to["key" + std::to_string(i)] = {"a", "b"};
        });
    add(std::type_identity<smart>{}, "smart pointers", [](smart& to, int n) {
        for (int i = 0; i < n; ++i) {
            to.numbers.push_back(std::make_shared<number>());
            to.nodes["node" + std::to_string(i)] = std::make_shared<node>();
        }
    });
    add(std::type_identity<polymorphic>{}, "polymorphic pointers", [](polymorphic& to, int n) {
        for (int i = 0; i < n; ++i) {
            const auto both = std::make_shared<group>();
            both->parts = {std::make_shared<circle>(), nullptr};
            both->parts.push_back(both->parts[0]);
            if (!to.shapes.empty())
                both->favourite = to.shapes[0];
            to.shapes.push_back(both);
            to.animals.push_back(std::make_unique<animal>());
        }
    });
    add(std::type_identity<with_construct_data>{}, "construct data",
        [](with_construct_data& to, int n) {
            for (int i = 0; i < n; ++i) {
                const auto part = std::make_shared<number>();
                to.all.push_back(std::make_shared<built>(part));
                to.values.emplace_back(part, to.all.back());
            }
        });
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_cost)

// Without these, the tests below could count nothing.
BOOST_AUTO_TEST_CASE(the_counter_counts)
{
    if (!WHARF_COUNTS_MEMORY)
        return;
    const auto counted_by = [](const auto& allocate) {
        allocated_bytes = 0;
        allocate();
        return allocated_bytes;
    };
    BOOST_TEST(counted_by([] {
                   const auto made = std::make_unique<std::array<char, 5000>>();
                   BOOST_REQUIRE(made != nullptr);
               }) >= 5000u);
    BOOST_TEST(counted_by([] { std::free(std::calloc(100, 50)); }) >= 5000u);
    BOOST_TEST(counted_by([] { std::free(std::realloc(std::malloc(2500), 5000)); }) >= 7500u);
    BOOST_TEST(counted_by([] { std::free(std::aligned_alloc(64, 6400)); }) >= 6400u);
    BOOST_TEST(counted_by([] {
                   ::operator delete(::operator new(5000, std::align_val_t(128)),
                                     std::align_val_t(128));
               }) >= 5000u);
    bytes honest = make_bytes({0, 0x88, 0x27}); // a string of 5000 bytes
    honest.resize(honest.size() + 5000);
    BOOST_TEST(cost_of(make_attack<std::string>("", wharf::errc{}, honest)).bytes >= 5000u);
}

BOOST_AUTO_TEST_CASE(no_attack_allocates_a_mebibyte_or_takes_100_microseconds)
{
    worst found;
    for (const attack& a : all_attacks()) {
        found.note(cost_of(a).bytes, a.name);
        found.note(time_of(a), a.name);
    }
    found.check();
}

BOOST_AUTO_TEST_CASE(no_mutation_of_an_honest_message_does_either)
{
#if WHARF_COUNTS_MEMORY
    constexpr int mutations = 100'000;
#else
    constexpr int mutations = 10'000;
#endif
    std::mt19937 random(2026);
    const std::vector<attack> honest = honest_messages();
    for (const attack& a : honest) {
        BOOST_TEST_CONTEXT(a.name)
        {
            BOOST_CHECK_NO_THROW(a.load(a.message, a.limit));
        }
    }
    worst found;
    std::chrono::nanoseconds longest{};
    std::size_t refused = 0;
    for (int i = 0; i < mutations; ++i) {
        attack a = honest[static_cast<std::size_t>(i) % honest.size()];
        mutate(a.message, random);
        const cost once = cost_of(a);
        found.note(once.bytes, a.name);
        // Once may be long because the machine was busy: nine times are not.
        if (once.time > longest) {
            const auto median = time_of(a);
            longest = std::max(longest, median);
            found.note(median, a.name);
        }
        try {
            a.load(a.message, a.limit);
        }
        catch (const wharf::error&) {
            ++refused;
        }
    }
    BOOST_TEST_MESSAGE(refused << " of " << mutations << " refused");
    BOOST_TEST(refused > mutations / 4u);
    BOOST_TEST(refused < static_cast<std::size_t>(mutations));
    found.check();
}

namespace {
/// So many keys that all fall into one bucket of the container that is loaded.
bytes flood_of(std::size_t n)
{
    std::unordered_set<std::uint64_t> sized;
    sized.reserve(n);
    bytes message = make_bytes({0});
    for (std::size_t rest = n; rest != 0; rest >>= 7)
        message.push_back(static_cast<std::byte>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
    for (std::uint64_t i = 0; i < n; ++i)
        for (int shift = 0; shift < 64; shift += 8)
            message.push_back(static_cast<std::byte>(i * sized.bucket_count() >> shift));
    return message;
}
} // namespace

BOOST_AUTO_TEST_CASE(keys_of_one_bucket_are_refused_before_they_cost_much)
{
    using wharf::errc;
    using set = std::unordered_set<std::uint64_t>;
    for (const std::size_t n : {65, 511}) {
        const attack flood =
            make_attack<set>("keys of one bucket", errc::collision_limit, flood_of(n));
        BOOST_TEST((archive_support::refusal_of<set>(flood.message) == errc::collision_limit));
        BOOST_TEST((archive_support::refusal_of<std::unordered_multiset<std::uint64_t>>(
                        flood.message) == errc::collision_limit));
        BOOST_TEST(cost_of(flood).bytes < 1u << 20);
#if defined(NDEBUG) && WHARF_COUNTS_MEMORY
        BOOST_TEST((time_of(flood) < std::chrono::microseconds(100)));
#endif
    }
    BOOST_TEST((archive_support::refusal_of<set>(flood_of(64)) == errc{}));
}

BOOST_AUTO_TEST_CASE(keys_that_nobody_chose_are_not_taken_for_a_flood)
{
    std::unordered_set<std::uint64_t> numbers;
    std::unordered_map<std::string, int> words;
    std::unordered_multimap<int, int> equal;
    for (int i = 0; i < 100'000; ++i) {
        numbers.insert(static_cast<std::uint64_t>(i) << 12);
        words.emplace("word " + std::to_string(i), i);
        equal.emplace(i % 3, i);
    }
    const auto comes_back = [](const auto& all) {
        return wharf::from_bytes<std::remove_cvref_t<decltype(all)>>(
                   wharf::to_bytes(all), {.memory_bytes_max = std::size_t{1} << 30}) == all;
    };
    BOOST_TEST(comes_back(numbers));
    BOOST_TEST(comes_back(words));
    BOOST_TEST(wharf::from_bytes<decltype(equal)>(wharf::to_bytes(equal)).size() == equal.size());
}

BOOST_AUTO_TEST_CASE(archives_themselves_do_not_allocate)
{
    if (!WHARF_COUNTS_MEMORY)
        return;
    wharf::byte_buffer out(1000);
    allocations = 0;
    int value = 0;
    for (int i = 0; i < 10; ++i) {
        wharf::store_archive store(out);
        store << i;
        store.flush();
        wharf::load_archive load(out.view());
        load >> value;
        load.finish();
        out.clear();
    }
    const std::size_t counted = allocations;
    BOOST_TEST(value == 9);
    BOOST_TEST(counted == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
