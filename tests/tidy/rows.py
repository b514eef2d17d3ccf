# The rows of the mission's checklist that must be proven: some test names each, as "row 39".
import re

ROWS = [*range(1, 17), 18, *range(22, 26), 30, 31, 33, *range(35, 42), 43, 44, 46, *range(49, 52),
        *range(62, 65), *range(66, 69), 82, 83, 91]

NAMED = re.compile(r"\brow[ _](\d+)(?!\d)", re.IGNORECASE)


def check_rows(tree):
    named = set()
    for path in tree.written():
        if path.startswith("tests/") and not path.startswith("tests/tidy/"):
            named |= {int(number) for number in NAMED.findall(tree.text(path))}
    for row in ROWS:
        if row not in named:
            yield f"row {row} of the checklist: no test names it"


RULES = [check_rows]
