# Tests of what judges the figures: good ones pass a check, slow and missing ones fail it.
import argparse
import contextlib
import io
import json
import os
import subprocess
import tempfile
import unittest
from unittest import mock

import archive
import compare
import compile_time
from archive_report import TARGETS, TOLERANCE, Figures, judge, table


def rows_at(fraction):
    """Figures in which Wharf reaches this fraction of every target, and takes 10 us."""
    slices = {}
    for workload, action, system, base, target in TARGETS:
        slices[workload, action, system] = 1e4
        slices[workload, action, base[0]] = max(slices.get((workload, action, base[0]), 0),
                                                1e4 * target * fraction)
    return [{"workload": w, "action": a, "system": s, "bytes": 8, "ns": [ns, ns, ns]}
            for (w, a, s), ns in slices.items()]


def run(main, arguments):
    """(exit status, output) of a script."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        return main(arguments), output.getvalue()


def checked(rows):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "figures.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        return run(archive.main, ["no-build", "--from", path, "--check"])


class ArchiveTest(unittest.TestCase):
    def test_targets_that_are_reached_pass(self):
        status, output = checked(rows_at(1.001))
        self.assertEqual(status, 0)
        self.assertEqual(output.count(": reached"), len(TARGETS))
        self.assertNotIn("NOT", output)

    def test_a_small_miss_is_printed_and_passes(self):
        status, output = checked(rows_at(1.01 / TOLERANCE))
        self.assertEqual(status, 0)
        self.assertIn("NOT reached", output)

    def test_a_slow_archive_fails(self):
        status, output = checked(rows_at(0.99 / TOLERANCE))
        self.assertEqual(status, 1)
        self.assertIn("NOT reached", output)

    def test_one_slow_row_is_enough(self):
        for row in rows_at(1):
            if not row["system"].startswith("wharf"):
                continue
            rows = [dict(r, ns=[9e4]) if r == row else r for r in rows_at(1)]
            failed = [line for line, accepted in judge(Figures(rows)) if not accepted]
            with self.subTest(row):
                self.assertTrue(failed)
                self.assertTrue(all(row["system"] in line for line in failed))

    def test_a_target_without_a_figure_fails(self):
        status, output = checked([r for r in rows_at(2) if r["workload"] != "P"])
        self.assertEqual(status, 1)
        self.assertIn("P encode wharf to stock Boost", output)
        self.assertIn("NOT measured", output)

    def test_the_faster_row_of_boost_is_the_base(self):
        rows = rows_at(1) + [{"workload": "S", "action": "encode", "bytes": 8,
                              "system": "boost binary, no header", "ns": [1e4, 1e4, 1e4]}]
        figures = Figures(rows)
        self.assertEqual(figures.times_as_fast("S", "encode", "wharf", TARGETS[0][3]), 1)
        self.assertIn("NOT reached", next(judge(figures))[0])

    def test_the_table_has_every_system(self):
        rows = rows_at(1)
        text = "\n".join(table(Figures(rows)))
        for row in rows:
            self.assertIn(f"  {row['system']} ", text)


class CompileTimeTest(unittest.TestCase):
    def missed(self, wharf, router):
        rows = [{"unit": name, "text_kib": 1, "seconds": [seconds] * 3} for name, seconds in
                [(compile_time.BASE, 10), ("wharf", wharf), ("router.on", router)]]
        with contextlib.redirect_stdout(io.StringIO()) as output:
            return compile_time.report(rows), output.getvalue()

    def test_targets_that_are_reached_pass(self):
        missed, output = self.missed(10, 15)
        self.assertEqual(missed, [])
        self.assertEqual(output.count(": reached"), 2)

    def test_a_small_miss_is_printed_and_passes(self):
        missed, output = self.missed(14.9, 22)
        self.assertEqual(missed, [])
        self.assertEqual(output.count("NOT reached"), 2)

    def test_a_slow_compile_fails(self):
        self.assertEqual(len(self.missed(15.1, 22.6)[0]), 2)

    def test_the_units_have_the_same_members(self):
        for number in range(compile_time.TYPES):
            stock = compile_time.type_of(number, "boost::optional", False)
            self.assertEqual(stock.replace("boost::", "std::"),
                             compile_time.type_of(number, "std::optional", False))

    def test_a_unit_uses_every_type(self):
        for name in compile_time.TARGETS:
            text = compile_time.unit_of(name)
            for number in range(compile_time.TYPES):
                self.assertIn(f"struct type{number} ", text)
                self.assertRegex(text, rf"(load\(type{number}&|on<type{number}>)")


def slice_of(cost):
    """A slice in which every column costs so much."""
    return dict.fromkeys(compare.COLUMNS, cost)


class ServerTest(unittest.TestCase):
    def compared(self, wharf, peers=None, check=True):
        """(exit status, output, rows) of comparing the first workload, where raw costs 10."""
        costs = {"raw": 10, "wharf": wharf, **(peers or {})}
        slices = {system: [slice_of(cost)] * 3 if cost else [] for system, cost in costs.items()}
        with tempfile.TemporaryDirectory() as directory, \
                mock.patch.object(compare, "measure", return_value=slices):
            path = os.path.join(directory, "figures.jsonl")
            status, output = run(compare.compare, argparse.Namespace(
                build="no-build", workloads=["W2"], pairs=3, seconds=0, systems=tuple(costs),
                json=path, check=check))
            with open(path, encoding="utf-8") as file:
                return status, output, {row["system"]: row for row in map(json.loads, file)}

    def test_a_target_that_is_reached_passes(self):
        status, output, _ = self.compared(19)
        self.assertEqual(status, 0)
        self.assertIn(": reached", output)

    def test_a_small_miss_is_printed_and_passes(self):
        status, output, _ = self.compared(29)
        self.assertEqual(status, 0)
        self.assertIn("NOT reached", output)

    def test_a_slow_server_fails_only_a_check(self):
        self.assertEqual(self.compared(31)[0], 1)
        self.assertEqual(self.compared(31, check=False)[0], 0)

    def test_peers_are_not_judged(self):
        status, output, _ = self.compared(19, dict.fromkeys(compare.PEERS, 1000))
        self.assertEqual(status, 0)
        self.assertNotIn("NOT", output)

    def test_slower_peers_do_not_excuse_a_slow_server(self):
        self.assertEqual(self.compared(31, dict.fromkeys(compare.PEERS, 1000))[0], 1)

    def test_a_peer_is_held_against_raw_and_wharf(self):
        _, output, rows = self.compared(20, {"grpc": 50})
        self.assertEqual(rows["grpc"]["ratio_to_raw"], 5)
        self.assertEqual(rows["grpc"]["ratio_to_wharf"], 2.5)
        self.assertIn("2.50x wharf", output)
        self.assertNotIn("ratio_to_wharf", rows["wharf"])

    def test_a_peer_without_figures_has_dashes(self):
        status, output, rows = self.compared(19, {"grpc": None, "capnp": 20})
        self.assertEqual(status, 0)
        self.assertRegex(output, r"W2 +grpc( +-){4}  not measured")
        self.assertIsNone(rows["grpc"]["ratio_to_wharf"])
        self.assertEqual(rows["capnp"]["ratio_to_raw"], 2)

    def measured(self, failing=()):
        """What measure() gives, and the order of its slices, without processes."""
        order = []

        def run_client(_build, system, *_):
            order.append(system)
            if system in failing:
                raise subprocess.CalledProcessError(1, system)
            return slice_of(len(order))
        with mock.patch.object(compare, "Server"), \
                mock.patch.object(compare, "run_client", run_client):
            return compare.measure("no-build", "W2", 2, 0, compare.SYSTEMS + compare.PEERS), order

    def test_the_order_of_the_systems_alternates(self):
        slices, order = self.measured()
        self.assertEqual(order[:5], list(compare.SYSTEMS + compare.PEERS))
        self.assertEqual(order[5:], order[4::-1])
        self.assertTrue(all(len(of) == 2 for of in slices.values()))

    def test_a_peer_that_fails_is_left_out_and_the_others_go_on(self):
        slices, order = self.measured(failing=["capnp"])
        self.assertEqual(slices["capnp"], [])
        self.assertEqual(order.count("capnp"), 1)
        self.assertEqual(order.count("thrift"), 2)

    def test_a_failing_server_of_ours_ends_the_comparison(self):
        for system in compare.SYSTEMS:
            with self.subTest(system), self.assertRaises(subprocess.CalledProcessError):
                self.measured(failing=[system])


if __name__ == "__main__":
    unittest.main()
