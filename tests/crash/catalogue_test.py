#!/usr/bin/env python3
"""Kills wharfd -9 while the package catalogue stores; every acknowledged object must be there after.

usage: catalogue_test.py WHARFD PACKAGE_CATALOGUE
"""
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile

F_SETPIPE_SZ = 1031
LIMIT_S = 60
KILL_AFTER = 100


def status_file(directory):
    """The machine's own package database, or one that is made up where there is none."""
    real = "/var/lib/dpkg/status"
    if os.path.exists(real) and os.path.getsize(real) > 100_000:
        return real
    made_up = os.path.join(directory, "status")
    with open(made_up, "w", encoding="ascii") as out:
        for n in range(800):
            out.write(f"Package: made-up-{n}\nStatus: install ok installed\nSection: misc\n"
                      f"Architecture: all\nVersion: 1:{n}.0-1\nInstalled-Size: {n}\n"
                      f"Depends: made-up-{n // 2} (>= 1.0) | other, third\n"
                      f"Description: package {n}\n {'words ' * (n % 60)}\n\n")
    return made_up


class Daemon:
    """wharfd on a unix socket; the constructor returns when it is READY."""

    def __init__(self, program, directory):
        self.endpoint = f"unix:{directory}/socket"
        notify = f"{directory}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(LIMIT_S)
            self.process = subprocess.Popen(
                [program, "--config", f"{directory}/wharfd.conf"],
                env={**os.environ, "NOTIFY_SOCKET": notify})
            try:
                while b"READY=1" not in ready.recv(4096).split(b"\n"):
                    pass
            except BaseException:
                self.process.kill()
                raise
        os.unlink(notify)

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


def catalogue(program, daemon, *arguments):
    return subprocess.run([program, "--endpoint", daemon.endpoint, *arguments],
                          timeout=LIMIT_S).returncode


def interrupted_run(program, daemon, status, directory):
    """Runs the catalogue, kills the daemon in the middle, returns the journal's lines."""
    fifo = f"{directory}/fifo"
    os.mkfifo(fifo)
    # The journal goes through a small pipe: the catalogue cannot run ahead of its reader, so that
    # the kill is certain to hit the middle.
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, True)
    child = subprocess.Popen([program, "--endpoint", daemon.endpoint, "--file", status,
                              "--in-flight", "16", "--journal", fifo],
                             stderr=subprocess.PIPE)
    data = b""
    try:
        # Before the catalogue opens its end, a read returns nothing.
        held = os.open(fifo, os.O_WRONLY)
        while data.count(b"\n") < KILL_AFTER:
            assert select.select([reader], [], [], LIMIT_S)[0], "the catalogue stores nothing"
            data += os.read(reader, 512)
        assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
        os.close(held)
        while block := os.read(reader, 65536):
            data += block
        stderr = child.communicate(timeout=LIMIT_S)[1]
    finally:
        child.kill()
        child.wait()
        os.close(reader)
    assert child.returncode == 1, f"the catalogue ended with {child.returncode}"
    print("the interrupted run said:", stderr.decode().strip())
    return data


def main():
    wharfd, program = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="wharf-catalogue-") as directory:
        os.mkdir(f"{directory}/state")
        with open(f"{directory}/wharfd.conf", "w", encoding="ascii") as out:
            out.write(f'state_directory = "{directory}/state"\n'
                      f'[[listen]]\nendpoint = "unix:{directory}/socket"\n')
        status = status_file(directory)
        with open(status, "rb") as lines:
            packages = sum(line.startswith(b"Package:") for line in lines)

        daemon = Daemon(wharfd, directory)
        data = interrupted_run(program, daemon, status, directory)
        acknowledged = data.count(b"\n")
        print(f"{acknowledged} of {packages} objects were acknowledged before the kill")
        assert KILL_AFTER <= acknowledged < packages, "the kill did not hit the middle"
        journal = f"{directory}/journal"
        with open(journal, "wb") as out:
            out.write(data)

        daemon = Daemon(wharfd, directory)
        try:
            verified = ["--verify-only", "--journal", journal]
            assert catalogue(program, daemon, *verified) == 0, "an acknowledged object is lost"
            # Negative control: the check sees an object that is not there, and one that changed.
            for bad in (b"%016x package/never:stored\n" % 1, b"0" * 16 + data.split(b"\n")[0][16:] + b"\n"):
                with open(journal, "wb") as out:
                    out.write(data + bad)
                assert catalogue(program, daemon, *verified) == 1, "a loss was not seen"
            # And the whole catalogue again, to its end.
            assert catalogue(program, daemon, "--file", status) == 0
            assert daemon.stop(signal.SIGTERM) == 0
        finally:
            daemon.process.kill()
            daemon.process.wait()


if __name__ == "__main__":
    main()
