"""Stops the daemon while it works: systemd waits as long as the drain asks for."""
import time

import case

WAIT_S = 3
PATIENCE_S = 1  # TimeoutStopSec=, which the daemon's own request extends


class Stop(case.Case):
    def begin_call(self):
        """Returns when the daemon has a call that takes a while."""
        call = self.box.start("wharfctl", "--endpoint", case.UNIX, "call", "probe.wait",
                              f'{{"milliseconds": {1000 * WAIT_S}}}')
        self.addCleanup(call.stdout.close)
        self.addCleanup(call.stdin.close)
        self.await_in_flight("probe.wait")
        return call

    def stop(self):
        """Its seconds, and what systemd says of it."""
        began = time.monotonic()
        self.box.systemctl("stop", "wharfd.service")
        return time.monotonic() - began, self.box.show("wharfd.service", "Result")

    def test_a_call_that_takes_longer_than_the_units_patience_is_answered(self):
        self.run_probe()
        self.drop_in("wharfd.service", "60-patience", f"[Service]\nTimeoutStopSec={PATIENCE_S}\n")
        self.start()
        call = self.begin_call()
        took, result = self.stop()
        self.assertEqual((call.wait(), result), (0, "success"))
        self.assertGreater(took, PATIENCE_S)

    def test_a_call_that_takes_longer_than_the_drain_is_not_waited_for(self):
        self.run_probe()
        self.configure("drain", '[server]\ndrain_timeout = "100ms"\n')
        self.start()
        call = self.begin_call()
        took, result = self.stop()
        self.assertNotEqual(call.wait(), 0)
        self.assertEqual(result, "success")
        self.assertLess(took, WAIT_S)

    def test_a_daemon_that_wharfctl_has_drained_comes_back_with_the_next_connection(self):
        self.start()
        self.ctl("drain", "--wait")
        self.box.systemctl("stop", "wharfd.service")  # Returns when systemd has seen the end, too.
        self.assertEqual(self.box.show("wharfd.service", "ActiveState", "Result"),
                         {"ActiveState": "inactive", "Result": "success"})
        self.ctl("ping")
        self.assertEqual(self.box.show("wharfd.service", "ActiveState"), "active")


if __name__ == "__main__":
    case.main()
