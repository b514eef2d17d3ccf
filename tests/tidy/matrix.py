# The table of what travels, in proto/README.md: every row is proven by a test that exists, and every
# refusal that tests/compile_fail expects of the archive is a row that says "no" with its sentence.
import re

README = "proto/README.md"
HEADING = re.compile(r"^#+ What travels$", re.MULTILINE)
ROWS_MIN = 60
# They refuse what is no type of the archive.
OTHERS = tuple(f"tests/compile_fail/{name}.cpp"
               for name in ("blocking", "client", "control", "handlers", "streams"))

TEST_CASE = re.compile(r"\bBOOST_AUTO_TEST_CASE\((\w+)\)")
REFUSAL = re.compile(r"^// Refused: (.*)\n[^\n]*?\b(\w+)\(", re.MULTILINE)
NAME = re.compile(r"`(\w+)`")


def rows_of(text):
    """Line number and cells of each row below the heading."""
    found = HEADING.search(text)
    if not found:
        return
    first = text.count("\n", 0, found.start()) + 1
    for number, line in enumerate(text.split("\n")[first:], first + 1):
        if line.startswith("#"):
            return
        if line.startswith("|") and not line.startswith(("| type |", "|---")):
            yield number, [cell.strip() for cell in line.strip("|").split("|")]


def check_matrix(tree):
    if README not in tree.known:
        return
    cases, refusals = set(), {}
    for path in tree.sources():
        if path.startswith("tests/compile_fail/"):
            if path not in OTHERS:
                refusals |= {name: text.removeprefix("wharf: ")
                             for text, name in REFUSAL.findall(tree.text(path))}
        elif path.startswith("tests/"):
            cases |= set(TEST_CASE.findall(tree.text(path)))
    count, refused = 0, set()
    for number, cells in rows_of(tree.text(README)):
        count += 1
        place = f"{README}:{number}"
        if len(cells) != 5 or cells[1] not in ("yes", "opt-in", "no"):
            yield f"{place}: a row is type, yes or opt-in or no, how, canonical, test"
            continue
        names = NAME.findall(cells[4])
        if not names:
            yield f"{place}: names no test"
        for name in names:
            if name not in (refusals if cells[1] == "no" else cases):
                yield f"{place}: there is no test {name}"
            elif cells[1] == "no":
                refused.add(name)
                if not re.search(refusals[name], cells[2].replace("`", "")):
                    yield f"{place}: the sentence of {name} is '{refusals[name]}'"
    if count < ROWS_MIN:
        yield f"{README}: the table of what travels has {count} rows, of at least {ROWS_MIN}"
    for name in sorted(refusals.keys() - refused):
        yield f"{README}: no row of what travels says no for {name}"


RULES = [check_matrix]
