"""Reloads the configuration under load, again and again, some of them broken: no call notices."""
import case

RELOADS = case.scaled(100, 1000)
BROKEN_EVERY = 10
CLIENTS = 200
PERIOD_MS = 40
CALLS_BETWEEN = 100
BASE = 5000  # limits.sessions_max, with the number of the reload added


class Reload(case.Case):
    def sessions_max(self):
        for line in self.ctl("limits").stdout.splitlines():
            if line.startswith("sessions_max\t"):
                return int(line.split("\t")[2])
        self.fail("wharfctl limits does not know sessions_max")

    def reload_broken(self, number):
        """In turn by wharfctl, whose status says it, and by systemd, to which the daemon says it."""
        self.configure("reload", f"[limits]\nsessions_max = {BASE + number}\nsessions_mx = 1\n")
        if number // BROKEN_EVERY % 2:
            refused = self.ctl("reload", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("sessions_mx", refused.stderr)
        else:
            self.box.systemctl("reload", "wharfd.service")

    def reload_good(self, number):
        self.configure("reload", f"[limits]\nsessions_max = {BASE + number}\n")
        if number % 2:
            self.ctl("reload")
        else:
            self.box.systemctl("reload", "wharfd.service")

    def test_no_call_notices_a_reload(self):
        self.open_tcp()
        self.start()
        pid = self.box.pid("wharfd.service")
        in_force = BASE
        with case.Callers(self.box, CLIENTS, PERIOD_MS, case.UNIX, case.TCP) as callers:
            callers.report()
            for number in range(1, RELOADS + 1):
                if number % BROKEN_EVERY == 0:
                    self.reload_broken(number)
                else:
                    self.reload_good(number)
                    in_force = BASE + number
                if number % BROKEN_EVERY < 2:  # A broken one, and the good one after it.
                    self.assertEqual(self.sessions_max(), in_force)
                    self.assertEqual("refused" in self.box.show("wharfd.service", "StatusText"),
                                     number % BROKEN_EVERY == 0)
            seen = callers.report(RELOADS * CALLS_BETWEEN)
        print(f"{RELOADS} reloads, {RELOADS // BROKEN_EVERY} of them broken: {seen['calls']} calls, "
              f"p99.9 {seen['p999_us'] / 1000:.1f} ms")
        self.assertEqual((seen["errors"], seen["pauses"], seen["wrong"]), ({}, {}, 0), seen)
        self.assertEqual(self.box.pid("wharfd.service"), pid)
        self.assertEqual(self.box.show("wharfd.service", "ActiveState", "NRestarts"),
                         {"ActiveState": "active", "NRestarts": "0"})
        log = self.box.journal("wharfd.service")
        self.assertEqual(log.count("reload refused, nothing changes"), RELOADS // BROKEN_EVERY)


if __name__ == "__main__":
    case.main()
