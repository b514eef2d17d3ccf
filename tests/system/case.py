"""What the tests in a container share: wharfd with its real units, what it is asked, and how a test ends."""
import collections
import json
import os
import statistics
import sys
import time
import unittest

import box as boxes

ROOT = os.path.join(boxes.HERE, "..", "..")
SYSTEMD = os.path.join(ROOT, "systemd")
UNIX = "unix:/run/wharf/wharf.sock"
TCP = "127.0.0.1:7040"
IS_FULL = os.environ.get("WHARF_LOAD") == "full"
IN_FLIGHT_S = 20
# Tests restart more often than the units allow within a minute.
NO_START_LIMIT = "[Unit]\nStartLimitIntervalSec=0\n"


def scaled(small, full):
    return full if IS_FULL else small


def program(name):
    """One that the build has made; ctest says where."""
    return os.environ[name]


def median(values):
    return statistics.median(values)


def total(reports, name):
    """The counts of the same name of several reports, added up by key."""
    return dict(sum((collections.Counter(each[name]) for each in reports), collections.Counter()))


def unit_file(name):
    with open(os.path.join(SYSTEMD, name), encoding="utf-8") as file:
        return file.read()


def is_required():
    return os.environ.get("WHARF_SYSTEM") == "require"


def skip_all(reason):
    """By ctest's status for it; never where these tests are required."""
    print(f"there can be no container here: {reason}")
    sys.exit(1 if is_required() else boxes.SKIPPED)


def boot(test_class):
    """A container for the tests of a class."""
    try:
        return test_class.enterClassContext(boxes.Box())
    except boxes.NotBooted as why:
        skip_all(why)


class Case(unittest.TestCase):
    """Each class has a container of its own, with wharfd installed and not started."""

    @classmethod
    def setUpClass(cls):
        cls.box = boot(cls)
        install(cls.box)

    def setUp(self):
        self.addCleanup(self.restore)  # Last of all.
        self.drop_in("wharfd.service", "00-test", NO_START_LIMIT)

    def restore(self):
        """Another test finds the units as they were installed."""
        self.box.systemctl("stop", "wharfd.socket", "wharfd.service", check=False)
        self.box.run("rm", "-rf", "/run/systemd/system", "/etc/wharf/wharfd.conf.d", "/var/lib/wharf")
        self.box.run("mkdir", "-p", "/run/systemd/system")
        self.box.systemctl("daemon-reload")
        self.box.systemctl("reset-failed", check=False)

    def need_address_filters(self):
        if not is_required() and not self.box.filters_addresses():
            self.skipTest("this kernel or container does not let systemd filter addresses")

    def drop_in(self, unit, name, text):
        self.box.write(f"/run/systemd/system/{unit}.d/{name}.conf", text)
        self.box.systemctl("daemon-reload")

    def configure(self, name, text):
        self.box.write(f"/etc/wharf/wharfd.conf.d/{name}.conf", text)

    def run_probe(self):
        """The unit runs another program, in the same sandbox."""
        self.box.install(program("SYSTEM_PROBE_DAEMON"), "/usr/sbin/probe_daemon")
        self.drop_in("wharfd.service", "50-probe",
                     "[Service]\nExecStart=\nExecStart=/usr/sbin/probe_daemon --config /etc/wharf/wharfd.conf\n")

    def open_tcp(self):
        """As the drop-in that is shipped for it says."""
        text = unit_file("20-tcp.conf")
        self.drop_in("wharfd.socket", "20-tcp", text)
        lines = [line[2:] for line in text.splitlines() if line.startswith("#|")]
        self.configure("tcp", "\n".join(lines) + "\n")

    def start(self):
        started = self.box.systemctl("start", "wharfd.socket", "wharfd.service", check=False)
        self.assertEqual(started.returncode, 0, self.box.journal("wharfd.service"))

    def ctl(self, *words, endpoint=UNIX, check=True, timeout=60):
        return self.box.run("wharfctl", "--endpoint", endpoint, *words, check=check, timeout=timeout)

    def await_in_flight(self, command):
        """Returns when the daemon is at work on a call of the command."""
        until = time.monotonic() + IN_FLIGHT_S
        while f'wharf_calls_in_flight{{command="{command}"}} 1' not in self.ctl("metrics").stdout:
            self.assertLess(time.monotonic(), until, command)

    def call(self, command, arguments, **how):
        return json.loads(self.ctl("call", command, json.dumps(arguments), **how).stdout)


def install(box):
    box.install(program("WHARFD"), "/usr/sbin/wharfd")
    box.install(program("WHARFCTL"), "/usr/bin/wharfctl")
    for unit in os.listdir(SYSTEMD):
        if unit.endswith((".service", ".socket")):
            box.install(os.path.join(SYSTEMD, unit), f"/lib/systemd/system/{unit}", 0o644)
    box.install(os.path.join(SYSTEMD, "wharf.sysusers.conf"), "/usr/lib/sysusers.d/wharf.conf", 0o644)
    box.install(os.path.join(ROOT, "config", "wharfd.conf"), "/etc/wharf/wharfd.conf", 0o644)
    box.run("systemd-sysusers", "wharf.conf")
    box.systemctl("daemon-reload")


class Callers:
    """The program system_callers, in the container."""

    def __init__(self, box, clients, period_ms, *endpoints):
        box.install(program("SYSTEM_CALLERS"), "/usr/local/bin/system_callers")
        self.process = box.start("/usr/local/bin/system_callers", str(clients), str(period_ms),
                                 *endpoints)
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError("the callers had no answers")

    def report(self, calls=0):
        """What they have seen since the last report, once so many calls are answered since."""
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()


def main():
    if reason := boxes.missing():
        skip_all(reason)
    unittest.main()
