"""Runs the conformance script: a daemon, one of the clients, and what it must print.

    run.py DAEMON SCRIPT CLIENT...    CLIENT is a command that takes an endpoint and a script

The client gets the script without what is expected, with its generators expanded, and prints a line
of JSON for each step. README.md beside this file says how the script is written.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

# By name: what a generator stands for.
GENERATORS = {
    "$repeat": lambda text, count: text * count,
    "$range": lambda begin, end: list(range(begin, end)),
    "$texts": lambda count, text: [f"{text}{i}" for i in range(count)],
    "$each": lambda key, count, text=None: [
        {key: i if text is None else f"{text}{i}"} for i in range(count)],
    "$mirrored": lambda count, text: [
        {"text": f"{text}{i}", "length": len(f"{text}{i}".encode())} for i in range(count)],
}


def expand(value):
    if isinstance(value, list):
        return [expand(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in GENERATORS:
        return GENERATORS[name](*expand(value[name]))
    return {key: expand(each) for key, each in value.items()}


def fits(expected, got, key=None):
    """Equal. Of a reply that is an object, the members that are expected: there may be others."""
    if key == "reply" and isinstance(expected, dict) and isinstance(got, dict):
        return all(name in got and fits(each, got[name]) for name, each in expected.items())
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(fits(expected[name], got[name], name)
                                                     for name in expected)
    # Python takes true for 1, and 1.0 for 1: the second is a matter of who prints.
    return expected == got and isinstance(expected, bool) == isinstance(got, bool)


def shorten(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "..."


def main(daemon, script_path, *client):
    with open(script_path, encoding="utf-8") as file:
        script = [expand(step) for step in json.load(file)]
    directory = tempfile.mkdtemp()
    process = None
    try:
        process = subprocess.Popen(
            [daemon, "--config", "/dev/null", "--listen", f"unix:{directory}/socket", "--state",
             directory, "--threads", "1", "--log-level", "warning", "--print-endpoints"],
            stdout=subprocess.PIPE, text=True)
        endpoint = process.stdout.readline().strip()
        given = os.path.join(directory, "script.json")
        with open(given, "w", encoding="utf-8") as file:
            json.dump([{key: value for key, value in step.items() if key != "expect"}
                       for step in script], file)
        output = subprocess.run([*client, endpoint, given], stdout=subprocess.PIPE, timeout=100)
        lines = output.stdout.decode().split("\n")[:-1]
        failures = 0
        for step, line in zip(script, lines):
            got = json.loads(line)
            if not fits(step["expect"], got):
                failures += 1
                print(f"{step['says']}:\n  expected {shorten(step['expect'])}\n"
                      f"  got      {shorten(got)}")
        print(f"{len(script)} steps, {len(lines)} answered, {failures} wrong; "
              f"the client ended with {output.returncode}")
        return 0 if not failures and len(lines) == len(script) and not output.returncode else 1
    finally:
        if process is not None:
            process.terminate()
            process.communicate(timeout=20)
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
