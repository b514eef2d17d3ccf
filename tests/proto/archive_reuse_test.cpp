// Loading into objects that hold something already, and into containers with allocators: the same
// values, errors and budget as a fresh load, with less memory taken.
#include "archive_support.hpp"

#include <cstdlib>
#include <memory_resource>
#include <new>
#include <random>

namespace {
thread_local std::size_t allocations = 0;
} // namespace

// Not inlined, or g++ pairs the free() with the new of its caller and warns.
[[gnu::noinline]] void* operator new(std::size_t n)
{
    ++allocations;
    if (void* p = std::malloc(n != 0 ? n : 1))
        return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept
{
    std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept
{
    std::free(p);
}

using namespace archive_support;
using wharf::errc;

namespace {

struct record {
    std::uint64_t id = 0;
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, double> values;
    bool operator==(const record&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& name& tags& values;
    }
};

/// One member of every kind of container, nested.
struct everything {
    std::string text;
    std::wstring wide;
    std::vector<record> records;
    std::vector<std::vector<std::string>> rows;
    std::vector<bool> bits;
    std::vector<int> numbers;
    std::deque<std::string> queue;
    std::list<std::vector<int>> chain;
    std::forward_list<std::string> single;
    std::set<std::string> words;
    std::set<int> counted;
    std::multiset<int> counts;
    std::map<int, std::vector<std::string>> index;
    std::map<std::string, record> by_name;
    std::map<double, int> steps;
    std::multimap<int, std::string> many;
    std::unordered_map<int, std::string> hashed;
    std::unordered_set<int> hashes;
    std::optional<std::vector<int>> maybe;
    std::optional<record> maybe_record;
    std::variant<int, std::string, std::vector<std::string>, record> any;
    std::unique_ptr<record> owned;
    bool operator==(const everything& other) const
    {
        return wharf::to_bytes(*this) == wharf::to_bytes(other);
    }
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& text& wide& records& rows& bits& numbers& queue& chain& single& words& counted& counts;
        ar& index& by_name& steps& many& hashed& hashes& maybe& maybe_record& any& owned;
    }
};

/// Random values, small ones and empty ones most often.
struct random_values {
    std::mt19937 engine;
    explicit random_values(unsigned seed) : engine(seed) {}
    std::size_t size() { return std::min<std::size_t>(engine() % 6, engine() % 6); }
    int number() { return static_cast<int>(engine() % 8); }
    std::string text()
    {
        return std::string(engine() % 4 == 0 ? 40 * size() : size() * 4, 'a') +
               std::string(size(), static_cast<char>('a' + number()));
    }
    template <class Container, class Make>
    Container many(Make make)
    {
        Container all;
        for (std::size_t n = size(); n != 0; --n)
            all.insert(all.end(), make());
        return all;
    }
    std::vector<std::string> texts()
    {
        return many<std::vector<std::string>>([&] { return text(); });
    }
    std::vector<int> numbers()
    {
        return many<std::vector<int>>([&] { return number(); });
    }
    record make_record()
    {
        return {engine(), text(), texts(), many<std::map<std::string, double>>([&] {
                    return std::pair<const std::string, double>(text(), number());
                })};
    }
    everything make()
    {
        everything e;
        e.text = text();
        e.wide = std::wstring(size() * 10, L'w');
        e.records = many<std::vector<record>>([&] { return make_record(); });
        e.rows = many<std::vector<std::vector<std::string>>>([&] { return texts(); });
        e.bits = many<std::vector<bool>>([&] { return number() % 2 == 0; });
        e.numbers = numbers();
        e.queue = many<std::deque<std::string>>([&] { return text(); });
        e.chain = many<std::list<std::vector<int>>>([&] { return numbers(); });
        for (std::string& t : texts())
            e.single.push_front(std::move(t));
        e.words = many<std::set<std::string>>([&] { return text(); });
        e.counted = many<std::set<int>>([&] { return number(); });
        e.counts = many<std::multiset<int>>([&] { return number(); });
        e.index = many<decltype(e.index)>([&] { return std::pair(number(), texts()); });
        e.by_name = many<decltype(e.by_name)>([&] { return std::pair(text(), make_record()); });
        e.steps = many<decltype(e.steps)>(
            [&] { return std::pair(number() % 2 == 0 ? -0.0 : 0.0 + number() % 3, number()); });
        e.many = many<decltype(e.many)>([&] { return std::pair(number(), text()); });
        // One element at most: the order of more is the hash table's.
        if (number() % 2 == 0)
            e.hashed = {{number(), text()}};
        if (number() % 2 == 0)
            e.hashes = {number()};
        if (number() % 2 == 0)
            e.maybe = numbers();
        if (number() % 2 == 0)
            e.maybe_record = make_record();
        switch (number() % 4) {
        case 0: e.any = number(); break;
        case 1: e.any = text(); break;
        case 2: e.any = texts(); break;
        default: e.any = make_record();
        }
        if (number() % 2 == 0)
            e.owned = std::make_unique<record>(make_record());
        return e;
    }
};

template <class T>
void load_into(T& target, std::span<const std::byte> message, const wharf::limits& limit = {})
{
    wharf::load_archive archive(message, limit);
    archive >> target;
    archive.finish();
}

std::vector<record> make_records(int n)
{
    std::vector<record> all;
    for (int i = 0; i < n; ++i) {
        record& r = all.emplace_back();
        r.id = static_cast<std::uint64_t>(i) * 7919;
        r.name = "a name that is longer than fifteen characters " + std::to_string(i);
        for (int j = 0; j < 4; ++j)
            r.tags.push_back("tag" + std::to_string(10000 + i * 4 + j));
        for (int j = 0; j < 3; ++j)
            r.values["key" + std::to_string(j)] = i * 0.5 + j;
    }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_reuse)

BOOST_AUTO_TEST_CASE(a_reused_object_is_what_a_fresh_one_would_be)
{
    random_values random(20230101);
    everything target;
    for (int i = 0; i < 2000; ++i) {
        const bytes image = wharf::to_bytes(random.make());
        load_into(target, image);
        BOOST_REQUIRE(wharf::to_bytes(target) == image);
        if (i % 7 == 0)
            target = random.make();
    }
}

BOOST_AUTO_TEST_CASE(a_load_that_fails_leaves_an_object_that_works)
{
    random_values random(7);
    everything target;
    for (int i = 0; i < 150; ++i) {
        const bytes image = wharf::to_bytes(random.make());
        bytes changed = image;
        for (std::size_t at = i % 5; at < image.size(); at += 5) {
            changed[at] ^= static_cast<std::byte>(1u << (random.engine() % 8));
            const errc fresh = refusal_of<everything>(changed);
            errc reused{};
            try {
                load_into(target, changed);
            }
            catch (const wharf::error& e) {
                reused = e.code();
            }
            BOOST_REQUIRE(fresh == reused);
            changed[at] = image[at];
            // Maps and sets are still in order, and everything can be read. (The order in hash
            // tables is their own.)
            target.hashed.clear();
            target.hashes.clear();
            const everything copy = wharf::from_bytes<everything>(wharf::to_bytes(target));
            BOOST_REQUIRE((copy == target));
        }
        load_into(target, image);
        BOOST_REQUIRE(wharf::to_bytes(target) == image);
    }
}

BOOST_AUTO_TEST_CASE(the_budget_is_the_same)
{
    random_values random(99);
    for (int i = 0; i < 100; ++i) {
        const everything value = random.make();
        const bytes image = wharf::to_bytes(value);
        const auto memory_taken = [&](everything& target) {
            wharf::load_archive archive(image);
            archive >> target;
            return archive.memory_left();
        };
        everything fresh, full = random.make(), same = wharf::from_bytes<everything>(image);
        const std::size_t left = memory_taken(fresh);
        BOOST_TEST(memory_taken(full) == left);
        BOOST_TEST(memory_taken(same) == left);
    }
}

BOOST_AUTO_TEST_CASE(the_same_shape_again_allocates_nothing)
{
    const auto value = make_records(1000);
    const bytes image = wharf::to_bytes(value);
    std::vector<record> target;
    allocations = 0;
    load_into(target, image);
    BOOST_TEST(allocations > 1000u); // The counter counts.
    auto other = value;
    for (record& r : other) {
        r.name.back() = 'x';
        for (auto& [key, number] : r.values)
            number += 1;
    }
    for (const bytes& next : {image, wharf::to_bytes(other)}) {
        allocations = 0;
        load_into(target, next);
        const std::size_t counted = allocations;
        BOOST_TEST(counted == 0u);
        BOOST_TEST((wharf::to_bytes(target) == next));
    }
}

BOOST_AUTO_TEST_CASE(memory_that_is_far_too_large_is_let_go)
{
    // Many messages, each with one large string in another place, must not add up.
    std::vector<std::string> target;
    for (std::size_t i = 0; i < 64; ++i) {
        std::vector<std::string> value(64);
        value[i] = std::string(10000, 'x');
        load_into(target, wharf::to_bytes(value));
    }
    std::size_t held = target.capacity() * sizeof(std::string);
    for (const std::string& s : target)
        held += s.capacity();
    BOOST_TEST(held < 20000u);
    load_into(target, wharf::to_bytes(std::vector<std::string>(1)));
    BOOST_TEST(target.capacity() <= 3u);

    std::vector<int> numbers(100000);
    load_into(numbers, wharf::to_bytes(std::vector<int>{1}));
    BOOST_TEST(numbers.capacity() <= 10u);
    std::vector<bool> bits(100000);
    load_into(bits, wharf::to_bytes(std::vector<bool>{true}));
    BOOST_TEST(bits.capacity() <= 512u);
    std::wstring wide(100000, L'w');
    load_into(wide, wharf::to_bytes(std::wstring(L"w")));
    BOOST_TEST(wide.capacity() <= 10u);
    std::unordered_set<int> hashes;
    hashes.reserve(100000);
    load_into(hashes, wharf::to_bytes(std::unordered_set<int>{1}));
    BOOST_TEST(hashes.bucket_count() <= 64u);
}

BOOST_AUTO_TEST_CASE(keys_keep_their_nodes_and_other_keys_replace_them)
{
    using map = std::map<std::string, int>;
    map target{{"a", 1}, {"b", 2}, {"c", 3}};
    const int* a = &target["a"];
    load_into(target, wharf::to_bytes(map{{"a", 5}, {"bb", 6}, {"c", 7}}));
    BOOST_TEST((target == map{{"a", 5}, {"bb", 6}, {"c", 7}}));
    BOOST_TEST(a == &target["a"]);
    load_into(target, wharf::to_bytes(map{{"a", 8}}));
    BOOST_TEST((target == map{{"a", 8}}));
    BOOST_TEST(a == &target["a"]);
    load_into(target, wharf::to_bytes(map{{"", 0}, {"a", 9}}));
    BOOST_TEST((target == map{{"", 0}, {"a", 9}}));
    load_into(target, wharf::to_bytes(map()));
    BOOST_TEST(target.empty());
    // Keys out of order are refused whatever the map held.
    for (map held : {map(), map{{"a", 1}, {"b", 2}}, map{{"b", 1}}, map{{"a", 1}, {"c", 1}}}) {
        wharf::load_archive archive(make_bytes({0, 2, 1, 'b', 0, 0, 0, 0, 1, 'a', 0, 0, 0, 0}));
        const bytes message = make_bytes({0, 2, 1, 'b', 0, 0, 0, 0, 1, 'a', 0, 0, 0, 0});
        wharf::load_archive load(message);
        errc code{};
        try {
            load >> held;
        }
        catch (const wharf::error& e) {
            code = e.code();
        }
        BOOST_TEST(code == errc::not_canonical);
    }
}

namespace {
/// Its serialize() leaves a member alone.
struct partial {
    int seen = 0;
    int unseen = 0;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& seen;
    }
};
} // namespace

BOOST_AUTO_TEST_CASE(members_that_do_not_travel_stay_where_boost_keeps_them)
{
    const partial stored{7, 0};
    // Elements of sequences and the value of an optional are loaded in place.
    std::vector<partial> vector{{1, 2}};
    load_into(vector, wharf::to_bytes(std::vector<partial>{stored, stored}));
    BOOST_TEST(vector[0].seen == 7);
    BOOST_TEST(vector[0].unseen == 2);
    BOOST_TEST(vector[1].unseen == 0);
    std::list<partial> list{{1, 2}};
    load_into(list, wharf::to_bytes(std::list<partial>{stored}));
    BOOST_TEST(list.front().unseen == 2);
    std::optional<partial> optional{{1, 2}};
    load_into(optional, wharf::to_bytes(std::optional<partial>{stored}));
    BOOST_TEST(optional->unseen == 2);
    // Values of maps, alternatives and pointees are new.
    std::map<int, partial> map{{5, {1, 2}}};
    load_into(map, wharf::to_bytes(std::map<int, partial>{{5, stored}}));
    BOOST_TEST(map[5].seen == 7);
    BOOST_TEST(map[5].unseen == 0);
    std::variant<partial> variant{partial{1, 2}};
    load_into(variant, wharf::to_bytes(std::variant<partial>{stored}));
    BOOST_TEST(std::get<0>(variant).unseen == 0);
}

BOOST_AUTO_TEST_CASE(strings_of_every_length_at_every_place)
{
    // Short ones are copied in blocks of 15, unless the message ends sooner.
    for (std::size_t n = 0; n < 70; ++n)
        for (std::size_t behind = 0; behind < 17; ++behind)
            for (std::size_t before : {0, 5, 15, 16, 31, 200}) {
                std::string text(n, 'x');
                if (n != 0)
                    text.front() = 'a', text.back() = 'z';
                const std::string rest(behind, 'r');
                const bytes image = wharf::to_bytes(std::pair(text, rest));
                std::pair<std::string, std::string> target{std::string(before, 'o'),
                                                           std::string(before, 'p')};
                load_into(target, image);
                BOOST_REQUIRE(target.first == text);
                BOOST_REQUIRE(target.first.c_str()[n] == '\0');
                BOOST_REQUIRE(target.second == rest);
                std::vector<std::string> all(before % 3, "old");
                load_into(all, wharf::to_bytes(std::vector<std::string>{text, rest}));
                BOOST_REQUIRE((all == std::vector<std::string>{text, rest}));
            }
}

namespace {
/// Refuses what nobody expects: everything must come from the arena.
struct no_memory final : std::pmr::memory_resource {
    void* do_allocate(std::size_t, std::size_t) override { throw std::bad_alloc(); }
    void do_deallocate(void*, std::size_t, std::size_t) override {}
    bool do_is_equal(const memory_resource& other) const noexcept override
    {
        return this == &other;
    }
};

struct arena_record {
    using allocator_type = std::pmr::polymorphic_allocator<>;
    explicit arena_record(allocator_type a = {}) : name(a), tags(a), values(a), queue(a) {}
    arena_record(const arena_record& other, allocator_type a)
        : id(other.id),
          name(other.name, a),
          tags(other.tags, a),
          values(other.values, a),
          queue(other.queue, a)
    {}
    arena_record(arena_record&& other, allocator_type a) : arena_record(other, a) {}
    arena_record(const arena_record&) = default;
    arena_record(arena_record&&) = default;
    arena_record& operator=(const arena_record&) = default;

    std::uint64_t id = 0;
    std::pmr::string name;
    std::pmr::vector<std::pmr::string> tags;
    std::pmr::map<std::pmr::string, double> values;
    std::pmr::list<std::pmr::unordered_map<std::pmr::string, std::pmr::set<std::pmr::string>>>
        queue;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& id& name& tags& values& queue;
    }
};
} // namespace

