// Watching a store: each transaction once, whole, in order, after its commit, and never in the way
// of the writer.
#include "store_support.hpp"

#include "objects.hpp"
#include "store_engine.hpp"
#include "store_feed.hpp"
#include "store_sqlite.hpp"

#include <wharf/blocking_client.hpp>
#include <wharf/server.hpp>
#include <wharf/store_watch.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

using namespace store_test;
using namespace std::chrono_literals;
using wharf::errc;
namespace objects = wharf::objects;

namespace {

constexpr auto patience = 20s;

/// A database whose commits do what a test wants, before they are done.
class staged_engine final : public wharf::store_engine {
public:
    staged_engine(const wharf::store_options& options, std::function<void()> before_commit)
        : to_(wharf::open_sqlite(options)), before_commit_(std::move(before_commit))
    {}
    std::unique_ptr<wharf::store_writer> open_writer() override
    {
        return std::make_unique<writer>(to_->open_writer(), before_commit_);
    }
    std::unique_ptr<wharf::store_reader> open_reader() override { return to_->open_reader(); }
    std::vector<std::pair<std::string, std::string>> describe() const override
    {
        return to_->describe();
    }

private:
    class writer final : public wharf::store_writer {
    public:
        writer(std::unique_ptr<wharf::store_writer> to, const std::function<void()>& before)
            : to_(std::move(to)), before_(before)
        {}
        void begin() override { to_->begin(); }
        wharf::transaction& begin_one() override { return to_->begin_one(); }
        void keep_one() override { to_->keep_one(); }
        bool undo_one() override { return to_->undo_one(); }
        void commit() override
        {
            before_();
            to_->commit();
        }
        void rollback() noexcept override { to_->rollback(); }
        bool tidy() override { return to_->tidy(); }

    private:
        std::unique_ptr<wharf::store_writer> to_;
        const std::function<void()>& before_;
    };

    std::unique_ptr<wharf::store_engine> to_;
    std::function<void()> before_commit_;
};

using changes_ptr = std::shared_ptr<const objects::changes>;

/// The next transaction, or null after `time`.
changes_ptr next_of(wharf::store_watch& from, std::chrono::milliseconds time = 20000ms)
{
    return wait_for(from.async_next(std::chrono::steady_clock::now() + time));
}

std::vector<std::string> keys_of(const objects::changes& of)
{
    std::vector<std::string> keys;
    for (const objects::change& each : of.list)
        keys.push_back((each.kind == objects::change_kind::put ? "+" : "-") + each.key);
    return keys;
}

/// A server with a store, and a client of it.
class running {
public:
    explicit running(const scratch& directory,
                     const std::function<void(wharf::store_options&)>& adjust = {})
        : store_(options_of(directory, adjust)), server_(options_in(directory))
    {
        server_.serve(wharf::objects_service(store_));
        server_.before_stop([this] { store_.end_watches(); });
        server_.start();
        client_.emplace(wharf::to_string(server_.endpoints().at(0)));
    }
    wharf::blocking_client& client() { return *client_; }
    wharf::store& store() { return store_; }
    wharf::server& server() { return server_; }
    std::uint64_t put(const std::string& key, std::string_view value)
    {
        return client_->call(objects::put{key, bytes(value), 0}).revision;
    }

private:
    static wharf::store_options options_of(const scratch& directory,
                                           const std::function<void(wharf::store_options&)>& adjust)
    {
        wharf::store_options options = options_for(directory.path());
        if (adjust)
            adjust(options);
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
        return o;
    }

    wharf::store store_;
    wharf::server server_;
    std::optional<wharf::blocking_client> client_;
};

objects::watch watch_of(std::string prefix, std::optional<std::uint64_t> after = {},
                        std::uint64_t value_bytes_max = 0)
{
    return {std::move(prefix), after, value_bytes_max};
}

template <class Stream>
objects::changes item_of(Stream& from)
{
    auto item = from.next(patience);
    BOOST_REQUIRE(item);
    return *std::move(item);
}

/// The next item that has changes.
template <class Stream>
objects::changes news_of(Stream& from)
{
    for (;;)
        if (objects::changes item = item_of(from); !item.list.empty())
            return item;
}

} // namespace

BOOST_AUTO_TEST_SUITE(watch)

