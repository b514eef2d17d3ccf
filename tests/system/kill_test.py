"""Kills wharfd -9 under load: it serves again at once, and only calls that were in flight know of it."""
import socket

import case

KILLS = case.scaled(5, 25)
CLIENTS = 200
PERIOD_MS = 40
CALLS_BETWEEN = 2_000
TIMES_EMPTY_MAX = 3

# As wharfd.service starts and restarts, without a sandbox and without a daemon worth the name.
EMPTY_SOCKET = """
[Socket]
ListenStream=/run/empty.sock
"""
EMPTY_SERVICE = """
[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=/usr/sbin/empty_daemon
Restart=on-failure
RestartSec=200ms
"""


class Kill(case.Case):
    def seconds_to_ready(self, unit, ask):
        """From the kill to READY, by systemd's own stamps; `ask` returns when the unit answers again."""
        before = self.box.show(unit, "ActiveEnterTimestampMonotonic")
        pid = self.box.pid(unit)
        killed = self.box.monotonic_us()
        self.box.kill(unit)
        ask()
        now = self.box.show(unit, "ActiveEnterTimestampMonotonic", "MainPID")
        self.assertNotEqual(now["MainPID"], pid)
        self.assertNotEqual(now["ActiveEnterTimestampMonotonic"], before)
        return (int(now["ActiveEnterTimestampMonotonic"]) - killed) / 1e6

    def ask_empty(self):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(30)
            peer.connect(self.box.path("/run/empty.sock"))
            self.assertEqual(peer.recv(1), b"+")

    def start_empty(self):
        self.box.install(case.program("SYSTEM_EMPTY_DAEMON"), "/usr/sbin/empty_daemon")
        self.box.write("/run/systemd/system/empty.socket", EMPTY_SOCKET)
        self.box.write("/run/systemd/system/empty.service", EMPTY_SERVICE)
        self.box.systemctl("daemon-reload")
        self.box.systemctl("start", "empty.socket", "empty.service")
        self.addCleanup(self.box.systemctl, "stop", "empty.socket", "empty.service")

    def test_a_killed_daemon_serves_again_at_once(self):
        self.open_tcp()
        self.start_empty()
        self.start()
        full, empty, reports = [], [], []
        with case.Callers(self.box, CLIENTS, PERIOD_MS, case.UNIX, case.TCP) as callers:
            callers.report(CALLS_BETWEEN)
            for _ in range(KILLS):
                full.append(self.seconds_to_ready("wharfd.service", lambda: self.ctl("ping")))
                reports.append(callers.report(CALLS_BETWEEN))
                empty.append(self.seconds_to_ready("empty.service", self.ask_empty))
                callers.report()
        errors = case.total(reports, "errors")
        print(f"kill -9 to READY, {KILLS} times: median {case.median(full) * 1000:.0f} ms, an empty "
              f"daemon {case.median(empty) * 1000:.0f} ms; calls that ended {errors}, connections lost "
              f"{case.total(reports, 'pauses')}")
        self.assertLessEqual(case.median(full), TIMES_EMPTY_MAX * case.median(empty), (full, empty))
        self.assertLessEqual(set(errors), {"outcome_unknown"}, reports)
        # Nobody has more than one call in flight; what was answered was done once, and is there.
        self.assertLessEqual(sum(errors.values()), KILLS * CLIENTS)
        self.assertEqual(sum(each["wrong"] for each in reports), 0, reports)
        self.assertNotIn("connection_refused", case.total(reports, "pauses"))


if __name__ == "__main__":
    case.main()
