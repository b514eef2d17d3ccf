"""Daemons and clients of three versions of the same commands: what each shows the other.

    versions.py pairs PROGRAMS TABLE      all 9 pairs, compared with the table of TABLE
    versions.py stored PROGRAMS WHARFD    what each version reads of objects that each has stored
    versions.py rolling PROGRAMS ORDER    ORDER servers or clients: who is upgraded first, under load

PROGRAMS is the directory of the programs of CMakeLists.txt; TABLE is proto/SCHEMA.md, where the line
"<!-- versions -->" stands above the table.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

VERSIONS = (1, 2, 3)


class Server:
    def __init__(self, program, directory, log=None):
        self.process = subprocess.Popen(
            [program, "--config", "/dev/null", "--listen",
             f"unix:{directory}/socket", "--state", directory, "--threads", "1", "--log-level",
             "warning", "--print-endpoints"], stdout=subprocess.PIPE, stderr=log, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        return self.process.returncode


# ---- Pairs --------------------------------------------------------------------------------------

def fields(writer, reader, values):
    """What a reader sees of fields with (since, name, written, default), as the table has it."""
    return "".join(" " + (f"{name}={written}" if since <= min(writer, reader) else
                          f"{name}={default}")
                   for since, name, written, default in values if since <= reader)


def part(name, writer, reader):
    return name + fields(writer, reader, [(2, "count", 7, 20), (3, "ratio", 0.9, 0.3)])


def rest(writer, reader):
    text = fields(writer, reader, [(2, "note", "by hand", "no note"), (3, "rank", 5, "none")])[1:]
    colour = fields(writer, reader, [(2, "", "red", "grey")]).replace("=", "")
    return f"{text} outline=circle 6{colour}"


def expected(client, server):
    """Of one pair, by the kind of call: the client's arguments, then the server's answer."""
    def seen(writer, reader):
        return (f"[{part('a', writer, reader)}][{part('b', writer, reader)}] "
                f"{rest(writer, reader)}")

    def returned(text, writer, reader):
        return f"{text} / {part('most', writer, reader)} {rest(writer, reader)}"

    plain = returned(seen(client, server), server, client)
    # The server calls its client; what that answers is in the text.
    around = (f"{seen(server, client)}/{part('most', client, server)} {rest(client, server)}")
    back = min(client, server)
    first = part("first", back, client)
    stubborn = "newer_version: stubborn: the peer knows version {}, this program has version {} "
    lines = {"inline": plain, "again": plain, "awaiting": plain, "blocking": plain,
             "by the server": returned(around, server, client),
             "upload": f"[{part('x', client, server)}][{part('y', client, server)}]",
             "both ways": f"[{first}][" + part("seen " + part("second", client, server),
                                               server, client) + "]",
             # Version 1 has nothing that a later one could have to leave out.
             "stubborn argument": stubborn.format(server, client)
             if client > server == 1 else "answered",
             "stubborn reply": stubborn.format(client, server)
             if server > client == 1 else "answered"}
    if client == 3:
        lines["unknown class"] = "answered" if server == 3 else 'unregistered_class: "test.square"'
    return lines


def fits(line, got):
    if line.startswith("newer_version"):
        return got.startswith(line)
    if line.startswith("unregistered_class"):
        return got.startswith("unregistered_class") and got.endswith(
            'the peer does not know the class "test.square"')
    return line == got


def read_table(path):
    """{(writer, reader): (count, ratio)} of a class with fields since 2 and 3, as published."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("<!-- versions -->")[1].strip().split("\n")
    table = {}
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        table[int(cells[0]), int(cells[1])] = (cells[2], cells[3])
    return table


def check_table(path):
    """The table says in words what part() says in values."""
    words = {(2, True): "as written", (2, False): "default"}
    wrong = 0
    table = read_table(path)
    for writer in VERSIONS:
        for reader in VERSIONS:
            says = tuple(
                "unknown" if since > reader else words[2, since <= writer]
                for since in (2, 3))
            if table.get((writer, reader)) != says:
                wrong += 1
                print(f"the table says {table.get((writer, reader))} of what {writer} writes and "
                      f"{reader} reads, and it is {says}")
    if len(table) != 9:
        wrong += 1
        print(f"the table has {len(table)} rows")
    return wrong


def check_start(programs):
    """A daemon says at its start what it could not store for older peers, and nothing else."""
    wrong = 0
    for version in VERSIONS:
        directory = tempfile.mkdtemp()
        log = os.path.join(directory, "log")
        with open(log, "w", encoding="utf-8") as file:
            Server(f"{programs}/versions_server_{version}", directory, file).stop()
        with open(log, encoding="utf-8") as file:
            said = [line for line in file if "cannot be stored for a peer" in line]
        shutil.rmtree(directory)
        names = [line for line in said if ": stubborn cannot be stored for a peer that knows "
                 "version " in line]
        if bool(said) != (version > 1) or len(names) != len(said):
            wrong += 1
            print(f"server {version} said at its start: {said}")
    return wrong


