# Compiles a source without its refused cases, which must work, and with all of them at once, where
# each must fail with the sentence in front of it: one run of the compiler instead of one for each.
#   check.py SOURCE COMPILER [FLAG...]
import os
import re
import subprocess
import sys

# A case is `// Refused: regular expression` and what follows, up to the next one.
CASE = re.compile(r"^// Refused: (.*)$")
FUNCTION = re.compile(r"^[\w:<>\[\] ]*\b(\w+)\(")
PLACE = re.compile(r"^(.+?):(\d+):(?:\d+:)?\s+(.*)$")
ERROR = re.compile(r"^(?:fatal )?error: (.*)$")


def cases_of(text):
    """Name, pattern, first and last line of each case."""
    found = []
    pattern = None
    for number, line in enumerate(text.split("\n"), 1):
        if match := CASE.match(line):
            pattern = match.group(1)
        elif pattern is not None and (match := FUNCTION.match(line)):
            found.append([match.group(1), pattern, number, number])
            pattern = None
        elif found and pattern is None and not line.startswith("#"):
            found[-1][3] = number
    return found


def errors_of(output, source):
    """Every error, with the lines of `source` that led to it."""
    found = []
    context, pending = set(), set()
    for line in output.split("\n"):
        match = PLACE.match(line)
        if not match:
            continue
        path, number, text = match.groups()
        is_own = path == source
        if error := ERROR.match(text):
            # Several errors of one instantiation share the context that the first one printed.
            if pending or is_own:
                context, pending = pending, set()
            found.append((error.group(1), context | ({int(number)} if is_own else set())))
        elif is_own and not text.startswith(("note:", "warning:")):
            pending.add(int(number))
    return found


def compile_source(source, command, *flags):
    flags = ["-std=gnu++20", "-fsyntax-only", "-fno-diagnostics-show-caret",
             "-ftemplate-backtrace-limit=0", *flags, source]
    return subprocess.run([*command, *flags], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})


def problems(source, command):
    with open(source, encoding="utf-8") as file:
        cases = cases_of(file.read())
    plain = compile_source(source, command)
    if plain.returncode != 0:
        yield "it does not compile without its refused cases:\n" + plain.stderr
        return
    errors = errors_of(compile_source(source, command, "-DREFUSED").stderr, source)
    for name, pattern, first, last in cases:
        own = [text for text, lines in errors if any(first <= line <= last for line in lines)]
        if not own:
            yield f"{name}: compiles"
        elif not any(re.search(pattern, text) for text in own):
            yield f"{name}: not refused with '{pattern}', but with " + "; ".join(own)
    print(f"{len(cases)} cases")


def main():
    found = list(problems(sys.argv[1], sys.argv[2:]))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
