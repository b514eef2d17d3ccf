"""Hangs a worker of the daemon inside a command handler: the watchdog ends it, and it serves again."""
import time

import case

WATCHDOG_S = 2


class Watchdog(case.Case):
    def setUp(self):
        super().setUp()
        self.run_probe()

    def watch_every(self, seconds):
        self.drop_in("wharfd.service", "60-watchdog", f"[Service]\nWatchdogSec={seconds}\n")
        self.start()

    def hang(self, timeout):
        return self.ctl("--timeout", str(timeout), "call", "probe.hang", "{}", check=False)

    def test_a_handler_that_hangs_ends_the_daemon_and_it_serves_again(self):
        self.watch_every(WATCHDOG_S)
        pid = self.box.pid("wharfd.service")
        began = time.monotonic()
        ended = self.hang(30)
        self.ctl("ping")
        took = time.monotonic() - began
        print(f"WatchdogSec={WATCHDOG_S}: a hang to serving again {took:.2f} s")
        self.assertIn("it may have been done", ended.stdout + ended.stderr)
        self.assertNotEqual(self.box.pid("wharfd.service"), pid)
        self.assertEqual(self.box.show("wharfd.service", "NRestarts"), "1")
        self.assertIn("watchdog", self.box.journal("wharfd.service").lower())
        self.assertLess(took, 20)

    def test_without_a_watchdog_it_would_hang_on(self):
        self.watch_every(0)
        pid = self.box.pid("wharfd.service")
        ended = self.hang(WATCHDOG_S + 1)
        self.assertIn("the deadline passed", ended.stdout + ended.stderr)
        self.assertEqual(self.box.pid("wharfd.service"), pid)
        self.box.kill("wharfd.service")  # It could not be drained.


if __name__ == "__main__":
    case.main()
