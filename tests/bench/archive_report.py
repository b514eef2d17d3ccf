# Makes a table of what archive_bench measured, and holds it against the targets.
import statistics

WORKLOADS = {
    "S": ("{int32, int32, string(16)}", "ns", 1),
    "M": ("1000 of {uint64, string(12), 4 strings of 8, map of 3 to double}", "us", 1e3),
    "L": ("131072 doubles", "us", 1e3),
    "P": ("1000 polymorphic shared objects", "us", 1e3),
}

# Each of these libraries is judged by the faster one of its rows.
STOCK = ("boost binary", "boost binary, no header")
PROTOBUF = ("protobuf",)
COPY = ("copy of the object",)
NAMES = {STOCK: "stock Boost", PROTOBUF: "protobuf", COPY: "copying the object"}

# Workload, action, Wharf's row, the base, how many times as fast as it.
TARGETS = [
    ("S", "encode", "wharf", STOCK, 60), ("S", "decode", "wharf", STOCK, 20),
    ("M", "encode", "wharf", STOCK, 18), ("M", "decode", "wharf", STOCK, 2.5),
    ("P", "encode", "wharf", STOCK, 12), ("P", "decode", "wharf", STOCK, 7),
    ("L", "encode", "wharf", STOCK, 1), ("L", "decode", "wharf", STOCK, 1.3),
    ("M", "encode", "wharf", PROTOBUF, 10), ("M", "decode", "wharf", PROTOBUF, 3),
    ("M", "decode", "wharf", COPY, 1 / 1.5),
    ("M", "decode", "wharf, reused object", COPY, 1), ("M", "decode", "wharf, pmr", COPY, 1),
]
TOLERANCE = 1.5  # a check fails only beyond this, for the sake of busy machines


class Figures:
    """Medians and spreads by (workload, system, action)."""

    def __init__(self, rows):
        self.bytes = {(r["workload"], r["system"]): r["bytes"] for r in rows}
        self.slices = {(r["workload"], r["system"], r["action"]): r["ns"] for r in rows}
        self.workloads = [w for w in WORKLOADS if any(r["workload"] == w for r in rows)]

    def systems(self, workload):
        return [system for w, system in self.bytes if w == workload]

    def median(self, workload, system, action):
        """None where the system does not do that."""
        slices = self.slices.get((workload, system, action))
        return statistics.median(slices) if slices else None

    def spread(self, workload, system, action):
        """How far apart the middle half of the slices are, as a part of the median."""
        low, middle, high = statistics.quantiles(self.slices[workload, system, action], n=4)
        return (high - low) / middle

    def fastest(self, workload, systems, action):
        return min((m for m in (self.median(workload, s, action) for s in systems) if m),
                   default=None)

    def times_as_fast(self, workload, action, system, base):
        """How many times as fast the system is as the base; None where one was not measured."""
        ours, theirs = self.median(workload, system, action), self.fastest(workload, base, action)
        return theirs / ours if ours and theirs else None


def cells(figures, workload, system, action):
    """Time, spread, and the ratio to Wharf's own, which is what Wharf is faster by."""
    median = figures.median(workload, system, action)
    if median is None:
        return f"{'':>10} {'':>4} {'':>8}"
    spread = figures.spread(workload, system, action)
    ratio = figures.times_as_fast(workload, action, "wharf", (system,))
    return f"{median / WORKLOADS[workload][2]:10.1f} {spread:4.0%} " + \
           (f"{ratio:7.2f}x" if ratio else f"{'':>8}")


def table(figures):
    for workload in figures.workloads:
        what, unit, _ = WORKLOADS[workload]
        yield f"{workload}: {what}"
        yield f"  {'':32} {'bytes':>8} {'encode ' + unit:>10} {'+-':>4} {'to wharf':>8}" \
              f" {'decode ' + unit:>10} {'+-':>4} {'to wharf':>8}"
        for system in figures.systems(workload):
            size = figures.bytes[workload, system] or ""
            yield f"  {system:32} {size:>8} {cells(figures, workload, system, 'encode')}" \
                  f" {cells(figures, workload, system, 'decode')}".rstrip()
        yield ""
    if "P" in figures.workloads:
        yield "† a table of places that was flattened by hand: neither shared nor polymorphic objects"


def judge(figures):
    """(line, whether a check accepts it) for each target."""
    for workload, action, system, base, target in TARGETS:
        name = f"{workload} {action} {system} to {NAMES[base]}"
        ratio = figures.times_as_fast(workload, action, system, base)
        if ratio is None:
            yield f"{name:50} NOT measured", False
            continue
        verdict = "reached" if ratio >= target else "NOT reached"
        yield f"{name:50} {ratio:7.2f}x, target {target:5.2f}x: {verdict}", \
            ratio * TOLERANCE >= target
