// What a process can still do that has given up the right to run programs.
#include <wharf/daemon.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

/// The errno of running a program, or 0: in a child, as there is no way back.
template <class Prepare>
int run_program(Prepare prepare)
{
    const pid_t child = ::fork();
    if (child == 0) {
        prepare();
        std::thread([] {
            ::execl("/bin/true", "true", nullptr);
            ::_exit(errno);
        }).join();
        ::_exit(255);
    }
    int status = 0;
    BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST_REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_process_that_forbids_programs_cannot_run_one_in_any_thread)
{
    BOOST_TEST(run_program([] {}) == 0);
    BOOST_TEST(run_program([] {
                   if (!wharf::forbid_programs())
                       ::_exit(254);
               }) == EPERM);
}
