// byte_buffer: bytes go in at the end and out at the front.
#include <wharf/byte_buffer.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

namespace {

std::string_view text_of(const wharf::byte_buffer& buffer)
{
    return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}

} // namespace

BOOST_AUTO_TEST_SUITE(byte_buffer)

BOOST_AUTO_TEST_CASE(an_empty_buffer_has_no_memory)
{
    wharf::byte_buffer buffer;
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == 0u);
    BOOST_TEST(buffer.view().empty());
    buffer.append("", 0);
    buffer.erase_front(0);
    BOOST_TEST(buffer.empty());
}

BOOST_AUTO_TEST_CASE(bytes_are_appended_and_taken_from_the_front)
{
    wharf::byte_buffer buffer;
    buffer.append("abc", 3);
    buffer.append("defg", 4);
    BOOST_TEST(text_of(buffer) == "abcdefg");
    buffer.erase_front(2);
    BOOST_TEST(text_of(buffer) == "cdefg");
    buffer.erase_front(5);
    BOOST_TEST(buffer.empty());
}

BOOST_AUTO_TEST_CASE(growth_keeps_the_bytes)
{
    wharf::byte_buffer buffer(4);
    for (int i = 0; i < 100000; ++i) {
        const char c = static_cast<char>('a' + i % 26);
        buffer.append(&c, 1);
    }
    BOOST_TEST(buffer.size() == 100000u);
    bool all = true;
    for (int i = 0; i < 100000; ++i)
        all &= text_of(buffer)[static_cast<std::size_t>(i)] == 'a' + i % 26;
    BOOST_TEST(all);
}

BOOST_AUTO_TEST_CASE(slack_behind_the_limit_may_be_written)
{
    wharf::byte_buffer buffer(16);
    std::byte* limit = buffer.limit();
    for (std::size_t i = 0; i < wharf::byte_buffer::slack; ++i)
        limit[i] = std::byte{1}; // AddressSanitizer watches.
    BOOST_TEST(buffer.empty());
}

BOOST_AUTO_TEST_CASE(the_end_is_set_after_writing_directly)
{
    wharf::byte_buffer buffer;
    std::byte* to = buffer.reserve_more(3);
    to[0] = to[1] = to[2] = std::byte{'x'};
    BOOST_TEST(buffer.empty());
    buffer.set_end(to + 3);
    BOOST_TEST(text_of(buffer) == "xxx");
    buffer.resize(1);
    BOOST_TEST(text_of(buffer) == "x");
    buffer.resize(2000);
    BOOST_TEST(buffer.size() == 2000u);
    BOOST_TEST(text_of(buffer).front() == 'x');
}

BOOST_AUTO_TEST_CASE(a_moved_buffer_leaves_an_empty_one)
{
    wharf::byte_buffer buffer;
    buffer.append("abc", 3);
    wharf::byte_buffer other(std::move(buffer));
    BOOST_TEST(text_of(other) == "abc");
    BOOST_TEST(buffer.capacity() == 0u);
    buffer.append("d", 1);
    other = std::move(buffer);
    BOOST_TEST(text_of(other) == "d");
}

BOOST_AUTO_TEST_CASE(shrink_gives_memory_back_only_when_empty_and_large)
{
    wharf::byte_buffer buffer;
    buffer.resize(4000);
    buffer.shrink(1000);
    BOOST_TEST(buffer.capacity() >= 4000u);
    buffer.clear();
    buffer.shrink(100000);
    BOOST_TEST(buffer.capacity() >= 4000u);
    buffer.shrink(1000);
    BOOST_TEST(buffer.capacity() == 0u);
}

// The next large buffer of the same thread has the pages of the one before; never more than
// allowed.
BOOST_AUTO_TEST_CASE(a_thread_keeps_a_bounded_amount_of_large_memory)
{
#ifndef __SANITIZE_ADDRESS__
    using wharf::byte_buffer;
    std::thread fresh([] {
        constexpr std::size_t half = byte_buffer::kept_bytes_max / 2;
        const std::byte* kept = nullptr;
        {
            // The last is freed first: then there is no room for the first of them.
            byte_buffer a(half), b(half), c(byte_buffer::kept_bytes_min);
            kept = b.data();
        }
        // What begins gets no more than twice what it asks for.
        byte_buffer c(byte_buffer::kept_bytes_min);
        BOOST_TEST(c.capacity() == byte_buffer::kept_bytes_min);
        byte_buffer b(100);
        b.append("kept", 4);
        b.reserve_more(byte_buffer::kept_bytes_min);
        BOOST_TEST(b.data() == kept); // what grows, the largest
        BOOST_TEST(b.capacity() == half);
        b.reserve_more(half + 1);
        BOOST_TEST(text_of(b) == "kept");
        byte_buffer d(byte_buffer::kept_bytes_min + 1);
        BOOST_TEST(d.capacity() == byte_buffer::kept_bytes_min + 1); // nothing is left
        byte_buffer small(100);
        BOOST_TEST(small.capacity() < byte_buffer::kept_bytes_min);
    });
    fresh.join();
#endif
}

// What is behind the end may be a message that is being written.
BOOST_AUTO_TEST_CASE(what_stands_behind_the_end_stays_in_kept_memory)
{
    {
        const wharf::byte_buffer freed(1u << 20);
    }
    wharf::byte_buffer buffer(1000);
    std::byte* to = buffer.reserve_more(1000);
    for (std::size_t i = 0; i < 1000 + wharf::byte_buffer::slack; ++i)
        to[i] = static_cast<std::byte>(i);
    to = buffer.reserve_more(wharf::byte_buffer::kept_bytes_min);
    for (std::size_t i = 0; i < 1000 + wharf::byte_buffer::slack; ++i)
        BOOST_REQUIRE((to[i] == static_cast<std::byte>(i)));
}

// What is destroyed after the thread's kept memory neither leaves anything there nor finds it.
BOOST_AUTO_TEST_CASE(buffers_may_outlive_their_thread_s_kept_memory)
{
    struct late {
        wharf::byte_buffer buffer;
        ~late()
        {
            buffer = wharf::byte_buffer(1u << 20);
            buffer.append("x", 1);
        }
    };
    std::thread ends([] {
        static thread_local late first_made; // and so destroyed last
        first_made.buffer.resize(1u << 20);
        const wharf::byte_buffer freed(1u << 20);
    });
    ends.join();
}

BOOST_AUTO_TEST_CASE(an_impossible_size_is_bad_alloc)
{
    wharf::byte_buffer buffer;
    buffer.append("a", 1);
    BOOST_CHECK_THROW(buffer.reserve_more(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    BOOST_CHECK_THROW(buffer.reserve_more(std::numeric_limits<std::size_t>::max() - 100),
                      std::bad_alloc);
    BOOST_TEST(text_of(buffer) == "a");
}

BOOST_AUTO_TEST_SUITE_END()