BOOST_AUTO_TEST_CASE(all_changes_of_a_transaction_come_together_each_object_once)
{
    const scratch directory;
    wharf::store store(options_for(directory.path()));
    put(store, "old", "x");
    wharf::store_watch from(store);
    BOOST_TEST(from.revision() == 1u);
    auto change = [](wharf::transaction& t) {
        t.put("a", bytes("1"));
        t.put("b", bytes("22"));
        t.put("a", bytes("333"));
        t.erase("old");
        t.erase("absent");
    };
    wait_for(store.async_transact(change));
    const changes_ptr got = next_of(from);
    BOOST_REQUIRE(got);
    BOOST_TEST(got->revision == 2u);
    const std::vector<std::string> expected{"+b", "+a", "-old"};
    BOOST_TEST(keys_of(*got) == expected, boost::test_tools::per_element());
    BOOST_TEST(got->list.at(1).size == 3u);
    BOOST_TEST(from.revision() == 2u);
    BOOST_TEST(!next_of(from, 0ms));
}

BOOST_AUTO_TEST_CASE(what_was_undone_or_changed_nothing_is_not_told)
{
    const scratch directory;
    wharf::store store(options_for(directory.path()));
    wharf::store_watch from(store);
    auto undone = [](wharf::transaction& t) {
        t.put("a", bytes("1"));
        throw wharf::error(errc::bad_argument, "no");
    };
    BOOST_TEST(
        (failure_of([&] { wait_for(store.async_transact(undone)); }).code == errc::bad_argument));
    auto idle = [](wharf::transaction& t) { return t.find("a").has_value(); };
    BOOST_TEST(!wait_for(store.async_transact(idle)));
    put(store, "b", "1");
    const changes_ptr got = next_of(from);
    BOOST_REQUIRE(got);
    BOOST_TEST(keys_of(*got) == std::vector<std::string>{"+b"}, boost::test_tools::per_element());
    BOOST_TEST(got->revision == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_told_before_its_commit_nor_when_that_fails)
{
    const scratch directory;
    const wharf::store_options options = options_for(directory.path());
    wharf::store* opened = nullptr;
    std::atomic<bool> fails{false};
    std::atomic<int> told_early{0};
    std::atomic<const wharf::store_watch*> watching{nullptr};
    const auto before_commit = [&] {
        // On the writer's thread: what a watch would get at this moment.
        if (const wharf::store_watch* watch = watching;
            watch != nullptr && opened->feed().revision() != watch->revision())
            ++told_early;
        if (fails)
            throw wharf::error(errc::store_full, "a full disk");
    };
    wharf::store store(std::make_unique<staged_engine>(options, before_commit), options);
    opened = &store;
    wharf::store_watch from(store); // which the store outlives
    watching = &from;
    put(store, "a", "1");
    BOOST_TEST(told_early == 0);
    BOOST_REQUIRE(next_of(from));
    fails = true;
    BOOST_TEST((failure_of([&] { put(store, "b", "1"); }).code == errc::store_full));
    BOOST_TEST(!next_of(from, 0ms));
    fails = false;
    put(store, "c", "1");
    const changes_ptr got = next_of(from);
    BOOST_REQUIRE(got);
    BOOST_TEST(keys_of(*got) == std::vector<std::string>{"+c"}, boost::test_tools::per_element());
    BOOST_TEST(told_early == 0);
}

BOOST_AUTO_TEST_CASE(from_any_revision_that_is_kept_it_goes_on_with_the_next_one)
{
    const scratch directory;
    wharf::store_options options = options_for(directory.path());
    options.watch_backlog_max = 10;
    wharf::store store(options);
    for (int i = 1; i <= 25; ++i)
        put(store, "k" + std::to_string(i), "x");
    for (std::uint64_t after = 15; after <= 25; ++after) {
        wharf::store_watch from(store, after);
        for (std::uint64_t expected = after + 1; expected <= 25; ++expected) {
            const changes_ptr got = next_of(from);
            BOOST_REQUIRE(got);
            BOOST_TEST(got->revision == expected);
        }
        BOOST_TEST(!next_of(from, 0ms));
    }
    const failure f = failure_of([&] { wharf::store_watch from(store, 14); });
    BOOST_TEST((f.code == errc::compacted));
    BOOST_TEST(says(f, "after revision 14 are kept, only those after 15"), f.text);
}

BOOST_AUTO_TEST_CASE(who_falls_too_far_behind_is_told_and_nobody_waits_for_them)
{
    const scratch directory;
    wharf::store_options options = options_for(directory.path());
    options.watch_backlog_max = 5;
    wharf::store store(options);
    wharf::store_watch slow(store);
    for (int i = 1; i <= 6; ++i)
        put(store, "k", "x"); // each returns, whatever the slow one does
    const failure f = failure_of([&] { next_of(slow); });
    BOOST_TEST((f.code == errc::compacted));
    BOOST_TEST(says(f, "after revision 0 are kept, only those after 1"), f.text);
    BOOST_TEST(slow.revision() == 0u);
}

BOOST_AUTO_TEST_CASE(a_transaction_larger_than_what_is_kept_ends_the_watches_before_it)
{
    const scratch directory;
    wharf::store_options options = options_for(directory.path());
    options.watch_backlog_max = 3;
    wharf::store store(options);
    wharf::store_watch from(store);
    auto change = [](wharf::transaction& t) {
        for (const char* key : {"a", "b", "c", "d"})
            t.put(key, {});
    };
    wait_for(store.async_transact(change));
    BOOST_TEST((failure_of([&] { next_of(from); }).code == errc::compacted));
    wharf::store_watch again(store, 1);
    put(store, "e", "x");
    BOOST_TEST(next_of(again)->revision == 2u);
}

BOOST_AUTO_TEST_CASE(watches_have_a_limit)
{
    const scratch directory;
    wharf::store_options options = options_for(directory.path());
    options.watches_max = 2;
    wharf::store store(options);
    wharf::store_watch first(store);
    {
        wharf::store_watch second(store);
        const failure f = failure_of([&] { wharf::store_watch third(store); });
        BOOST_TEST((f.code == errc::overloaded));
        BOOST_TEST(says(f, "store.watches_max"), f.text);
    }
    wharf::store_watch third(store);
}

BOOST_AUTO_TEST_CASE(a_client_gets_every_revision_once_across_its_own_interruptions)
{
    const scratch directory;
    running r(directory);
    constexpr std::uint64_t count = 300;
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= count; ++i)
            put(r.store(), (i % 3 == 0 ? "b/" : "a/") + std::to_string(i), "x");
    });
    std::uint64_t last = 0;
    std::vector<std::uint64_t> got;
    while (last < count) {
        auto changes = r.client().stream(watch_of("", last));
        for (int i = 0; i < 7 && last < count; ++i) { // then it is given up
            const objects::changes item = item_of(changes);
            BOOST_TEST(item.revision >= last);
            if (!item.list.empty())
                got.push_back(item.revision);
            last = item.revision;
        }
    }
    writer.join();
    BOOST_REQUIRE(got.size() == count);
    for (std::uint64_t i = 0; i < count; ++i)
        BOOST_TEST(got[i] == i + 1);
}

