# Compares the manual page of wharfctl with what the program says of itself: each subcommand and
# option is in both, and groff has no complaint.
import argparse
import re
import subprocess
import sys


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


def parts_of(program, path):
    """The subcommands and long options that the help of `wharfctl path...` lists."""
    text = run(program, *path, "--help")
    options = set(re.findall(r"(?:^|[ ,])--([a-z][a-z-]*)", "\n".join(
        line for line in text.splitlines() if re.match(r"  -", line))))
    listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = re.findall(r"^  ([a-z][a-z-]*)", listed.group(1), re.MULTILINE) if listed else []
    return names, options


def walk(program, path=()):
    names, options = parts_of(program, path)
    yield path, options
    for name in names:
        yield from walk(program, (*path, name))


def plain(text):
    """The page without groff's fonts and escapes."""
    text = re.sub(r"\\f[BIRP]", "", text)
    return text.replace("\\-", "-").replace('"', "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("page")
    arguments = parser.parse_args()
    with open(arguments.page, encoding="utf-8") as file:
        page = file.read()
    wrong = []
    commands = plain(page[page.index(".SH COMMANDS"):page.index(".SH OPTIONS")])
    entries = re.findall(r"\.TP\n(?:\.BR? )?(.*)", commands)
    known = set()
    paths = list(walk(arguments.program))
    for path, options in paths:
        name = " ".join(path)
        is_group = any(each[:-1] == path for each, _ in paths if each)
        entry = [each for each in entries if re.match(re.escape(name) + r"( |$)", each)]
        if name and not entry:
            wrong.append(f"the page has no entry for: {name}")
        if not is_group:
            known.add(name)
        where = plain(page[page.index(".SH OPTIONS"):]) if not name else commands
        wrong += [f"the page does not have --{option} of wharfctl {name}"
                  for option in options - {"help"} if f"--{option}" not in where]
    for entry in entries:
        if not any(re.match(re.escape(name) + r"( |$)", entry) for name in known if name):
            wrong.append(f"the program has no subcommand for the entry: {entry}")
    complaints = subprocess.run(["groff", "-man", "-Tutf8", "-z", "-ww", arguments.page],
                                capture_output=True, text=True, timeout=60).stderr
    if complaints:
        wrong.append(complaints)
    print("\n".join(wrong) or f"{len(known)} subcommands are in the page")
    return 1 if wrong or len(known) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
