# Starts, pins and ends the processes of a comparison of servers.
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile


def path_of(build, program):
    return os.path.join(build, "tests", "bench", f"bench_{program}")


def pinned(cpus, descriptors=0):
    def apply():
        os.sched_setaffinity(0, cpus)
        if descriptors:
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            most = descriptors if hard == resource.RLIM_INFINITY else min(descriptors, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return apply


class Server:
    """A server process that prints its port and id when it is ready, and ends with the block."""

    def __init__(self, build, system, cpus, prefix=(), arguments=(), descriptors=0):
        path = path_of(build, f"{system}_server")
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*prefix, path, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        preexec_fn=pinned(cpus, descriptors))
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{path} did not start: {self.logged()}")
        self.port, self.pid = map(int, line.split())

    def __enter__(self):
        return self

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def private_kib(self):
        """Memory that is this process's alone, in user space."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

    def __exit__(self, kind, *_):
        if kind:
            print(self.logged(), file=sys.stderr)
        # Behind strace the server is a child: strace ends with it, and then writes its counts.
        os.kill(self.pid, signal.SIGTERM)
        self.process.wait()


def run_client(build, system, workload, server, seconds, cpus, calls=0):
    """One slice, as the client printed it; nothing where calls are counted."""
    command = [path_of(build, f"{system}_client"), workload, str(server.port), str(server.pid),
               str(seconds), str(calls)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                          preexec_fn=pinned(cpus))
    return json.loads(done.stdout) if not calls else None