BOOST_AUTO_TEST_CASE(only_keys_of_the_prefix_come_and_the_first_item_says_where_it_begins)
{
    const scratch directory;
    running r(directory);
    r.put("a/0", "x");
    auto changes = r.client().stream(watch_of("a/"));
    const objects::changes begin = item_of(changes);
    BOOST_TEST(begin.revision == 1u);
    BOOST_TEST(begin.list.empty());
    r.put("b/1", "x");
    r.put("a/2", "xyz");
    const objects::changes got = news_of(changes);
    BOOST_TEST(got.revision == 3u);
    const objects::change expected{objects::change_kind::put, "a/2", 3, 0, {}};
    BOOST_REQUIRE(got.list.size() == 1u);
    BOOST_TEST((got.list[0] == expected));
    r.client().call(objects::erase{"a/2", {}});
    BOOST_TEST((news_of(changes).list.at(0).kind == objects::change_kind::erase));
}

BOOST_AUTO_TEST_CASE(a_list_says_after_which_revision_to_watch)
{
    const scratch directory;
    running r(directory);
    std::thread writer([&] {
        for (int i = 0; i < 100; ++i)
            put(r.store(), "k/" + std::to_string(i), "x");
    });
    const objects::page page = r.client().call(objects::list{"k/", "", 1000});
    std::set<std::string> known;
    for (const objects::entry& each : page.entries)
        known.insert(each.key);
    auto changes = r.client().stream(watch_of("k/", page.revision));
    while (known.size() < 100)
        for (const objects::change& each : item_of(changes).list)
            BOOST_TEST(known.insert(each.key).second);
    writer.join();
}

