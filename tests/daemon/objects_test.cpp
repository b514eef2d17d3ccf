// The objects service over a real server: every command, every refusal, and restarts.
#include "store_support.hpp"

#include "objects.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/client.hpp>
#include <wharf/server.hpp>
#include <wharf/stored_objects.hpp>

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

/// The same bytes as a record that is empty.
struct other_record {
    std::string text;
    std::map<std::string, int> numbers;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(text) & BOOST_SERIALIZATION_NVP(numbers);
    }
};

/// objects::put as it was at version 0.
struct first_put {
    using reply = objects::written;
    static constexpr std::string_view name = "objects.put";
    std::string key;
    std::vector<std::byte> value;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ar& BOOST_SERIALIZATION_NVP(key) & BOOST_SERIALIZATION_NVP(value);
    }
};

/// A server with a store in a directory, and a client of it.
class running {
public:
    explicit running(const scratch& directory, std::uint32_t schemas_max = 100)
        : store_(options_of(directory, schemas_max)), server_(options_in(directory))
    {
        server_.serve(
            wharf::objects_service(store_, server_.options().conversation.message_bytes_max));
        server_.start();
        client_.emplace(wharf::to_string(server_.endpoints().at(0)));
    }
    wharf::blocking_client& client() { return *client_; }
    wharf::store& store() { return store_; }
    std::string endpoint() const { return wharf::to_string(server_.endpoints().at(0)); }

    objects::written put(const std::string& key, std::string_view value)
    {
        const objects::put command{key, bytes(value)};
        return client_->call(command);
    }

private:
    static wharf::store_options options_of(const scratch& directory, std::uint32_t schemas_max)
    {
        wharf::store_options options = options_for(directory.path());
        options.schemas_max = schemas_max;
        return options;
    }
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
        BOOST_TEST(objects::write<record>(r.client(), command).revision == 1u);
    }
    running r(directory);
    const objects::object found = r.client().call(objects::get{"records/1"});
    BOOST_TEST(found.revision == 1u);
    BOOST_TEST((objects::value_as<record>(found) == written));
    BOOST_TEST((found.value == wharf::to_bytes(written)));
    BOOST_TEST((failure_of([&] { objects::value_as<int>(found); }).code != errc{}));
}

BOOST_AUTO_TEST_CASE(a_store_learns_a_type_once_and_tells_it_after_a_restart)
{
    const scratch directory;
    const objects::put command = objects::make_put("r", record{"n", {}});
    {
        running r(directory);
        const failure f = failure_of([&] { r.client().call(command); });
        BOOST_TEST((f.code == errc::not_found));
        BOOST_TEST(says(f, objects::fingerprint_text(command.fingerprint) + ": define it first"));
        BOOST_TEST(
            (failure_of([&] { r.client().call(objects::get{"r"}); }).code == errc::not_found));
        const objects::cas created = objects::make_cas("r", 0, record{"n", {}});
        BOOST_TEST(objects::write<record>(r.client(), created).revision == 1u);
        // It knows the type now, and learning it again changes nothing.
        BOOST_TEST(r.client().call(command).revision == 2u);
        const objects::define again{wharf::schema_of<record>()};
        BOOST_TEST(r.client().call(again) == command.fingerprint);
    }
    running r(directory);
    BOOST_TEST(r.client().call(objects::list{}).entries.at(0).fingerprint == command.fingerprint);
    const objects::object found = r.client().call(objects::get{"r"});
    BOOST_TEST(found.fingerprint == command.fingerprint);
    const wharf::schema type = r.client().call(objects::find_schema{found.fingerprint});
    BOOST_TEST((type == wharf::schema_of<record>()));
    BOOST_TEST(
        (failure_of([&] { r.client().call(objects::find_schema{1}); }).code == errc::not_found));
    // Bytes take the place of a record, and its type with it.
    r.put("r", "bytes");
    BOOST_TEST(r.client().call(objects::get{"r"}).fingerprint == 0u);
}

BOOST_AUTO_TEST_CASE(a_record_is_read_as_its_type_only)
{
    const scratch directory;
    running r(directory);
    objects::write<record>(r.client(), objects::make_put("r", record{"n", {{"a", 1}}}));
    const auto back = objects::read<record>(r.client(), "r");
    BOOST_TEST((back.record == record{"n", {{"a", 1}}}));
    BOOST_TEST(back.revision == 1u);
    const failure f = failure_of([&] { objects::read<other_record>(r.client(), "r"); });
    BOOST_TEST((f.code == errc::bad_class));
    BOOST_TEST(says(f, "other_record"), f.text);
    BOOST_TEST(says(f, "{name: string, counts: "), f.text);
    BOOST_TEST(
        (failure_of([&] { objects::read<record>(r.client(), "x"); }).code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(an_awaiting_program_writes_and_reads_records_too)
{
    const scratch directory;
    running r(directory);
    boost::asio::io_context context;
    wharf::client client(context, r.endpoint());
    const auto work = [&]() -> boost::asio::awaitable<void> {
        const objects::put command = objects::make_put("r", record{"n", {{"a", 1}}});
        const objects::written first = co_await objects::async_write<record>(client, command);
        BOOST_TEST(first.revision == 1u);
        const auto back = co_await objects::async_read<record>(client, "r");
        BOOST_TEST((back.record == record{"n", {{"a", 1}}}));
        client.close();
    };
    auto done = boost::asio::co_spawn(context, work(), boost::asio::use_future);
    context.run();
    done.get();
}

BOOST_AUTO_TEST_CASE(what_is_no_schema_is_not_kept)
{
    const scratch directory;
    running r(directory, 2);
    const auto refused = [&](const wharf::schema& type, errc code, std::string_view reason) {
        const objects::define command{type};
        const failure f = failure_of([&] { r.client().call(command); });
        BOOST_TEST((f.code == code), f.text);
        BOOST_TEST(says(f, reason), f.text);
    };
    refused(wharf::schema::opaque("branches on its values"), errc::bad_argument,
            "type is opaque: branches on its values");
    wharf::schema_type broken;
    broken.kind = wharf::schema_kind::list;
    broken.parts = {7};
    refused(wharf::schema(std::vector{broken}), errc::bad_argument, "type is no schema");
    r.client().call(objects::define{wharf::schema_of<int>()});
    r.client().call(objects::define{wharf::schema_of<record>()});
    refused(wharf::schema_of<bool>(), errc::store_full, "as many as store.schemas_max allows");
    r.client().call(objects::define{wharf::schema_of<int>()});
}

BOOST_AUTO_TEST_CASE(a_put_of_a_version_without_types_still_stores)
{
    const scratch directory;
    running r(directory);
    const first_put command{"k", bytes("v")};
    BOOST_TEST(r.client().call(command).revision == 1u);
    BOOST_TEST((r.client().call(objects::get{"k"}).value == bytes("v")));
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
