"""Restarts wharfd under load: its callers see latency, but no error and no refused connection."""
import case

RESTARTS = case.scaled(36, 180)
CALLS_MIN = case.scaled(40_000, 200_000)
CLIENTS = 200
PERIOD_MS = 40
CONTROL_RESTARTS = 3
WATCHED_RESTARTS = 4

# A daemon that opens its port itself, as most do: the port is closed while it restarts.
CONTROL_UNIT = """
[Service]
Type=notify
ExecStart=/usr/sbin/wharfd --config /etc/wharf-control.conf
StateDirectory=wharf-control
User=wharf
"""
CONTROL_CONFIGURATION = """
[[listen]]
endpoint = "127.0.0.1:7041"
[[allow]]
method = "anonymous"
subject = "127.0.0.0/8"
role = "user"
"""


class Restart(case.Case):
    def test_callers_see_no_restart(self):
        self.open_tcp()
        self.start()
        first = self.box.pid("wharfd.service")
        with case.Callers(self.box, CLIENTS, PERIOD_MS, case.UNIX, case.TCP) as callers:
            quiet = callers.report(CALLS_MIN // 10)
            reports = []
            for _ in range(RESTARTS):
                self.box.systemctl("restart", "wharfd.service")
                # So that the next one finds calls in flight again.
                reports.append(callers.report(CALLS_MIN // RESTARTS + 1))
        calls = sum(each["calls"] for each in reports)
        pauses = case.total(reports, "pauses")
        print(f"{RESTARTS} restarts, {calls} calls: connections lost {pauses}; p99.9 "
              f"{quiet['p999_us'] / 1000:.1f} ms without, median over the restarts "
              f"{case.median(each['p999_us'] for each in reports) / 1000:.1f} ms, longest call "
              f"{max(each['max_us'] for each in reports) / 1000:.1f} ms")
        self.assertNotEqual(self.box.pid("wharfd.service"), first)
        self.assertGreaterEqual(calls, CALLS_MIN)
        self.assertEqual(case.total(reports, "errors"), {}, reports)
        self.assertEqual(sum(each["wrong"] for each in reports), 0, reports)
        self.assertNotIn("connection_refused", pauses)
        # Connections were lost by a goaway: else nothing was restarted under them.
        self.assertGreaterEqual(pauses["going_away"], RESTARTS * CLIENTS // 2)

    def test_who_watches_sees_every_change_once(self):
        """A stream ends with the daemon; its reader goes on after the last revision that it has."""
        self.start()
        watch = self.box.start("wharfctl", "--endpoint", case.UNIX, "watch")
        self.addCleanup(watch.wait)
        self.addCleanup(watch.stdin.close)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.terminate)
        self.await_in_flight("objects.watch")
        for number in range(1, 1 + WATCHED_RESTARTS):
            self.ctl("put", f"key-{number}", "1")
            seen = watch.stdout.readline().split("\t")
            self.assertEqual((seen[0], seen[-1]), (str(number), f"key-{number}\n"))
            if number % 2:
                self.box.systemctl("restart", "wharfd.service")
            else:
                self.box.kill("wharfd.service")

    def test_a_daemon_that_opens_its_own_port_refuses_connections(self):
        self.box.write("/run/systemd/system/control.service", CONTROL_UNIT)
        self.box.write("/etc/wharf-control.conf", CONTROL_CONFIGURATION)
        self.box.systemctl("daemon-reload")
        self.box.systemctl("start", "control.service")
        self.addCleanup(self.box.systemctl, "stop", "control.service")
        with case.Callers(self.box, CLIENTS, PERIOD_MS, "127.0.0.1:7041") as callers:
            for _ in range(CONTROL_RESTARTS):
                self.box.systemctl("restart", "control.service")
            seen = callers.report(CLIENTS)
        print(f"control: {CONTROL_RESTARTS} restarts, connections lost {seen['pauses']}")
        self.assertGreater(seen["pauses"].get("connection_refused", 0), 0, seen)


if __name__ == "__main__":
    case.main()
