# Runs Wharf beside a raw epoll echo server, slice by slice in turn, and prints the ratios.
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile

from machine import machine

# Name, what it is, the column whose ratio counts, and the ratio to stay below (None: no goal yet).
WORKLOADS = {
    "W1c": ("one call at a time, both ends on one CPU", "p50_us", 1.35),
    "W2": ("128 calls in flight on one connection", "server_cpu_us", 4.0),
    "W3": ("64 connections, one call each", "server_cpu_us", 1.4),
    "W4a": ("1 MiB of bytes echoed", "server_cpu_us", None),
    "W4b": ("131072 doubles echoed", "server_cpu_us", None),
    "W5": ("1000 records decoded and encoded again", "server_cpu_us", None),
}
SYSTEMS = ("raw", "wharf")


def cpus(workload):
    """(server's CPU, client's CPU): the two ends share one only where the workload says so."""
    all_cpus = sorted(os.sched_getaffinity(0))
    return all_cpus[0], all_cpus[0] if workload == "W1c" else all_cpus[-1]


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A server process that prints its port and id when it is ready, and ends with the block."""

    def __init__(self, build, system, cpu, prefix=()):
        path = os.path.join(build, "tests", "bench", f"bench_{system}_server")
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*prefix, path], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, preexec_fn=pinned(cpu))
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{path} did not start: {self.logged()}")
        self.port, self.pid = map(int, line.split())

    def __enter__(self):
        return self

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def __exit__(self, kind, *_):
        if kind:
            print(self.logged(), file=sys.stderr)
        # Behind strace the server is a child: strace ends with it, and then writes its counts.
        os.kill(self.pid, signal.SIGTERM)
        self.process.wait()


def run_client(build, system, workload, server, seconds, calls=0):
    _, cpu = cpus(workload)
    command = [os.path.join(build, "tests", "bench", f"bench_{system}_client"), workload,
               str(server.port), str(server.pid), str(seconds), str(calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                          preexec_fn=pinned(cpu))
    return json.loads(done.stdout) if not calls else None


def measure(build, workload, pairs, seconds):
    """The slices of both systems, in pairs whose order alternates."""
    slices = {system: [] for system in SYSTEMS}
    server_cpu, _ = cpus(workload)
    with Server(build, "raw", server_cpu) as raw, Server(build, "wharf", server_cpu) as wharf:
        servers = {"raw": raw, "wharf": wharf}
        for pair in range(pairs):
            for system in SYSTEMS if pair % 2 == 0 else reversed(SYSTEMS):
                slices[system].append(
                    run_client(build, system, workload, servers[system], seconds))
    return slices


def rows_of(workload, slices):
    column = WORKLOADS[workload][1]
    ratios = [wharf[column] / raw[column]
              for raw, wharf in zip(slices["raw"], slices["wharf"])]
    for system in SYSTEMS:
        row = {"workload": workload, "system": system}
        for name in ("server_cpu_us", "p50_us", "calls_per_s"):
            row[name] = round(statistics.median(s[name] for s in slices[system]), 3)
        row["ratio_to_raw"] = 1.0 if system == "raw" else round(statistics.median(ratios), 3)
        yield row


def print_row(row):
    what, column, goal = WORKLOADS[row["workload"]]
    note = ""
    if row["system"] == "wharf":
        note = f"of {'p50' if column == 'p50_us' else 'server CPU'}"
        if goal:
            note += f", goal <= {goal}: {'met' if row['ratio_to_raw'] <= goal else 'MISSED'}"
    else:
        note = what
    print(f"{row['workload']:4} {row['system']:6} {row['server_cpu_us']:12.3f} "
          f"{row['p50_us']:10.2f} {row['calls_per_s']:11.0f} {row['ratio_to_raw']:7.2f}x  {note}",
          flush=True)


def compare(arguments):
    print(f"{'':4} {'':6} {'server CPU':>12} {'p50':>10} {'calls':>11} {'to raw':>8}")
    print(f"{'':4} {'':6} {'us per call':>12} {'us':>10} {'per s':>11}")
    rows = []
    for workload in arguments.workloads:
        slices = measure(arguments.build, workload, arguments.pairs, arguments.seconds)
        for row in rows_of(workload, slices):
            print_row(row)
            rows.append(row)
    print(f"medians of {arguments.pairs} pairs of {arguments.seconds} s on {machine()}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def counted(build, system, workload, calls):
    """System calls of a server that lives for this many calls, by name."""
    server_cpu, _ = cpus(workload)
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as file:
        with Server(build, system, server_cpu,
                    ("strace", "-f", "-c", "-U", "name,calls", "-o", file.name)) as server:
            run_client(build, system, workload, server, 0, calls)
        counts = re.findall(r"^ *(\w+) +(\d+)$", file.read(), re.MULTILINE)
    return {name: int(count) for name, count in counts if name != "total"}


def count_syscalls(arguments):
    """Per call: the difference of a short and a long run, which start and end alike."""
    short, long = 2000, 22000
    for workload in arguments.workloads:
        for system in SYSTEMS:
            less = counted(arguments.build, system, workload, short)
            more = counted(arguments.build, system, workload, long)
            per_call = {name: (count - less.get(name, 0)) / (long - short)
                        for name, count in more.items()}
            shown = ", ".join(f"{name} {count:.2f}" for name, count in sorted(
                per_call.items(), key=lambda item: -item[1]) if count >= 0.005)
            print(f"{workload:4} {system:6} {sum(per_call.values()):6.2f} system calls a call: "
                  f"{shown or 'each below 0.005'}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/run bench", description=__doc__)
    parser.add_argument("build")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD",
                        help=f"any of {', '.join(WORKLOADS)}; all when none is named")
    parser.add_argument("--json", metavar="FILE", help="write a line for each row")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a slice")
    parser.add_argument("--syscalls", action="store_true",
                        help="count the server's system calls by strace instead")
    arguments = parser.parse_intermixed_args()
    for name in arguments.workloads:
        if name not in WORKLOADS:
            parser.error(f"no workload {name}")
    arguments.workloads = arguments.workloads or (
        ["W1c", "W2"] if arguments.syscalls else list(WORKLOADS))
    (count_syscalls if arguments.syscalls else compare)(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
