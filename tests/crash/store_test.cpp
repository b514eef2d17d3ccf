// kill -9 at random moments: what the store acknowledged is there, and nothing is there by half.
#include "store_writer.hpp"

#include "daemon/store_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <map>
#include <random>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace {

using namespace crash;
using namespace store_test;

/// Acknowledged steps of each lane.
using acknowledged = std::map<int, int>;

/// Runs the writer, kills it after it acknowledged `count` steps, and returns all that it did.
acknowledged write_and_kill(const std::string& directory, int round, int count, bool early)
{
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    const std::string number = std::to_string(round);
    const char* argv[] = {WHARF_STORE_WRITER, directory.c_str(), number.c_str(),
                          early ? "--acknowledge-early" : nullptr, nullptr};
    pid_t pid = 0;
    BOOST_REQUIRE(
        ::posix_spawn(&pid, argv[0], &actions, nullptr, const_cast<char**>(argv), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    std::FILE* lines = ::fdopen(ends[0], "r");
    acknowledged all;
    int seen = 0, lane = 0, step = 0;
    // What is still in the pipe after the kill was acknowledged before it.
    while (std::fscanf(lines, "%d %d", &lane, &step) == 2) {
        all[lane] = step;
        if (++seen == count)
            ::kill(pid, SIGKILL);
    }
    std::fclose(lines);
    int status = 0;
    ::waitpid(pid, &status, 0);
    BOOST_REQUIRE_MESSAGE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                          "the writer ended by itself: " << status);
    return all;
}

/// Counts what is wrong in the store after one round.
int faults_of(wharf::store& s, int round, const acknowledged& all)
{
    int faults = 0;
    auto check = [&](const wharf::snapshot& view) {
        for (int lane = 0; lane < 8; ++lane) {
            const auto found = all.find(lane);
            const int last_acknowledged = found == all.end() ? 0 : found->second;
            step s_{round, lane, 1};
            for (;; ++s_.number) {
                const auto first = view.get(first_key(s_)), second = view.get(second_key(s_));
                if (!first && !second)
                    break;
                const auto expected = value_of(s_);
                const bool whole =
                    first && second && first->value == expected && second->value == expected;
                faults += whole ? 0 : 1;
            }
            const int last = s_.number - 1;
            faults += last < last_acknowledged ? 1 : 0;
            // One more than acknowledged may be there: its answer was on the way.
            faults += last > last_acknowledged + 1 ? 1 : 0;
            const auto mark = view.get(mark_key(s_));
            const auto expected = bytes(std::to_string(last));
            faults += last != 0 && (!mark || mark->value != expected) ? 1 : 0;
        }
    };
    wait_for(s.async_read(check));
    return faults;
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_crash)

BOOST_AUTO_TEST_CASE(everything_acknowledged_survives_kill_nine)
{
    const scratch directory;
    std::mt19937 random(20260101);
    std::vector<acknowledged> rounds;
    int steps = 0;
    for (int round = 0; round < 20; ++round) {
        const int count = std::uniform_int_distribution<int>(1, 400)(random);
        rounds.push_back(write_and_kill(directory.path(), round, count, false));
        for (const auto& [lane, last] : rounds.back())
            steps += last;
    }
    wharf::store s(options_for(directory.path()));
    for (int round = 0; round < 20; ++round)
        BOOST_TEST(faults_of(s, round, rounds[static_cast<std::size_t>(round)]) == 0);
    BOOST_TEST_MESSAGE(steps << " acknowledged transactions, 20 kills");
    BOOST_TEST(steps > 1000);
}

// The negative control: without it, nobody knows whether the checks above can see a loss.
BOOST_AUTO_TEST_CASE(a_store_that_acknowledges_before_its_commit_is_found_out)
{
    std::mt19937 random(20260102);
    int faults = 0;
    for (int round = 0; round < 10 && faults == 0; ++round) {
        const scratch directory;
        const int count = std::uniform_int_distribution<int>(1, 400)(random);
        const acknowledged all = write_and_kill(directory.path(), round, count, true);
        wharf::store s(options_for(directory.path()));
        faults = faults_of(s, round, all);
    }
    BOOST_TEST(faults > 0);
}

BOOST_AUTO_TEST_SUITE_END()
