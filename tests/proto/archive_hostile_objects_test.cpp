// Hostile messages of objects behind pointers: what does not fit the list of short attacks.
#include "archive_attacks.hpp"
#include "archive_hostile_graphs.hpp"

#include <fstream>

using namespace archive_attacks;
using namespace archive_support;
using namespace hostile;
using wharf::errc;

namespace {

void put_varint(bytes& to, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        to.push_back(static_cast<std::byte>(value | 0x80));
    to.push_back(static_cast<std::byte>(value));
}

/// A vector of nodes, each the owner of the one before it.
bytes chain_by_references(std::uint64_t n)
{
    bytes all = make_bytes({0});
    put_varint(all, n);
    for (std::uint64_t i = 0; i < n; ++i) {
        all.insert(all.end(), {std::byte{1}, std::byte{0}});
        put_varint(all, i == 0 ? 0 : i + 1);
        all.push_back(std::byte{0});
    }
    return all;
}

std::size_t resident_bytes()
{
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * 4096;
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_hostile_objects)

BOOST_AUTO_TEST_CASE(no_attack_leaves_an_object_behind)
{
    for (const auto list : {pointer_attacks, class_attacks})
        for (const attack& each : list())
            BOOST_TEST_CONTEXT(each.name)
            {
                const long before = counted::alive;
                BOOST_CHECK_THROW(each.load(each.message, each.limit), wharf::error);
                BOOST_TEST(counted::alive == before);
            }
}

// Row 62: numbers of objects are bounded, and name only what the message has.
BOOST_AUTO_TEST_CASE(row_62_one_object_more_than_the_limit_is_refused)
{
    using objects = std::vector<std::unique_ptr<std::uint8_t>>;
    wharf::limits limit;
    limit.memory_bytes_max = std::size_t{1} << 30;
    limit.memory_factor = 1024;
    bytes message = make_bytes({0});
    put_varint(message, limit.objects_max);
    for (std::uint32_t i = 0; i < limit.objects_max; ++i)
        message.insert(message.end(), {std::byte{1}, std::byte{7}});
    BOOST_TEST(refusal_of<objects>(message, limit) == errc{});
    message = make_bytes({0});
    put_varint(message, limit.objects_max + 1);
    for (std::uint32_t i = 0; i <= limit.objects_max; ++i)
        message.insert(message.end(), {std::byte{1}, std::byte{7}});
    BOOST_TEST(refusal_of<objects>(message, limit) == errc::object_limit);
    // By default their memory runs out first.
    BOOST_TEST(refusal_of<objects>(message) == errc::memory_limit);
}

BOOST_AUTO_TEST_CASE(row_62_a_dangling_number_is_refused)
{
    using two = std::vector<std::shared_ptr<std::uint8_t>>;
    BOOST_TEST(refusal_of<two>({0, 2, 1, 7, 2}) == errc{});
    for (int tag = 3; tag < 0x80; ++tag)
        BOOST_TEST(refusal_of<two>({0, 2, 1, 7, tag}) == errc::bad_reference);
    // Null takes no number.
    BOOST_TEST(refusal_of<two>({0, 3, 0, 1, 7, 2}) == errc{});
    BOOST_TEST(refusal_of<two>({0, 3, 0, 1, 7, 3}) == errc::bad_reference);
    // Numbers end with the message.
    bytes image = wharf::to_bytes(two{std::make_shared<std::uint8_t>(std::uint8_t{7})});
    memory_file file;
    file.messages = {image, make_bytes({0, 1, 2})};
    wharf::load_archive archive(file);
    two value;
    archive >> value;
    archive.finish();
    BOOST_CHECK_EXCEPTION(archive >> value, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::bad_reference; });
}

// Row 63: an object is what its first pointer said, whatever a reference to it is used as.
BOOST_AUTO_TEST_CASE(row_63_a_crafted_number_of_another_class_is_refused)
{
    // The number's bytes would be the string's pointer: 0x4141414141414141.
    using confused = std::pair<std::shared_ptr<number>, std::shared_ptr<text>>;
    BOOST_TEST(refusal_of<confused>({0, 1, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 2}) ==
               errc::bad_class);
    using related = std::pair<std::shared_ptr<shape>, std::shared_ptr<circle>>;
    const bytes honest = message_of(1, key_of("circle"), 7, 8, 2);
    BOOST_TEST(refusal_of<related>(honest) == errc{});
    const bytes crafted = message_of(1, key_of("group"), 7, 0, 0, 2);
    BOOST_TEST(refusal_of<related>(crafted) == errc::bad_class);
}

