"""Types into bash and zsh, presses the tabulator, and looks at what the line has become."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from live import Terminal

PATIENCE_S = 60
PROGRAMS = []  # directories, from the command line
# Typed, and what then stands on the line. Nothing but what fits may be there.
LINES = [
    ("wharfctl descr", "wharfctl describe "),
    ("wharfctl describe calculator.a", "wharfctl describe calculator.add "),
    ("wharfctl call calculator.add '{", "wharfctl call calculator.add '{\""),
    ("wharfctl call calculator.add '{\"a\": 1, \"b", "wharfctl call calculator.add '{\"a\": 1, \"b\": "),
    ("wharfctl log-level info,sess", "wharfctl log-level info,session="),
    ("wharfctl log-level info,session=de", "wharfctl log-level info,session=debug "),
]
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(wharfctl completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; "
                                 'eval "$(wharfctl completion zsh)"; compdef _wharfctl wharfctl'),
}


class ShellsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="wharf-")
        self.addCleanup(directory.cleanup)
        self.environment = {**os.environ, "WHARF_ENDPOINT": f"unix:{directory.name}/s", "HOME": directory.name,
                            "TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null",
                            "PATH": os.pathsep.join(PROGRAMS) + os.pathsep + os.environ["PATH"]}
        self.daemon = subprocess.Popen(
            ["calculatord", "--listen", f"unix:{directory.name}/s", "--print-endpoints"],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop)
        self.assertNotEqual(self.daemon.stdout.readline(), "")

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(60)
        self.daemon.stdout.close()

    def shown(self, terminal):
        """Without bells, and without returns to the line's begin."""
        return terminal.written.decode(errors="replace").replace("\r", "").replace("\x07", "")

    def await_text(self, terminal, pattern):
        until = time.monotonic() + PATIENCE_S
        while not re.search(pattern, self.shown(terminal)):
            self.assertLess(time.monotonic(), until, f"{pattern}: {terminal.written}")
            terminal.read(1)

    def check(self, shell):
        words, setup = SHELLS[shell]
        terminal = Terminal(words, self.environment, 200)
        try:
            # What is typed is echoed: only what the shell made of it ends the wait.
            os.write(terminal.master, f"PS1='> '; {setup}; echo rea''dy\n".encode())
            self.await_text(terminal, "ready")
            for typed, expected in LINES:
                with self.subTest(shell=shell, typed=typed):
                    terminal.written = b""
                    os.write(terminal.master, typed.encode() + b"\t")
                    # A space behind it may still be to come; the mark stands where the cursor is.
                    self.await_text(terminal, re.escape(expected.rstrip()))
                    os.write(terminal.master, b"#MARK")
                    self.await_text(terminal, "#MARK")
                    self.assertIn(expected + "#MARK", self.shown(terminal))
                os.write(terminal.master, b"\x15")  # ^U: an empty line
        finally:
            terminal.program.kill()
            terminal.program.wait()

    def test_bash(self):
        self.check("bash")

    def test_zsh(self):
        self.check("zsh")


if __name__ == "__main__":
    PROGRAMS += sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
