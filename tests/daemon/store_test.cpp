// The store: transactions, snapshots, revisions, lists, queues, group commit.
#include "store_support.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <latch>

using namespace store_test;
using wharf::errc;
using wharf::snapshot;
using wharf::store;
using wharf::transaction;

namespace {

std::uint64_t revision_of(store& of)
{
    auto look = [](const snapshot& s) { return s.revision(); };
    return wait_for(of.async_read(look));
}

std::vector<std::string> keys_of(const wharf::objects::page& page)
{
    std::vector<std::string> keys;
    for (const auto& e : page.entries)
        keys.push_back(e.key);
    return keys;
}

wharf::objects::page list(store& of, const wharf::object_query& query)
{
    auto look = [&](const snapshot& s) { return s.list(query); };
    return wait_for(of.async_read(look));
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_suite)

BOOST_AUTO_TEST_CASE(an_object_is_there_after_the_store_was_opened_again)
{
    const scratch directory;
    const std::string binary("\0\xff\n", 3);
    {
        store s(options_for(directory.path()));
        BOOST_TEST(!get(s, "a"));
        BOOST_TEST(put(s, "a", "one") == 1u);
        BOOST_TEST(put(s, "b", binary) == 2u);
        BOOST_TEST(put(s, "empty", "") == 3u);
        BOOST_TEST(put(s, "a", "two") == 4u);
    }
    store s(options_for(directory.path()));
    BOOST_TEST(get(s, "a").value() == "two");
    BOOST_TEST(get(s, "b").value() == binary);
    BOOST_TEST(get(s, "empty").value() == "");
    BOOST_TEST(revision_of(s) == 4u);
    BOOST_TEST(put(s, "c", "three") == 5u);
}

BOOST_AUTO_TEST_CASE(revisions_go_on_after_the_newest_object_was_erased)
{
    const scratch directory;
    {
        store s(options_for(directory.path()));
        put(s, "a", "one");
        auto remove = [](transaction& t) { return t.erase("a"); };
        BOOST_TEST(wait_for(s.async_transact(remove)).value() == 2u);
        BOOST_TEST(!wait_for(s.async_transact(remove)).has_value());
        BOOST_TEST(!get(s, "a"));
    }
    store s(options_for(directory.path()));
    BOOST_TEST(revision_of(s) == 2u);
    BOOST_TEST(put(s, "a", "two") == 3u);
}

BOOST_AUTO_TEST_CASE(a_transaction_sees_its_own_changes_and_has_one_revision)
{
    const scratch directory;
    store s(options_for(directory.path()));
    const auto value = bytes("v");
    auto change = [&](transaction& t) {
        BOOST_TEST(t.put("a", value) == 1u);
        BOOST_TEST(t.put("b", value) == 1u);
        BOOST_TEST(t.get("b").value().revision == 1u);
        BOOST_TEST(t.find("a").value().size == 1u);
        BOOST_TEST(t.erase("a").value() == 1u);
        BOOST_TEST(!t.find("a"));
        BOOST_TEST(t.list({}).entries.size() == 1u);
        BOOST_TEST(t.list({}).revision == 1u);
    };
    wait_for(s.async_transact(change));
    auto read_only = [](transaction& t) { return t.revision(); };
    BOOST_TEST(wait_for(s.async_transact(read_only)) == 1u);
    BOOST_TEST(revision_of(s) == 1u);
}

BOOST_AUTO_TEST_CASE(an_exception_undoes_its_own_transaction_only)
{
    const scratch directory;
    store s(options_for(directory.path()));
    put(s, "a", "one");
    const auto value = bytes("changed");
    auto change = [&](transaction& t) {
        t.put("a", value);
        t.put("b", value);
        throw wharf::error(errc::conflict, "mine");
    };
    const failure f = failure_of([&] { wait_for(s.async_transact(change)); });
    BOOST_TEST((f.code == errc::conflict));
    BOOST_TEST(f.text == "mine");
    BOOST_TEST(get(s, "a").value() == "one");
    BOOST_TEST(!get(s, "b"));
    BOOST_TEST(put(s, "c", "x") == 2u);
    auto odd = [](transaction&) { throw 7; };
    BOOST_CHECK_THROW(wait_for(s.async_transact(odd)), int);
    BOOST_TEST(put(s, "c", "x") == 3u);
}

BOOST_AUTO_TEST_CASE(a_list_is_in_the_order_of_bytes_and_comes_in_pages)
{
    const scratch directory;
    store s(options_for(directory.path()));
    for (const char* key : {"p/c", "p/a", "p/\xff\xff", "p", "p/b", "q", "p0", "o"})
        put(s, key, "12345");
    wharf::object_query query;
    query.prefix = "p/";
    query.entries_max = 2;
    auto page = list(s, query);
    BOOST_TEST(keys_of(page) == (std::vector<std::string>{"p/a", "p/b"}),
               boost::test_tools::per_element());
    BOOST_TEST(page.more);
    BOOST_TEST(page.revision == 8u);
    BOOST_TEST(page.entries[0].revision == 2u);
    BOOST_TEST(page.entries[0].size == 5u);
    query.after = page.entries.back().key;
    page = list(s, query);
    BOOST_TEST(keys_of(page) == (std::vector<std::string>{"p/c", "p/\xff\xff"}),
               boost::test_tools::per_element());
    BOOST_TEST(!page.more);
    query.after = "p/\xff\xff";
    BOOST_TEST(list(s, query).entries.empty());
    query.after = "a"; // in front of the prefix: it changes nothing
    BOOST_TEST(list(s, query).entries.at(0).key == "p/a");
    BOOST_TEST(list(s, {}).entries.size() == 8u);
}

BOOST_AUTO_TEST_CASE(a_page_of_long_keys_is_bounded_in_bytes)
{
    const scratch directory;
    store s(options_for(directory.path()));
    for (int i = 0; i < 4; ++i)
        put(s, std::string(1000, 'k') + std::to_string(i), "");
    wharf::object_query query;
    query.key_bytes_max = 2500;
    const auto page = list(s, query);
    BOOST_TEST(page.entries.size() == 2u);
    BOOST_TEST(page.more);
    query.key_bytes_max = 1; // a reader of pages must get on
    BOOST_TEST(list(s, query).entries.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_large_value_comes_back)
{
    const scratch directory;
    store s(options_for(directory.path()));
    std::string large(8u << 20, 'x');
    large.front() = 'a';
    large.back() = 'z';
    put(s, "large", large);
    BOOST_TEST((get(s, "large").value() == large));
}

BOOST_AUTO_TEST_CASE(many_coroutines_share_commits_and_each_change_is_there)
{
    const scratch directory;
    auto options = options_for(directory.path());
    options.wal_bytes = 64u << 10; // so that the log is folded in between
    store s(options);
    constexpr int workers = 64, rounds = 25;
    std::atomic<int> wrong = 0;
    auto work = [&](int id) -> boost::asio::awaitable<void> {
        for (int i = 0; i < rounds; ++i) {
            const std::string key = std::to_string(id) + "/" + std::to_string(i);
            const auto value = bytes("value of " + key);
            auto change = [&](transaction& t) { return t.put(key, value); };
            const std::uint64_t revision = co_await s.async_transact(change);
            auto look = [&](const snapshot& view) { return view.get(key); };
            const auto found = co_await s.async_read(look);
            if (!found || found->value != value || found->revision != revision)
                ++wrong;
        }
    };
    boost::asio::io_context context;
    std::vector<std::future<void>> done;
    for (int id = 0; id < workers; ++id)
        done.push_back(boost::asio::co_spawn(context, work(id), boost::asio::use_future));
    std::thread second([&] { context.run(); });
    context.run();
    second.join();
    for (auto& f : done)
        f.get();
    BOOST_TEST(wrong == 0);
    const auto counts = s.statistics();
    BOOST_TEST(counts.transactions == std::uint64_t(workers * rounds));
    BOOST_TEST(counts.reads == std::uint64_t(workers * rounds));
    BOOST_TEST(counts.commits < counts.transactions / 2);
    BOOST_TEST(counts.checkpoints > 0u);
    BOOST_TEST(revision_of(s) == std::uint64_t(workers * rounds));
    BOOST_TEST_MESSAGE(counts.transactions << " transactions, " << counts.commits << " commits");
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_overloaded_with_a_hint_and_recovers)
{
    const scratch directory;
    auto options = options_for(directory.path());
    options.write_queue_max = 2;
    store s(options);
    std::latch entered(1), leave(1);
    boost::asio::io_context context;
    auto hold = [&](transaction&) {
        entered.count_down();
        leave.wait();
    };
    auto nothing = [](transaction&) {};
    std::vector<std::future<void>> queued;
    auto start = [&](auto& f) {
        return boost::asio::co_spawn(context, s.async_transact(f), boost::asio::use_future);
    };
    auto holding = start(hold);
    context.poll();
    entered.wait();
    for (int i = 0; i < 3; ++i)
        queued.push_back(start(nothing));
    context.poll();
    BOOST_TEST(s.statistics().waiting == 2u);
    BOOST_TEST(s.statistics().refused == 1u);
    leave.count_down();
    context.restart();
    context.run();
    holding.get();
    queued[0].get();
    queued[1].get();
    try {
        queued[2].get();
        BOOST_ERROR("the third was taken");
    }
    catch (const wharf::error& e) {
        BOOST_TEST((e.code() == errc::overloaded));
        BOOST_TEST(e.retry_after().count() > 0);
    }
    wait_for(s.async_transact(nothing));
}

BOOST_AUTO_TEST_CASE(closing_completes_what_is_queued_and_refuses_what_comes_later)
{
    const scratch directory;
    store s(options_for(directory.path()));
    const auto value = bytes("v");
    auto change = [&](transaction& t) { t.put("k" + std::to_string(t.revision()), value); };
    boost::asio::io_context context;
    std::vector<std::future<void>> queued;
    for (int i = 0; i < 50; ++i)
        queued.push_back(
            boost::asio::co_spawn(context, s.async_transact(change), boost::asio::use_future));
    context.poll();
    s.close();
    s.close();
    context.restart();
    context.run();
    for (auto& f : queued)
        f.get();
    BOOST_TEST((failure_of([&] { put(s, "late", "x"); }).code == errc::store_failed));
    BOOST_TEST((failure_of([&] { get(s, "late"); }).code == errc::store_failed));
    // The log was folded: only the database is left.
    BOOST_TEST(!std::filesystem::exists(directory.file("wharf.db-wal")));
    store again(options_for(directory.path()));
    BOOST_TEST(revision_of(again) == 50u);
}

BOOST_AUTO_TEST_CASE(an_io_context_may_go_while_transactions_are_under_way)
{
    const scratch directory;
    store s(options_for(directory.path()));
    const auto value = bytes("v");
    auto change = [&](transaction& t) { t.put("k", value); };
    {
        boost::asio::io_context context;
        boost::asio::co_spawn(context, s.async_transact(change), boost::asio::use_future);
        context.poll();
        s.close(); // as the header asks: first the store, then the context
    }
    store again(options_for(directory.path()));
    BOOST_TEST(get(again, "k").value() == "v");
}

BOOST_AUTO_TEST_SUITE_END()
