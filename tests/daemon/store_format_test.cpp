// A database that an earlier program wrote: its objects are there, also where the upgrade was
// killed.
#include "store_support.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace store_test;
using wharf::errc;
using wharf::snapshot;
using wharf::store;
using wharf::transaction;

namespace {

/// Four writes and an erase of the program that wrote format 1.
void copy_fixture(const scratch& to)
{
    std::filesystem::copy_file(WHARF_SOURCE_DIR "/tests/daemon/store_format_1/wharf.db",
                               to.file("wharf.db"));
}

void check_objects(store& in)
{
    BOOST_TEST(get(in, "a").value() == "two");
    BOOST_TEST(get(in, "empty").value() == "");
    BOOST_TEST(get(in, "large").value() == std::string(5000, 'v'));
    auto look = [](const snapshot& now) { return now.list({}); };
    const wharf::objects::page all = wait_for(in.async_read(look));
    BOOST_TEST(all.revision == 6u);
    const std::vector<wharf::objects::entry> expected{
        {"a", 6, 3, 0}, {"empty", 3, 0, 0}, {"large", 4, 5000, 0}};
    BOOST_TEST((all.entries == expected));
}

void define_and_put(store& in)
{
    auto change = [](transaction& t) {
        t.define(7, bytes("a schema"));
        t.put("typed", bytes("v"), 7);
    };
    wait_for(in.async_transact(change));
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_format)

BOOST_AUTO_TEST_CASE(objects_of_format_1_are_there_and_take_types)
{
    const scratch directory;
    copy_fixture(directory);
    for (int opened = 0; opened != 2; ++opened) {
        store s(options_for(directory.path()));
        check_objects(s);
    }
    store s(options_for(directory.path()));
    define_and_put(s);
    auto look = [](const snapshot& now) { return now.get("typed"); };
    BOOST_TEST(wait_for(s.async_read(look)).value().fingerprint == 7u);
}

// A write beyond a limit on the size of files kills the process where it stands: here at each page
// that the upgrade writes.
BOOST_AUTO_TEST_CASE(an_upgrade_that_is_killed_is_done_at_the_next_start)
{
    int killed = 0, ended = 0;
    for (rlim_t limit = 4096; limit <= 64 * 1024; limit += 2048) {
        const scratch directory;
        copy_fixture(directory);
        const pid_t child = ::fork();
        BOOST_REQUIRE(child >= 0);
        if (child == 0) {
            const rlimit bound{limit, limit}, no_core{0, 0};
            ::signal(SIGXFSZ, SIG_DFL);
            ::setrlimit(RLIMIT_CORE, &no_core);
            ::setrlimit(RLIMIT_FSIZE, &bound);
            {
                store s(options_for(directory.path()));
            }
            ::_exit(0);
        }
        int status = 0;
        BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ;
        ended += WIFEXITED(status);
        store s(options_for(directory.path()));
        check_objects(s);
        define_and_put(s);
    }
    BOOST_TEST(killed > 5);
    BOOST_TEST(ended > 0);
}

BOOST_AUTO_TEST_CASE(a_definition_is_undone_with_its_transaction)
{
    const scratch directory;
    store s(options_for(directory.path()));
    auto change = [](transaction& t) {
        t.define(7, bytes("a schema"));
        throw std::runtime_error("no");
    };
    BOOST_CHECK_THROW(wait_for(s.async_transact(change)), std::runtime_error);
    auto put = [](transaction& t) { return t.put("k", bytes("v"), 7); };
    const failure f = failure_of([&] { wait_for(s.async_transact(put)); });
    BOOST_TEST((f.code == errc::not_found));
    BOOST_TEST(says(f, "0000000000000007: define it first"));
    define_and_put(s);
    auto look = [](const snapshot& now) { return now.find_schema(7); };
    BOOST_TEST((wait_for(s.async_read(look)).value() == bytes("a schema")));
}

BOOST_AUTO_TEST_CASE(a_full_table_of_schemas_takes_what_it_has)
{
    const scratch directory;
    wharf::store_options options = options_for(directory.path());
    options.schemas_max = 2;
    store s(options);
    auto change = [](transaction& t) {
        t.define(1, bytes("x"));
        t.define(~std::uint64_t{0}, bytes("y"));
        t.define(1, bytes("x"));
    };
    wait_for(s.async_transact(change));
    auto third = [](transaction& t) { t.define(3, bytes("z")); };
    BOOST_TEST((failure_of([&] { wait_for(s.async_transact(third)); }).code == errc::store_full));
    auto put = [](transaction& t) { return t.put("k", bytes("v"), ~std::uint64_t{0}); };
    BOOST_TEST(wait_for(s.async_transact(put)) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
