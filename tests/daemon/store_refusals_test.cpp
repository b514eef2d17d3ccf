// What the store refuses: directories, files, locks, disks and commits that fail.
#include "store_support.hpp"

#include "store_engine.hpp"

#include <wharf/store_watch.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <fstream>

#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace store_test;
using wharf::errc;
using wharf::store;
using wharf::transaction;

namespace {

/// Another program's connection.
class foreign {
public:
    explicit foreign(const std::string& path) { sqlite3_open(path.c_str(), &handle_); }
    ~foreign() { sqlite3_close(handle_); }
    foreign(const foreign&) = delete;
    foreign& operator=(const foreign&) = delete;
    bool run(const char* sql)
    {
        return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
    }

private:
    sqlite3* handle_ = nullptr;
};

failure opening(const wharf::store_options& options)
{
    return failure_of([&] { store s(options); });
}

/// Overwrites bytes of a file.
void damage(const std::string& path, std::streamoff from, std::size_t count, char with)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(from);
    file << std::string(count, with);
    BOOST_REQUIRE(file.flush());
}

void fill(const std::string& directory, int objects)
{
    store s(options_for(directory));
    const auto value = bytes(std::string(3000, 'v'));
    auto change = [&](transaction& t) {
        for (int i = 0; i < objects; ++i)
            t.put("key " + std::to_string(i), value);
    };
    wait_for(s.async_transact(change));
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_refusals)

BOOST_AUTO_TEST_CASE(a_missing_directory_is_named)
{
    const scratch directory;
    const failure f = opening(options_for(directory.file("absent")));
    BOOST_TEST((f.code == errc::store_failed));
    BOOST_TEST(says(f, directory.file("absent") + " does not exist"));
    std::ofstream(directory.file("file")) << "x";
    BOOST_TEST(says(opening(options_for(directory.file("file"))), "not a directory"));
}

BOOST_AUTO_TEST_CASE(an_unwritable_directory_is_named)
{
    const scratch directory;
    const std::string path = directory.file("sealed");
    std::filesystem::create_directory(path);
    const bool mounted =
        ::geteuid() == 0 && ::mount("none", path.c_str(), "tmpfs", MS_RDONLY, nullptr) == 0;
    if (!mounted && ::geteuid() == 0) {
        BOOST_TEST_MESSAGE("skipped: root without CAP_SYS_ADMIN can write everywhere");
        return;
    }
    if (!mounted)
        ::chmod(path.c_str(), 0500);
    const failure f = opening(options_for(path));
    if (mounted)
        ::umount(path.c_str());
    BOOST_TEST((f.code == errc::access_denied));
    BOOST_TEST(says(f, path + " is not writable"));
}

BOOST_AUTO_TEST_CASE(a_second_daemon_on_the_same_directory_is_refused)
{
    const scratch directory;
    {
        store s(options_for(directory.path()));
        const failure f = opening(options_for(directory.path()));
        BOOST_TEST((f.code == errc::store_busy));
        BOOST_TEST(
            says(f, directory.path() + " is in use by process " + std::to_string(::getpid())));
        put(s, "a", "still works");
    }
    BOOST_TEST((opening(options_for(directory.path())).code == errc{}));
}

BOOST_AUTO_TEST_CASE(another_programs_database_is_refused_and_not_changed)
{
    const scratch directory;
    {
        foreign other(directory.file("wharf.db"));
        BOOST_REQUIRE(other.run("CREATE TABLE t(x)"));
    }
    failure f = opening(options_for(directory.path()));
    BOOST_TEST((f.code == errc::store_failed));
    BOOST_TEST(says(f, "belongs to another program"));
    foreign other(directory.file("wharf.db"));
    BOOST_TEST(other.run("INSERT INTO t VALUES (1)"));
    BOOST_TEST(!other.run("SELECT * FROM objects"));
    BOOST_REQUIRE(other.run("PRAGMA application_id=7"));
    f = opening(options_for(directory.path()));
    BOOST_TEST(says(f, "application_id 7"));
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused_with_what_to_do)
{
    const scratch directory;
    fill(directory.path(), 1);
    {
        foreign other(directory.file("wharf.db"));
        BOOST_REQUIRE(other.run("PRAGMA user_version=3"));
    }
    const failure f = opening(options_for(directory.path()));
    BOOST_TEST((f.code == errc::store_failed));
    BOOST_TEST(says(f, "has format 3, this program knows 1 to 2: run the wharfd that wrote it"));
}

BOOST_AUTO_TEST_CASE(a_damaged_header_refuses_to_start_and_says_what_to_do)
{
    const scratch directory;
    fill(directory.path(), 1);
    damage(directory.file("wharf.db"), 0, 16, 'x');
    const failure f = opening(options_for(directory.path()));
    BOOST_TEST((f.code == errc::store_corrupt));
    BOOST_TEST(says(f, directory.file("wharf.db")));
    BOOST_TEST(says(f, ".recover"));
    BOOST_TEST(says(f, "restore a backup"));
}

