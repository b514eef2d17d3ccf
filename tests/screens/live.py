# Watches `wharfctl top` on a terminal of its own: what it shows, what keys, sizes and a daemon that
# restarts do to it, and that it leaves the terminal as it was, however it ends.
import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PATIENCE_S = 60
LEAVE = b"\x1b[?1049l"


class Terminal:
    """A pseudo terminal with one program on it."""

    def __init__(self, words, environment, columns=80, lines=24):
        self.master, self.slave = pty.openpty()
        self.resize(columns, lines)
        self.found = termios.tcgetattr(self.slave)
        self.written = b""
        self.program = subprocess.Popen(
            words, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, timeout_s):
        if select.select([self.master], [], [], timeout_s)[0]:
            try:
                self.written += os.read(self.master, 65536)
            except OSError:
                pass

    def frames(self):
        """Complete frames: lists of lines without colours."""
        for frame in self.written.split(b"\x1b[H")[1:]:
            if b"\x1b[J" in frame:
                text = frame[:frame.index(b"\x1b[J")].decode()
                yield [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"\r+\n", text)]

    def wait(self, what, fits):
        """Waits for a frame that fits, among those to come."""
        self.written = b""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for frame in self.frames():
                if fits(frame):
                    return frame
            assert self.program.poll() is None, f"{what}: ended: {self.written}"
            self.read(1)
        raise AssertionError(f"{what}: not seen; the last: {self.written[-4000:]}")

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """What it ended with, once the terminal is as it was."""
        end = time.monotonic() + PATIENCE_S
        while self.program.poll() is None:
            self.read(0.05)
            assert time.monotonic() < end, "does not end"
        self.read(0)
        assert LEAVE in self.written, f"the screen was not left: {self.written[-300:]}"
        assert termios.tcgetattr(self.slave) == self.found, "the terminal's mode was not put back"
        os.close(self.master)
        os.close(self.slave)
        return self.program.returncode


class Daemon:
    def __init__(self, endpoint, environment):
        self.process = subprocess.Popen(
            ["calculatord", "--listen", endpoint, "--print-endpoints"], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline(), "no daemon"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


def commands_of(frame):
    heading = next(i for i, line in enumerate(frame) if line.startswith("COMMAND"))
    return [line.split()[0] for line in frame[heading + 1:-1] if line.strip()]


def watch(endpoint, environment, top):
    daemon = Daemon(endpoint, environment)
    screen = Terminal(top, environment)
    frame = screen.wait("the first screen", lambda f: any("system.metrics  " in l for l in f) and
                        commands_of(f)[0] == "system.metrics")
    assert len(frame) == 24 and frame[0].startswith("calculatord") and "up " in frame[0], frame
    assert frame[-1].startswith("q quit"), frame

    # A call shows up while it is fresh; by name it stands where the alphabet has it.
    screen.press(b"n")
    frame = screen.wait("sorted by name", lambda f: commands_of(f) == sorted(commands_of(f)))
    assert "calculator.add" in commands_of(frame), frame
    call = ["wharfctl", "call", "calculator.add", '{"a": 1}']

    def is_called(f):
        subprocess.run(call, env=environment, stdout=subprocess.DEVNULL, check=True)
        row = next((l for l in f if l.startswith("calculator.add")), "calculator.add -")
        return row.split()[1] != "-"
    screen.wait("a call", is_called)

    # Keys.
    screen.press(b"r")
    screen.wait("sorted by rate", lambda f: commands_of(f)[0] != "(other)")
    screen.press(b"\x1b[C\x1b[D<")
    screen.wait("arrows, and back to names", lambda f: commands_of(f) == sorted(commands_of(f)))
    screen.press(b" ")
    screen.wait("a pause", lambda f: "paused" in f[0])
    screen.press(b" ")
    screen.wait("no pause", lambda f: "paused" not in f[0])

    # Sizes.
    screen.resize(40, 10)
    frame = screen.wait("a small screen", lambda f: len(f) == 10)
    assert all(len(line) <= 40 for line in frame), frame
    screen.resize(200, 50)
    frame = screen.wait("a large screen", lambda f: len(f) == 50)
    assert any("CALLS/S, LAST MINUTE" in line for line in frame), frame

    # A daemon that goes, and comes back.
    daemon.stop()
    screen.wait("no daemon", lambda f: any("no connection" in line for line in f))
    daemon = Daemon(endpoint, environment)
    screen.wait("a daemon again", lambda f: not any("no connection" in line for line in f))

    screen.press(b"q")
    assert screen.end() == 0, "q"
    return daemon


def stop_it(top, environment, what, expected):
    screen = Terminal(top, environment)
    screen.wait("a screen", lambda f: True)
    what(screen)
    status = screen.end()
    assert status == expected, (status, expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="+", help="directories of the programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wharf-") as directory:
        endpoint = f"unix:{directory}/s"
        environment = {"PATH": os.pathsep.join([*arguments.programs, os.environ["PATH"]]),
                       "LC_ALL": "C.UTF-8", "TERM": "xterm", "HOME": directory,
                       "WHARF_ENDPOINT": endpoint}
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                environment[name] = os.environ[name]
        top = ["wharfctl", "top", "--interval", "0.1"]
        daemon = watch(endpoint, environment, top)
        stop_it(top, environment, lambda s: s.press(b"\x03"), -signal.SIGINT)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
            stop_it(top, environment, lambda s, n=number: s.program.send_signal(n), -number)
        daemon.stop()
    print("wharfctl top was watched")


if __name__ == "__main__":
    sys.exit(main())
