"""Owns one container: boots it, and when its standard input ends, kills it and removes what is left.

usage: box_keeper.py DIRECTORY CGROUP_HIERARCHY...
"""
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

GONE_S = 10


def cgroups_of(directory, hierarchies):
    return [os.path.join(each, os.path.basename(directory)) for each in hierarchies]


def boot(directory, cgroups, console):
    here = os.path.dirname(os.path.abspath(__file__))
    for cgroup in cgroups:
        os.mkdir(cgroup)

    def enter():
        for cgroup in cgroups:
            with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

    return subprocess.Popen(["/bin/bash", os.path.join(here, "box_boot.sh"), directory],
                            stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=enter,
                            cwd="/", env={**os.environ, "NOTIFY_SOCKET": f"{directory}/notify"})


def run(directory, cgroups):
    """Who waits for the boot need not wait for one that has failed."""
    with open(os.path.join(directory, "console"), "w", encoding="utf-8") as console:
        try:
            nspawn = boot(directory, cgroups, console)
        except (OSError, subprocess.SubprocessError) as why:
            console.write(f"{why}\n")
            nspawn = None
    threading.Thread(target=tell_end, args=(nspawn, directory), daemon=True).start()
    return nspawn


def tell_end(nspawn, directory):
    if nspawn:
        nspawn.wait()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(b"ENDED=1", os.path.join(directory, "notify"))
        except OSError:
            pass  # Nobody waits.


def kill_all(cgroup):
    """Whoever is left of the container: only its own processes are in its cgroup."""
    for path, _, _ in os.walk(cgroup):
        try:
            with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as file:
                for pid in file.read().split():
                    os.kill(int(pid), 9)
        except OSError:
            pass  # It went by itself.


def remove(cgroup):
    for path, _, _ in os.walk(cgroup, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            pass  # Somebody is in it still: tried again.
    return not os.path.exists(cgroup)


def main():
    directory, *hierarchies = sys.argv[1:]
    if os.fork() != 0:
        os._exit(0)  # An orphan: who kills the test with its children does not find us.
    cgroups = cgroups_of(directory, hierarchies)
    nspawn = run(directory, cgroups)
    sys.stdin.buffer.read()
    if nspawn:
        nspawn.kill()
        nspawn.wait()
    until = time.monotonic() + GONE_S
    while time.monotonic() < until:
        for cgroup in cgroups:
            kill_all(cgroup)
        if all([remove(cgroup) for cgroup in cgroups]):
            break
        time.sleep(0.01)  # The kernel tells nobody when the last process of a cgroup v1 is reaped.
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
