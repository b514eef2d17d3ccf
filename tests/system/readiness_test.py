"""Clients that were there before the daemon: they find it soon, and not all at once."""
import collections

import case

EARLY_MS = 5000
CLIENTS = 500
PAUSE_MS = (50, 5000)  # what client_options have
ANSWER_MS = 2000  # what an answer may take beside the pause
# Clients that all pause for a short time come back as one.
CONTROL_CLIENTS = 100
CONTROL_PAUSE_MS = (200, 200)
BIN_MS = 100
PART_MAX = 0.15  # of all clients in one bin; 0.04 are expected, and 1 of the control

# Without wharfd.socket, so that nobody listens before the daemon does.
UNIT = """
[Service]
Type=notify
ExecStart=/usr/sbin/wharfd --config /etc/early.conf
StateDirectory=wharf-early
User=wharf
"""
CONFIGURATION = """
[[listen]]
endpoint = "127.0.0.1:7042"
[[allow]]
method = "anonymous"
subject = "127.0.0.0/8"
role = "user"
"""


class Waiters:
    """The program system_waiters, in the container."""

    def __init__(self, box, clients, pauses):
        self.clients, self.tried = clients, []
        self.process = box.start("/usr/local/bin/system_waiters", str(clients), *map(str, pauses),
                                 str(EARLY_MS), "127.0.0.1:7042")

    def read(self, name):
        words = self.process.stdout.readline().split()
        assert words[:1] == [name], words
        return [int(word) for word in words[1:]]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait() == 0

    def part_in_fullest_bin(self, since):
        bins = collections.Counter((each - since) // (BIN_MS * 1000) for each in self.tried if each > since)
        return max(bins.values()) / self.clients

    def histogram(self, since):
        bins = collections.Counter((each - since) // 500_000 for each in self.tried if each > since)
        return [bins[n] for n in range(max(bins) + 1)]


class Readiness(case.Case):
    def await_answers(self, waiters):
        answered = waiters.read("answered")
        waiters.tried = waiters.read("tried")
        waiters.end()
        self.assertEqual(len(answered), waiters.clients)
        return answered

    # Row 25: a client that starts before its server waits for it, and a crowd of them does not stampede.
    def test_early_clients_are_answered_within_a_pause_and_do_not_stampede(self):
        self.box.install(case.program("SYSTEM_WAITERS"), "/usr/local/bin/system_waiters")
        self.box.write("/etc/early.conf", CONFIGURATION)
        self.box.write("/run/systemd/system/early.service", UNIT)
        self.box.systemctl("daemon-reload")
        self.addCleanup(self.box.systemctl, "stop", "early.service")
        crowd = Waiters(self.box, CLIENTS, PAUSE_MS)
        control = Waiters(self.box, CONTROL_CLIENTS, CONTROL_PAUSE_MS)
        for each in (crowd, control):
            each.read("waited")
        self.box.systemctl("start", "early.service")
        ready = int(self.box.show("early.service", "ActiveEnterTimestampMonotonic"))
        answered = self.await_answers(crowd)
        self.await_answers(control)
        latest_ms = (max(answered) - ready) / 1000
        print(f"{CLIENTS} clients, {EARLY_MS} ms early: the last is answered {latest_ms:.0f} ms after READY; "
              f"in each half second there try {crowd.histogram(ready)}; at most "
              f"{crowd.part_in_fullest_bin(ready):.2f} in {BIN_MS} ms, of the control "
              f"{control.part_in_fullest_bin(ready):.2f}")
        self.assertLessEqual(latest_ms, PAUSE_MS[1] + ANSWER_MS)
        # Nobody has to try twice.
        self.assertLessEqual(sum(each > ready for each in crowd.tried), CLIENTS)
        self.assertLess(crowd.part_in_fullest_bin(ready), PART_MAX)
        self.assertGreater(control.part_in_fullest_bin(ready), PART_MAX)


if __name__ == "__main__":
    case.main()
