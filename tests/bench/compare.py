# Runs Wharf beside a raw epoll echo server, slice by slice in turn, and prints the ratios.
import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from machine import machine
from server_processes import Server, run_client

# Name, what it is, the column whose ratio counts, the ratio to stay below, and what to aim for then.
WORKLOADS = {
    "W1c": ("one call at a time, both ends on one CPU", "p50_us", 1.2, 1.1),
    "W2": ("128 calls in flight on one connection", "server_cpu_us", 2.0, 1.5),
    "W3": ("64 connections, one call each", "server_cpu_us", 1.25, 1.1),
    "W4a": ("1 MiB of bytes echoed", "server_cpu_us", 1.3, 1.1),
    "W4b": ("131072 doubles echoed", "server_cpu_us", 1.3, 1.1),
    "W5": ("1000 records decoded and encoded again", "server_cpu_us", 6.0, 3.0),
}
# --check fails only where a target is missed by more than this: a busy machine is not a defect.
SLACK = 1.5
SYSTEMS = ("raw", "wharf")
# RPC systems of Debian, measured beside these where --peers says so. No target judges them.
PEERS = ("grpc", "capnp", "thrift")
COLUMNS = ("server_cpu_us", "p50_us", "calls_per_s")


def cpus(workload):
    """The server's and the client's: the two ends share one only where the workload says so."""
    all_cpus = sorted(os.sched_getaffinity(0))
    return {all_cpus[0]}, {all_cpus[0] if workload == "W1c" else all_cpus[-1]}


def measure(build, workload, pairs, seconds, systems=SYSTEMS):
    """The slices of all systems, in turn, whose order alternates. A peer that fails has none."""
    slices = {system: [] for system in systems}
    failed = set()
    server_cpus, client_cpus = cpus(workload)
    with contextlib.ExitStack() as running:
        servers = {system: running.enter_context(Server(build, system, server_cpus))
                   for system in systems}
        for pair in range(pairs):
            for system in systems if pair % 2 == 0 else reversed(systems):
                if system in failed:
                    continue
                try:
                    slices[system].append(run_client(build, system, workload, servers[system],
                                                     seconds, client_cpus))
                except subprocess.CalledProcessError:
                    if system not in PEERS:
                        raise
                    failed.add(system)
                    slices[system] = []
    return slices


def ratio(slices, column, system, base):
    """The median of the pairs' ratios."""
    return round(statistics.median(of[column] / to[column] for of, to in
                                   zip(slices[system], slices[base])), 3)


def rows_of(workload, slices):
    column = WORKLOADS[workload][1]
    for system, measured in slices.items():
        row = {"workload": workload, "system": system}
        for name in COLUMNS:
            row[name] = round(statistics.median(s[name] for s in measured), 3) if measured else None
        row["ratio_to_raw"] = ratio(slices, column, system, "raw") if measured else None
        if system in PEERS:
            row["ratio_to_wharf"] = ratio(slices, column, system, "wharf") if measured else None
        yield row


def note_of(row):
    what, column, target, aim = WORKLOADS[row["workload"]]
    name = "p50" if column == "p50_us" else "server CPU"
    if row["system"] == "raw":
        return what
    if row["ratio_to_raw"] is None:
        return "not measured: its client failed"
    if row["system"] in PEERS:
        return f"of {name}, {row['ratio_to_wharf']:.2f}x wharf"
    reached = "reached" if row["ratio_to_raw"] <= target else "NOT reached"
    if row["ratio_to_raw"] <= aim:
        reached += f", and {aim} too"
    return f"of {name}, target <= {target}: {reached}"


def print_row(row):
    def shown(name, form, unit=""):
        return "-" if row[name] is None else f"{row[name]:{form}}{unit}"
    print(f"{row['workload']:4} {row['system']:6} {shown('server_cpu_us', '.3f'):>12} "
          f"{shown('p50_us', '.2f'):>10} {shown('calls_per_s', '.0f'):>11} "
          f"{shown('ratio_to_raw', '.2f', 'x'):>8}  {note_of(row)}", flush=True)


def too_slow(rows):
    """The workloads whose target Wharf misses by more than the slack."""
    return [row["workload"] for row in rows if row["system"] == "wharf"
            and row["ratio_to_raw"] > SLACK * WORKLOADS[row["workload"]][2]]


def compare(arguments):
    print(f"{'':4} {'':6} {'server CPU':>12} {'p50':>10} {'calls':>11} {'to raw':>8}")
    print(f"{'':4} {'':6} {'us per call':>12} {'us':>10} {'per s':>11}")
    rows = []
    for workload in arguments.workloads:
        slices = measure(arguments.build, workload, arguments.pairs, arguments.seconds,
                         arguments.systems)
        for row in rows_of(workload, slices):
            print_row(row)
            rows.append(row)
    print(f"medians of {arguments.pairs} pairs of {arguments.seconds} s on {machine()}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    far = too_slow(rows)
    if far:
        print(f"missed by more than {SLACK}x: {', '.join(far)}")
    return 1 if far and arguments.check else 0


def counted(build, system, workload, calls):
    """System calls of a server that lives for this many calls, by name."""
    server_cpus, client_cpus = cpus(workload)
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as file:
        with Server(build, system, server_cpus,
                    ("strace", "-f", "-c", "-U", "name,calls", "-o", file.name)) as server:
            run_client(build, system, workload, server, 0, client_cpus, calls)
        counts = re.findall(r"^ *(\w+) +(\d+)$", file.read(), re.MULTILINE)
    return {name: int(count) for name, count in counts if name != "total"}


def count_syscalls(arguments):
    """Per call: the difference of a short and a long run, which start and end alike."""
    short, long = 2000, 22000
    for workload in arguments.workloads:
        for system in arguments.systems:
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
    parser.add_argument("--check", action="store_true",
                        help=f"fail where a target is missed by more than {SLACK}x")
    parser.add_argument("--peers", action="store_true",
                        help=f"measure {', '.join(PEERS)} too")
    parser.add_argument("--syscalls", action="store_true",
                        help="count the server's system calls by strace instead")
    arguments = parser.parse_intermixed_args()
    for name in arguments.workloads:
        if name not in WORKLOADS:
            parser.error(f"no workload {name}")
    arguments.workloads = arguments.workloads or (
        ["W1c", "W2"] if arguments.syscalls else list(WORKLOADS))
    arguments.systems = SYSTEMS + (PEERS if arguments.peers else ())
    return (count_syscalls if arguments.syscalls else compare)(arguments) or 0


if __name__ == "__main__":
    sys.exit(main())
