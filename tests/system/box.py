"""A real systemd as PID 1 of a throw-away container, which leaves nothing behind however its user ends.

    with Box() as box:
        box.install("build/daemon/wharfd", "/usr/sbin/wharfd")
        box.run("systemctl", "start", "wharfd.service")

The root is an overlay: this machine's / below, a tmpfs above. README.md says what each part is for.
"""
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT_S = 30
COMMAND_S = 60
SKIPPED = 77
CAP_SYS_ADMIN = 21
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing():
    """Why there can be no container here, as a sentence; None where there can."""
    if os.geteuid() != 0:
        return "it needs root"
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next(line.split()[1] for line in status if line.startswith("CapEff:"))
    if not int(effective, 16) >> CAP_SYS_ADMIN & 1:
        return "it needs CAP_SYS_ADMIN"
    for program, package in (("systemd-nspawn", "systemd-container"), ("dbus-daemon", "dbus"),
                             ("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2")):
        if not shutil.which(program, path=PATH):
            return f"it needs {program}, of the package {package}"
    with open("/proc/filesystems", encoding="ascii") as known:
        if "overlay" not in known.read().split():
            return "it needs overlayfs in the kernel"
    for hierarchy in cgroup_hierarchies():
        if not os.access(hierarchy, os.W_OK):
            return f"it needs {hierarchy}, writable"
    return None


def cgroup_hierarchies():
    """Where systemd has to find a cgroup of its own: both parts of a hybrid host, or the only one."""
    hybrid = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]
    return hybrid if os.path.isdir(hybrid[1]) else ["/sys/fs/cgroup"]


class NotBooted(Exception):
    """With what the console has shown."""


class Box:
    """Boots when it is entered, ends when it is left."""

    def __init__(self):
        self.directory = None
        self.leader = None
        self.keeper = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="wharf-box-")
        # The keeper outlives us, whatever kills us: it sees our end as the end of its standard input,
        # kills the container and removes what the kernel keeps of it.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(os.path.join(self.directory, "notify"))
            self.keeper = subprocess.Popen(
                [sys.executable, "-B", os.path.join(HERE, "box_keeper.py"), self.directory,
                 *cgroup_hierarchies()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
            try:
                self._await_boot(notify)
            except BaseException:
                self.close()
                raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Kills the container; returns when nothing is left of it."""
        if self.keeper:
            self.keeper.stdin.close()
            self.keeper.stdout.read()
            self.keeper.stdout.close()
            self.keeper.wait()
            self.keeper = None

    def _await_boot(self, notify):
        """nspawn tells the number of its PID 1 on this machine, and when that says that it is ready."""
        until, said = time.monotonic() + BOOT_S, {}
        try:
            while not {"READY", "ENDED"} & said.keys():
                notify.settimeout(max(0.001, until - time.monotonic()))
                said.update(line.split("=", 1) for line in notify.recv(4096).decode().splitlines())
        except TimeoutError:
            pass
        if "READY" not in said:
            with open(os.path.join(self.directory, "console"), encoding="utf-8", errors="replace") as out:
                raise NotBooted("systemd did not boot:\n" + out.read())
        self.leader = said["X_NSPAWN_LEADER_PID"]

    def command(self, *words):
        """What to run on this machine so that `words` run in the container."""
        return ["nsenter", "-t", self.leader, "-m", "-u", "-i", "-n", "-p", "-C",
                "env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "HOME=/root", "SYSTEMD_PAGER=",
                "SYSTEMD_COLORS=0", *words]

    def run(self, *words, check=True, timeout=COMMAND_S, text=None):
        done = subprocess.run(self.command(*words), input=text or "", capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *words):
        return subprocess.Popen(self.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)

    def path(self, inside):
        """The container's file, as this machine can open it."""
        return f"/proc/{self.leader}/root{inside}"

    def write(self, inside, text):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)

    def install(self, source, inside, mode=None):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        shutil.copyfile(source, self.path(inside))
        os.chmod(self.path(inside), os.stat(source).st_mode & 0o777 if mode is None else mode)

    def systemctl(self, *words, check=True):
        return self.run("systemctl", *words, check=check)

    def show(self, unit, *properties):
        lines = self.systemctl("show", unit, "-p", ",".join(properties)).stdout.splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return values[properties[0]] if len(properties) == 1 else values

    def journal(self, unit):
        self.run("journalctl", "--sync", check=False)
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False).stdout

    @staticmethod
    def monotonic_us():
        """The clock of the properties whose names end in Monotonic: the container has this machine's."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    def filters_addresses(self):
        """Whether IPAddressDeny= is enforced: without bpf() systemd goes on without a word."""
        send = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
        sent = self.run("systemd-run", "--wait", "--quiet", "-p", "IPAddressDeny=any", "python3", "-c", send,
                        check=False)
        return sent.returncode != 0

    def pid(self, unit):
        """The unit's process, as the container numbers it."""
        return self.show(unit, "MainPID")

    def pid_here(self, unit):
        """The unit's process, as this machine numbers it."""
        with open(self.path(f"/sys/fs/cgroup/system.slice/{unit}/cgroup.procs"), encoding="ascii") as file:
            return file.read().split()[0]

    def kill(self, unit):
        """kill -9; returns when the unit's process is gone, with all that it had open."""
        process = os.pidfd_open(int(self.pid_here(unit)))
        try:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [], COMMAND_S)
        finally:
            os.close(process)