BOOST_AUTO_TEST_CASE(row_63_a_weak_pointer_may_close_a_cycle)
{
    const long before = counted::alive;
    {
        const auto self = wharf::from_bytes<std::shared_ptr<node>>(make_bytes({0, 1, 7, 0, 2}));
        BOOST_TEST(self->back.lock() == self);
        // Of an object that nothing else owns, nothing is left.
        const auto gone = wharf::from_bytes<std::weak_ptr<node>>(make_bytes({0, 1, 7, 0, 2}));
        BOOST_TEST(gone.expired());
    }
    BOOST_TEST(counted::alive == before);
}

// Its destruction would recurse half a million times.
BOOST_AUTO_TEST_CASE(a_chain_of_owners_made_by_references_is_refused)
{
    using nodes = std::vector<std::shared_ptr<node>>;
    BOOST_TEST(refusal_of<nodes>(chain_by_references(500'000)) == errc::chain_limit);
    BOOST_TEST(refusal_of<nodes>(chain_by_references(4097)) == errc::chain_limit);
    const auto longest = wharf::from_bytes<nodes>(chain_by_references(4096));
    BOOST_TEST(longest.size() == 4096u);
    wharf::limits limit;
    limit.chain_max = 10;
    BOOST_TEST(refusal_of<nodes>(chain_by_references(10), limit) == errc{});
    BOOST_TEST(refusal_of<nodes>(chain_by_references(11), limit) == errc::chain_limit);
}

BOOST_AUTO_TEST_CASE(pointers_nested_ten_thousand_deep_are_refused)
{
    BOOST_TEST(refusal_of<std::unique_ptr<deep>>(repeat({0}, {1}, 10'000)) == errc::depth_limit);
    BOOST_TEST(refusal_of<std::shared_ptr<node>>(repeat({0}, {1, 0}, 200'000)) ==
               errc::depth_limit);
}

// Row 51: what may be sized beforehand in another library is a limit here.
BOOST_AUTO_TEST_CASE(row_51_the_limits_of_objects_are_the_callers)
{
    const bytes image = wharf::to_bytes(make_smart());
    wharf::limits limit;
    BOOST_TEST(refusal_of<smart>(image, limit) == errc{});
    limit.objects_max = 3;
    BOOST_TEST(refusal_of<smart>(image, limit) == errc::object_limit);
    limit = {};
    limit.depth_max = 1;
    BOOST_TEST(refusal_of<smart>(image, limit) == errc::depth_limit);
    limit = {};
    limit.memory_base_bytes = 0;
    limit.memory_factor = 1;
    BOOST_TEST(refusal_of<smart>(image, limit) == errc::memory_limit);
    limit = {};
    limit.chain_max = 1;
    BOOST_TEST(refusal_of<smart>(image, limit) == errc::chain_limit);
}

// Row 67: objects that stand at the same address one after the other are not taken for one another.
BOOST_AUTO_TEST_CASE(row_67_a_million_objects_at_one_address_stay_apart)
{
    memory_file file;
    wharf::store_archive out(file);
    wharf::load_archive in(file);
    std::uint32_t wrong = 0;
    [[maybe_unused]] std::size_t resident_before = 0;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        std::pair<tracked, std::shared_ptr<number>> sent;
        sent.first.value = static_cast<std::uint8_t>(i);
        number on_stack;
        on_stack.value = i;
        sent.second = std::shared_ptr<number>(&on_stack, [](number*) {});
        out << sent;
        out.flush();
        std::pair<tracked, std::shared_ptr<number>> received;
        in >> received;
        wrong += received.first.value != static_cast<std::uint8_t>(i) || !received.second ||
                 received.second->value != i;
        if (i == 10'000)
            resident_before = resident_bytes();
    }
    BOOST_TEST(wrong == 0u);
#ifndef __SANITIZE_ADDRESS__ // which keeps freed memory for a while
    BOOST_TEST(resident_bytes() <= resident_before + (1u << 20));
#endif
}

// By its identifier alone, one type's helper would be taken for another's.
BOOST_AUTO_TEST_CASE(a_helper_is_found_by_its_type_too)
{
    const bytes image = wharf::to_bytes(1);
    wharf::load_archive archive(image);
    int id = 0;
    archive.get_helper<std::uint8_t>(&id) = 1;
    archive.get_helper<std::string>(&id) = "a helper that is longer than sixteen";
    BOOST_TEST(archive.get_helper<std::uint8_t>(&id) == 1);
    BOOST_TEST(archive.get_helper<std::string>(&id).size() == 36u);
    BOOST_TEST(archive.get_helper<std::string>().empty());
}

BOOST_AUTO_TEST_SUITE_END()
