# Types what a transcript says, and compares what programs print with what it shows.
#
# A line of a transcript: "$ " a command for sh; "! " a line of its standard error; "? N" its exit
# status where that is not 0; "+ " starts a daemon and waits until it answers; "- " stops it; "#" is
# a comment; all else is a line of standard output. Files are relative to a directory of the run's own.
import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

# Root and the daemon's own user may call anything by default: here they may only look.
ONLY_LOOK = """
[[allow]]
method = "unix"
subject = "self"
role = "looker"

[[role]]
name = "looker"
commands = ["system.*"]
"""


class Step:
    def __init__(self, line, number):
        self.mark, self.text, self.number = line[0], line[2:], number
        self.out, self.err, self.status = [], [], 0


def steps_of(path):
    steps = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().splitlines(), 1):
            if line.startswith("#"):
                continue
            if re.match(r"[$+-] ", line):
                steps.append(Step(line, number))
            elif line.startswith("! "):
                steps[-1].err.append(line[2:])
            elif line.startswith("? "):
                steps[-1].status = int(line[2:])
            elif steps:
                steps[-1].out.append(line)
    for step in steps:
        while step.out and not step.out[-1]:
            step.out.pop()
    return steps


class Screen:
    def __init__(self, arguments, directory):
        self.directory = directory
        self.endpoint = f"unix:{directory}/s"
        self.only_look = os.path.join(directory, "look.conf")
        with open(self.only_look, "w", encoding="utf-8") as file:
            file.write(ONLY_LOOK)
        paths = os.pathsep.join(arguments.programs)
        self.environment = {"PATH": paths + os.pathsep + os.environ["PATH"], "LC_ALL": "C.UTF-8",
                            "WHARF_ENDPOINT": self.endpoint, "HOME": directory}
        for name in os.environ:
            if name.endswith("SAN_OPTIONS"):
                self.environment[name] = os.environ[name]
        self.daemon = None

    def start(self, text):
        words = shlex.split(text.replace("ONLY_LOOK", self.only_look))
        self.daemon = subprocess.Popen(
            [*words, "--listen", self.endpoint, "--print-endpoints"], env=self.environment,
            cwd=self.directory,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.daemon.stdout.readline() == "":
            raise SystemExit(f"{text}: did not start")

    def stop(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(60)
            self.daemon.stdout.close()
            self.daemon = None

    def type(self, step):
        done = subprocess.run(["sh", "-c", step.text], env=self.environment, text=True, cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        shown, errors = (
            text.replace(self.endpoint, "ENDPOINT").replace(self.directory, "HOME").splitlines()
            for text in (done.stdout, done.stderr))
        wrong = []
        for what, expected, found in (("standard output", step.out, shown),
                                      ("standard error", step.err, errors),
                                      ("exit status", [step.status], [done.returncode])):
            if expected != found:
                wrong.append(f"  {what}, expected:\n    " + "\n    ".join(map(str, expected)) +
                             "\n  found:\n    " + "\n    ".join(map(str, found)))
        return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("transcript")
    parser.add_argument("programs", nargs="+", help="directories of the programs")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="wharf-") as directory:
        screen = Screen(arguments, directory)
        try:
            steps = steps_of(arguments.transcript)
            for step in steps:
                if step.mark == "+":
                    screen.start(step.text)
                elif step.mark == "-":
                    screen.stop()
                elif wrong := screen.type(step):
                    failed += 1
                    print(f"{arguments.transcript}:{step.number}: $ {step.text}",
                          *wrong, sep="\n")
        finally:
            screen.stop()
    print(f"{len(steps)} steps, {failed} wrong")
    return 1 if failed or not steps else 0


if __name__ == "__main__":
    sys.exit(main())
