"""Calls every command of every daemon of the tree with `wharfctl call`, which knows none of their types."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = []  # directories, from the command line

# Each is: command, argument, what the reply must contain (of an object: at least these members; of a
# stream: its first items). A function decides by itself.
SYSTEM = [
    ("system.ping", {"token": 18446744073709551615}, "18446744073709551615"),
    ("system.list", None, lambda reply: "system.list" in reply),
    ("system.status", {}, lambda reply: reply["pid"] > 1 and reply["limits"] and reply["endpoints"]),
    ("system.sessions", {}, lambda reply: reply["total"] == 1 and reply["sessions"][0]["calls"] >= 1),
    ("system.metrics", None, lambda reply: "wharf_" in reply),
    ("system.describe", {"command": "system.ping"},
     lambda reply: reply["argument"]["types"][0]["fields"][0]["name"] == "token"),
    ("system.log_level",
     {"level": "debug,daemon=info,listener=notice,session=warning,call=error,store=critical", "for_ms": 1000},
     lambda reply: all(each in reply["now"].split(",") for each in
                       ("listener=notice", "session=warning", "call=error", "store=critical"))),
    ("system.reload", None, {"applied": [], "restart": []}),
]
# It stops the daemon, and so comes last.
DRAIN = ("system.drain", {"timeout_ms": 5000}, {"timeout_ms": 5000})
OBJECTS = [
    ("objects.put", {"key": "a", "value": "aGVsbG8="}, {"revision": 1}),
    ("objects.get", {"key": "a"}, {"value": "aGVsbG8=", "revision": 1}),
    ("objects.cas", {"key": "a", "expected": 1, "value": "aG8="}, {"revision": 2}),
    ("objects.list", {"limit": 10}, lambda reply: [each["size"] for each in reply["entries"]] == [2]),
    ("objects.watch", {"after": 0, "value_bytes_max": 10}, lambda items: items[1]["changes"][0]["key"] == "a"),
    # An integer of 64 bits: its fingerprint is what the next command asks for.
    ("objects.define", {"type": {"types": [{"kind": "integer", "size": 8}]}},
     lambda reply: int(reply) != 0),
    ("objects.schema", lambda last: {"fingerprint": last},
     lambda reply: reply["types"][0]["kind"] == "integer" and reply["types"][0]["size"] == 8),
    ("objects.erase", {"key": "a"}, {"revision": 3}),
]
DAEMONS = {
    "wharfd": OBJECTS,
    "echod": [("echo.text", {"text": "grüße"}, "grüße")],
    "calculatord": [("calculator.add", {"a": -3, "b": 5}, 2)],
    "counterd": [("counter.count_up", {"last": 3}, [1, 2, 3])],
}


class EveryCommandTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wharf-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.environment = {**os.environ, "WHARF_ENDPOINT": f"unix:{self.directory}/s", "HOME": self.directory,
                            "PATH": os.pathsep.join(PROGRAMS) + os.pathsep + os.environ["PATH"]}

    def start(self, name):
        """The daemon answers from the moment at which it says where."""
        words = [name, "--listen", f"unix:{self.directory}/s", "--print-endpoints"]
        if name == "wharfd":
            with open(f"{self.directory}/wharfd.conf", "w", encoding="utf-8"):
                pass
            words += ["--config", f"{self.directory}/wharfd.conf", "--state", self.directory]
        daemon = subprocess.Popen(words, env=self.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop, daemon)
        self.assertNotEqual(daemon.stdout.readline(), "", name)
        return daemon

    def stop(self, daemon):
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
        daemon.stdout.close()

    def wharfctl(self, *words):
        """What it printed: a JSON value a line. A watch goes on: it is left after its start and one item."""
        program = subprocess.Popen(["wharfctl", "--json", *words], env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if "objects.watch" in words:
            lines = [program.stdout.readline(), program.stdout.readline()]
            program.terminate()
            program.stdout.close()
            program.wait(60)
        else:
            lines = program.communicate(timeout=60)[0].splitlines()
            self.assertEqual(program.returncode, 0, words)
        return [json.loads(line) for line in lines]

    def check(self, reply, expected, command):
        if callable(expected):
            self.assertTrue(expected(reply), f"{command}: {reply}")
        elif isinstance(expected, dict):
            self.assertEqual(reply, {**reply, **expected}, command)
        else:
            self.assertEqual(reply, expected, command)

    def check_daemon(self, name):
        daemon = self.start(name)
        steps = DAEMONS[name] + SYSTEM + [DRAIN]
        served = [each["command"] for each in self.wharfctl("list")]
        self.assertEqual(sorted(step[0] for step in steps), served, "a command without a call, or none of this name")
        last = None
        for command, argument, expected in steps:
            if callable(argument):
                argument = argument(last)
            words = [] if argument is None else [json.dumps(argument)]
            replies = self.wharfctl("call", command, *words)
            is_stream = isinstance(expected, list) or command == "objects.watch"
            last = replies if is_stream else replies[0]
            self.check(last, expected, command)
        self.assertEqual(daemon.wait(60), 0, "drained")

    def test_the_daemon_for_objects(self):
        self.check_daemon("wharfd")

    def test_a_call_and_a_reply_of_text(self):
        self.check_daemon("echod")

    def test_a_call_of_numbers(self):
        self.check_daemon("calculatord")

    def test_a_stream(self):
        self.check_daemon("counterd")


if __name__ == "__main__":
    PROGRAMS += sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