BOOST_AUTO_TEST_CASE(damaged_pages_refuse_to_start_and_say_what_to_do)
{
    const scratch directory;
    fill(directory.path(), 200);
    const auto size = std::filesystem::file_size(directory.file("wharf.db"));
    damage(directory.file("wharf.db"), static_cast<std::streamoff>(size / 2), 20000, 'x');
    const failure f = opening(options_for(directory.path()));
    BOOST_TEST((f.code == errc::store_corrupt));
    BOOST_TEST(says(f, ".recover"));
}

BOOST_AUTO_TEST_CASE(damage_found_later_fails_the_call_and_refuses_changes)
{
    const scratch directory;
    fill(directory.path(), 200);
    const auto size = std::filesystem::file_size(directory.file("wharf.db"));
    damage(directory.file("wharf.db"), 8192, static_cast<std::size_t>(size) - 8192, 'x');
    auto options = options_for(directory.path());
    options.check_bytes_max = 0; // too large to be checked
    store s(options);
    BOOST_TEST((failure_of([&] { get(s, "key 100"); }).code == errc::store_corrupt));
    BOOST_TEST((failure_of([&] { put(s, "key 100", "new"); }).code == errc::store_corrupt));
    const failure f = failure_of([&] { put(s, "zzz", "new"); });
    BOOST_TEST((f.code == errc::store_corrupt));
    BOOST_TEST(says(f, "until the daemon is restarted"));
    BOOST_TEST(
        (failure_of([&] { const wharf::store_watch watch(s); }).code == errc::store_corrupt));
    BOOST_TEST(
        (failure_of([&] { const wharf::store_watch watch(s, 0); }).code == errc::store_corrupt));
}

BOOST_AUTO_TEST_CASE(an_emptied_database_beside_its_log_is_not_taken_for_a_new_one)
{
    const scratch directory, copy;
    {
        store s(options_for(directory.path()));
        put(s, "a", "one");
        std::filesystem::copy(directory.file("wharf.db-wal"), copy.file("wharf.db-wal"));
    }
    std::ofstream(copy.file("wharf.db")).flush();
    const failure f = opening(options_for(copy.path()));
    BOOST_TEST((f.code == errc::store_corrupt));
    BOOST_TEST(std::filesystem::file_size(copy.file("wharf.db-wal")) > 0u);
}

BOOST_AUTO_TEST_CASE(a_locked_database_is_busy_after_a_bounded_wait_and_works_again)
{
    const scratch directory;
    store s(options_for(directory.path()));
    put(s, "a", "one");
    {
        foreign other(directory.file("wharf.db"));
        BOOST_REQUIRE(other.run("BEGIN IMMEDIATE"));
        const failure f = failure_of([&] { put(s, "a", "two"); });
        BOOST_TEST((f.code == errc::store_busy));
        BOOST_TEST(says(f, "another process holds the database"));
        BOOST_TEST(get(s, "a").value() == "one");
    }
    put(s, "a", "three");
    BOOST_TEST(get(s, "a").value() == "three");
}