BOOST_AUTO_TEST_CASE(elements_come_from_the_container_s_own_allocator)
{
    std::vector<arena_record> value(20);
    for (arena_record& r : value) {
        r.name = "a name that is longer than fifteen characters";
        r.tags = {"short", "a tag that is longer than fifteen characters"};
        r.values = {{"k", 1}, {"a key that is longer than fifteen characters", 2}};
        r.queue.resize(2);
        r.queue.front()["a key that is longer than fifteen characters"] = {
            "a word that is longer than fifteen characters", "b"};
    }
    const bytes image = wharf::to_bytes(value);
    std::pmr::monotonic_buffer_resource arena(1 << 20);
    no_memory nothing;
    std::pmr::memory_resource* before = std::pmr::set_default_resource(&nothing);
    {
        std::pmr::vector<arena_record> target(&arena);
        for (int i = 0; i < 3; ++i) {
            allocations = 0;
            BOOST_CHECK_NO_THROW(load_into(target, image));
            BOOST_TEST((i == 0 || allocations == 0));
            for (const arena_record& r : target) {
                BOOST_TEST(r.name.get_allocator().resource() == &arena);
                BOOST_TEST(r.tags[1].get_allocator().resource() == &arena);
                BOOST_TEST(r.values.begin()->first.get_allocator().resource() == &arena);
            }
        }
        BOOST_TEST((wharf::to_bytes(target) == image));
    }
    std::pmr::set_default_resource(before);
}

BOOST_AUTO_TEST_SUITE_END()
