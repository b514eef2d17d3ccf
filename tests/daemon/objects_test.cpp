// The objects service over a real server: every command, every refusal, and restarts.
#include "store_support.hpp"

#include "objects.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/objects.hpp>
#include <wharf/server.hpp>

#include <boost/test/unit_test.hpp>

using namespace store_test;
using wharf::errc;
namespace objects = wharf::objects;

namespace {

struct record {
    std::string name;
    std::map<std::string, int> counts;
    bool operator==(const record&) const = default;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(name) & BOOST_SERIALIZATION_NVP(counts);
    }
};

/// A server with a store in a directory, and a client of it.
class running {
public:
    explicit running(const scratch& directory)
        : store_(options_for(directory.path())), server_(options_in(directory))
    {
        server_.serve(
            wharf::objects_service(store_, server_.options().conversation.message_bytes_max));
        server_.start();
        client_.emplace(wharf::to_string(server_.endpoints().at(0)));
    }
    wharf::blocking_client& client() { return *client_; }
    wharf::store& store() { return store_; }

    objects::written put(const std::string& key, std::string_view value)
    {
        const objects::put command{key, bytes(value)};
        return client_->call(command);
    }

private:
    static wharf::server_options options_in(const scratch& directory)
    {
        wharf::server_options o;
        wharf::listener_options& on = o.listeners.emplace_back();
        on.name = "test";
        on.where = wharf::unix_endpoint{directory.file("s")};
        o.allow.push_back({"*", "unix", "self", "all"});
        o.roles.push_back({"all", {"*"}});
        o.threads = 1;
        o.conversation.message_bytes_max = 64u << 10;
        o.decode.message_bytes_max = 64u << 10;
        return o;
    }