BOOST_AUTO_TEST_CASE(a_full_database_refuses_whole_transactions_and_works_again)
{
    const scratch directory;
    auto options = options_for(directory.path());
    options.database_bytes_max = 256u << 10;
    store s(options);
    const std::string value(20000, 'v');
    int stored = 0;
    failure f;
    while (f.code == errc{} && stored < 100) {
        f = failure_of([&] { put(s, "k" + std::to_string(stored), value); });
        stored += f.code == errc{} ? 1 : 0;
    }
    BOOST_TEST((f.code == errc::store_full));
    BOOST_TEST(stored > 5);
    BOOST_TEST(!get(s, "k" + std::to_string(stored)));
    const auto content = bytes(value);
    auto two = [&](transaction& t) {
        t.put("small", bytes("x"));
        t.put("large", content);
    };
    BOOST_TEST((failure_of([&] { wait_for(s.async_transact(two)); }).code == errc::store_full));
    BOOST_TEST(!get(s, "small"));
    auto remove = [](transaction& t) { t.erase("k0"); };
    wait_for(s.async_transact(remove));
    put(s, "k0", value);
    BOOST_TEST((get(s, "k0").value() == value));
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_whole_transactions_and_works_again)
{
    const scratch directory;
    if (::mount("none", directory.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
        BOOST_TEST_MESSAGE("skipped: mounting a tmpfs takes CAP_SYS_ADMIN");
        return;
    }
    {
        store s(options_for(directory.path()));
        const std::string value(20000, 'v');
        std::string ballast(300u << 10, 'b');
        std::ofstream(directory.file("ballast")) << ballast;
        int stored = 0;
        failure f;
        while (f.code == errc{} && stored < 100) {
            f = failure_of([&] { put(s, "k" + std::to_string(stored), value); });
            stored += f.code == errc{} ? 1 : 0;
        }
        BOOST_TEST((f.code == errc::store_full));
        BOOST_TEST(says(f, "free some space"));
        BOOST_TEST(stored > 5);
        BOOST_TEST(!get(s, "k" + std::to_string(stored)));
        for (int i = 0; i < stored; ++i)
            BOOST_TEST((get(s, "k" + std::to_string(i)).value() == value));
        std::filesystem::remove(directory.file("ballast"));
        put(s, "k" + std::to_string(stored), value);
        BOOST_TEST((get(s, "k" + std::to_string(stored)).value() == value));
    }
    {
        store s(options_for(directory.path()));
        BOOST_TEST(get(s, "k0").has_value());
    }
    ::umount(directory.path().c_str());
}

// ---- An engine whose commit fails when told to ----------------------------------------------

namespace {

struct fake_state {
    std::atomic<errc> commit_fails_with{};
    std::atomic<int> commits = 0, rollbacks = 0;
};

class fake_view final : public transaction {
public:
    std::optional<wharf::objects::object> get(std::string_view) const override { return {}; }
    std::optional<wharf::objects::entry> find(std::string_view) const override { return {}; }
    wharf::objects::page list(const wharf::object_query&) const override { return {}; }
    std::uint64_t revision() const override { return revision_; }
    std::optional<std::vector<std::byte>> find_schema(std::uint64_t) const override { return {}; }
    std::uint64_t put(std::string_view, std::span<const std::byte>, std::uint64_t) override
    {
        return ++revision_;
    }
    void define(std::uint64_t, std::span<const std::byte>) override {}
    std::optional<std::uint64_t> erase(std::string_view) override { return {}; }

private:
    std::uint64_t revision_ = 0;
};

class fake_engine final : public wharf::store_engine {
public:
    explicit fake_engine(fake_state& state) : state_(state) {}
    std::unique_ptr<wharf::store_writer> open_writer() override
    {
        return std::make_unique<writer>(state_);
    }
    std::unique_ptr<wharf::store_reader> open_reader() override
    {
        return std::make_unique<reader>();
    }
    std::vector<std::pair<std::string, std::string>> describe() const override { return {}; }

private:
    struct writer final : wharf::store_writer {
        explicit writer(fake_state& s) : state(s) {}
        void begin() override {}
        transaction& begin_one() override { return view; }
        void keep_one() override {}
        bool undo_one() override { return true; }
        void commit() override
        {
            const errc code = state.commit_fails_with;
            if (code != errc{})
                throw wharf::error(code, "fake");
            ++state.commits;
        }
        void rollback() noexcept override { ++state.rollbacks; }
        bool tidy() override { return false; }
        fake_state& state;
        fake_view view;
    };
    struct reader final : wharf::store_reader {
        const wharf::snapshot& begin() override { return view; }
        void end() noexcept override {}
        fake_view view;
    };
    fake_state& state_;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_commit_that_fails_acknowledges_nobody)
{
    fake_state state;
    auto options = options_for("");
    store s(std::make_unique<fake_engine>(state), options);
    auto change = [](transaction& t) { return t.put("k", {}); };
    wait_for(s.async_transact(change));
    state.commit_fails_with = errc::store_full;
    boost::asio::io_context context;
    std::vector<std::future<std::uint64_t>> calls;
    for (int i = 0; i < 20; ++i)
        calls.push_back(
            boost::asio::co_spawn(context, s.async_transact(change), boost::asio::use_future));
    context.run();
    for (auto& call : calls)
        BOOST_TEST((failure_of([&] { call.get(); }).code == errc::store_full));
    BOOST_TEST(state.commits == 1);
    BOOST_TEST(state.rollbacks > 0);
    state.commit_fails_with = errc{};
    wait_for(s.async_transact(change));
    BOOST_TEST(s.statistics().transactions == 2u);
    BOOST_TEST(s.statistics().failed == 20u);
}

BOOST_AUTO_TEST_CASE(after_a_commit_failed_on_the_disk_no_change_is_accepted)
{
    fake_state state;
    store s(std::make_unique<fake_engine>(state), options_for(""));
    auto change = [](transaction& t) { return t.put("k", {}); };
    state.commit_fails_with = errc::store_failed;
    BOOST_TEST(
        (failure_of([&] { wait_for(s.async_transact(change)); }).code == errc::store_failed));
    state.commit_fails_with = errc{};
    const failure f = failure_of([&] { wait_for(s.async_transact(change)); });
    BOOST_TEST((f.code == errc::store_failed));
    BOOST_TEST(says(f, "until the daemon is restarted"));
    BOOST_TEST(state.commits == 0);
    BOOST_TEST(s.describe().back().second == "refuses changes until a restart");
}

BOOST_AUTO_TEST_SUITE_END()
