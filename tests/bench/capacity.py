# What a call allocates, what an idle session holds and costs the others, what a second worker costs.
import argparse
import json
import os
import statistics
import subprocess
import sys

from machine import machine
from server_processes import Server, path_of, pinned, run_client

# CI fails only where a figure is worse than its target by this factor; zero allocations are exact.
SLACK = 1.5


class Judge:
    """Prints each figure beside its target, and remembers what missed it."""

    def __init__(self):
        self.rows, self.missed = [], False

    def say(self, name, figure, text, target=None, at_least=False, slack=SLACK):
        verdict = ""
        if target is not None:
            reached = figure >= target if at_least else figure <= target
            verdict = f"target {'>=' if at_least else '<='} {target}: " \
                      f"{'reached' if reached else 'NOT reached'}"
            far = figure < target / slack if at_least else figure > target * slack
            self.missed = self.missed or far
        print(f"  {name:44} {text:>12}  {verdict}", flush=True)
        self.rows.append({"name": name, "figure": figure, "target": target})


def allocations(build, judge, _):
    cpus = os.sched_getaffinity(0)
    with Server(build, "counted", cpus) as server:
        done = subprocess.run([path_of(build, "counted_client"), str(server.port)],
                              stdout=subprocess.PIPE, text=True, check=True)
    counts = json.loads(done.stdout)
    print("Allocations of the server per call (malloc, calloc, realloc, memalign, aligned_alloc, "
          "posix_memalign, new):")
    if counts["control"] != counts["control_expected"]:
        raise SystemExit(f"the control allocates {counts['control_expected']} times and is counted "
                         f"as {counts['control']}: the count is wrong")
    for name, what, target in (("inline", "inline handler", 0),
                               ("inline_128", "inline handler, 128 in flight", 0),
                               ("awaitable", "awaitable handler", 6),
                               ("awaitable_128", "awaitable handler, 128 in flight", 6)):
        # A buffer that grows once in 10,000 calls is not an allocation per call.
        figure = round(counts[name], 2)
        judge.say(what, figure, f"{figure:.2f}", target)
    print(f"  control: {counts['control']} of {counts['control_expected']} counted")


class IdleSessions:
    """So many sessions of one server that do nothing, while the block lasts."""

    def __init__(self, build, server, count):
        self.process = subprocess.Popen(
            [path_of(build, "idle_client"), str(server.port), str(count)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=pinned(os.sched_getaffinity(0), count + 100))
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the idle sessions did not open")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def pairs_of(build, workload, servers, pairs, seconds, client_cpus):
    """Slices of all servers in turn, the order alternating. Each server is a pair: system, process."""
    slices = [[] for _ in servers]
    for pair in range(pairs):
        for which in range(len(servers)) if pair % 2 == 0 else reversed(range(len(servers))):
            system, server = servers[which]
            slices[which].append(run_client(build, system, workload, server, seconds, client_cpus))
    return slices


def ratio(one, other, column):
    """Of the other to the one: the median of the pairs' ratios."""
    return statistics.median(b[column] / a[column] for a, b in zip(one, other))


def idle(build, judge, arguments):
    count = arguments.sessions
    cpus = sorted(os.sched_getaffinity(0))
    print(f"{count} idle sessions:")
    one, other = {cpus[0]}, {cpus[-1]}
    with Server(build, "wharf", one) as alone, \
            Server(build, "wharf", one, descriptors=count + 100) as crowded:
        run_client(build, "wharf", "W3", crowded, 0.1, other)
        before = crowded.private_kib()
        with IdleSessions(build, crowded, count):
            per_session = (crowded.private_kib() - before) / count
            judge.say("private memory of the server per session, KiB", round(per_session, 2),
                      f"{per_session:.2f}", 4)
            for workload in ("W2", "W3"):
                slices = pairs_of(build, workload, (("wharf", alone), ("wharf", crowded)),
                                  arguments.pairs, arguments.seconds, other)
                kept = ratio(*slices, "calls_per_s")
                judge.say(f"{workload}: calls per s beside them, to none", round(kept, 3),
                          f"{kept:.2f}x", 0.8, at_least=True)


def workers(build, judge, arguments):
    """A second worker, and beside it a second thread of the raw server: what the kernel asks for one."""
    cpus = os.sched_getaffinity(0)
    print("Two workers against one:")
    with Server(build, "wharf", cpus, arguments=[1]) as one, \
            Server(build, "wharf", cpus, arguments=[2]) as two, \
            Server(build, "raw", cpus, arguments=[1]) as raw_one, \
            Server(build, "raw", cpus, arguments=[2]) as raw_two:
        slices = pairs_of(
            build, "W3", (("wharf", one), ("wharf", two), ("raw", raw_one), ("raw", raw_two)),
            arguments.pairs, arguments.seconds, cpus)
    more, raw_more = (ratio(*pair, "server_cpu_us") for pair in (slices[:2], slices[2:]))
    judge.say("W3: server CPU per call", round(more, 3), f"{more:.2f}x", 1.1)
    judge.say("the raw server's, two threads to one", round(raw_more, 3), f"{raw_more:.2f}x")
    own = more / raw_more
    judge.say("W3: beyond the raw server's", round(own, 3), f"{own:.2f}x")


PARTS = {"allocations": allocations, "idle": idle, "workers": workers}


def main():
    parser = argparse.ArgumentParser(prog="tests/run bench capacity", description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--json", metavar="FILE", help="write a line for each figure")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a slice")
    parser.add_argument("--sessions", type=int, default=10000, help="how many idle sessions")
    parser.add_argument("--check", action="store_true",
                        help=f"fail where a target is missed by more than {SLACK}x")
    parser.add_argument("--only", choices=PARTS, help="one part")
    arguments = parser.parse_args()
    judge = Judge()
    for name, part in PARTS.items():
        if arguments.only in (None, name):
            part(arguments.build, judge, arguments)
    print(f"medians of {arguments.pairs} pairs of {arguments.seconds} s on {machine()}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in judge.rows)
    return 1 if arguments.check and judge.missed else 0


if __name__ == "__main__":
    sys.exit(main())
