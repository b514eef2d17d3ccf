# Runs the archive's benchmark and prints its table and its targets; --check judges them.
import argparse
import json
import os
import subprocess
import sys

from archive_report import TOLERANCE, WORKLOADS, Figures, judge, table
from machine import machine


def measured(build, slices, milliseconds, workloads):
    command = [os.path.join(build, "tests", "bench", "archive_bench"), str(slices),
               str(milliseconds), "".join(workloads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()


def main(argv=None):
    parser = argparse.ArgumentParser(prog="tests/run bench archive", description=__doc__)
    parser.add_argument("build")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD",
                        help=f"any of {', '.join(WORKLOADS)}; all when none is named")
    parser.add_argument("--json", metavar="FILE", help="write a line for each row")
    parser.add_argument("--from", dest="recorded", metavar="FILE",
                        help="judge what --json wrote, and measure nothing")
    parser.add_argument("--check", action="store_true",
                        help=f"fail where a target is missed by more than {TOLERANCE}x")
    parser.add_argument("--slices", type=int, default=11)
    parser.add_argument("--milliseconds", type=float, default=20, help="length of a slice")
    arguments = parser.parse_intermixed_args(argv)
    for name in arguments.workloads:
        if name not in WORKLOADS:
            parser.error(f"no workload {name}")
    if arguments.slices < 2:
        parser.error("a spread needs two slices")

    if arguments.recorded:
        with open(arguments.recorded, encoding="utf-8") as file:
            lines = file.read().splitlines()
    else:
        lines = measured(arguments.build, arguments.slices, arguments.milliseconds,
                         arguments.workloads or WORKLOADS)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    figures = Figures([json.loads(line) for line in lines])
    print("\n".join(table(figures)))
    print("\nTargets: how many times as fast")
    accepted = True
    for line, is_accepted in judge(figures):
        accepted &= is_accepted
        print(f"  {line}")
    if not arguments.recorded:
        print(f"CPU time, medians of {arguments.slices} slices of {arguments.milliseconds:g} ms "
              f"in turn, one thread on one CPU, {machine()}")
    return 1 if arguments.check and not accepted else 0


if __name__ == "__main__":
    sys.exit(main())
