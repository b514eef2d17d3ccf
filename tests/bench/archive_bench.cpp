// Times every row of the archive's benchmark in turn, again and again, and prints a JSON line each.
#include "archive_bench.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <malloc.h>
#include <sched.h>
#include <time.h>

namespace {

using namespace bench::archive;

/// The CPU time of this thread: other programs that take the CPU away do not count.
double cpu_ns()
{
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double ns_of(row& r, std::uint64_t n)
{
    const double begun = cpu_ns();
    r.run(n);
    return (cpu_ns() - begun) / static_cast<double>(n);
}

/// How many repetitions take about `ns`.
std::uint64_t repetitions(row& r, double ns)
{
    std::uint64_t n = 1;
    double each = ns_of(r, n);
    while (each * static_cast<double>(n) < ns / 8 && n < std::uint64_t{1} << 32)
        each = ns_of(r, n *= 4);
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(ns / each));
}

struct measured {
    row* what;
    std::uint64_t slice = 0;
    std::vector<double> ns{}; ///< one for each slice
};

/// One slice of every row, then the next: what disturbs the machine disturbs all of them. The order
/// turns by one each time, so that none always follows the same other one.
void measure(std::vector<measured>& all, int slices)
{
    for (int slice = 0; slice < slices; ++slice) {
        for (measured& m : all) {
            m.what->run(m.slice / 8 + 1); // The caches are the last row's.
            m.ns.push_back(ns_of(*m.what, m.slice));
        }
        std::rotate(all.begin(), all.begin() + 1, all.end());
    }
}

void print(const measured& m)
{
    std::printf(R"({"workload": "%s", "system": "%s", "action": "%s", "bytes": %zu, "ns": [)",
                m.what->workload.c_str(), m.what->system.c_str(), m.what->action.c_str(),
                m.what->bytes);
    for (std::size_t i = 0; i < m.ns.size(); ++i)
        std::printf("%s%.2f", i != 0 ? ", " : "", m.ns[i]);
    std::printf("]}\n");
    std::fflush(stdout);
}

void pin_to_last_cpu()
{
    cpu_set_t all, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu)
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
}

/// Else glibc gives a decoded megabyte back to the kernel each time, and page faults are measured.
void keep_memory()
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 64 << 20);
}

void run(int slices, double slice_ms, const std::string& workloads)
{
    rows all;
    add_wharf(all);
    add_wharf_pmr(all);
    add_boost(all);
    add_protobuf(all);
    add_cereal(all);
    add_msgpack(all);
    add_floors(all);
    for (const char workload : workloads) {
        std::vector<measured> chosen;
        for (row& r : all)
            if (r.workload[0] == workload)
                chosen.push_back({&r, repetitions(r, slice_ms * 1e6)});
        std::vector<measured> timed = chosen;
        measure(timed, slices);
        for (const measured& m : chosen)
            print(*std::ranges::find(timed, m.what, &measured::what));
    }
}

} // namespace

/// archive_bench [SLICES [MILLISECONDS [WORKLOADS]]]
int main(int argc, char** argv)
{
    keep_memory();
    pin_to_last_cpu();
    try {
        run(argc > 1 ? std::atoi(argv[1]) : 11, argc > 2 ? std::atof(argv[2]) : 10,
            argc > 3 ? argv[3] : "SMLP");
    }
    catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
