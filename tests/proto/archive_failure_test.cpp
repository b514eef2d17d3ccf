// A load that fails, wherever it fails, leaves nothing behind: each byte cut or changed, each visit
// and each allocation refused. Objects are counted, so that this is proven without LeakSanitizer
// too.
#include "archive_failure_types.hpp"
#include "archive_support.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

/// The allocation that fails, counted down; and whether those after it fail too.
thread_local long until_failure = -1;
thread_local bool fails_for_ever = false;

} // namespace

// The library's own, with a fuse; out of line, as g++ warns where it sees new end in free().
[[gnu::noinline]] void* operator new(std::size_t size)
{
    if (until_failure >= 0 && until_failure-- == 0) {
        until_failure = fails_for_ever ? 0 : -1;
        throw std::bad_alloc();
    }
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept
{
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

using namespace archive_support;
using namespace hostile;
using wharf::errc;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int scale = 4; // sanitizers take as many times longer
#elif defined(__SANITIZE_THREAD__)
constexpr int scale = 8;
#else
constexpr int scale = 1;
#endif

enum class outcome { loaded, refused };

/// Loads into `value`; only a wharf::error may leave.
template <class T>
outcome load(T& value, std::span<const std::byte> message, errc* code = nullptr)
{
    try {
        wharf::load_archive archive(message);
        archive >> value;
        archive.finish();
        return outcome::loaded;
    }
    catch (const wharf::error& e) {
        if (code != nullptr)
            *code = e.code();
        return outcome::refused;
    }
}

struct count_of_objects {
    long before = counted::alive;
    /// Fails the test once, not a hundred thousand times.
    bool is_unchanged() const { return counted::alive == before; }
};

/// Every prefix is refused; afterwards no object is alive and none was to be seen half built.
template <class T>
void cut_everywhere(const bytes& image)
{
    std::size_t loaded = 0, left_behind = 0, half_built = 0;
    for (std::size_t n = 0; n < image.size(); ++n) {
        const count_of_objects objects;
        {
            auto value = T();
            loaded += load(value, std::span(image).first(n)) == outcome::loaded;
            half_built += !is_whole(value);
        }
        left_behind += !objects.is_unchanged();
    }
    BOOST_TEST(loaded == 0u);
    BOOST_TEST(left_behind == 0u);
    BOOST_TEST(half_built == 0u);
}

/// Every byte changed, in two ways. What still loads is whole too.
template <class T>
void change_everywhere(bytes image)
{
    std::size_t refused = 0, left_behind = 0, half_built = 0;
    for (std::byte& byte : image)
        for (const std::byte changed :
             {byte ^ std::byte{0xff}, static_cast<std::byte>(static_cast<unsigned>(byte) + 1)}) {
            const std::byte original = std::exchange(byte, changed);
            const count_of_objects objects;
            {
                auto value = T();
                refused += load(value, image) == outcome::refused;
                half_built += !is_whole(value);
            }
            left_behind += !objects.is_unchanged();
            byte = original;
        }
    BOOST_TEST(refused != 0u);
    BOOST_TEST(left_behind == 0u);
    BOOST_TEST(half_built == 0u);
}

/// As the two above, into a value that holds objects already.
template <class T>
void cut_used(const bytes& image)
{
    std::size_t left_behind = 0, half_built = 0, not_used_again = 0;
    for (std::size_t n = 0; n < image.size(); ++n) {
        const count_of_objects objects;
        {
            auto value = T();
            load(value, image);
            load(value, std::span(image).first(n));
            half_built += !is_whole(value);
            not_used_again += load(value, image) != outcome::loaded;
        }
        left_behind += !objects.is_unchanged();
    }
    BOOST_TEST(left_behind == 0u);
    BOOST_TEST(half_built == 0u);
    BOOST_TEST(not_used_again == 0u);
}

/// Refuses each allocation in turn, and then each with all that follow it.
template <class T>
void refuse_each_allocation(const bytes& image)
{
    for (const bool for_ever : {false, true}) {
        std::size_t wrong = 0, left_behind = 0, half_built = 0;
        long n = 0;
        for (bool is_done = false; !is_done; ++n) {
            const count_of_objects objects;
            {
                auto value = T();
                errc code = errc::memory_limit;
                until_failure = n;
                fails_for_ever = for_ever;
                try {
                    is_done = load(value, image, &code) == outcome::loaded;
                }
                catch (const std::bad_alloc&) {
                    // Where there is no memory for an error's text either.
                    wrong += !for_ever;
                }
                is_done = is_done && until_failure > 0;
                until_failure = -1;
                wrong += code != errc::memory_limit;
                half_built += !is_whole(value);
            }
            left_behind += !objects.is_unchanged();
        }
        BOOST_TEST(n > 1);
        BOOST_TEST(wrong == 0u);
        BOOST_TEST(left_behind == 0u);
        BOOST_TEST(half_built == 0u);
    }
}

template <class T>
void fail_everywhere(const T& value)
{
    const bytes image = wharf::to_bytes(value);
    auto back = T();
    BOOST_REQUIRE((load(back, image) == outcome::loaded));
    BOOST_TEST(is_whole(back));
    cut_everywhere<T>(image);
    change_everywhere<T>(image);
    cut_used<T>(image);
    refuse_each_allocation<T>(image);
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_failure)

// The controls: what the tests below look at can be seen.
BOOST_AUTO_TEST_CASE(an_object_left_behind_and_one_half_built_are_seen)
{
    const count_of_objects objects;
    auto one = std::make_unique<text_node>();
    BOOST_TEST(!objects.is_unchanged());
    one->left = std::make_shared<text_node>();
    failing_pool pool;
    pool.nodes.push_back(one->left);
    BOOST_TEST(!is_whole(pool));
    pool.nodes.clear();
    one.reset();
    BOOST_TEST(objects.is_unchanged());
    until_failure = 0;
    BOOST_CHECK_THROW((void)operator new(1), std::bad_alloc);
    BOOST_TEST(until_failure == -1);
}

// Row 64: M, a thousand records, cut at every byte.
BOOST_AUTO_TEST_CASE(row_64_records_cut_at_every_byte_leave_nothing)
{
    const bytes image = wharf::to_bytes(make_records(1000 / scale));
    cut_everywhere<failing_records>(image);
}

BOOST_AUTO_TEST_CASE(row_64_records_changed_at_every_byte_leave_nothing)
{
    change_everywhere<failing_records>(wharf::to_bytes(make_records(100 / scale)));
    cut_used<failing_records>(wharf::to_bytes(make_records(30 / scale)));
    refuse_each_allocation<failing_records>(wharf::to_bytes(make_records(3)));
}

// Row 64: P, a thousand polymorphic shared objects, cut and changed at every byte.
BOOST_AUTO_TEST_CASE(row_64_a_graph_cut_at_every_byte_leaves_nothing)
{
    cut_everywhere<failing_pool>(wharf::to_bytes(make_pool(1000 / scale)));
}

BOOST_AUTO_TEST_CASE(row_64_a_graph_changed_at_every_byte_leaves_nothing)
{
    change_everywhere<failing_pool>(wharf::to_bytes(make_pool(300 / scale)));
    cut_used<failing_pool>(wharf::to_bytes(make_pool(100 / scale)));
    refuse_each_allocation<failing_pool>(wharf::to_bytes(make_pool(20)));
}

// Row 64: an object is referable before it is complete, and seen by nobody where it never is.
BOOST_AUTO_TEST_CASE(row_64_a_type_that_throws_at_any_visit_leaves_nothing)
{
    const bytes image = wharf::to_bytes(make_pool(20));
    std::size_t refused = 0, left_behind = 0, half_built = 0;
    for (int n = 0; n < 2 * 20; ++n) {
        const count_of_objects objects;
        {
            failing_pool value;
            visits_until_failure = n;
            errc code{};
            load(value, image, &code);
            visits_until_failure = -1;
            refused += code == errc::refused_by_type;
            half_built += !is_whole(value);
        }
        left_behind += !objects.is_unchanged();
    }
    BOOST_TEST(refused == 40u);
    BOOST_TEST(left_behind == 0u);
    BOOST_TEST(half_built == 0u);
}

BOOST_AUTO_TEST_CASE(row_64_every_family_of_pointers_fails_without_trace)
{
    const count_of_objects objects;
    {
        fail_everywhere(make_smart());
        from_boost boosts;
        fill(boosts);
        fail_everywhere(boosts);
        fail_everywhere(make_polymorphic());
        fail_everywhere(make_with_construct_data());
        fail_everywhere(make_weak());
        fail_everywhere(make_deep());
        fail_everywhere(visits());
        with_raw raw;
        fill(raw);
        fail_everywhere(raw);
    }
    BOOST_TEST(objects.is_unchanged());
}

// The archive itself may go on: over a file, the next message is as if nothing had been.
BOOST_AUTO_TEST_CASE(a_message_that_failed_does_not_reach_into_the_next)
{
    const bytes image = wharf::to_bytes(make_pool(10));
    const count_of_objects objects;
    {
        memory_file file;
        for (std::size_t n = 0; n < image.size(); ++n) {
            file.messages.emplace_back(image.begin(),
                                       image.begin() + static_cast<std::ptrdiff_t>(n));
            file.messages.push_back(image);
        }
        wharf::load_archive archive(file);
        std::size_t wrong = 0;
        for (std::size_t n = 0; n < image.size(); ++n) {
            failing_pool value;
            try {
                archive >> value;
                ++wrong;
            }
            catch (const wharf::error&) {
            }
            archive >> value;
            archive.finish();
            wrong += value.nodes.size() != 10 || !is_whole(value);
        }
        BOOST_TEST(wrong == 0u);
    }
    BOOST_TEST(objects.is_unchanged());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_CLASS_EXPORT_IMPLEMENT(hostile::circle)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::group)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::stranger)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::number_node)
BOOST_CLASS_EXPORT_IMPLEMENT(hostile::text_node)