def check_alone(programs, client, server, endpoint):
    """Where one end does not exchange versions, the older one refuses the newer one by name."""
    said = subprocess.run([f"{programs}/versions_client_{client}", endpoint, "alone"],
                          stdout=subprocess.PIPE, text=True, timeout=60).stdout.strip()
    name, newer, older = (("measure", client, server) if client > server else
                          ("measured", server, client))
    text = f"class {name} has version {newer}, this program knows {older}"
    if client == server:
        fits_here = said == "alone: answered"
    else:
        fits_here = said.startswith("alone: newer_version: ") and said.endswith(text)
    if not fits_here:
        print(f"client {client} without an exchange, server {server}: {said}")
    return not fits_here


def pairs(programs, table):
    wrong = check_table(table) + check_start(programs)
    answered = 0
    directory = tempfile.mkdtemp()
    try:
        for server_version in VERSIONS:
            server = Server(f"{programs}/versions_server_{server_version}", directory)
            for client_version in VERSIONS:
                client = subprocess.run(
                    [f"{programs}/versions_client_{client_version}", server.endpoint, "pair"],
                    stdout=subprocess.PIPE, text=True, timeout=60)
                got = dict(line.split(": ", 1) for line in client.stdout.splitlines())
                lines = expected(client_version, server_version)
                answered += len(got)
                wrong += check_alone(programs, client_version, server_version, server.endpoint)
                if client.returncode or got.keys() != lines.keys():
                    wrong += 1
                    print(f"client {client_version}, server {server_version}: ended with "
                          f"{client.returncode} after {list(got)}")
                for what, line in lines.items():
                    if what in got and not fits(line, got[what]):
                        wrong += 1
                        print(f"client {client_version}, server {server_version}, {what}:\n"
                              f"  expected {line}\n  got      {got[what]}")
            wrong += server.stop() != 0
    finally:
        shutil.rmtree(directory)
    print(f"9 pairs, {answered} answers, {wrong} wrong")
    return 1 if wrong else 0


# ---- Stored objects -----------------------------------------------------------------------------

def stored(programs, wharfd):
    directory = tempfile.mkdtemp()
    wrong = answered = 0

    def run(version, mode):
        client = subprocess.run([f"{programs}/versions_client_{version}", server.endpoint, mode],
                                stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        return dict(line.split(": ", 1) for line in client.stdout.splitlines())

    try:
        server = Server(wharfd, directory)
        for writer in VERSIONS:
            run(writer, "write")
        for reader in VERSIONS:
            got = run(reader, "read")
            answered += len(got)
            for writer in VERSIONS:
                seen = got.get(str(writer), "nothing")
                if writer <= reader:
                    fits_here = seen == (f"[{part('a', writer, reader)}]"
                                         f"[{part('b', writer, reader)}] {rest(writer, reader)}")
                else:
                    fits_here = (seen.startswith("newer_version") and "measure" in seen and
                                 f"version {writer}" in seen and f"{reader}" in seen)
                if not fits_here:
                    wrong += 1
                    print(f"written by {writer}, read by {reader}: {seen}")
        wrong += server.stop() != 0
    finally:
        shutil.rmtree(directory)
    print(f"9 pairs, {answered} objects read, {wrong} wrong")
    return 1 if wrong or answered != 9 else 0


# ---- A rolling upgrade --------------------------------------------------------------------------

class Client:
    def __init__(self, programs, version, endpoint):
        self.version = version
        self.process = subprocess.Popen([f"{programs}/versions_client_{version}", endpoint, "load"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def is_at_work(self):
        """It has been answered since it was asked before: it says so at each line that it gets."""
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def await_calls(self, count):
        until = time.monotonic() + 30
        first = self.is_at_work()
        while self.is_at_work() < first + count:
            if time.monotonic() > until:
                raise TimeoutError(f"client of version {self.version} gets no answers")

    def stop(self):
        output, _ = self.process.communicate("end\n", timeout=60)
        print(f"  client {self.version}: {output.strip()}")
        return output


def rolling(programs, order):
    directory = tempfile.mkdtemp()
    outputs = []
    upgrades = 0
    try:
        server = Server(f"{programs}/versions_server_1", directory)
        clients = [Client(programs, 1, server.endpoint) for _ in range(2)]

        def upgrade_server(version):
            nonlocal server
            if server.stop():
                raise RuntimeError("a server did not stop in order")
            server = Server(f"{programs}/versions_server_{version}", directory)

        def upgrade_clients(version):
            for i, old in enumerate(clients):
                clients[i] = Client(programs, version, server.endpoint)
                clients[i].await_calls(30)
                outputs.append(old.stop())

        steps = [upgrade_server, upgrade_clients]
        if order == "clients":
            steps.reverse()
        for version in (2, 3):
            for step in steps:
                for each in clients:
                    each.await_calls(1000)
                step(version)
                upgrades += 1
        for each in clients:
            each.await_calls(1000)
        outputs += [each.stop() for each in clients]
        server.stop()
    finally:
        shutil.rmtree(directory)
    good = sum(" 0 wrong, 0 errors" in output for output in outputs)
    print(f"{order} first: {upgrades} upgrades, {good} of {len(outputs)} clients without a wrong "
          "answer or an error")
    return 0 if good == len(outputs) == 6 else 1


if __name__ == "__main__":
    sys.exit({"pairs": pairs, "stored": stored, "rolling": rolling}[sys.argv[1]](*sys.argv[2:]))