BOOST_AUTO_TEST_CASE(values_come_where_they_are_asked_for_and_small)
{
    const scratch directory;
    running r(directory);
    auto changes = r.client().stream(watch_of("", 0, 4));
    r.put("a", "1234");
    BOOST_TEST((news_of(changes).list.at(0).value == bytes("1234")));
    r.put("a", "12345");
    BOOST_TEST(!news_of(changes).list.at(0).value.has_value());
    // The value of another revision is never given as this one's.
    r.put("b", "1");
    r.put("b", "2");
    auto again = r.client().stream(watch_of("b", 2, 4));
    BOOST_TEST(!news_of(again).list.at(0).value.has_value());
    BOOST_TEST((news_of(again).list.at(0).value == bytes("2")));
    auto greedy = r.client().stream(watch_of("", {}, objects::watch_value_bytes_max + 1));
    BOOST_TEST((failure_of([&] { greedy.next(patience); }).code == errc::bad_argument));
}

BOOST_AUTO_TEST_CASE(a_watch_with_nothing_to_tell_gives_signs_of_life)
{
    const scratch directory;
    running r(directory, [](wharf::store_options& o) { o.watch_heartbeat = 10ms; });
    auto changes = r.client().stream(watch_of("a/"));
    BOOST_TEST(item_of(changes).revision == 0u);
    r.put("b/1", "x");
    // They tell of revisions that the prefix leaves out, too: a watcher goes on from there.
    while (item_of(changes).revision == 0u) {}
    const objects::changes sign = item_of(changes);
    BOOST_TEST(sign.revision == 1u);
    BOOST_TEST(sign.list.empty());
}

BOOST_AUTO_TEST_CASE(history_that_is_gone_is_an_error_that_says_where_it_begins)
{
    const scratch directory;
    {
        running r(directory);
        for (int i = 0; i < 3; ++i)
            r.put("k", "x");
    }
    running r(directory);
    auto old = r.client().stream(watch_of("", 2));
    failure f = failure_of([&] { old.next(patience); });
    BOOST_TEST((f.code == errc::compacted));
    BOOST_TEST(says(f, "after revision 2 are kept, only those after 3"), f.text);
    auto next = r.client().stream(watch_of("", 3));
    r.put("k", "x");
    BOOST_TEST(news_of(next).revision == 4u);
    // A copy that was restored is at an older revision than its watchers.
    auto newer = r.client().stream(watch_of("", 5));
    f = failure_of([&] { newer.next(patience); });
    BOOST_TEST((f.code == errc::compacted));
    BOOST_TEST(says(f, "the store is at revision 4, before 5"), f.text);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_ended_and_writers_go_on)
{
    const scratch directory;
    running r(directory, [](wharf::store_options& o) { o.watch_backlog_max = 50; });
    wharf::client_options narrow;
    narrow.conversation.stream_window_bytes = 2048;
    wharf::blocking_client slow(wharf::to_string(r.server().endpoints().at(0)), narrow);
    auto changes = slow.stream(watch_of(""));
    item_of(changes);
    const std::string key(1000, 'k');
    for (int i = 0; i < 400; ++i)
        r.put(key, "x");
    std::uint64_t last = 0;
    const failure f = failure_of([&] {
        for (;;) {
            const std::uint64_t revision = item_of(changes).revision;
            BOOST_TEST(revision == last + 1);
            last = revision;
        }
    });
    BOOST_TEST((f.code == errc::compacted));
    BOOST_TEST(says(f, "after revision " + std::to_string(last) + " are kept"), f.text);
    BOOST_TEST(last < 350u);
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_watches)
{
    const scratch directory;
    running r(directory);
    auto changes = r.client().stream(watch_of(""));
    item_of(changes);
    r.put("k", "x");
    news_of(changes);
    failure f;
    std::thread reader([&] { f = failure_of([&] { changes.next(patience); }); });
    const auto begin = std::chrono::steady_clock::now();
    r.server().stop();
    BOOST_CHECK(std::chrono::steady_clock::now() - begin < 15s); // drain_timeout is 30 s
    reader.join();
    BOOST_TEST((f.code == errc::going_away));
    BOOST_TEST(says(f, "watch again after revision 1"), f.text);
}

BOOST_AUTO_TEST_SUITE_END()
