// The archives over a message file: one flush is one message, and nothing is sent that failed.
#include "archive_support.hpp"
#include "archive_types.hpp"

using namespace archive_support;
using archive_types::empty;
using archive_types::member;
using wharf::errc;

BOOST_AUTO_TEST_SUITE(archive_file)

BOOST_AUTO_TEST_CASE(building_both_archives_moves_no_byte)
{
    memory_file file;
    {
        wharf::load_archive load(file);
        wharf::store_archive store(file);
    }
    BOOST_TEST(file.messages.empty());
    BOOST_TEST(file.received == 0);
}

BOOST_AUTO_TEST_CASE(each_flush_sends_one_message)
{
    memory_file file;
    wharf::store_archive store(file);
    store.flush();
    BOOST_TEST(file.messages.empty());
    store << 1 << 2;
    BOOST_TEST(file.messages.empty());
    store.flush();
    store.flush();
    store << member{3, "m"};
    store.flush();
    BOOST_TEST(file.messages.size() == 2u);
    BOOST_TEST(to_hex(file.messages[0]) == "00 01 00 00 00 02 00 00 00");
    BOOST_TEST(to_hex(file.messages[1]) == "00 03 00 00 00 01 6d");
}

// Row 35: leaving the scope in order sends, unwinding does not.
BOOST_AUTO_TEST_CASE(row_35_the_destructor_flushes_in_order_and_discards_when_unwinding)
{
    memory_file file;
    {
        wharf::store_archive store(file);
        store << 1;
    }
    BOOST_TEST(file.messages.size() == 1u);
    try {
        wharf::store_archive store(file);
        store << 2;
        throw std::runtime_error("half a reply");
    }
    catch (const std::runtime_error&) {
    }
    BOOST_TEST(file.messages.size() == 1u);
}

BOOST_AUTO_TEST_CASE(row_35_an_archive_built_while_unwinding_flushes_in_order)
{
    memory_file file;
    struct says_goodbye {
        memory_file& file;
        ~says_goodbye()
        {
            wharf::store_archive store(file);
            store << 7;
        }
    };
    try {
        const says_goodbye last{file};
        throw std::runtime_error("unwinding");
    }
    catch (const std::runtime_error&) {
    }
    BOOST_TEST(file.messages.size() == 1u);
}

BOOST_AUTO_TEST_CASE(row_35_discard_drops_what_was_stored)
{
    memory_file file;
    wharf::store_archive store(file);
    store << 1;
    store.discard();
    store.flush();
    BOOST_TEST(file.messages.empty());
    store << 2;
    store.flush();
    BOOST_TEST(to_hex(file.messages.at(0)) == "00 02 00 00 00");
}

BOOST_AUTO_TEST_CASE(a_destructor_swallows_what_the_file_throws_and_flush_does_not)
{
    memory_file file;
    file.fails = true;
    {
        wharf::store_archive store(file);
        store << 1;
        BOOST_CHECK_THROW(store.flush(), wharf::error);
        store << 2;
    }
    BOOST_TEST(file.messages.empty());
}

BOOST_AUTO_TEST_CASE(a_used_up_message_closes_itself_at_the_next_value)
{
    memory_file file;
    wharf::store_archive store(file);
    store << 1 << empty{};
    store.flush();
    store << empty{};
    store.flush();
    store << 2;
    store.flush();
    wharf::load_archive load(file);
    int one = 0, two = 0;
    empty none;
    BOOST_TEST(!load.is_buffer_empty());
    load >> one >> none >> none >> two;
    BOOST_TEST(one == 1);
    BOOST_TEST(two == 2);
    BOOST_TEST(file.received == 3);
    BOOST_TEST(load.is_buffer_empty());
    BOOST_CHECK_EXCEPTION(load >> two, wharf::error, [](const wharf::error& e) {
        return e.code() == errc::connection_closed;
    });
}

// Row 40: a value never spans messages.
BOOST_AUTO_TEST_CASE(row_40_a_short_load_inside_a_message_is_truncated)
{
    memory_file file;
    wharf::store_archive store(file);
    store << 1;
    store.flush();
    store << 2;
    store.flush();
    wharf::load_archive load(file);
    std::pair<int, int> both;
    BOOST_CHECK_EXCEPTION(load >> both, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::truncated; });
    member class_of_two;
    file.messages.push_front(make_bytes({0, 1, 0, 0, 0}));
    BOOST_CHECK_EXCEPTION(load >> class_of_two, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::truncated; });
    int two = 0;
    load >> two; // The failed messages are gone.
    BOOST_TEST(two == 2);
}

// Row 49: bytes behind the last value are an error, of this message alone.
BOOST_AUTO_TEST_CASE(row_49_trailing_bytes_are_refused_by_finish)
{
    memory_file file;
    wharf::store_archive store(file);
    store << 1 << 2;
    store.flush();
    store << 3;
    store.flush();
    wharf::load_archive load(file);
    int value = 0;
    load >> value;
    BOOST_CHECK_EXCEPTION(load.finish(), wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::trailing_data; });
    load >> value;
    BOOST_TEST(value == 3);
    load.finish();
    load.finish();
}

BOOST_AUTO_TEST_CASE(a_bad_message_does_not_reach_the_next)
{
    memory_file file;
    file.messages = {make_bytes({7}), {}, make_bytes({0, 5, 0, 0, 0})};
    wharf::load_archive load(file);
    int value = 0;
    BOOST_CHECK_EXCEPTION(load >> value, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::bad_prelude; });
    BOOST_CHECK_EXCEPTION(load >> value, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::truncated; });
    load >> value;
    BOOST_TEST(value == 5);
}

BOOST_AUTO_TEST_CASE(a_message_over_the_limit_of_its_archive_is_refused)
{
    memory_file file;
    file.messages = {make_bytes({0, 5, 0, 0, 0}), make_bytes({0, 5, 0})};
    wharf::limits limit;
    limit.message_bytes_max = 4;
    wharf::load_archive load(file, limit);
    int value = 0;
    BOOST_CHECK_EXCEPTION(load >> value, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::message_limit; });
    std::int16_t small = 0;
    load >> small;
    BOOST_TEST(small == 5);
}

BOOST_AUTO_TEST_SUITE_END()
