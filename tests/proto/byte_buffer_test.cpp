// byte_buffer: bytes go in at the end and out at the front.
#include <wharf/byte_buffer.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>
#include <new>
#include <string_view>
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