    wharf::store store_;
    wharf::server server_;
    std::optional<wharf::blocking_client> client_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(objects_service)

BOOST_AUTO_TEST_CASE(a_record_comes_back_as_its_type_after_a_restart)
{
    const scratch directory;
    const record written{"n", {{"a", 1}, {"b", -2}}};
    {
        running r(directory);
        const objects::put command = objects::make_put("records/1", written);
        BOOST_TEST(r.client().call(command).revision == 1u);
    }
    running r(directory);
    const objects::object found = r.client().call(objects::get{"records/1"});
    BOOST_TEST(found.revision == 1u);
    BOOST_TEST((objects::value_as<record>(found) == written));
    BOOST_TEST((found.value == wharf::to_bytes(written)));
    BOOST_TEST((failure_of([&] { objects::value_as<int>(found); }).code != errc{}));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found)
{
    const scratch directory;
    running r(directory);
    BOOST_TEST((failure_of([&] { r.client().call(objects::get{"k"}); }).code == errc::not_found));
    BOOST_TEST((failure_of([&] {
                    r.client().call(objects::erase{"k", {}});
                }).code == errc::not_found));
    BOOST_TEST((failure_of([&] {
                    r.client().call(objects::erase{"k", 1});
                }).code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(cas_changes_the_expected_revision_only)
{
    const scratch directory;
    running r(directory);
    const objects::cas create{"k", 0, bytes("one")};
    BOOST_TEST(r.client().call(create).revision == 1u);
    failure f = failure_of([&] { r.client().call(create); });
    BOOST_TEST((f.code == errc::conflict));
    BOOST_TEST(f.text == "present revision 1, expected 0");
    BOOST_TEST(r.client().call(objects::cas{"k", 1, bytes("two")}).revision == 2u);
    f = failure_of([&] { r.client().call(objects::cas{"k", 1, bytes("three")}); });
    BOOST_TEST(f.text == "present revision 2, expected 1");
    f = failure_of([&] { r.client().call(objects::cas{"absent", 7, bytes("x")}); });
    BOOST_TEST((f.code == errc::conflict));
    BOOST_TEST(f.text == "present revision 0 (no object), expected 7");
    BOOST_TEST((r.client().call(objects::get{"k"}).value == bytes("two")));
}

BOOST_AUTO_TEST_CASE(erase_takes_the_expected_revision_only)
{
    const scratch directory;
    running r(directory);
    r.put("k", "v");
    const failure f = failure_of([&] { r.client().call(objects::erase{"k", 9}); });
    BOOST_TEST((f.code == errc::conflict));
    BOOST_TEST(f.text == "present revision 1, expected 9");
    BOOST_TEST(r.client().call(objects::erase{"k", 1}).revision == 2u);
    BOOST_TEST((failure_of([&] { r.client().call(objects::get{"k"}); }).code == errc::not_found));
    r.put("k", "v");
    BOOST_TEST(r.client().call(objects::erase{"k", {}}).revision == 4u);
}

BOOST_AUTO_TEST_CASE(a_list_goes_through_pages)
{
    const scratch directory;
    running r(directory);
    for (int i = 0; i < 25; ++i)
        r.put("p/" + std::to_string(100 + i), "abc");
    r.put("q", "");
    std::vector<std::string> keys;
    objects::list command{.prefix = "p/", .after = "", .limit = 10};
    int pages = 0;
    for (bool more = true; more; ++pages) {
        const objects::page page = r.client().call(command);
        for (const auto& entry : page.entries) {
            keys.push_back(entry.key);
            BOOST_TEST(entry.size == 3u);
        }
        BOOST_TEST(page.revision == 26u);
        more = page.more;
        command.after = keys.back();
    }
    BOOST_TEST(pages == 3);
    BOOST_TEST(keys.size() == 25u);
    BOOST_TEST(std::is_sorted(keys.begin(), keys.end()));
    BOOST_TEST(r.client().call(objects::list{}).entries.size() == 26u);
}

BOOST_AUTO_TEST_CASE(arguments_out_of_range_are_refused_with_the_reason_and_change_nothing)
{
    const scratch directory;
    running r(directory);
    const auto refused = [&](auto command, std::string_view reason) {
        const failure f = failure_of([&] { r.client().call(command); });
        BOOST_TEST((f.code == errc::bad_argument));
        BOOST_TEST(says(f, reason), f.text << " does not say " << reason);
    };
    const std::string longest(objects::key_bytes_max, 'k');
    refused(objects::put{"", {}}, "key is empty");
    refused(objects::put{longest + "k", {}}, "key has 1025 bytes, at most 1024");
    refused(objects::put{"a\nb", {}}, "key has a control character at byte 1");
    refused(objects::put{std::string("ab\0", 3), {}}, "control character at byte 2");
    refused(objects::put{"\x7f", {}}, "control character at byte 0");
    refused(objects::get{""}, "key is empty");
    refused(objects::cas{"\t", 0, {}}, "control character");
    refused(objects::erase{"", {}}, "key is empty");
    refused(objects::list{"\n", "", 1}, "prefix has a control character");
    refused(objects::list{"", longest + "k", 1}, "after has 1025 bytes");
    refused(objects::list{"", "", 0}, "limit is 0, 1 to 1000");
    refused(objects::list{"", "", 1001}, "limit is 1001, 1 to 1000");
    const std::size_t value_max = (64u << 10) - wharf::objects_service::message_overhead_bytes;
    refused(objects::put{"k", std::vector<std::byte>(value_max + 1)}, "value has ");
    refused(objects::cas{"k", 0, std::vector<std::byte>(value_max + 1)}, "value has ");
    BOOST_TEST(r.client().call(objects::list{}).entries.empty());
    // The largest of each goes in and comes back.
    const objects::put largest{longest, std::vector<std::byte>(value_max)};
    r.client().call(largest);
    BOOST_TEST((r.client().call(objects::get{longest}).value == largest.value));
}

BOOST_AUTO_TEST_CASE(the_stores_errors_reach_the_caller_and_the_session_goes_on)
{
    const scratch directory;
    running r(directory);
    r.put("k", "v");
    r.store().close();
    BOOST_TEST((failure_of([&] { r.put("k", "w"); }).code == errc::store_failed));
    BOOST_TEST(
        (failure_of([&] { r.client().call(objects::get{"k"}); }).code == errc::store_failed));
    BOOST_TEST((failure_of([&] { r.client().call(objects::get{""}); }).code == errc::bad_argument));
}

BOOST_AUTO_TEST_SUITE_END()
